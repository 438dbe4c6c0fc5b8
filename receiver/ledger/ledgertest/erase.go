package ledgertest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// person is a click with all that came of it, each part with everything that an erasure takes.
type person struct {
	click            *conversion.Click
	former, current  *conversion.Conversion
	received         ledger.Received
	held             ledger.HeldPostback
	forward, waiting ledger.Forward
}

// personOf makes ids from n to n+9.
func personOf(subid string, n int) person {
	p := person{
		click:    fullClick(subid),
		former:   fullConversion(subid, "t"),
		current:  fullConversion(subid, "t"),
		received: fullReceived(noon, n),
		held:     heldPostback(subid, noon, n+1),
	}
	p.former.ID, p.former.Version, p.current.ID = id(noon, n+2), 6, id(noon, n+2)
	p.received.SubID = subid
	p.forward = forward(n+3, subid, "f", host, 7)
	p.forward.Conversion, p.forward.Click, p.forward.IP = p.current, p.click, "192.0.2.1"
	p.waiting = p.forward
	p.waiting.ID, p.waiting.Host = id(noon, n+4), "other.example:443"
	return p
}

func (d *desk) writePerson(p person) {
	d.Helper()
	d.write(&ledger.Changes{
		NewClicks:   []*conversion.Click{p.click},
		Conversions: []*conversion.Conversion{p.current},
		History:     []*conversion.Conversion{p.former},
		Received:    []ledger.Received{p.received},
		Hold:        []ledger.HeldPostback{p.held},
		Forwards:    []ledger.Forward{p.forward, p.waiting},
	})
}

// readPerson reads what there is of a person, in the order in which personOf made it.
func (d *desk) readPerson(subid string) []any {
	d.Helper()
	all := d.conversions(ledger.ConversionFilter{SubID: subid})
	if len(all) != 1 {
		d.Fatalf("%d conversions of %s", len(all), subid)
	}
	return []any{
		d.clicks(subid), d.history(all[0]), all, d.received(ledger.ReceivedFilter{SubID: subid}), d.held(subid),
		d.forwards(ledger.OutboxFilter{SubID: subid}),
	}
}

// erase erases in a batch that has locked the click, as the ledger does.
func (d *desk) erase(of ...ledger.Erasable) {
	d.Helper()
	var want ledger.Want
	for _, one := range of {
		if one.SubID != "" {
			want.Keys = append(want.Keys, one.Key)
		}
	}
	want.Keys = sorted(want.Keys)
	err := persist(d.Context(), d.store, want, func(*ledger.Book) *ledger.Changes { return &ledger.Changes{Erase: of} })
	if err != nil {
		d.Fatalf("erasing: %v", err)
	}
}

// erasable returns what a selection is about, each once.
func (d *desk) erasable(what ledger.Selection) (found []ledger.Erasable) {
	d.Helper()
	for one, err := range d.store.Erasable(d.Context(), what) {
		if err != nil {
			d.Fatalf("what %+v is about: %v", what, err)
		}
		if !slices.Contains(found, one) {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b ledger.Erasable) int { return a.Compare(b.Key) })
	return found
}

// testErasable selects by each of the kinds, and by names that the senders gave.
func testErasable(d *desk) {
	one, other := personOf("c1", 10), personOf("c2", 30)
	other.click.IP, other.click.Params = "2001:db8::2", nil
	other.current.Params, other.former.Params, other.held.Intent.Params = nil, nil, nil
	d.writePerson(one)
	d.writePerson(other)
	nameless := bareReceived(noon, 50)
	nameless.Query, nameless.IP = "mail=a%40b.example", "192.0.2.9"
	body := bareReceived(noon, 51)
	body.Body = `{"Mail":"a@b.example"}`
	d.write(&ledger.Changes{Received: []ledger.Received{nameless, body}})

	key, row := ledger.Erasable{Key: ledger.KeyOf(shop, "c1")}, func(n int) ledger.Erasable {
		return ledger.Erasable{Key: ledger.KeyOf(shop, ""), Received: id(noon, n)}
	}
	for _, test := range []struct {
		name string
		what ledger.Selection
		want []ledger.Erasable
	}{
		{"by subid", ledger.Selection{SubID: "c1"}, []ledger.Erasable{key}},
		{"by subid, of another endpoint", ledger.Selection{Endpoint: "shop/other", SubID: "c1"}, nil},
		{"by the click's address", ledger.Selection{IP: netip.MustParseAddr("2001:db8::1")}, []ledger.Erasable{key}},
		{"by the address of a row without a click", ledger.Selection{IP: netip.MustParseAddr("192.0.2.9")},
			[]ledger.Erasable{row(50)}},
		{"by a parameter of the click", ledger.Selection{Parameter: "keyword", Value: awkward}, []ledger.Erasable{key}},
		{"by a parameter of the conversion", ledger.Selection{Parameter: "a", Value: awkward}, []ledger.Erasable{key}},
		{"by a parameter of what is held", ledger.Selection{Parameter: "p", Value: awkward}, []ledger.Erasable{key}},
		{"by the value alone of another parameter", ledger.Selection{Parameter: "p", Value: "30"}, nil},
		{"by the sender's name", ledger.Selection{Endpoint: shop, Parameter: "mail", Value: "a@b.example"},
			[]ledger.Erasable{row(50), row(51)}},
	} {
		found := d.erasable(test.what)
		slices.SortStableFunc(found, func(a, b ledger.Erasable) int { return slices.Compare(a.Received[:], b.Received[:]) })
		d.same(test.name, test.want, found)
	}
	for e, err := range d.store.Erasable(d.Context(), ledger.Selection{}) {
		if err == nil {
			d.Errorf("a selection of nothing is about %v", e)
		}
	}
}

