package ledger_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/spool"
)

// signed returns a postback whose signature is the n-th.
func (d *desk) signed(n byte, payout int64) ledger.Postback {
	p := d.postback("c", payout)
	p.Log.Signature = uuid.UUID{15: n}
	return p
}

func TestASignatureCountsOnce(t *testing.T) {
	for name, together := range map[string]bool{"in batches of their own": false, "in the same batch": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, ledger.Options{})
				defer d.close()
				d.rules.Repeat = config.RepeatAdd
				d.addClicks("c")
				open := func() {}
				if together {
					open = gate(d)
					d.sendLater(t.Context(), d.log())
					synctest.Wait()
				}
				first := d.signed(1, 5)
				var answers []<-chan answer
				for _, p := range []ledger.Postback{first, d.signed(1, 5), d.signed(2, 5), d.signed(1, 5), d.postback("c", 5)} {
					answers = append(answers, d.sendLater(t.Context(), p))
					synctest.Wait()
				}
				open()
				want := []conversion.Outcome{conversion.Recorded, conversion.Duplicate, conversion.Recorded, conversion.Duplicate,
					conversion.Recorded}
				for i, a := range answers {
					if got := <-a; got.Outcome != want[i] || got.ConversionID != first.Log.ID || got.err != nil {
						t.Errorf("postback %d: %+v, want %s", i, got, want[i])
					}
				}
				if want := []string{"5", "10", "15"}; !cmp.Equal(want, d.payouts()) {
					t.Errorf("versions %v, want %v", d.payouts(), want)
				}
				if want := []string{"recorded ", "duplicate ", "recorded ", "duplicate ", "recorded "}; !cmp.Equal(want,
					d.outcomes()) {
					t.Errorf("received log %v, want %v", d.outcomes(), want)
				}
			})
		})
	}
}

// TestASignatureThatWasIgnoredMayComeAgain: its sender tries again when the click is there.
func TestASignatureThatWasIgnoredMayComeAgain(t *testing.T) {
	for name, hold := range map[string]config.UnknownClick{"at once": config.UnknownClickIgnore,
		"after its time": config.UnknownClickHold} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, ledger.Options{})
				defer d.close()
				d.rules.Repeat, d.rules.UnknownClick, d.rules.HoldFor = config.RepeatAdd, hold, config.Duration(time.Minute)
				ctx := t.Context()
				go d.Ledger.Run(ctx)
				d.send(d.signed(1, 5))
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				d.addClicks("c")
				for i, want := range []conversion.Outcome{conversion.Recorded, conversion.Duplicate} {
					if got := d.send(d.signed(1, 5)); got.Outcome != want {
						t.Errorf("try %d: %+v, want %s", i, got, want)
					}
				}
				want := []string{"ignored click_not_found", "recorded ", "duplicate "}
				if hold == config.UnknownClickHold {
					want = slices.Insert(want, 1, "hold: ignored click_not_found")
				}
				if !cmp.Equal(want, d.outcomes()) {
					t.Errorf("received log %v, want %v", d.outcomes(), want)
				}
			})
		})
	}
}

func TestASignatureThatIsHeldCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		d.rules.Repeat, d.rules.UnknownClick, d.rules.HoldFor = config.RepeatAdd, config.UnknownClickHold,
			config.Duration(time.Hour)
		for i, want := range []conversion.Outcome{conversion.Held, conversion.Duplicate} {
			if got := d.send(d.signed(1, 5)); got.Outcome != want {
				t.Errorf("try %d: %+v, want %s", i, got, want)
			}
		}
		d.addClicks("c")
		if want := []string{"5"}; !cmp.Equal(want, d.payouts()) {
			t.Errorf("versions %v, want %v", d.payouts(), want)
		}
	})
}

// TestASignatureThatIsSpooledCountsOnce: while the store is away nobody knows what it has seen.
func TestASignatureThatIsSpooledCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSpoolDesk(t, t.TempDir(), spool.Options{})
		defer d.close()
		d.rules.Repeat = config.RepeatAdd
		d.addClicks("c")
		d.send(d.signed(1, 5))
		d.away.Store(true)
		for _, p := range []ledger.Postback{d.signed(1, 5), d.signed(2, 5), d.signed(2, 5)} {
			if got := d.send(p); got.Outcome != conversion.Spooled {
				t.Errorf("got %+v, want it spooled", got)
			}
		}
		d.away.Store(false)
		d.settle()
		if want := []string{"5", "10"}; !cmp.Equal(want, d.payouts()) {
			t.Errorf("versions %v, want %v", d.payouts(), want)
		}
		if want := []string{"recorded ", "duplicate ", "recorded ", "duplicate "}; !cmp.Equal(want, d.outcomes()) {
			t.Errorf("received log %v, want %v", d.outcomes(), want)
		}
	})
}

// TestASignatureIsKnownToTheNextProcess: what has counted is in the store, not in a ledger's memory.
func TestASignatureIsKnownToTheNextProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		d.rules.Repeat = config.RepeatAdd
		d.addClicks("c")
		d.send(d.signed(1, 5))
		next := ledger.New(d.store.Store, ledger.Options{})
		for _, c := range []struct {
			signature byte
			want      conversion.Outcome
		}{{1, conversion.Duplicate}, {2, conversion.Recorded}} {
			if got, err := next.Postback(t.Context(), d.signed(c.signature, 5)); err != nil || got.Outcome != c.want {
				t.Errorf("signature %d: %+v, %v, want %s", c.signature, got, err, c.want)
			}
		}
		if err := next.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if want := []string{"5", "10"}; !cmp.Equal(want, d.payouts()) {
			t.Errorf("versions %v, want %v", d.payouts(), want)
		}
	})
}
