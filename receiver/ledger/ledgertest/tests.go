package ledgertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// testOldTests: test clicks of three days and a click that counts, each with a conversion, its former version, an S2S
// postback and rates that are waited for; one test click has an orphan that was there before it.
func testOldTests(d *desk) {
	changes := &ledger.Changes{}
	add := func(subid, tid string, day int, test bool) {
		at := noon.Add(time.Duration(day) * 24 * time.Hour)
		c := bareConversion(subid, tid, at, len(changes.Conversions)+1)
		c.Test = test
		next := *c
		next.Version, next.RequestID = 2, id(at, len(changes.Conversions)+100)
		changes.Conversions, changes.History = append(changes.Conversions, &next), append(changes.History, c)
		changes.AwaitRate = append(changes.AwaitRate, pendingRate(subid, tid, "RUB"))
		row := ledger.Forward{ID: id(at, len(changes.Conversions)+200), Rule: "r", Host: "h", Conversion: &next, Due: at}
		changes.Forwards = append(changes.Forwards, row)
	}
	for day := range 4 {
		click := bareClick(fmt.Sprint("day", day))
		click.Time, click.Test = noon.Add(time.Duration(day)*24*time.Hour), day != 3
		changes.NewClicks = append(changes.NewClicks, click)
		waits := pendingRate(click.SubID, "", "RUB")
		waits.Click = true
		changes.AwaitRate = append(changes.AwaitRate, waits)
		add(click.SubID, "t", day, click.Test)
	}
	add("day0", "orphan", 0, false)
	d.write(changes)

	old := func(before time.Time, limit int) (subids []string) {
		keys, err := d.store.OldTests(d.Context(), before, limit)
		if err != nil {
			d.Fatal(err)
		}
		for _, key := range keys {
			subids = append(subids, key.SubID)
		}
		return subids
	}
	d.same("tests before the first", []string(nil), old(noon, 10))
	d.same("tests of two days", []string{"day0", "day1"}, old(noon.Add(48*time.Hour), 10))
	d.same("the oldest", []string{"day0"}, old(noon.Add(1000*time.Hour), 1))
	d.same("all tests", []string{"day0", "day1", "day2"}, old(noon.Add(1000*time.Hour), 10))

	gone := []ledger.Key{ledger.KeyOf(shop, "day0"), ledger.KeyOf(shop, "day1")}
	d.write(&ledger.Changes{Tests: sorted(gone)})
	d.same("clicks that are left", 2, len(d.clicks("day0", "day1", "day2", "day3")))
	var left, sent, waiting []string
	for _, c := range d.conversions(ledger.ConversionFilter{}) {
		left = append(left, c.SubID+" "+c.Slot.TID)
		d.same("versions of "+c.SubID, 2, len(d.history(c)))
	}
	for _, f := range d.forwards(ledger.OutboxFilter{}) {
		sent = append(sent, fmt.Sprint(f.Slot.SubID, " ", f.Slot.TID, " ", f.Test))
	}
	for _, p := range d.pending() {
		waiting = append(waiting, fmt.Sprint(p.SubID, " ", p.Slot.TID, " ", p.Click))
	}
	for _, list := range [][]string{left, sent, waiting} {
		slices.Sort(list)
	}
	d.same("conversions that are left", []string{"day0 orphan", "day2 t", "day3 t"}, left)
	d.same("S2S postbacks that are left", []string{"day0 orphan false", "day2 t true", "day3 t false"}, sent)
	d.same("what waits for rates", []string{"day0 orphan false", "day2  true", "day2 t false", "day3  true",
		"day3 t false"}, waiting)
	// A conversion that takes the place of a removed one has its own history only.
	again := bareConversion("day1", "t", noon, 900)
	again.Version = 2
	d.write(&ledger.Changes{Conversions: []*conversion.Conversion{again}})
	d.same("versions of what was removed", 1, len(d.history(again)))
}
