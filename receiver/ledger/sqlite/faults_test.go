package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/faultdisk"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// load sends postbacks to a ledger on a disk that may fail, and remembers what was promised when.
type load struct {
	*testing.T
	disk  *faultdisk.Disk
	store *Store
	*ledger.Ledger
	sent int
	// failures of batches since the last postback was sent; once there are as many as its sender has patience for, it
	// goes.
	failures atomic.Int64
	patience int64
	leave    context.CancelFunc
	// promised are the acknowledged postbacks, with the number of changes of the disk by then.
	promised map[uuid.UUID]int
}

// BatchCommitted implements [ledger.Observer].
func (l *load) BatchCommitted(int, int, time.Duration) {}

// BatchFailed implements [ledger.Observer].
func (l *load) BatchFailed(int, error) {
	if l.failures.Add(1) == l.patience {
		l.leave()
	}
}

// adding counts every postback, so that the payout of a slot tells how many took effect.
var adding = conversion.Rules{
	Currency: "USD",
	Policies: config.Policies{
		UnknownClick: config.UnknownClickRecord,
		Repeat:       config.RepeatAdd,
		Slot:         config.SlotTid,
		Transitions:  config.TransitionsAny,
	},
}

func openLoad(t *testing.T, d *faultdisk.Disk) (*load, error) {
	store, err := Open(t.Context(), d.Path("ledger.db"), Options{})
	if err != nil {
		return nil, err
	}
	l := &load{T: t, disk: d, store: store, promised: map[uuid.UUID]int{}, patience: 1000}
	l.Ledger = ledger.New(store, ledger.Options{Observer: l, Rules: func(string) *conversion.Rules { return &adding }})
	return l, nil
}

func newLoad(t *testing.T, d *faultdisk.Disk) *load {
	t.Helper()
	l, err := openLoad(t, d)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// send sends the next postback, one of three slots'.
func (l *load) send() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.leave = cancel
	l.failures.Store(0)
	l.sent++
	subid, id, now, amount := fmt.Sprint("c", l.sent%3), uuid.Must(uuid.NewV7()), time.Now(), decimal.NewFromInt(1)
	_, err := l.Postback(ctx, ledger.Postback{
		Log: ledger.Received{ID: id, Endpoint: "shop/main", SubID: subid, At: now, Stamp: int64(l.sent), Type: "sale"},
		Intent: &conversion.Intent{
			Endpoint:  "shop/main",
			SubID:     subid,
			Type:      "sale",
			RequestID: id,
			Stamp:     int64(l.sent),
			Received:  now,
			Payout:    &money.Amount{Original: amount, Currency: "USD", Converted: &amount},
			Rules:     &adding,
		},
	})
	if err == nil {
		l.promised[id] = l.disk.Changes()
	}
	return err
}

