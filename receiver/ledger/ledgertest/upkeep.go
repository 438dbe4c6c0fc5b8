package ledgertest

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

func rateSet(source, eur string) money.Set {
	return money.Set{
		Source: source, Base: "EUR", Date: noon.Truncate(24 * time.Hour), Fetched: noon,
		Rates: map[string]decimal.Decimal{"USD": number(eur), "IDR": number("19123.123456789012345678")},
	}
}

func (d *desk) rates() []money.Set {
	d.Helper()
	sets, err := d.store.LoadRates(d.Context())
	if err != nil {
		d.Fatalf("loading rates: %v", err)
	}
	slices.SortFunc(sets, func(a, b money.Set) int { return cmp.Compare(a.Source, b.Source) })
	return sets
}

func testRates(d *desk) {
	d.same("rates of an empty store", 0, len(d.rates()))
	ecb, other, undated := rateSet("ecb", "1.1"), rateSet("other", "1.2"), rateSet("ecb", "1.3")
	undated.Date = time.Time{}
	delete(undated.Rates, "IDR")
	for _, set := range []money.Set{other, ecb, undated} {
		if err := d.store.SaveRates(d.Context(), set); err != nil {
			d.Fatalf("saving rates: %v", err)
		}
	}
	d.same("rates", []money.Set{undated, other}, d.rates())
}

// lease takes the lease for an hour at now.
func (d *desk) lease(name, holder string, now time.Time) bool {
	d.Helper()
	held, err := d.store.Lease(d.Context(), name, holder, now, now.Add(time.Hour))
	if err != nil {
		d.Errorf("lease: %v", err)
	}
	return held
}

func testLease(d *desk) {
	for _, step := range []struct {
		what, name, holder string
		at                 time.Duration
		want               bool
	}{
		{"a free lease is taken", "rates", "a", 0, true},
		{"another one does not get it", "rates", "b", 30 * time.Minute, false},
		{"a lease of another name is free", "prune", "b", 30 * time.Minute, true},
		{"the holder renews it", "rates", "a", 50 * time.Minute, true},
		{"it lasts from the renewal", "rates", "b", 100 * time.Minute, false},
		{"it runs out", "rates", "b", 111 * time.Minute, true},
		{"the former holder has lost it", "rates", "a", 112 * time.Minute, false},
		{"a clock that is a day ahead gets it", "rates", "c", 24 * time.Hour, true},
		{"it is not lost for a day to all others", "rates", "b", 113 * time.Minute, true},
	} {
		if got := d.lease(step.name, step.holder, noon.Add(step.at)); got != step.want {
			d.Errorf("%s: %t", step.what, got)
		}
	}
}

func testLeaseRace(d *desk) {
	for round := range 10 {
		var holders atomic.Int32
		var group sync.WaitGroup
		for racer := range 8 {
			group.Go(func() {
				if d.lease("rates", fmt.Sprint("racer ", racer), noon.Add(time.Duration(round)*2*time.Hour)) {
					holders.Add(1)
				}
			})
		}
		group.Wait()
		if n := holders.Load(); n != 1 {
			d.Errorf("round %d: %d holders", round, n)
		}
	}
}

func testPrune(d *desk) {
	const days, limit = 10, 4
	c := bareConversion("c1", "", noon, 1)
	var rows []ledger.Received
	var versions []*conversion.Conversion
	for n := range days {
		at := noon.Add(time.Duration(n) * 24 * time.Hour)
		rows = append(rows, bareReceived(at, 2*n), fullReceived(at.Add(time.Minute), 2*n+1))
		version := *c
		version.Version, version.UpdatedAt, version.RequestID = n+1, at, id(at, n)
		versions = append(versions, &version)
	}
	other := bareConversion("c2", "", noon.Add(-time.Hour), 50)
	d.write(&ledger.Changes{Received: rows, Conversions: []*conversion.Conversion{versions[days-1], other},
		History: versions[:days-1]})

	d.prune(time.Time{}, time.Time{}, limit)
	d.same("received, all kept", 2*days, len(d.received(ledger.ReceivedFilter{})))
	d.same("history, all kept", versions, d.history(c))

	// Two days are over for long enough, by any clock.
	d.prune(rows[4].At.Truncate(24*time.Hour).Add(2*ledger.IDSlack), time.Time{}, limit)
	kept := slices.Clone(rows)
	slices.Reverse(kept)
	d.same("received, after two days", kept[:len(kept)-4], d.received(ledger.ReceivedFilter{}))

	d.prune(rows[5].At, time.Time{}, limit)
	if kept = kept[:len(kept)-5]; d.engine.WholeDays {
		kept = append(kept, rows[4])
	}
	d.same("received", kept, d.received(ledger.ReceivedFilter{}))
	d.same("history, when only the received log is pruned", versions, d.history(c))

	d.prune(time.Time{}, versions[5].UpdatedAt, limit)
	d.same("history", versions[5:], d.history(c))
	d.prune(noon.Add(1000*time.Hour), noon.Add(1000*time.Hour), limit)
	d.same("received, none kept", 0, len(d.received(ledger.ReceivedFilter{})))
	d.same("the current version stays", versions[days-1:], d.history(c))
	d.same("conversions stay", 2, len(d.conversions(ledger.ConversionFilter{})))
}

