package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// three conversions: a sale of 11 by the network's word Approved, a lead of 9 and one that waits for its rate.
func three() []*conversion.Conversion {
	first, second, third := sale(), sale(), sale()
	for i, c := range []*conversion.Conversion{first, second, third} {
		c.ID = ids(3)[i]
	}
	nine := decimal.RequireFromString("9.00")
	second.Type, second.Payout, second.Warnings = "lead", money.Amount{Original: nine, Currency: "USD", Converted: &nine},
		nil
	second.Params = conversion.Params{{Name: "sub_id_3", Value: "y,z"}, {Name: "utm", Value: "u"}}
	third.Type, third.Payout, third.Status = "deposit", money.Amount{Original: nine, Currency: "RUB"}, "hold"
	return []*conversion.Conversion{first, second, third}
}

func TestTermsSelectRows(t *testing.T) {
	h := New(options(&fakeStore{conversions: three()}))
	for filter, want := range map[string]string{
		"type eq sale":                               "sale",
		"type ne sale":                               "lead deposit",
		"type in sale,lead":                          "sale lead",
		"type notin sale,lead":                       "deposit",
		"payout gt 9":                                "sale",
		"payout lt 1e1":                              "lead",
		"payout eq 9":                                "lead",
		"payout eq 9.000":                            "lead",
		"payout empty":                               "deposit",
		"warnings eq payout_ambiguous":               "sale deposit",
		"warnings ne payout_ambiguous":               "lead",
		"warnings empty":                             "lead",
		"warnings contains ambig":                    "sale deposit",
		"original_status contains old":               "deposit",
		"sub_id_3 eq x":                              "sale deposit",
		"sub_id_3 eq y,z":                            "lead",
		"sub_id_4 empty":                             "sale lead deposit",
		"from eq network":                            "sale lead deposit",
		"params contains utm":                        "lead",
		"version gt 1":                               "sale lead deposit",
		"pinned eq true":                             "sale lead deposit",
		"updated_at gt 2026-03-01":                   "sale lead deposit",
		"updated_at lt 2026-03-01T12:00:00Z":         "",
		"click_time lt 2026-03-01T11:00:01%2B00:00":  "sale lead deposit",
		"type ne sale&filter=payout empty":           "deposit",
		"type eq sale&filter=type eq lead":           "",
		"original_payout gt 8&filter=payout empty":   "deposit",
		"keyword eq a%26b&filter=type notin deposit": "sale",
	} {
		w := get(h, "/api/v1/conversions?filter="+strings.ReplaceAll(filter, " ", "+"))
		var page read.Page[read.Conversion]
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", filter, w.Code, w.Body)
			continue
		}
		var types []string
		for _, c := range page.Items {
			types = append(types, c.Type)
		}
		if got := strings.Join(types, " "); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
}

