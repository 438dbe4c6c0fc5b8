package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/faultdisk"
	"github.com/postback-dev/postback-operator/receiver/ledger/spool"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// addingRules count every postback, so that the payout of a slot tells how many took effect.
var addingRules = conversion.Rules{
	Currency: "USD",
	Policies: config.Policies{
		UnknownClick: config.UnknownClickRecord,
		Repeat:       config.RepeatAdd,
		Slot:         config.SlotTid,
		Transitions:  config.TransitionsAny,
	},
}

// spoolFiles are those of a disk that may fail.
type spoolFiles struct{ *faultdisk.Disk }

func (f spoolFiles) OpenFile(path string) (spool.File, error) { return f.Disk.OpenFile(path) }

// receiver is a ledger with a store and a spool, each on a disk of its own that may fail.
type receiver struct {
	*ledger.Ledger
	store                *sqlite.Store
	spool                *spool.Spool
	storeDisk, spoolDisk *faultdisk.Disk
}

func startReceiver(t *testing.T, storeDisk, spoolDisk *faultdisk.Disk) *receiver {
	t.Helper()
	store, err := sqlite.Open(t.Context(), storeDisk.Path("ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := spool.Open(t.Context(), spoolDisk.Dir, spool.Options{Files: spoolFiles{spoolDisk}})
	if err != nil {
		t.Fatal(err)
	}
	return &receiver{
		Ledger: ledger.New(store, ledger.Options{Spool: queue,
			Rules: func(string) *conversion.Rules { return &addingRules }}),
		store: store, spool: queue, storeDisk: storeDisk, spoolDisk: spoolDisk,
	}
}

func (r *receiver) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.Close(ctx)
	_ = r.spool.Close()
	_ = r.store.Close()
}

// promises are what senders were told, over all lives of a receiver.
type promises struct {
	sync.Mutex
	kept    map[uuid.UUID]bool
	refused int
}

func (p *promises) copy() map[uuid.UUID]bool {
	p.Lock()
	defer p.Unlock()
	kept := make(map[uuid.UUID]bool, len(p.kept))
	for id := range p.kept {
		kept[id] = true
	}
	return kept
}

// send sends n postbacks of one click, with the patience of a network.
func (p *promises) send(r *receiver, subid string, n int) {
	for range n {
		id, now, amount := uuid.Must(uuid.NewV7()), time.Now(), decimal.NewFromInt(1)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err := r.Postback(ctx, ledger.Postback{
			Log: ledger.Received{ID: id, Endpoint: endpoint, SubID: subid, At: now, Stamp: now.UnixMicro(), Type: "sale"},
			Intent: &conversion.Intent{
				Endpoint:  endpoint,
				SubID:     subid,
				Type:      "sale",
				RequestID: id,
				Stamp:     now.UnixMicro(),
				Received:  now,
				Payout:    &money.Amount{Original: amount, Currency: "USD", Converted: &amount},
				Rules:     &addingRules,
			},
		})
		cancel()
		p.Lock()
		if err == nil {
			p.kept[id] = true
		} else {
			p.refused++
		}
		p.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
}

// live runs a receiver under load on disks that fail now and then, and returns the disks as the power cut leaves them,
// with what was promised by then.
func live(t *testing.T, rnd *rand.Rand, p *promises, storeDisk, spoolDisk *faultdisk.Disk) (_, _ *faultdisk.Disk,
	_ map[uuid.UUID]bool) {
	r := startReceiver(t, storeDisk, spoolDisk)
	var senders sync.WaitGroup
	for n := range 4 {
		senders.Go(func() { p.send(r, fmt.Sprint("c", n), 30) })
	}
	for range 10 {
		disk := []*faultdisk.Disk{storeDisk, spoolDisk}[rnd.IntN(2)]
		disk.Inject(faultdisk.Kind(rnd.IntN(3)), rnd.IntN(20), []int{1, 10, faultdisk.Always}[rnd.IntN(3)])
		time.Sleep(time.Duration(rnd.IntN(3000)) * time.Millisecond)
		disk.Heal()
		time.Sleep(time.Duration(rnd.IntN(1000)) * time.Millisecond)
	}
	// In this order: what has left the spool is in the store.
	kept, spooled := p.copy(), spoolDisk.Changes()
	stored := storeDisk.Changes()
	senders.Wait()
	r.stop()
	return storeDisk.Crash(t, stored, faultdisk.Some(rnd)), spoolDisk.Crash(t, spooled, faultdisk.Some(rnd)), kept
}

// TestDisksThatFailAtRandomLoseNothingThatWasAcknowledged runs receivers one after another, each on the disks that a
// power cut of the one before has left.
func TestDisksThatFailAtRandomLoseNothingThatWasAcknowledged(t *testing.T) {
	var promised, refused int
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			storeDisk, spoolDisk := faultdisk.New(t), faultdisk.New(t)
			p := &promises{kept: map[uuid.UUID]bool{}}
			for range 3 {
				storeDisk, spoolDisk, p.kept = live(t, rnd, p, storeDisk, spoolDisk)
			}
			r := startReceiver(t, storeDisk, spoolDisk)
			defer r.stop()
			for r.spool.Len() > 0 {
				time.Sleep(time.Second)
			}
			if status := r.spool.Status(); status.Missing > 0 || status.Dead > 0 {
				t.Errorf("seed %d: %+v", seed, status)
			}
			audit(t, r.store, p.kept)
			promised, refused = promised+len(p.kept), refused+p.refused
		})
	}
	t.Logf("%d postbacks were acknowledged, %d were not", promised, refused)
	if refused == 0 {
		t.Error("no disk has failed")
	}
}

// audit: what was promised is in the store, and nothing took effect twice.
func audit(t *testing.T, store ledger.Store, promised map[uuid.UUID]bool) {
	t.Helper()
	counted, found := map[string]int64{}, map[uuid.UUID]bool{}
	for row, err := range store.Received(t.Context(), ledger.ReceivedFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Outcome == conversion.Recorded {
			counted[row.SubID]++
		}
		found[row.ID] = true
	}
	for c, err := range store.Conversions(t.Context(), ledger.ConversionFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if c.Payout.Converted.IntPart() != counted[c.SubID] {
			t.Errorf("%s postbacks of %s took effect, %d are in the log", c.Payout.Converted, c.SubID, counted[c.SubID])
		}
	}
	for id := range promised {
		if !found[id] {
			t.Errorf("postback %s was acknowledged and is gone", id)
		}
	}
}
