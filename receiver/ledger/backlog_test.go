package ledger_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/spool"
)

// spoolDesk is a desk with a spool, whose store can be sent away.
type spoolDesk struct {
	*desk
	spool *spool.Spool
	away  atomic.Bool
	// because is what the store says while it is away; ErrUnavailable if nil.
	because error
	// takes is how long the store needs for a batch; afterwards runs behind one that was committed.
	takes      atomic.Int64
	afterwards atomic.Pointer[func() error]
}

func newSpoolDesk(t *testing.T, dir string, options spool.Options, prepare ...func(*spoolDesk)) *spoolDesk {
	t.Helper()
	waiting, err := spool.Open(context.Background(), dir, options)
	if err != nil {
		t.Fatal(err)
	}
	d := &spoolDesk{spool: waiting}
	for _, f := range prepare {
		f(d)
	}
	d.desk = newDesk(t, ledger.Options{Spool: waiting, Lanes: 2}, func(store *flaky) {
		store.before = func(int, ledger.Want) error {
			if d.away.Load() {
				return fmt.Errorf("%w: away", cmp.Or(d.because, ledger.ErrUnavailable))
			}
			time.Sleep(time.Duration(d.takes.Load()))
			return nil
		}
		store.after = func(int, ledger.Want) error {
			if f := d.afterwards.Load(); f != nil {
				return (*f)()
			}
			return nil
		}
	})
	return d
}

func (d *spoolDesk) close() {
	d.Helper()
	d.desk.close()
	if err := d.spool.Close(); err != nil {
		d.Errorf("closing the spool: %v", err)
	}
}

// settle returns when the spool is empty and nothing moves any more.
func (d *spoolDesk) settle() {
	d.Helper()
	for range 100 {
		time.Sleep(time.Second)
		synctest.Wait()
		if d.spool.Len() == 0 {
			return
		}
	}
	d.Fatalf("the spool is not emptied: %+v", d.spool.Status())
}

func (d *spoolDesk) want(outcomes []string, payouts ...string) {
	d.Helper()
	if got := d.payouts(); !gocmp.Equal(payouts, got) {
		d.Errorf("versions %v, want %v", got, payouts)
	}
	if got := d.outcomes(); !gocmp.Equal(outcomes, got) {
		d.Errorf("received log %v, want %v", got, outcomes)
	}
}

func recorded(n int) []string { return slices.Repeat([]string{"recorded "}, n) }

func TestPostbacksAreSpooledPastThePatienceAndRecordedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSpoolDesk(t, t.TempDir(), spool.Options{})
		defer d.close()
		d.addClicks("c")
		d.away.Store(true)
		began := time.Now()
		for payout := range int64(3) {
			if got := d.send(d.postback("c", payout)); got.Outcome != conversion.Spooled {
				t.Errorf("postback %d: %+v, want it spooled", payout, got)
			}
			if waited := time.Since(began); waited != time.Second {
				t.Errorf("postback %d waited %v; the first one takes the patience, the others nothing", payout, waited)
			}
		}
		if got := d.send(d.log()); got.Outcome != conversion.Ignored || got.Reason != conversion.SubIDMissing {
			t.Errorf("a postback that needs no store got %+v, want the outcome that it has", got)
		}
		d.away.Store(false)
		d.settle()
		if got := d.send(d.postback("c", 3)); got.Outcome != conversion.Recorded {
			t.Errorf("after the spool is empty: %+v, want it recorded", got)
		}
		d.want(recorded(4), "0", "1", "2", "3")
	})
}

func TestClicksAreNotSpooled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSpoolDesk(t, t.TempDir(), spool.Options{})
		defer d.close()
		d.away.Store(true)
		for range 2 {
			if _, err := d.AddClicks(t.Context(), []conversion.Click{{Endpoint: endpoint, SubID: "c"}}); !errors.Is(err,
				ledger.ErrUnavailable) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
			d.send(d.postback("c", 1))
		}
	})
}

