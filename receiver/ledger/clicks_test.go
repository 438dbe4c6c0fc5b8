package ledger_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/steady"
)

func TestEqualSubIDsAreOneClick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{MaxBatch: 2, Lanes: 2})
		defer d.close()
		const accepted, duplicate = ledger.ClickAccepted, ledger.ClickDuplicate
		for _, step := range []struct {
			subids []string
			want   []ledger.ClickResult
		}{
			{[]string{"a", "b", "a", "c", "b", "d"}, []ledger.ClickResult{accepted, accepted, duplicate, accepted, duplicate,
				accepted}},
			{[]string{"d", "e"}, []ledger.ClickResult{duplicate, accepted}},
			{nil, []ledger.ClickResult{}},
		} {
			if got := d.addClicks(step.subids...); !cmp.Equal(step.want, got) {
				t.Errorf("%v: got %v, want %v", step.subids, got, step.want)
			}
		}
	})
}

func TestAManyClicksCallLeavesRoomInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{MaxBatch: 3, Queue: 4})
		defer d.close()
		open := gate(d)
		added := make(chan struct{})
		go func() {
			subids := make([]string, 100)
			for i := range subids {
				subids[i] = fmt.Sprint(i)
			}
			d.addClicks(subids...)
			close(added)
		}()
		synctest.Wait()
		if queued := d.Queued()[0]; queued > 3 {
			t.Errorf("%d clicks in the queue, want at most a batch", queued)
		}
		open()
		<-added
	})
}

func TestAClickReleasesWhatWasHeldForIt(t *testing.T) {
	for name, together := range map[string]bool{"in a later batch": false, "in the same batch": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, ledger.Options{})
				defer d.close()
				d.rules.UnknownClick, d.rules.HoldFor = config.UnknownClickHold, config.Duration(time.Hour)
				open := func() {}
				if together {
					open = gate(d)
					d.sendLater(t.Context(), d.log())
					synctest.Wait()
				}
				var answers []<-chan answer
				for _, payout := range []int64{1, 2, 2} {
					answers = append(answers, d.sendLater(t.Context(), d.postback("c", payout)))
					synctest.Wait()
				}
				added := make(chan struct{})
				go func() { d.addClicks("c"); close(added) }()
				synctest.Wait()
				open()
				<-added
				for i, a := range answers {
					if got := <-a; got.Outcome != conversion.Held {
						t.Errorf("postback %d: %+v, want it held", i, got)
					}
				}
				if want := []string{"1", "2"}; !cmp.Equal(want, d.payouts()) {
					t.Errorf("versions %v, want %v", d.payouts(), want)
				}
				want := []string{"recorded ", "recorded ", "duplicate "}
				if !together {
					want = append(want, "hold: recorded ", "hold: recorded ", "hold: duplicate ")
				}
				if !cmp.Equal(want, d.outcomes()) {
					t.Errorf("received log %v, want %v", d.outcomes(), want)
				}
				if keys, err := d.store.ExpiredHolds(t.Context(), time.Now().Add(2*time.Hour), 9); len(keys) > 0 || err != nil {
					t.Errorf("still held: %v %v", keys, err)
				}
			})
		})
	}
}

func TestHoldsExpireWhileTheLedgerRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		d.rules.UnknownClick = config.UnknownClickHold
		for i, hold := range []time.Duration{time.Minute, time.Hour} {
			d.rules.HoldFor = config.Duration(hold)
			d.send(d.postback("c", int64(i)))
		}
		stopped := make(chan struct{})
		ctx := t.Context()
		go func() { d.Ledger.Run(ctx); close(stopped) }()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		want := []string{"ignored click_not_found", "held ", "hold: ignored click_not_found"}
		if !cmp.Equal(want, d.outcomes()) {
			t.Errorf("received log %v, want %v", d.outcomes(), want)
		}
		d.addClicks("c")
		if want := []string{"1"}; !cmp.Equal(want, d.payouts()) {
			t.Errorf("versions %v, want only what had not expired", d.payouts())
		}
	})
}

