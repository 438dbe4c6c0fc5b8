package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

const erasedEndpoint = "shop/main"

// person is all that a store keeps of one visitor: everywhere something that can be found in a file.
func person(n int, endpoint, mark string) *ledger.Changes {
	id := func(k int) uuid.UUID { return uuid.UUID{0: byte(n), 6: 0x70, 15: byte(k)} }
	subid, ip, amount := fmt.Sprint("c", n), fmt.Sprint("192.0.2.", n), decimal.NewFromInt(int64(n))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	params := conversion.Params{{Name: "external_id", Value: mark}}
	click := &conversion.Click{Endpoint: endpoint, SubID: subid, Time: at, IP: ip, UserAgent: mark + "-agent",
		Params: params}
	version := func(v int) *conversion.Conversion {
		return &conversion.Conversion{
			ID: id(1), Endpoint: endpoint, SubID: subid, Type: "sale", Params: params, From: mark + "-from", Version: v,
			RequestID:        id(v),
			EndpointCurrency: "USD", Payout: money.Amount{Original: amount, Currency: "USD", Converted: &amount},
		}
	}
	key := ledger.KeyOf(endpoint, subid)
	return &ledger.Changes{
		NewClicks: []*conversion.Click{click}, Conversions: []*conversion.Conversion{version(2)},
		History: []*conversion.Conversion{version(1)},
		Received: []ledger.Received{{
			ID: id(3), Endpoint: endpoint, SubID: subid, At: at, IP: ip, Query: "subid=" + subid + "&external_id=" + mark,
			Body:    mark + "-body",
			Outcome: conversion.Recorded,
		}},
		Hold: []ledger.HeldPostback{{Until: at, Intent: &conversion.Intent{
			Endpoint: endpoint, SubID: key.SubID, RequestID: id(4), Params: params, ReceivedIP: ip, From: mark + "-from",
		}}},
		Forwards: []ledger.Forward{{ID: id(5), Rule: "r", Host: "h:443", Conversion: version(2), Click: click, IP: ip,
			Due: at}},
	}
}

// storeOfPersons has three visitors: the second and the third with the same external id, the third of another endpoint.
func storeOfPersons(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	store, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n, mark := range []string{"ANNA", "BERT", "BERT"} {
		endpoint := []string{erasedEndpoint, erasedEndpoint, "shop/other"}[n]
		err := store.Transact(t.Context(), ledger.Want{},
			func(*ledger.Book) *ledger.Changes { return person(n+1, endpoint, mark) })
		if err != nil {
			t.Fatal(err)
		}
	}
	// What an update leaves in the unused parts of the file is found, too.
	err = store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
		updated := person(1, erasedEndpoint, "ANNA").NewClicks[0]
		updated.Params = conversion.Params{{Name: "external_id", Value: "X"}}
		return &ledger.Changes{UpdatedClicks: []*conversion.Click{updated}}
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// inFiles counts how often the text is in the store's files, whatever they are.
func inFiles(t *testing.T, path, text string) (n int) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(content, []byte(text))
	}
	return n
}

func TestWhatIsErasedIsInNoFile(t *testing.T) {
	one := ledger.Erasure{Clicks: 1, Conversions: 2, Received: 1, Held: 1, Outbox: 1}
	two := ledger.Erasure{Clicks: 2, Conversions: 4, Received: 2, Held: 2, Outbox: 2}
	for name, c := range map[string]struct {
		what ledger.Selection
		want ledger.Erasure
		gone []string
		left []string
	}{
		"by subid": {ledger.Selection{SubID: "c1"}, one, []string{"ANNA", "192.0.2.1"},
			[]string{"BERT", "192.0.2.2", "192.0.2.3"}},
		"by address": {ledger.Selection{IP: netip.MustParseAddr("192.0.2.2")}, one,
			[]string{"192.0.2.2"}, []string{"ANNA", "192.0.2.1", "BERT"}},
		"by parameter": {ledger.Selection{Parameter: "external_id", Value: "BERT"}, two,
			[]string{"BERT", "192.0.2.2", "192.0.2.3"}, []string{"ANNA", "192.0.2.1"}},
		"by parameter, of one endpoint": {ledger.Selection{Endpoint: erasedEndpoint, Parameter: "external_id",
			Value: "BERT"}, one, []string{"192.0.2.2"}, []string{"ANNA", "BERT", "192.0.2.3"}},
		"a value that another parameter has": {ledger.Selection{Parameter: "external_id", Value: "c1"}, ledger.Erasure{}, nil,
			[]string{"ANNA", "BERT"}},
		"what is not there": {ledger.Selection{SubID: "c9"}, ledger.Erasure{}, nil,
			[]string{"ANNA", "BERT"}},
		"of an endpoint that is not": {ledger.Selection{Endpoint: "shop/none", SubID: "c1"}, ledger.Erasure{}, nil,
			[]string{"ANNA", "BERT"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := storeOfPersons(t)
			for _, text := range append(c.gone, c.left...) {
				if inFiles(t, path, text) == 0 {
					t.Fatalf("%s is not in the files before", text)
				}
			}
			store := eraseIn(t, path, c.what, c.want)
			for _, text := range c.gone {
				if n := inFiles(t, path, text); n > 0 {
					t.Errorf("%s is still in the files, %d times", text, n)
				}
			}
			for _, text := range c.left {
				if inFiles(t, path, text) == 0 {
					t.Errorf("%s is gone", text)
				}
			}
			kept(t, store)
			if err := errors.Join(store.Close(), Check(t.Context(), path)); err != nil {
				t.Error(err)
			}
		})
	}
}