// TestACommitWhoseAnswerIsLostAndThatIsSpooledCountsOnce: every attempt is committed, and none is answered in time.
func TestACommitWhoseAnswerIsLostAndThatIsSpooledCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSpoolDesk(t, t.TempDir(), spool.Options{})
		defer d.close()
		d.addClicks("c")
		lost := func() error {
			d.away.Store(true)
			return ledger.ErrUnavailable
		}
		d.afterwards.Store(&lost)
		if got := d.send(d.postback("c", 1)); got.Outcome != conversion.Spooled {
			t.Errorf("got %+v, want it spooled", got)
		}
		d.afterwards.Store(nil)
		d.away.Store(false)
		d.settle()
		d.want(recorded(1), "1")
	})
}

// TestIntakeStaysBehindTheSpoolUntilItsLastBatchIsCommitted stops the delivery in the middle of its last transaction.
func TestIntakeStaysBehindTheSpoolUntilItsLastBatchIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSpoolDesk(t, t.TempDir(), spool.Options{})
		defer d.close()
		d.addClicks("c")
		d.away.Store(true)
		d.send(d.postback("c", 1))
		open := make(chan struct{})
		blocked := func() error { <-open; return nil }
		d.afterwards.Store(&blocked)
		d.away.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := d.send(d.postback("c", 2)); got.Outcome != conversion.Spooled {
			t.Errorf("while the last batch is under way: %+v, want it spooled", got)
		}
		close(open)
		d.settle()
		d.want(recorded(2), "1", "2")
	})
}

func TestWhatAFormerProcessSpooledIsRecordedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := newSpoolDesk(t, dir, spool.Options{})
		d.away.Store(true)
		d.send(d.postback("c", 1))
		d.close()

		d = newSpoolDesk(t, dir, spool.Options{}, func(d *spoolDesk) { d.away.Store(true) })
		defer d.close()
		d.rules.UnknownClick = config.UnknownClickRecord
		time.Sleep(time.Minute)
		if got := d.send(d.postback("c", 2)); got.Outcome != conversion.Spooled {
			t.Errorf("got %+v, want it behind what is spooled", got)
		}
		d.away.Store(false)
		d.settle()
		d.want([]string{"ignored click_not_found", "recorded "}, "2")
	})
}

func TestAPoisonedRecordIsSetAsideAndBlocksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSpoolDesk(t, t.TempDir(), spool.Options{})
		defer d.close()
		d.addClicks("c")
		d.away.Store(true)
		for i := range int64(5) {
			p := d.postback("c", i)
			if i == 2 {
				p.Intent.Rules = nil // deciding it panics
			}
			d.send(p)
		}
		d.away.Store(false)
		d.settle()
		d.want(recorded(4), "0", "1", "3", "4")
		if got := d.spool.Status(); got.Dead != 1 {
			t.Errorf("%+v, want one that is dead", got)
		}
	})
}

// TestWhatMayPassIsNoPoison: only what the store refuses for its content is set aside, however long the rest lasts.
func TestWhatMayPassIsNoPoison(t *testing.T) {
	for _, because := range []error{ledger.ErrUnavailable, ledger.ErrConflict, ledger.ErrSchema,
		errors.New("unheard of")} {
		t.Run(because.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newSpoolDesk(t, t.TempDir(), spool.Options{}, func(d *spoolDesk) { d.because = because })
				defer d.close()
				d.addClicks("c")
				d.away.Store(true)
				if err := d.spool.Append([]ledger.Postback{d.postback("c", 1)}); err != nil {
					t.Fatal(err)
				}
				d.send(d.postback("c", 2)) // goes behind the first, and wakes the delivery
				time.Sleep(time.Hour)
				if got := d.spool.Status(); got.Dead != 0 || got.Postbacks != 2 {
					t.Errorf("after an hour: %+v", got)
				}
				d.away.Store(false)
				d.settle()
				d.want(recorded(2), "1", "2")
			})
		})
	}
}

func TestAFullSpoolPromisesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSpoolDesk(t, t.TempDir(), spool.Options{MaxBytes: 2000})
		defer d.close()
		d.addClicks("c")
		d.away.Store(true)
		spooled := 0
		for {
			result, err := d.Postback(t.Context(), d.postback("c", int64(spooled)))
			if err != nil {
				if !errors.Is(err, spool.ErrFull) {
					t.Errorf("got %v, want ErrFull", err)
				}
				break
			}
			if result.Outcome != conversion.Spooled {
				t.Fatalf("got %+v", result)
			}
			spooled++
		}
		if d.spool.Status().FailingSince.IsZero() {
			t.Error("the spool does not say that it takes nothing")
		}
		d.away.Store(false)
		d.settle()
		if got := d.payouts(); spooled == 0 || len(got) != spooled {
			t.Errorf("%d spooled, recorded %v", spooled, got)
		}
		if !d.spool.Status().FailingSince.IsZero() {
			t.Error("the empty spool says that it takes nothing")
		}
	})
}

// TestTheBacklogEndsHoweverMuchComesIn: senders never pause, and the store needs a moment for each batch.
func TestTheBacklogEndsHoweverMuchComesIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSpoolDesk(t, t.TempDir(), spool.Options{})
		defer d.close()
		d.away.Store(true)
		d.send(d.log())
		const before = 4000
		var older []ledger.Postback
		for range before {
			older = append(older, d.log())
		}
		if err := d.spool.Append(older); err != nil {
			t.Fatal(err)
		}
		d.takes.Store(int64(10 * time.Millisecond))
		d.away.Store(false)
		for d.spool.Len() > before {
			time.Sleep(time.Millisecond)
		}
		const each = 1000
		var senders sync.WaitGroup
		for sender := range 8 {
			senders.Go(func() {
				for range each {
					result, err := d.Postback(t.Context(), d.postback(fmt.Sprint(sender), 1))
					if err != nil {
						t.Error(err)
						return
					}
					if result.Outcome != conversion.Spooled {
						return
					}
				}
				t.Errorf("sender %d: %d postbacks, and the spool still has %d", sender, each, d.spool.Len())
			})
		}
		senders.Wait()
	})
}

func TestASpoolThatFailsDelaysAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waiting, err := spool.Open(context.Background(), filepath.Join(t.TempDir(), "spool"), spool.Options{})
		if err != nil {
			t.Fatal(err)
		}
		failing := &failingSpool{Spool: waiting, reads: 3, removals: 1}
		d := newDesk(t, ledger.Options{Spool: failing})
		defer d.close()
		d.addClicks("c")
		d.store.before = func(batch int, _ ledger.Want) error {
			if batch < 10 {
				return ledger.ErrUnavailable
			}
			return nil
		}
		for payout := range int64(2) {
			d.send(d.postback("c", payout))
			(&spoolDesk{desk: d, spool: waiting}).settle()
		}
		if want := []string{"0", "1"}; !gocmp.Equal(want, d.payouts()) || !gocmp.Equal(recorded(2), d.outcomes()) {
			t.Errorf("versions %v, want %v; received log %v", d.payouts(), want, d.outcomes())
		}
		if failing.reads != 0 || failing.removals != 0 {
			t.Errorf("the spool did not fail as it was to: %+v", failing)
		}
		if err := waiting.Close(); err != nil {
			t.Error(err)
		}
	})
}

// failingSpool fails some reads, and says that some removals failed.
type failingSpool struct {
	*spool.Spool
	reads, removals int
}

func (s *failingSpool) Next(limit int) ([]ledger.SpooledPostback, error) {
	if s.reads > 0 {
		s.reads--
		return nil, errors.New("input/output error")
	}
	return s.Spool.Next(limit)
}

func (s *failingSpool) Remove(through int64) error {
	err := s.Spool.Remove(through)
	if s.removals > 0 {
		s.removals--
		return errors.Join(err, errors.New("input/output error"))
	}
	return err
}