// TestNothingIsGivenUpByAClockThatWasSet: a postback that waits for its click goes on waiting while the time may be
// wrong.
func TestNothingIsGivenUpByAClockThatWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var skew atomic.Int64
		clock := func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }
		began := time.Now()
		watch := steady.New(clock, func() time.Duration { return time.Since(began) }, slog.New(slog.DiscardHandler))
		d := newDesk(t, ledger.Options{Clock: clock, Settled: watch.Settled, ReceivedFor: 30 * 24 * time.Hour})
		defer d.close()
		d.rules.UnknownClick, d.rules.HoldFor = config.UnknownClickHold, config.Duration(2*time.Hour)
		d.send(d.postback("c", 1))
		stopped := make(chan struct{})
		ctx := t.Context()
		go func() { d.Ledger.Run(ctx); close(stopped) }()
		for _, jump := range []time.Duration{24 * time.Hour, -24 * time.Hour, 365 * 24 * time.Hour} {
			skew.Add(int64(jump))
			time.Sleep(20 * time.Minute)
			synctest.Wait()
			if want := []string{"held "}; !cmp.Equal(want, d.outcomes()) {
				t.Fatalf("received log %v after a jump by %v, want %v", d.outcomes(), jump, want)
			}
		}
		time.Sleep(steady.Rest)
		synctest.Wait()
		if got := d.outcomes(); cmp.Equal([]string{"held "}, got) {
			t.Errorf("received log %v, although the time has been the same for an hour", got)
		}
	})
}

func TestPruningKeepsWhatTheOptionsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{ReceivedFor: time.Hour, HistoryFor: 2 * time.Hour})
		defer d.close()
		d.addClicks("c")
		for i := range 4 {
			d.send(d.postback("c", int64(i)))
			time.Sleep(30 * time.Minute)
		}
		ctx := t.Context()
		go d.Ledger.Run(ctx)
		time.Sleep(90 * time.Second)
		synctest.Wait()
		if got := len(d.outcomes()); got != 1 {
			t.Errorf("%d rows of the received log, want the one of the last hour", got)
		}
		for c, err := range d.store.Conversions(ctx, ledger.ConversionFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if versions, err := d.store.History(ctx, c.ID); len(versions) != 3 || err != nil {
				t.Errorf("%d versions (%v), want those of the last two hours and the current one", len(versions), err)
			}
		}
	})
}

func TestARateThatComesConvertsWhatWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		waiting := func(original int64) *money.Amount {
			return &money.Amount{Original: decimal.NewFromInt(original), Currency: "XTS"}
		}
		click := conversion.Click{Endpoint: endpoint, SubID: "c", Time: time.Now(), Cost: waiting(3)}
		if _, err := d.AddClicks(t.Context(), []conversion.Click{click}); err != nil {
			t.Fatal(err)
		}
		p := d.postback("c", 0)
		p.Intent.Payout = waiting(5)
		d.send(p)

		none := func(original decimal.Decimal, currency, _ string) money.Amount {
			return money.Amount{Original: original, Currency: currency}
		}
		double := func(original decimal.Decimal, currency, _ string) money.Amount {
			converted := original.Add(original)
			return money.Amount{Original: original, Currency: currency, Converted: &converted}
		}
		d.reprice(none)
		if got := d.waiting(); got != 2 {
			t.Errorf("%d wait without a rate, want the payout and the click's cost", got)
		}
		d.reprice(double)
		if want := []string{"pending", "10"}; !cmp.Equal(want, d.payouts()) || d.waiting() != 0 {
			t.Errorf("versions %v and %d waiting, want %v and none", d.payouts(), d.waiting(), want)
		}
		d.wantClickCost("c", "6")
	})
}

func TestAnEntryThatNothingBacksIsStruckOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		stale := []ledger.PendingRate{
			{Key: ledger.KeyOf(endpoint, "gone"), Currency: "EUR", ToCurrency: "USD"},
			{Key: ledger.KeyOf(endpoint, "gone"), Click: true, Currency: "EUR"},
		}
		err := d.store.Store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
			return &ledger.Changes{AwaitRate: stale}
		})
		if err != nil {
			t.Fatal(err)
		}
		d.reprice(func(original decimal.Decimal, currency, _ string) money.Amount {
			return money.Amount{Original: original, Currency: currency, Converted: &original}
		})
		if got := d.waiting(); got != 0 {
			t.Errorf("%d entries wait, want none", got)
		}
	})
}

func TestARepricedConversionIsForwardedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		d.rules.Forwards = []conversion.ForwardRule{{Name: "network", Resend: config.ResendOnAnyChange}}
		d.addClicks("c")
		var forwards []ledger.Forward
		d.store.seen = func(c *ledger.Changes) { forwards = append(forwards, c.Forwards...) }
		p := d.postback("c", 0)
		p.Intent.Payout = &money.Amount{Original: decimal.NewFromInt(5), Currency: "XTS"}
		d.send(p)
		d.reprice(func(original decimal.Decimal, currency, _ string) money.Amount {
			return money.Amount{Original: original, Currency: currency, Converted: &original}
		})
		if len(forwards) != 2 {
			t.Fatalf("%d forwards, want one when it was recorded and one when it was converted", len(forwards))
		}
		if want := []string{"recorded ", "rate: recorded "}; !cmp.Equal(want, d.outcomes()) {
			t.Errorf("received log %v, want %v", d.outcomes(), want)
		}
		for i, f := range forwards {
			if f.Rule != "network" || f.Conversion.Version != i+1 || f.Click == nil || f.ID == uuid.Nil {
				t.Errorf("forward %d: %+v", i, f)
			}
		}
	})
}

func (d *desk) reprice(convert conversion.Converter) {
	d.Helper()
	if err := d.Reprice(d.Context(), convert); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) waiting() int {
	d.Helper()
	entries, err := d.store.PendingRates(d.Context(), nil, 100)
	if err != nil {
		d.Fatal(err)
	}
	return len(entries)
}

func (d *desk) wantClickCost(subid, want string) {
	d.Helper()
	key := ledger.KeyOf(endpoint, subid)
	err := d.store.Store.Transact(d.Context(), ledger.Want{Keys: []ledger.Key{key}},
		func(book *ledger.Book) *ledger.Changes {
			if cost := book.Clicks[key].Cost; cost.Pending() || cost.Converted.String() != want {
				d.Errorf("the click's cost is %+v, want %s", cost, want)
			}
			return nil
		})
	if err != nil {
		d.Fatal(err)
	}
}

func TestAClickIsUpdatedByItsCampaignOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		click := conversion.Click{
			Endpoint: endpoint, SubID: "c", Campaign: "spring", Time: time.Now().UTC(),
			Params: conversion.Params{{Name: "keyword", Value: "shoes"}, {Name: "sub_id_1", Value: "a"}},
		}
		if _, err := d.AddClicks(t.Context(), []conversion.Click{click}); err != nil {
			t.Fatal(err)
		}
		var written int
		d.store.seen = func(c *ledger.Changes) { written += len(c.UpdatedClicks) }
		for _, step := range []struct {
			name   string
			update ledger.ClickUpdate
			// params is what the click has afterwards; nil: there is no such click.
			params  conversion.Params
			written int
		}{
			{"nothing is only read", ledger.ClickUpdate{SubID: "c", Campaign: "spring"}, click.Params, 0},
			{"a changed field without proof", ledger.ClickUpdate{SubID: "c", Campaign: "spring", Params: conversion.Params{
				{Name: "keyword", Value: "stolen"},
			}}, click.Params, 0},
			{"new and changed fields", ledger.ClickUpdate{SubID: "c", Campaign: "spring", Proven: true,
				Params: conversion.Params{
					{Name: "keyword", Value: "boots"}, {Name: "sub_id_30", Value: "z"}, {Name: "utm_x", Value: "no field"},
				}}, conversion.Params{{Name: "keyword", Value: "boots"}, {Name: "sub_id_1", Value: "a"},
				{Name: "sub_id_30", Value: "z"}}, 1},
			{"the same again writes nothing", ledger.ClickUpdate{SubID: "c", Campaign: "spring", Params: conversion.Params{
				{Name: "sub_id_30", Value: "z"},
			}}, conversion.Params{{Name: "keyword", Value: "boots"}, {Name: "sub_id_1", Value: "a"},
				{Name: "sub_id_30", Value: "z"}}, 0},
			{"another campaign's", ledger.ClickUpdate{SubID: "c", Campaign: "autumn", Params: conversion.Params{
				{Name: "keyword", Value: "stolen"},
			}}, nil, 0},
			{"an unknown click", ledger.ClickUpdate{SubID: "x", Campaign: "spring"}, nil, 0},
		} {
			written, step.update.Endpoint = 0, endpoint
			got, err := d.UpdateClick(t.Context(), step.update)
			if err != nil {
				t.Fatal(err)
			}
			var params conversion.Params
			if got != nil {
				params = got.Params
			}
			if diff := cmp.Diff(step.params, params); diff != "" || written != step.written {
				t.Errorf("%s: %d clicks written, want %d; params:\n%s", step.name, written, step.written, diff)
			}
		}
	})
}