// eraseIn erases from an open store, twice, and returns it.
func eraseIn(t *testing.T, path string, what ledger.Selection, want ledger.Erasure) *Store {
	t.Helper()
	store, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	found := map[ledger.Erasable]bool{}
	for of, err := range store.Erasable(t.Context(), what) {
		if err != nil {
			t.Fatal(err)
		}
		found[of] = true
	}
	for range 2 {
		var all []ledger.Erasable
		var got ledger.Erasure
		for of := range found {
			counts, err := store.CountErasable(t.Context(), of)
			if err != nil {
				t.Fatal(err)
			}
			got.Add(counts)
			all = append(all, of)
		}
		if got != want {
			t.Errorf("erases from %+v, want %+v", got, want)
		}
		err := store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
			return &ledger.Changes{Erase: all}
		})
		if err == nil {
			err = store.Forget(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// kept looks for everything that is there but what was erased.
func kept(t *testing.T, store *Store) {
	t.Helper()
	conversions := 0
	for c, err := range store.Conversions(t.Context(), ledger.ConversionFilter{}) {
		if err != nil || c.Payout.Converted == nil || c.Payout.Converted.Sign() != 1 {
			t.Errorf("%+v %v", c, err)
		}
		conversions++
	}
	for row, err := range store.Forwards(t.Context(), ledger.OutboxFilter{}) {
		if err != nil || row.Conversion == nil || row.Click == nil {
			t.Errorf("%+v %v", row, err)
		}
	}
	if conversions != 3 {
		t.Errorf("%d conversions, want 3", conversions)
	}
}

// TestWhatWasMovedBeforeIsForgotten has rows grow, so that SQLite moves them from page to page, on a connection that
// overwrites nothing, as former programs did.
func TestWhatWasMovedBeforeIsForgotten(t *testing.T) {
	path := storeOfPersons(t)
	former, err := engine().Open(dataSource(path, pragmas(1<<20, 0)))
	if err != nil {
		t.Fatal(err)
	}
	const rows = 300
	for i := range rows {
		if err := run(former, fmt.Sprintf(`insert into clicks (endpoint, subid, unique_visit, test, user_agent) values (1, 'm%[1]d', 0, 0,
			'MOVED-%[1]d-' || hex(randomblob(%[2]d)))`, i, 20+i%7*30)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range rows {
		err := run(former, fmt.Sprintf(`update clicks set params = '{"sub_id_1":"' || hex(randomblob(%d)) || '"}'
			where subid = 'm%d'`, i%400, (i*7)%rows))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(run(former, "pragma wal_checkpoint(truncate)"), former.Close()); err != nil {
		t.Fatal(err)
	}
	store, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	var all []ledger.Erasable
	for i := range rows {
		all = append(all, ledger.Erasable{Key: ledger.KeyOf(erasedEndpoint, fmt.Sprint("m", i))})
	}
	erase := func(*ledger.Book) *ledger.Changes { return &ledger.Changes{Erase: all} }
	if err := store.Transact(t.Context(), ledger.Want{}, erase); err != nil {
		t.Fatal(err)
	}
	if _, err := store.writer.emptyLog(); err != nil {
		t.Fatal(err)
	}
	left := inFiles(t, path, "MOVED-")
	if err := store.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := inFiles(t, path, "MOVED-"); n > 0 || left == 0 {
		t.Errorf("%d are left of the %d in parts that are not used", n, left)
	}
	if err := errors.Join(store.Close(), Check(t.Context(), path)); err != nil {
		t.Error(err)
	}
}

func TestARequestHasAParameterByTheNameThatItsSenderGave(t *testing.T) {
	mail := ledger.Selection{Parameter: "email", Value: "a@b.example"}
	for raw, want := range map[string]bool{
		"subid=c1&email=a%40b.example": true, "EMAIL=a@b.example": true, `{"email": "a@b.example", "n": 1}`: true,
		"mail=a@b.example": false, "email=a@b.example.org": false, `{"mail": "a@b.example"}`: false, "": false,
		"%zz&email=a@b.example": true,
	} {
		if got := mail.In(raw); got != want {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	}
	if !(ledger.Selection{Parameter: "n", Value: "7"}).In(`{"n": 7}`) {
		t.Error("a number in a JSON body is not found")
	}
}

// TestEveryColumnIsErasedOrStaysForAReason: a new column has to be thought of.
func TestEveryColumnIsErasedOrStaysForAReason(t *testing.T) {
	stays := strings.Fields(`seq endpoint subid tid slot_type id type previous_type status currency warnings click_time conversion_time
		sale_time created_at updated_at version writer pinned request_id stamp campaign payout payout_original
		payout_original_currency payout_rate payout_rate_date payout_rate_source
		cost cost_original cost_original_currency cost_rate cost_rate_date
		cost_rate_source at key_id outcome reason signature conversion kind actor operation origin test
		until rule host conversion_id state due ended_at tries postponed unique_visit number result`)
	path := storeOfPersons(t)
	db, err := readOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range append(eraseOfClick, eraseOperationRow) {
		name := strings.Fields(statement)[1]
		var columns string
		err := db.QueryRowContext(t.Context(), "select group_concat(name, ' ') from pragma_table_info(?)",
			name).Scan(&columns)
		if err != nil {
			t.Fatal(err)
		}
		for _, column := range strings.Fields(columns) {
			erased := strings.Contains(strings.Join(strings.Fields(statement), " "), " "+column+" = ")
			if !erased && !slices.Contains(stays, column) {
				t.Errorf("%s.%s is neither erased nor said to stay", name, column)
			}
		}
	}
}
