package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// gate stops every attempt until it is opened.
func gate(d *desk) (open func()) {
	closed := make(chan struct{})
	d.store.before = func(int, ledger.Want) error { <-closed; return nil }
	return func() { close(closed) }
}

func TestWhatArrivesDuringACommitIsTheNextBatchInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{MaxBatch: 4})
		defer d.close()
		d.addClicks("c")
		d.store.batches = 0
		open := gate(d)
		var answers []<-chan answer
		for i := range 6 {
			answers = append(answers, d.sendLater(t.Context(), d.postback("c", int64(i))))
			synctest.Wait()
		}
		open()
		for i, a := range answers {
			if got := <-a; got.err != nil || got.Outcome != conversion.Recorded {
				t.Errorf("postback %d: %+v", i, got)
			}
		}
		if want := []string{"0", "1", "2", "3", "4", "5"}; !cmp.Equal(want, d.payouts()) {
			t.Errorf("versions in the order %v, want %v", d.payouts(), want)
		}
		if d.store.batches != 3 {
			t.Errorf("%d batches, want one of 1, one of 4 and one of 1", d.store.batches)
		}
	})
}

func TestAFullLaneIsBusyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{Queue: 2})
		defer d.close()
		open := gate(d)
		for range 3 {
			d.sendLater(t.Context(), d.log())
			synctest.Wait()
		}
		if _, err := d.Postback(t.Context(), d.log()); !errors.Is(err, ledger.ErrBusy) {
			t.Errorf("got %v, want ErrBusy", err)
		}
		if got := d.Queued(); !cmp.Equal(got, []int{2}) {
			t.Errorf("queued %v, want [2]", got)
		}
		open()
	})
}

// TestAFloodOfVisitsRefusesNoPostbackOfAnotherEndpoint: every one of them is in the batch after the one under way.
func TestAFloodOfVisitsRefusesNoPostbackOfAnotherEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		var subids []string
		for i := range 70 {
			subids = append(subids, fmt.Sprint("c", i))
		}
		d.addClicks(subids...)
		open := gate(d)
		var visits sync.WaitGroup
		for i := range 4000 {
			visits.Go(func() {
				click := conversion.Click{Endpoint: "flooded/main", SubID: fmt.Sprint(i), Time: time.Now()}
				if _, err := d.AddClicks(t.Context(), []conversion.Click{click}); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		var answers []<-chan answer
		for i, subid := range subids {
			answers = append(answers, d.sendLater(t.Context(), d.postback(subid, int64(i))))
		}
		synctest.Wait()
		d.store.batches, d.store.wants = 0, nil
		open()
		for i, a := range answers {
			if got := <-a; got.err != nil || got.Outcome != conversion.Recorded {
				t.Errorf("postback %d: %+v", i, got)
			}
		}
		visits.Wait()
		if len(d.store.wants) == 0 || len(d.store.wants[0].Slots) != len(subids) {
			t.Errorf("the postbacks are not all in the next batch")
		}
	})
}

func TestLanesCommitSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{Lanes: 2})
		defer d.close()
		open := gate(d)
		defer open()
		even, odd := d.log(), d.log()
		even.Log.ID[15], odd.Log.ID[15] = 2, 3
		for _, p := range []ledger.Postback{even, odd} {
			d.sendLater(t.Context(), p)
		}
		synctest.Wait()
		if d.store.batches != 2 {
			t.Errorf("%d batches under way, want 2", d.store.batches)
		}
	})
}

// failing returns the errors one after the other, then nil.
func failing(errs ...error) func(int, ledger.Want) error {
	return func(int, ledger.Want) error {
		if len(errs) == 0 {
			return nil
		}
		err := errs[0]
		errs = errs[1:]
		return err
	}
}

func repeated(err error, n int) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = fmt.Errorf("wrapped: %w", err)
	}
	return errs
}

func TestABatchIsTriedAgain(t *testing.T) {
	for _, test := range []struct {
		name     string
		errs     []error
		wantErr  error
		waited   time.Duration
		attempts int
	}{
		{"until the store is back, more and more slowly", repeated(ledger.ErrUnavailable, 7), nil, 1620 * time.Millisecond,
			8},
		{"after twenty conflicts", repeated(ledger.ErrConflict, 20), nil, 0, 21},
		{"but not after more", repeated(ledger.ErrConflict, 21), ledger.ErrConflict, 0, 21},
		{"but not when the store refuses the data", repeated(ledger.ErrPoisoned, 1), ledger.ErrPoisoned, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, ledger.Options{})
				defer d.close()
				d.store.before = failing(test.errs...)
				began := time.Now()
				_, err := d.Postback(t.Context(), d.log())
				if !errors.Is(err, test.wantErr) {
					t.Errorf("got %v, want %v", err, test.wantErr)
				}
				if waited := time.Since(began); waited != test.waited {
					t.Errorf("waited %v, want %v", waited, test.waited)
				}
				if d.store.batches != test.attempts {
					t.Errorf("%d attempts, want %d", d.store.batches, test.attempts)
				}
			})
		})
	}
}

