package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const host = "source.example:443"

// forward is an S2S postback of a version of a conversion, due at noon.
func forward(n int, subid, rule, host string, version int) ledger.Forward {
	c := bareConversion(subid, "", noon, 1)
	c.Version = version
	return ledger.Forward{ID: id(noon, n), Rule: rule, Host: host, Conversion: c, Due: noon}
}

func (d *desk) writeForwards(forwards ...ledger.Forward) {
	d.Helper()
	d.write(&ledger.Changes{Forwards: forwards})
}

func (d *desk) forwards(f ledger.OutboxFilter) []ledger.OutboxRow {
	d.Helper()
	var all []ledger.OutboxRow
	for row, err := range d.store.Forwards(d.Context(), f) {
		if err != nil {
			d.Fatalf("forwards of %+v: %v", f, err)
		}
		all = append(all, row)
	}
	if f.Limit > 0 && len(all) > f.Limit {
		d.Errorf("%d rows, limit %d", len(all), f.Limit)
	}
	return all
}

// claim claims up to limit rows of each host for a minute.
func (d *desk) claim(store ledger.Store, holder string, now time.Time, limit int, hosts ...string) []ledger.OutboxRow {
	d.Helper()
	return d.claimFor(store, holder, now, time.Minute, limit, hosts...)
}

func (d *desk) claimFor(store ledger.Store, holder string, now time.Time, lease time.Duration, limit int,
	hosts ...string) []ledger.OutboxRow {
	d.Helper()
	c := ledger.OutboxClaim{Holder: holder, Now: now, Until: now.Add(lease)}
	for _, h := range hosts {
		c.Shares = append(c.Shares, ledger.OutboxShare{Host: h, Limit: limit})
	}
	rows, _, err := store.ClaimForwards(d.Context(), c)
	if err != nil {
		d.Fatalf("claiming: %v", err)
	}
	return rows
}

func (d *desk) finish(store ledger.Store, holder string, now time.Time, rows ...ledger.OutboxRow) {
	d.Helper()
	if err := store.FinishForwards(d.Context(), holder, now, rows); err != nil {
		d.Fatalf("finishing: %v", err)
	}
}

func delivered(row ledger.OutboxRow, now time.Time) ledger.OutboxRow {
	row.State, row.Ended, row.Tries = ledger.ForwardDelivered, now, row.Tries+1
	row.Attempts = append(row.Attempts, ledger.Attempt{At: now, Milliseconds: 12, Status: 200,
		URL: "https://source.example/…?c=1", Answer: awkward})
	return row
}

func failed(row ledger.OutboxRow, now time.Time) ledger.OutboxRow {
	row = delivered(row, now)
	row.State, row.Reason = ledger.ForwardFailed, "gave up"
	return row
}

