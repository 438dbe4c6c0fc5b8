package ledgertest

import (
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// manyClicks are more than anybody copies at a time.
const manyClicks = 1200

// Fill writes rows into every table of an empty store: full ones, bare ones, and such as are nobody's first idea.
func Fill(t *testing.T, store ledger.Store) {
	t.Helper()
	d := &desk{T: t, store: store}
	clicks := []*conversion.Click{fullClick("c1")}
	for n := range manyClicks {
		clicks = append(clicks, bareClick(subid(n)))
	}
	full := fullConversion("c1", awkward)
	d.write(&ledger.Changes{
		NewClicks:   clicks,
		Conversions: []*conversion.Conversion{full, bareConversion("orphan", "", noon, 5)},
		Received:    []ledger.Received{bareReceived(noon, 1), fullReceived(noon, 2)},
		Hold:        []ledger.HeldPostback{heldPostback("held", noon, 9)},
		AwaitRate:   []ledger.PendingRate{pendingRate("c1", awkward, "XAU"), pendingRate(subid(7), "", "USDT")},
		Forwards: []ledger.Forward{
			forward(11, "c1", "waits", host, 1), forward(12, subid(1), "sent", host, 1), forward(13, subid(2), "failed", "", 1),
			{ID: id(noon, 14), Rule: "full", Host: host, Conversion: full, Click: fullClick("c1"), IP: "2001:db8::9",
				Due: noon.Add(time.Hour)},
		},
	})
	d.versions(full, 4)
	for _, row := range d.claim(d.store, "a", noon, 10, host, "") {
		switch row.Rule {
		case "sent":
			d.finish(d.store, "a", noon, delivered(row, noon))
		case "failed":
			d.finish(d.store, "a", noon, failed(row, noon))
		}
	}
	for _, source := range []string{"ecb", "other"} {
		if err := store.SaveRates(d.Context(), rateSet(source, "1.0845")); err != nil {
			d.Fatal(err)
		}
	}
	op := fullOperation(noon, 21)
	d.addOperations(op, bareOperation(noon, 22))
	if err := store.SaveOperation(d.Context(), op, []ledger.OperationRow{
		{Operation: op.ID, Number: 1, Origin: id(noon, 2), SubID: "c1", TID: awkward, Input: awkward, Outcome: "recorded",
			Reason: awkward, Result: []byte(`{"c":"d"}`)},
		{Operation: op.ID, Number: 2},
	}); err != nil {
		d.Fatal(err)
	}
}

// versions writes further versions of a conversion, each in a batch of its own, as the journal keeps them.
func (d *desk) versions(c *conversion.Conversion, n int) {
	d.Helper()
	for i := range n {
		next := *c
		next.Version, next.PreviousType = c.Version+1, c.Type
		// The ids go down, so that an order by them would be another one.
		row := fullReceived(noon, 90-i)
		row.Conversion, row.Version, row.SubID = next.ID, next.Version, next.SubID
		d.write(&ledger.Changes{
			Conversions: []*conversion.Conversion{&next}, History: []*conversion.Conversion{c}, Received: []ledger.Received{row},
		})
		c = &next
	}
}

// SumsAgree holds that the sums of reports are those of the rows.
func SumsAgree(t *testing.T, store ledger.Store) {
	t.Helper()
	compareCells(t.Context(), t, store)
}