// prune prunes in steps until nothing is left to do.
func (d *desk) prune(received, history time.Time, limit int) {
	d.Helper()
	for range 100 {
		n, err := d.store.Prune(d.Context(), received, history, limit)
		if err != nil || n > limit {
			d.Fatalf("pruned %d, limit %d: %v", n, limit, err)
		}
		if n == 0 {
			return
		}
	}
	d.Fatal("pruning finds no end")
}

// testOldClicks: clicks of ten days, two at a time, each second day's with a conversion.
func testOldClicks(d *desk) {
	const days, limit = 10, 3
	var clicks []*conversion.Click
	var conversions []*conversion.Conversion
	var all, kept []string
	for n := range days {
		for _, half := range []string{"a", "b"} {
			click := bareClick(fmt.Sprint("day", n, half))
			click.Time = noon.Add(time.Duration(n) * 24 * time.Hour)
			clicks = append(clicks, click)
			all = append(all, click.SubID)
			if n%2 == 0 {
				conversions = append(conversions, bareConversion(click.SubID, "t", click.Time, 100+len(clicks)))
			}
			if n%2 == 0 || n >= 6 {
				kept = append(kept, click.SubID)
			}
		}
	}
	d.write(&ledger.Changes{NewClicks: clicks, Conversions: conversions})
	before := clicks[12].Time // Those of the sixth day, counted from 0, are not old yet.
	var found []ledger.Key
	var last *ledger.OldClick
	for {
		page, err := d.store.OldClicks(d.Context(), before, last, limit)
		if err != nil || len(page) > limit || len(found) > len(all) {
			d.Fatalf("a page of %d after %d: %v", len(page), len(found), err)
		}
		for _, old := range page {
			n := int(old.Time.Sub(noon) / (24 * time.Hour))
			if want := (n%2 == 0); old.Converted != want || old.SubID[:4] != fmt.Sprint("day", n) {
				d.Errorf("%s of %s has a conversion: %t", old.SubID, old.Time, old.Converted)
			}
			found = append(found, old.Key)
		}
		if len(page) < limit {
			break
		}
		last = &page[limit-1]
	}
	d.same("old clicks", len(clicks[:12]), len(slices.Compact(sorted(slices.Clone(found)))))
	d.write(&ledger.Changes{Expired: sorted(found)})
	var left []string
	for key := range d.clicks(all...) {
		left = append(left, key.SubID)
	}
	slices.Sort(left)
	d.same("clicks that are left", kept, left)
}

func testReopen(d *desk) {
	changes := everything()
	d.write(changes)
	if err := d.store.SaveRates(d.Context(), rateSet("ecb", "1.1")); err != nil {
		d.Fatal(err)
	}
	d.lease("rates", "a", noon)
	d.reopen()

	d.same("clicks", map[ledger.Key]*conversion.Click{ledger.KeyOf(shop, "c1"): changes.NewClicks[0]}, d.clicks("c1"))
	d.same("held", changes.Hold, d.held("c2"))
	d.same("history", slices.Concat(changes.History, changes.Conversions), d.history(changes.Conversions[0]))
	d.same("received", changes.Received, d.received(ledger.ReceivedFilter{}))
	d.same("pending rates", changes.AwaitRate, d.pending())
	d.same("forwards", len(changes.Forwards), len(d.forwards(ledger.OutboxFilter{})))
	d.same("rates", []money.Set{rateSet("ecb", "1.1")}, d.rates())
	if d.lease("rates", "b", noon.Add(time.Minute)) {
		d.Error("the lease was forgotten")
	}
}