// work is a small load: postbacks, a checkpoint that empties the log, and postbacks again. It ends at the first one
// that is not acknowledged.
func (l *load) work() error {
	for n := range 6 {
		if n == 3 {
			l.store.checkpoints.full.Store(true)
		}
		if err := l.send(); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) readable() error {
	for _, err := range l.store.Received(l.Context(), ledger.ReceivedFilter{}) {
		return err
	}
	return nil
}

func (l *load) close() {
	_ = l.Close(context.Background())
	_ = l.store.Close()
}

// verify opens the disk as the next process does: everything that was promised by the change n is there, and nothing
// took effect twice.
func (l *load) verify(after *faultdisk.Disk, n int) {
	l.Helper()
	defer after.Discard()
	next, err := openLoad(l.T, after)
	if err != nil {
		l.Errorf("after change %d: %v", n, err)
		return
	}
	defer next.close()
	counted, recorded := map[string]int64{}, map[uuid.UUID]bool{}
	for row, err := range next.store.Received(l.Context(), ledger.ReceivedFilter{}) {
		if err != nil {
			l.Fatalf("after change %d: %v", n, err)
		}
		recorded[row.ID] = true
		counted[row.SubID]++
	}
	for c, err := range next.store.Conversions(l.Context(), ledger.ConversionFilter{}) {
		if err != nil {
			l.Fatalf("after change %d: %v", n, err)
		}
		if c.Payout.Converted.IntPart() != counted[c.SubID] {
			l.Errorf("after change %d: %s postbacks of %s took effect, %d are in the log", n, c.Payout.Converted, c.SubID,
				counted[c.SubID])
		}
	}
	for id, when := range l.promised {
		if when <= n && !recorded[id] {
			l.Errorf("after change %d: a postback is gone that was acknowledged after change %d", n, when)
		}
	}
	if err := next.send(); err != nil {
		l.Errorf("after change %d the store takes nothing: %v", n, err)
	}
}

// TestACrashAtAnyMomentLosesNothingThatWasAcknowledged cuts the power after each change of the disk, from the creation
// of the store to its end.
func TestACrashAtAnyMomentLosesNothingThatWasAcknowledged(t *testing.T) {
	d := faultdisk.New(t)
	l := newLoad(t, d)
	if err := l.work(); err != nil {
		t.Fatal(err)
	}
	l.close()
	if len(l.promised) != 6 {
		t.Fatalf("%d promised", len(l.promised))
	}
	for n := range d.Changes() + 1 {
		l.verify(d.Crash(t, n, faultdisk.OnlySynced), n)
		l.verify(d.Crash(t, n, faultdisk.Some(rand.New(rand.NewPCG(uint64(n), 1)))), n)
	}
	if got := check(t, d.Crash(t, d.Changes(), faultdisk.OnlySynced)); got != nil {
		t.Error(got)
	}
}

func check(t *testing.T, d *faultdisk.Disk) error {
	t.Helper()
	return Check(t.Context(), d.Path("ledger.db"))
}

// TestAFailingDiskIsNeverAcknowledged lets each call of the disk fail, once and for good, and cuts the power
// afterwards.
func TestAFailingDiskIsNeverAcknowledged(t *testing.T) {
	fresh := faultdisk.New(t)
	newLoad(t, fresh).close()
	for _, kind := range []faultdisk.Kind{faultdisk.IOError, faultdisk.ShortWrite, faultdisk.NoSpace} {
		for _, fault := range []struct {
			name            string
			times, patience int
		}{{"once", 1, 1000}, {"for good", faultdisk.Always, 2}} {
			t.Run(fmt.Sprint(kind, " ", fault.name), func(t *testing.T) {
				for skip, failed := 0, true; failed; skip++ {
					d := fresh.Crash(t, fresh.Changes(), faultdisk.Everything)
					synctest.Test(t, func(t *testing.T) { failed = failAt(t, d, kind, skip, fault.times, fault.patience) })
				}
			})
		}
	}
}

// failAt reports whether the load had a call that could fail.
func failAt(t *testing.T, d *faultdisk.Disk, kind faultdisk.Kind, skip, times, patience int) bool {
	defer d.Discard()
	l := newLoad(t, d)
	l.patience = int64(patience)
	before := d.Calls(kind)
	d.Inject(kind, skip, times)
	err := l.work()
	hit := d.Calls(kind)-before > skip
	switch {
	case err != nil && times == 1:
		t.Errorf("call %d: %v, although only one call failed", skip, err)
	case err != nil && !errors.Is(err, context.Canceled):
		t.Errorf("call %d: %v", skip, err)
	case err != nil:
		if err := l.store.Ping(t.Context()); !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("call %d: the store says %v of itself", skip, err)
		}
		if err := l.readable(); kind == faultdisk.NoSpace && err != nil {
			t.Errorf("call %d: nothing can be read while the disk is full: %v", skip, err)
		}
	}
	crashed := d.Crash(t, d.Changes(), faultdisk.Some(rand.New(rand.NewPCG(uint64(skip), 2))))
	l.verify(crashed, d.Changes())
	d.Heal()
	if err := l.send(); err != nil {
		t.Errorf("call %d: the disk works again, and the store says %v", skip, err)
	}
	l.close()
	l.verify(d.Crash(t, d.Changes(), faultdisk.OnlySynced), d.Changes())
	return hit
}