func TestABadTermIsNamed(t *testing.T) {
	h := New(options(&fakeStore{}))
	for query, want := range map[string]string{
		"filter=kind+eq+sale":                    `"kind" is no field here; there are id, endpoint, subid,`,
		"filter=type+is+sale":                    `"is" is no operator; write FIELD OP VALUE, such as campaign eq spring, with one of eq, ne,`,
		"filter=type":                            `"" is no operator`,
		"filter=type+eq":                         "eq needs a value; for what has none write type empty",
		"filter=type+empty+x":                    "empty takes no value",
		"filter=payout+gt+many":                  "gt compares a number",
		"filter=type+gt+5":                       "gt compares a number",
		"filter=updated_at+lt+5":                 "lt compares a number",
		"filter=payout+gt+1e" + nines:            "gt compares a number",
		strings.Repeat("filter=type+empty&", 11): "at most 10",
		"filter=":                                "is empty",
	} {
		w := get(h, "/api/v1/conversions?"+strings.TrimSuffix(query, "&"))
		var bad read.Error
		if err := json.Unmarshal(w.Body.Bytes(), &bad); err != nil || w.Code != http.StatusBadRequest ||
			!strings.HasPrefix(bad.Error, "filter: ") || !strings.Contains(bad.Error, want) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	for resource, query := range map[string]string{"conversions": "cursor=2", "clicks": "cursor=2",
		"conversions.csv": "bom=2", "postbacks.csv": "separator=x"} {
		w := get(h, "/api/v1/"+resource+"?"+query)
		if parameter, _, _ := strings.Cut(query, "="); w.Code != http.StatusBadRequest ||
			!strings.Contains(w.Body.String(), `"`+parameter+": ") {
			t.Errorf("%s?%s: %d %s", resource, query, w.Code, w.Body)
		}
	}
}

var nines = strings.Repeat("9", 50)

func TestATableHasEveryField(t *testing.T) {
	rows := three()
	rows[0].Status = "=cmd()"
	h := New(options(&fakeStore{conversions: rows}))
	w := get(h, "/api/v1/conversions.csv?separator=%3B&bom=1&filter=type+ne+deposit")
	if got := w.Header().Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	text, bom := strings.CutPrefix(w.Body.String(), "\ufeff")
	sheet := csv.NewReader(strings.NewReader(text))
	sheet.Comma = ';'
	cells, err := sheet.ReadAll()
	if err != nil || !bom || len(cells) != 3 {
		t.Fatalf("%v, BOM %v, %d lines", err, bom, len(cells))
	}
	first := map[string]string{}
	for i, name := range cells[0] {
		first[name] = cells[1][i]
	}
	for name, want := range map[string]string{
		"endpoint": "shop/main", "type": "sale", "payout": "11", "cost": "1.1", "warnings": "payout_ambiguous",
		"sub_id_3": "x", "keyword": "a&b",
		"from": "network", "sub_id_30": "", "original_status": "'=cmd()", "updated_at": "2026-03-01T12:00:00.0005Z",
		"pinned": "true", "version": "2",
		"params": `{"from":"network","keyword":"a\u0026b","sub_id_3":"x"}`,
	} {
		if got, ok := first[name]; !ok || got != want {
			t.Errorf("%s: %q (%v), want %q", name, got, ok, want)
		}
	}
}

func TestANegativeAmountIsNoFormula(t *testing.T) {
	minus := decimal.NewFromInt(-3)
	row := sale()
	row.Payout = money.Amount{Original: minus, Currency: "USD", Converted: &minus}
	if text := get(New(options(&fakeStore{conversions: []*conversion.Conversion{row}})),
		"/api/v1/conversions.csv").Body.String(); !strings.Contains(text, ",-3,") {
		t.Errorf("%s", text)
	}
}

// pagedStore has so many rows, and counts how many it is asked for at a time.
type pagedStore struct {
	fakeStore
	total, largest int
}

func (s *pagedStore) Received(_ context.Context, f ledger.ReceivedFilter) iter.Seq2[ledger.Received, error] {
	s.largest = max(s.largest, f.Limit)
	return func(yield func(ledger.Received, error) bool) {
		next := s.total
		if f.Before != (ledger.Received{}).ID {
			_, _ = fmt.Sscanf(f.Before.String()[24:], "%d", &next)
			next--
		}
		for n := 0; next > 0 && n < f.Limit; n++ {
			if !yield(ledger.Received{ID: ids(next)[0], Endpoint: "shop/main", Query: fmt.Sprint(next)}, nil) {
				return
			}
			next--
		}
		if s.err != nil {
			yield(ledger.Received{}, s.err)
		}
	}
}

func TestAStreamHasAllRowsAndAsksForSomeAtATime(t *testing.T) {
	store := &pagedStore{total: 2*scanRows + 7}
	h := New(options(store))
	for query, want := range map[string]int{"": store.total, "limit=600": 600, "filter=query+contains+7": 0} {
		w := get(h, "/api/v1/postbacks.ndjson?"+query)
		got := strings.Count(w.Body.String(), "\n")
		if query == "filter=query+contains+7" {
			for n := range store.total {
				if strings.Contains(fmt.Sprint(n+1), "7") {
					want++
				}
			}
		}
		if w.Code != http.StatusOK || got != want || store.largest > scanRows {
			t.Errorf("%q: %d with %d lines, want %d; asked for %d at a time", query, w.Code, got, want, store.largest)
		}
	}
	page := decode(t, get(h, "/api/v1/postbacks?limit=3&filter="+url.QueryEscape("query eq 5")).Body)
	if diff := cmp.Diff(1, len(page["items"].([]any))); diff != "" || page["next_cursor"] != nil {
		t.Errorf("a page of the 5th row: %v", page)
	}
}

func TestAStreamThatFailsBreaksOff(t *testing.T) {
	store := &pagedStore{total: 3}
	store.err = errors.New("gone")
	defer func() {
		if recover() == nil {
			t.Error("the answer ends as if it were whole")
		}
	}()
	get(New(options(store)), "/api/v1/postbacks.ndjson")
}

func TestAClickIsShownWithItsConversions(t *testing.T) {
	cost := euros(1)
	click := &conversion.Click{
		Endpoint: "shop/main", SubID: "c1", Time: start, Campaign: "spring", IP: "192.0.2.1", UserAgent: "UA",
		Params: conversion.Params{{Name: "keyword", Value: "shoes"}}, Cost: &cost, VisitorFields: []string{"keyword"}, Test: true,
	}
	h := New(options(&fakeStore{clicks: []*conversion.Click{click}, conversions: three()[:1]}))
	got := decode(t, get(h, "/api/v1/clicks/shop/main/c1").Body)
	conversions, _ := got["conversions"].([]any)
	delete(got, "conversions")
	want := map[string]any{
		"endpoint": "shop/main", "subid": "c1", "time": "2026-03-01T12:00:00Z", "campaign": "spring", "ip": "192.0.2.1",
		"unique":     false,
		"test":       true,
		"user_agent": "UA",
		"params":     map[string]any{"keyword": "shoes"}, "cost": "1.1", "original_cost": "1", "original_currency": "EUR",
		"visitor_fields": []any{"keyword"},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(conversions) != 1 {
		t.Errorf("%d conversions\n%s", len(conversions), diff)
	}
	listed := decode(t, get(h, "/api/v1/clicks?filter=campaign+eq+spring&filter=keyword+eq+shoes").Body)["items"].([]any)
	if diff := cmp.Diff([]any{want}, listed); diff != "" {
		t.Error(diff)
	}
	if w := get(h, "/api/v1/clicks/shop/main/c2"); w.Code != http.StatusNotFound ||
		!strings.Contains(w.Body.String(), "no such click") {
		t.Errorf("another: %d %s", w.Code, w.Body)
	}
}