func TestACommitWhoseAnswerIsLostCountsOnce(t *testing.T) {
	for _, lost := range []error{ledger.ErrUnavailable, ledger.ErrConflict} {
		t.Run(lost.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, ledger.Options{})
				defer d.close()
				d.addClicks("c")
				d.store.after = failing(lost, lost, nil, lost, nil)
				first := d.postback("c", 10)
				result := d.send(first)
				if result.Outcome != conversion.Recorded || result.ConversionID != first.Log.ID {
					t.Errorf("got %+v, want it recorded as %v", result, first.Log.ID)
				}
				if result := d.send(d.log()); result.Reason != conversion.SubIDMissing {
					t.Errorf("got %+v, want the stored outcome", result)
				}
				if want := []string{"10"}; !cmp.Equal(want, d.payouts()) {
					t.Errorf("versions %v, want %v", d.payouts(), want)
				}
				if want := []string{"recorded "}; !cmp.Equal(want, d.outcomes()) {
					t.Errorf("received log %v, want %v", d.outcomes(), want)
				}
				if got := d.store.wants[2].Receipts; len(got) != 1 || got[0].ID != first.Log.ID {
					t.Errorf("the second attempt wanted the receipts %v, want that of the first", got)
				}
			})
		})
	}
}

// TestARedeliveredPostbackDoesNotUndoANewerOne: another receiver overtakes a batch that failed before it was committed.
func TestARedeliveredPostbackDoesNotUndoANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		other := ledger.New(d.store.Store, ledger.Options{})
		d.addClicks("c")
		old, newer := d.postback("c", 1), d.postback("c", 2)
		d.store.before = func(int, ledger.Want) error {
			d.store.before = nil
			if _, err := other.Postback(t.Context(), newer); err != nil {
				t.Error(err)
			}
			return ledger.ErrConflict
		}
		if got := d.send(old); got.Outcome != conversion.Superseded || got.ConversionID != newer.Log.ID {
			t.Errorf("got %+v, want it superseded", got)
		}
		if want := []string{"2"}; !cmp.Equal(want, d.payouts()) {
			t.Errorf("versions %v, want %v", d.payouts(), want)
		}
		if err := other.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestOneBadOperationFailsAlone(t *testing.T) {
	const bad = 3
	for name, spoil := range map[string]func(*desk, *ledger.Postback){
		"when the store refuses it": func(d *desk, p *ledger.Postback) {
			d.store.before = func(_ int, want ledger.Want) error {
				for _, slot := range want.Slots {
					if slot.TID == "bad" {
						return ledger.ErrPoisoned
					}
				}
				return nil
			}
			p.Intent.Slot.TID = "bad"
		},
		"when deciding it panics": func(_ *desk, p *ledger.Postback) { p.Intent.Rules = nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, ledger.Options{})
				defer d.close()
				d.addClicks("c")
				open := gate(d)
				blocked := d.sendLater(t.Context(), d.log())
				synctest.Wait()
				var answers []<-chan answer
				for i := range 7 {
					p := d.postback("c", int64(i))
					if i == bad {
						spoil(d, &p)
					}
					answers = append(answers, d.sendLater(t.Context(), p))
					synctest.Wait()
				}
				open()
				<-blocked
				for i, a := range answers {
					if got := <-a; errors.Is(got.err, ledger.ErrPoisoned) != (i == bad) || i != bad && got.err != nil {
						t.Errorf("postback %d: %v", i, got.err)
					}
				}
				if want := []string{"0", "1", "2", "4", "5", "6"}; !cmp.Equal(want, d.payouts()) {
					t.Errorf("versions %v, want %v", d.payouts(), want)
				}
			})
		})
	}
}

func TestWhatNobodyWaitsForIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		d.addClicks("c")
		open := gate(d)
		blocked := d.sendLater(t.Context(), d.log())
		synctest.Wait()
		ctx, giveUp := context.WithCancelCause(t.Context())
		queued := d.sendLater(ctx, d.postback("c", 1))
		synctest.Wait()
		tired := errors.New("tired")
		giveUp(tired)
		if got := <-queued; !errors.Is(got.err, tired) {
			t.Errorf("got %v, want why the caller gave up", got.err)
		}
		open()
		<-blocked
		if d.send(d.postback("c", 2)); !cmp.Equal([]string{"2"}, d.payouts()) {
			t.Errorf("versions %v, want only what was waited for", d.payouts())
		}
	})
}

func TestAnOutageEndsForACallerWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		var back atomic.Bool
		d.store.before = func(int, ledger.Want) error {
			if back.Load() {
				return nil
			}
			return ledger.ErrUnavailable
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := d.Postback(ctx, d.log()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		back.Store(true)
		d.send(d.log())
	})
}

func TestCloseAnswersWhatWasAcceptedAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{MaxBatch: 1})
		open := gate(d)
		var answers []<-chan answer
		for range 3 {
			answers = append(answers, d.sendLater(t.Context(), d.log()))
		}
		synctest.Wait()
		closed := make(chan struct{})
		go func() { d.close(); close(closed) }()
		synctest.Wait()
		if _, err := d.Postback(t.Context(), d.log()); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
		open()
		for i, a := range answers {
			if got := <-a; got.err != nil {
				t.Errorf("postback %d: %v", i, got.err)
			}
		}
		<-closed
	})
}

func TestCloseDoesNotWaitLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{MaxBatch: 1})
		d.store.before = func(int, ledger.Want) error { return ledger.ErrUnavailable }
		tried, queued := d.sendLater(t.Context(), d.log()), d.sendLater(t.Context(), d.log())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := d.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		for _, a := range []<-chan answer{tried, queued} {
			if got := <-a; !errors.Is(got.err, ledger.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", got.err)
			}
		}
		if err := d.store.Close(); err != nil {
			t.Error(err)
		}
	})
}