// testErase looks at each field of each table: what is a person's goes, all else stays, of others everything.
func testErase(d *desk) {
	one, other := personOf("c1", 10), personOf("c2", 30)
	d.writePerson(one)
	d.writePerson(other)
	sent := d.claim(d.store, "sender", noon, 1, host)
	before := d.readPerson("c2")

	key := ledger.Erasable{Key: ledger.KeyOf(shop, "c1")}
	counts, err := d.store.CountErasable(d.Context(), key)
	if err != nil {
		d.Fatal(err)
	}
	d.same("what is counted", ledger.Erasure{Clicks: 1, Conversions: 2, Received: 1, Held: 1, Outbox: 2}, counts)
	d.erase(key)
	d.same("somebody else", before, d.readPerson("c2"))

	one.click.IP, one.click.UserAgent, one.click.Params, one.click.VisitorFields = "", "", nil, nil
	for _, c := range []*conversion.Conversion{one.former, one.current} {
		c.Params, c.From, c.Source = nil, "", ""
	}
	r := &one.received
	r.IP, r.Method, r.ContentType, r.Query, r.Body, r.SubIDFrom, r.Note = "", "", "", "", "", "", ""
	in := one.held.Intent
	in.Params, in.From, in.ReceivedIP = nil, "", ""
	d.same("the click", one.click, d.clicks("c1")[key.Key])
	d.same("the versions", []*conversion.Conversion{one.former, one.current}, d.history(one.current))
	d.same("the current one", []*conversion.Conversion{one.current}, d.conversions(ledger.ConversionFilter{SubID: "c1"}))
	d.same("the received log", []ledger.Received{*r}, d.received(ledger.ReceivedFilter{SubID: "c1"}))
	d.same("what is held", []ledger.HeldPostback{one.held}, d.held("c1"))
	d.erasedForwards(one, sent)

	// Erased rows are counted as before, so that a resumed erasure tells the same numbers.
	again, err := d.store.CountErasable(d.Context(), key)
	d.same("what is counted afterwards", counts, again)
	if err := errors.Join(err, d.store.Forget(d.Context())); err != nil {
		d.Error(err)
	}
}

// erasedForwards looks for a person's S2S postbacks without what was erased. What is known of an attempt under way is
// not written any more.
func (d *desk) erasedForwards(p person, sent []ledger.OutboxRow) {
	d.Helper()
	for _, row := range sent {
		if row.Slot.SubID == p.click.SubID {
			d.finish(d.store, "sender", noon.Add(time.Second), delivered(row, noon.Add(time.Second)))
		}
	}
	rows := d.forwards(ledger.OutboxFilter{SubID: p.click.SubID})
	if len(rows) != 2 {
		d.Fatalf("%d S2S postbacks", len(rows))
	}
	for _, row := range rows {
		d.same("the S2S postback's conversion", p.current, row.Conversion)
		d.same("the S2S postback's click", p.click, row.Click)
		if row.IP != "" || len(row.Attempts) > 0 || row.State != ledger.ForwardWaiting {
			d.Errorf("the S2S postback is %s, of %q, with attempts %v", row.State, row.IP, row.Attempts)
		}
	}
}

// testEraseRows erases rows that belong to no click.
func testEraseRows(d *desk) {
	nameless, kept := fullReceived(noon, 1), fullReceived(noon, 2)
	nameless.SubID, kept.SubID = "", ""
	d.write(&ledger.Changes{Received: []ledger.Received{nameless, kept}})
	op := bareOperation(noon, 3)
	d.addOperations(op)
	lines := []ledger.OperationRow{
		{Operation: op.ID, Number: 1, Input: awkward}, {Operation: op.ID, Number: 2, Input: "b"},
	}
	if err := d.store.SaveOperation(d.Context(), op, lines); err != nil {
		d.Fatal(err)
	}
	row := ledger.Erasable{Key: ledger.KeyOf(shop, ""), Received: nameless.ID}
	line := ledger.Erasable{Operation: op.ID, Number: 1}
	for _, test := range []struct {
		of   ledger.Erasable
		want ledger.Erasure
	}{
		{row, ledger.Erasure{Received: 1}},
		{line, ledger.Erasure{Operations: 1}},
		{ledger.Erasable{Operation: op.ID, Number: 9}, ledger.Erasure{}},
		{ledger.Erasable{Key: row.Key, Received: uuid.Max}, ledger.Erasure{}},
	} {
		counts, err := d.store.CountErasable(d.Context(), test.of)
		if err != nil {
			d.Fatal(err)
		}
		d.same(fmt.Sprintf("what is counted of %+v", test.of), test.want, counts)
	}
	d.erase(row, line)
	nameless.IP, nameless.Method, nameless.ContentType, nameless.Query, nameless.Body = "", "", "", "", ""
	nameless.SubIDFrom, nameless.Note = "", ""
	d.same("the received log", []ledger.Received{kept, nameless}, d.received(ledger.ReceivedFilter{}))
	lines[0].Input = ""
	d.same("the lines", lines, d.operationRows(ledger.OperationRowFilter{Operation: op.ID}))
}