// ids are those of the rows, in ascending order.
func ids(rows []ledger.OutboxRow) []uuid.UUID {
	found := make([]uuid.UUID, 0, len(rows))
	for _, row := range rows {
		found = append(found, row.ID)
	}
	slices.SortFunc(found, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return found
}

func numbered(ns ...int) []uuid.UUID {
	all := make([]uuid.UUID, 0, len(ns))
	for _, n := range ns {
		all = append(all, id(noon, n))
	}
	return all
}

func testForwards(d *desk) {
	c := fullConversion("c1", awkward)
	whole := ledger.Forward{ID: id(noon, 1), Rule: "r", Host: host, Conversion: c, Click: fullClick("c1"), IP: "192.0.2.1",
		Due: noon}
	d.writeForwards(whole, forward(2, "c2", "orphans", "", 1))
	want := ledger.OutboxRow{
		ID: whole.ID, Slot: ledger.Slot{Key: ledger.KeyOf(shop, "c1"), SlotKey: c.Slot}, ConversionID: c.ID,
		Version: c.Version, Test: true,
		Type: c.Type, Rule: "r", Host: host, Conversion: c, Click: whole.Click, IP: whole.IP,
		State: ledger.ForwardWaiting, Due: noon, Created: noon,
	}
	d.same("the row", []ledger.OutboxRow{want}, d.forwards(ledger.OutboxFilter{SubID: "c1"}))
	claimed := d.claim(d.store, "a", noon, 10, host)
	d.same("the claimed row", []ledger.OutboxRow{want}, claimed)
	d.same("an orphan without a host", numbered(2), ids(d.claim(d.store, "a", noon, 10, "")))

	later := noon.Add(time.Second)
	want = delivered(want, later)
	d.finish(d.store, "a", later, want)
	want.Conversion, want.Click = nil, nil
	d.same("the delivered row", []ledger.OutboxRow{want}, d.forwards(ledger.OutboxFilter{ID: whole.ID}))
}

func testForwardLease(d *desk) {
	d.writeForwards(forward(1, "c1", "r", host, 1))
	d.same("before it is due", 0, len(d.claim(d.store, "a", noon.Add(-time.Microsecond), 10, host)))
	row := d.claim(d.store, "a", noon, 10, host)
	d.same("claimed", numbered(1), ids(row))
	d.same("claimed by another", 0, len(d.claim(d.store, "b", noon.Add(59*time.Second), 10, host)))
	late := noon.Add(time.Minute)
	d.same("claimed when the lease has ended", numbered(1), ids(d.claim(d.store, "b", late, 10, host)))

	d.finish(d.store, "a", late, delivered(row[0], late))
	d.same("finished by who has lost it", ledger.ForwardWaiting, d.forwards(ledger.OutboxFilter{})[0].State)
	d.finish(d.store, "b", late, delivered(row[0], late))
	d.finish(d.store, "b", late, failed(row[0], late))
	d.same("finished twice", ledger.ForwardDelivered, d.forwards(ledger.OutboxFilter{})[0].State)
	d.same("claimed when it is delivered", 0, len(d.claim(d.store, "a", noon.Add(time.Hour), 10, host)))
}

func testForwardOrder(d *desk) {
	d.writeForwards(
		forward(1, "c1", "r", host, 1), forward(2, "c1", "r", host, 2), forward(3, "c1", "r", host, 3),
		forward(4, "c1", "other", host, 2), forward(5, "c2", "r", host, 2))
	first := d.claim(d.store, "a", noon, 10, host)
	d.same("the oldest of each queue", numbered(1, 4, 5), ids(first))
	d.same("behind what is being sent", 0, len(d.claim(d.store, "b", noon.Add(2*time.Second), 10, host)))
	for _, row := range first {
		if row.ID != id(noon, 1) {
			d.finish(d.store, "a", noon.Add(2*time.Second), delivered(row, noon))
		}
	}

	now := noon.Add(3 * time.Second)
	retry := first[slices.IndexFunc(first, func(r ledger.OutboxRow) bool { return r.ID == id(noon, 1) })]
	again := retry
	again.Due, again.Tries = now.Add(time.Hour), 1
	d.finish(d.store, "a", now, again)
	d.same("behind what is to be sent again", 0, len(d.claim(d.store, "b", now.Add(30*time.Minute), 10, host)))
	now = now.Add(time.Hour)
	d.same("what is to be sent again", numbered(1), ids(d.claim(d.store, "b", now, 10, host)))
	d.finish(d.store, "b", now, failed(retry, now))
	d.same("the next, when that has failed", numbered(2), ids(d.claim(d.store, "b", now, 10, host)))
}

// testForwardMargin has many versions of one conversion due before another conversion.
func testForwardMargin(d *desk) {
	const versions = 3 * ledger.OutboxMargin
	var all []ledger.Forward
	for n := range versions {
		all = append(all, forward(n, "hot", "r", host, n+1))
	}
	last := forward(versions, "c1", "r", host, 1)
	last.Due = noon.Add(time.Millisecond)
	d.writeForwards(append(all, last)...)
	got := map[uuid.UUID]bool{}
	for range 10 {
		for _, row := range d.claim(d.store, "a", noon.Add(time.Second), 2, host) {
			got[row.ID] = true
		}
	}
	d.same("claimed", map[uuid.UUID]bool{id(noon, 0): true, last.ID: true}, got)
	rows := d.forwards(ledger.OutboxFilter{SubID: "hot"})
	for n := len(rows) - 1; n >= 0; n-- { // oldest first
		now := noon.Add(2 * time.Second)
		d.finish(d.store, "a", now, delivered(rows[n], now))
		if n > 0 {
			d.same("the next at once", []uuid.UUID{rows[n-1].ID}, ids(d.claim(d.store, "a", now, 2, host)))
		}
	}
}

func testForwardShares(d *desk) {
	var all []ledger.Forward
	for n := range 20 {
		f := forward(n, subid(n), "r", fmt.Sprintf("h%d:80", n%2), 1)
		f.Due = noon.Add(-time.Duration(n) * time.Second)
		all = append(all, f)
	}
	d.writeForwards(all...)
	hosts, err := d.store.DueForwards(d.Context(), noon)
	d.same("hosts with the longest due", map[string]time.Time{"h0:80": noon.Add(-18 * time.Second),
		"h1:80": noon.Add(-19 * time.Second)}, hosts)
	d.same("error", nil, err)
	hosts, _ = d.store.DueForwards(d.Context(), noon.Add(-19*time.Second))
	d.same("hosts that were due earlier", map[string]time.Time{"h1:80": noon.Add(-19 * time.Second)}, hosts)

	rows, examined, err := d.store.ClaimForwards(d.Context(), ledger.OutboxClaim{
		Holder: "a", Now: noon, Until: noon.Add(time.Minute),
		Shares: []ledger.OutboxShare{{Host: "h0:80", Limit: 2}, {Host: "absent:80", Limit: 2}, {Host: "h1:80", Limit: 20}},
	})
	if err != nil {
		d.Fatal(err)
	}
	d.same("claimed: all of one host, the longest due of the other", 10+2, len(rows))
	d.same("examined", map[string]int{"h0:80": 2, "h1:80": 10}, examined)
	for _, row := range rows {
		if row.Host == "h0:80" && row.ID != id(noon, 18) && row.ID != id(noon, 16) {
			d.Errorf("claimed %s, due since %s", row.ID, row.Due)
		}
	}
	if rows, _, err := d.store.ClaimForwards(d.Context(),
		ledger.OutboxClaim{Holder: "b", Now: noon, Until: noon.Add(time.Minute)}); err != nil || len(rows) > 0 {
		d.Errorf("a claim for no host: %d rows, %v", len(rows), err)
	}
}

func testForwardRetry(d *desk) {
	d.writeForwards(forward(1, "c1", "r", host, 1))
	row := d.claim(d.store, "a", noon, 1, host)[0]
	row.Due, row.Tries, row.Host = noon.Add(5*time.Second), 1, "moved.example:443"
	row.Attempts = []ledger.Attempt{{At: noon, Milliseconds: 10_000, Error: ledger.AttemptTimeout}}
	d.finish(d.store, "a", noon, row)
	d.same("the row", []ledger.OutboxRow{row}, d.forwards(ledger.OutboxFilter{}))
	d.same("at the former host", 0, len(d.claim(d.store, "b", noon.Add(time.Hour), 1, host)))
	d.same("too early", 0, len(d.claim(d.store, "b", noon.Add(5*time.Second-time.Microsecond), 1, row.Host)))
	d.same("in time, though the first lease lasts", numbered(1),
		ids(d.claim(d.store, "b", noon.Add(5*time.Second), 1, row.Host)))
}

func testForwardResend(d *desk) {
	d.writeForwards(forward(1, "c1", "r", host, 1), forward(2, "c2", "r", host, 1))
	now := noon.Add(time.Minute)
	resend := func(n int) error { return d.store.ResendForward(d.Context(), id(noon, n), uuid.Nil, now) }
	if err := resend(3); !errors.Is(err, ledger.ErrNotFound) {
		d.Errorf("an id that is none: %v", err)
	}
	if err := resend(1); !errors.Is(err, ledger.ErrForwardState) {
		d.Errorf("what waits: %v", err)
	}
	rows := d.claim(d.store, "a", noon, 2, host)
	slices.SortFunc(rows, func(a, b ledger.OutboxRow) int { return slices.Compare(a.ID[:], b.ID[:]) })
	d.finish(d.store, "a", noon, failed(rows[0], noon), delivered(rows[1], noon))
	if err := resend(2); !errors.Is(err, ledger.ErrForwardState) {
		d.Errorf("what is delivered: %v", err)
	}
	if err := resend(1); err != nil {
		d.Errorf("what has failed: %v", err)
	}
	want := failed(rows[0], noon)
	want.State, want.Reason, want.Due, want.Ended, want.Tries = ledger.ForwardWaiting, "", now, time.Time{}, 0
	d.same("the row", []ledger.OutboxRow{want}, d.claim(d.store, "b", now, 1, host))
	want = failed(want, now)
	d.finish(d.store, "b", now, want)
	operation := id(noon, 77)
	by := func() error { return d.store.ResendForward(d.Context(), id(noon, 1), operation, now) }
	if err := by(); err != nil {
		d.Errorf("what has failed, for an operation: %v", err)
	}
	want.State, want.Reason, want.Ended, want.Tries, want.Operation = ledger.ForwardWaiting, "", time.Time{}, 0, operation
	d.same("the row of the operation", []ledger.OutboxRow{want}, d.claim(d.store, "c", now, 1, host))
	again := failed(want, now)
	d.finish(d.store, "c", now, again)
	if err := by(); err != nil {
		d.Errorf("what the operation has sent again before: %v", err)
	}
	d.same("what has failed since", []ledger.OutboxRow{again}, d.forwards(ledger.OutboxFilter{ID: id(noon, 1)}))
	if err := resend(1); err != nil {
		d.Errorf("by hand: %v", err)
	}
	if err := by(); err != nil {
		d.Errorf("what waits for the operation's sake, or later: %v", err)
	}
}

func testForwardFilter(d *desk) {
	var all []ledger.Forward
	for n := range 10 {
		f := forward(n, subid(n/2), []string{"even", "odd"}[n%2], host, 1)
		f.Due = noon.Add(time.Duration(n) * time.Minute)
		f.ID = id(f.Due, n)
		all = append(all, f)
	}
	other := forward(50, "c", "even", host, 1)
	other.Conversion.Endpoint, other.Conversion.Slot.TID = "shop/other", "t"
	d.writeForwards(append(all, other)...)
	now := noon.Add(time.Hour)
	rows := d.claim(d.store, "a", now, 20, host)
	for _, row := range rows {
		switch row.ID {
		case all[3].ID:
			d.finish(d.store, "a", now, failed(row, now))
		case all[4].ID:
			d.finish(d.store, "a", now, delivered(row, now))
		}
	}
	empty := ""
	newest := func(ns ...int) []uuid.UUID {
		var found []uuid.UUID
		for _, n := range ns {
			found = append(found, all[n].ID)
		}
		return found
	}
	for _, c := range []struct {
		what string
		f    ledger.OutboxFilter
		want []uuid.UUID
	}{
		{"of a subid", ledger.OutboxFilter{SubID: subid(2)}, newest(5, 4)},
		{"of an endpoint and a subid", ledger.OutboxFilter{Endpoint: shop, SubID: subid(2)}, newest(5, 4)},
		{"of another endpoint", ledger.OutboxFilter{Endpoint: "shop/other"}, []uuid.UUID{other.ID}},
		{"of another endpoint without its tid", ledger.OutboxFilter{Endpoint: "shop/other", TID: &empty}, nil},
		{"of a rule", ledger.OutboxFilter{Endpoint: shop, Rule: "odd"}, newest(9, 7, 5, 3, 1)},
		{"failed", ledger.OutboxFilter{State: ledger.ForwardFailed}, newest(3)},
		{"failed of a subid", ledger.OutboxFilter{State: ledger.ForwardFailed, SubID: subid(2)}, nil},
		{"delivered", ledger.OutboxFilter{State: ledger.ForwardDelivered}, newest(4)},
		{"waiting of an endpoint", ledger.OutboxFilter{State: ledger.ForwardWaiting, Endpoint: shop},
			newest(9, 8, 7, 6, 5, 2, 1, 0)},
		{"by id", ledger.OutboxFilter{ID: all[7].ID}, newest(7)},
		{"from and to", ledger.OutboxFilter{Endpoint: shop, From: all[2].Due, To: all[4].Due}, newest(3, 2)},
		{"a page", ledger.OutboxFilter{Endpoint: shop, Limit: 3}, newest(9, 8, 7)},
		{"the next page", ledger.OutboxFilter{Endpoint: shop, Limit: 3, Span: ledger.Span{Before: all[7].ID}},
			newest(6, 5, 4)},
		{"the oldest", ledger.OutboxFilter{Endpoint: shop, Limit: 3, Span: ledger.Span{Oldest: true}}, newest(0, 1, 2)},
		{"those after them", ledger.OutboxFilter{Endpoint: shop, Limit: 2, Span: ledger.Span{Oldest: true, After: all[2].ID}},
			newest(3, 4)},
	} {
		var got []uuid.UUID
		for _, row := range d.forwards(c.f) {
			got = append(got, row.ID)
		}
		d.same(c.what, c.want, got)
	}
}

func testForwardCounts(d *desk) {
	count := func(now time.Time) ledger.OutboxCounts {
		counts, err := d.store.CountForwards(d.Context(), now)
		if err != nil {
			d.Fatal(err)
		}
		return counts
	}
	d.same("of an empty outbox", ledger.OutboxCounts{}, count(noon))
	var all []ledger.Forward
	for n := range 5 {
		f := forward(n, subid(n), "r", fmt.Sprintf("h%d:80", n%2), 1)
		f.Due = noon.Add(time.Duration(n) * time.Minute)
		all = append(all, f)
	}
	d.writeForwards(all...)
	d.same("none due", ledger.OutboxCounts{Waiting: 5}, count(noon.Add(-time.Second)))
	d.same("some due", ledger.OutboxCounts{Waiting: 5, OldestDue: noon}, count(noon.Add(time.Minute)))
	now := noon.Add(time.Minute)
	for _, row := range d.claim(d.store, "a", now, 9, "h0:80", "h1:80") {
		if row.ID == id(noon, 0) {
			d.finish(d.store, "a", now, failed(row, now))
		} else {
			d.finish(d.store, "a", now, delivered(row, now))
		}
	}
	d.same("some ended", ledger.OutboxCounts{Waiting: 3, Failed: 1}, count(now))
}

// testForwardRevive: what was written by a clock that was a day ahead is not stuck for a day.
func testForwardRevive(d *desk) {
	ahead, behind := forward(1, "ahead", "r", host, 1), forward(2, "ahead", "r", host, 2)
	ahead.Due, behind.Due = noon.Add(24*time.Hour), noon.Add(24*time.Hour)
	d.writeForwards(ahead, behind, forward(3, "retried", "r", host, 1))
	retried := d.claim(d.store, "a", noon, 10, host)[0]
	retried.Tries, retried.Due = 1, noon.Add(6*time.Hour)
	d.finish(d.store, "a", noon, retried)
	d.same("due before", numbered(), ids(d.claim(d.store, "a", noon, 10, host)))
	for _, want := range []int{2, 0} {
		if n, err := d.store.ReviveForwards(d.Context(), noon, noon.Add(time.Hour)); err != nil || n != want {
			d.Errorf("%d rows revived, want %d: %v", n, want, err)
		}
	}
	first := d.claim(d.store, "a", noon, 10, host)
	d.same("due then", numbered(1), ids(first))
	d.finish(d.store, "a", noon, delivered(first[0], noon))
	d.same("due after that", numbered(2), ids(d.claim(d.store, "a", noon.Add(time.Hour), 10, host)))
}

func testForwardPrune(d *desk) {
	var all []ledger.Forward
	for n := range 6 {
		all = append(all, forward(n, subid(n), "r", host, 1))
	}
	d.writeForwards(all...)
	rows := d.claim(d.store, "a", noon, 10, host)
	for _, row := range rows {
		n := int(row.ID[15])
		at := noon.Add(time.Duration(n) * time.Hour)
		switch {
		case n == 5: // still waits
		case n%2 == 0:
			d.finish(d.store, "a", at, delivered(row, at))
		default:
			d.finish(d.store, "a", at, failed(row, at))
		}
	}
	prune := func(before time.Time, limit, want int) {
		d.Helper()
		n, err := d.store.PruneForwards(d.Context(), before, limit)
		if err != nil || n != want {
			d.Errorf("pruned %d rows, want %d: %v", n, want, err)
		}
	}
	prune(noon, 10, 0)
	prune(noon.Add(3*time.Hour), 2, 2)
	prune(noon.Add(3*time.Hour), 2, 1)
	d.same("kept", numbered(3, 4, 5), ids(d.forwards(ledger.OutboxFilter{})))
	prune(noon.Add(1000*time.Hour), 10, 2)
	d.same("what waits is kept", numbered(5), ids(d.forwards(ledger.OutboxFilter{})))
}

func testForwardSenders(d *desk) { d.sendAll(d.store, d.store) }

func testForwardSendersOfTwoStores(d *desk) {
	second := d.another()
	defer func() {
		if err := second.Close(); err != nil {
			d.Errorf("closing the second store: %v", err)
		}
	}()
	d.sendAll(d.store, second)
}
