package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// euros returns n euros converted at 1.10.
func euros(n int64) money.Amount {
	original := decimal.NewFromInt(n)
	converted := original.Mul(decimal.RequireFromString("1.10"))
	return money.Amount{
		Original: original, Currency: "EUR", Converted: &converted,
		Rate: money.Rate{Value: decimal.RequireFromString("1.10"), Date: start.Truncate(24 * time.Hour), Source: "ecb"},
	}
}

// sale returns a conversion with every field filled.
func sale() *conversion.Conversion {
	cost := euros(1)
	moscow := time.FixedZone("", 3*3600)
	return &conversion.Conversion{
		ID: uuid.MustParse("01912345-6789-7abc-8def-0123456789ab"), Endpoint: "shop/main", SubID: "c1",
		Slot: conversion.SlotKey{TID: "t1"}, Type: "sale", PreviousType: "lead", Status: "Approved",
		Payout: euros(10), Cost: &cost, EndpointCurrency: "USD",
		Params: conversion.Params{{Name: "keyword", Value: "a&b"}, {Name: "sub_id_3", Value: "x"}}, From: "network",
		Warnings:  []conversion.Warning{conversion.PayoutAmbiguous},
		ClickTime: start.Add(-time.Hour), ConversionTime: start.In(moscow), SaleTime: start,
		CreatedAt: start.Add(-time.Minute), UpdatedAt: start.Add(500 * time.Microsecond), Version: 2,
		Writer: conversion.WriterPage, Pinned: true, Campaign: "spring", Test: true,
	}
}

func TestAConversionShowsEveryField(t *testing.T) {
	got := decode(t, get(New(options(&fakeStore{conversions: []*conversion.Conversion{sale()}})),
		"/api/v1/conversions").Body)
	want := map[string]any{
		"items": []any{map[string]any{
			"id": "01912345-6789-7abc-8def-0123456789ab", "endpoint": "shop/main", "subid": "c1", "tid": "t1",
			"type": "sale", "previous_type": "lead", "original_status": "Approved", "state": "recorded",
			"payout": "11", "currency": "USD", "original_payout": "10", "original_currency": "EUR",
			"rate": "1.1", "rate_date": "2026-03-01", "rate_source": "ecb", "cost": "1.1",
			"params":     map[string]any{"keyword": "a&b", "sub_id_3": "x", "from": "network"},
			"warnings":   []any{"payout_ambiguous"},
			"click_time": "2026-03-01T11:00:00Z", "conversion_time": "2026-03-01T12:00:00Z", "sale_time": "2026-03-01T12:00:00Z",
			"created_at": "2026-03-01T11:59:00Z", "updated_at": "2026-03-01T12:00:00.0005Z", "version": 2.0,
			"writer": "page", "pinned": true, "campaign": "spring", "test": true,
		}},
		"next_cursor": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAConversionLacksIsNullAndNeverAbsent(t *testing.T) {
	bare := &conversion.Conversion{
		ID: ids(1)[0], Endpoint: "shop/main", SubID: "c1", Type: "lead", EndpointCurrency: "USD",
		Payout:         money.Amount{Original: decimal.RequireFromString("12.50"), Currency: "RUB"},
		ConversionTime: start, CreatedAt: start, UpdatedAt: start, Version: 1,
		Writer: conversion.WriterKey,
	}
	got := decode(t, get(New(options(&fakeStore{conversions: []*conversion.Conversion{bare}})),
		"/api/v1/conversions").Body)
	want := map[string]any{
		"id": bare.ID.String(), "endpoint": "shop/main", "subid": "c1", "tid": "", "type": "lead", "previous_type": nil,
		"original_status": nil, "state": "pending_rate", "payout": nil, "currency": "USD", "original_payout": "12.5",
		"original_currency": "RUB", "rate": nil, "rate_date": nil, "rate_source": nil, "cost": nil,
		"params": map[string]any{}, "warnings": []any{}, "click_time": nil, "conversion_time": "2026-03-01T12:00:00Z",
		"sale_time": nil, "created_at": "2026-03-01T12:00:00Z", "updated_at": "2026-03-01T12:00:00Z", "version": 1.0,
		"writer": "key", "pinned": false, "campaign": nil, "test": false,
	}
	if diff := cmp.Diff(want, got["items"].([]any)[0]); diff != "" {
		t.Error(diff)
	}
}

func TestAPostbackShowsEveryField(t *testing.T) {
	conversionID := uuid.MustParse("01912345-6789-7abc-8def-0123456789ab")
	rows := []ledger.Received{
		{
			ID: ids(2)[0], Kind: ledger.KindPostback, Status: "Approved", Version: 2, Endpoint: "shop/main", KeyID: "k1",
			At: start, IP: "192.0.2.1", Method: "POST",
			Query: "subid=c1&x=<b>", Body: "status=sale", ContentType: "text/plain", SubIDFrom: "query:subid", SubID: "c1",
			TID: "7", Type: "sale", Outcome: conversion.Recorded,
			Warnings: []conversion.Warning{conversion.PayoutAmbiguous}, Conversion: conversionID, Test: true,
		},
		{
			ID: ids(2)[1], Kind: ledger.KindHold, Origin: ids(2)[0], Endpoint: "shop/main", KeyID: "k1", At: start,
			IP: "192.0.2.1", Method: "GET",
			Outcome: conversion.Ignored, Reason: conversion.SubIDMissing,
		},
	}
	w := get(New(options(&fakeStore{received: rows})), "/api/v1/postbacks")
	if body := w.Body.String(); !strings.Contains(body, "subid=c1&x=<b>") {
		t.Errorf("the query is not shown as received: %s", body)
	}
	want := []any{
		map[string]any{
			"id": ids(2)[0].String(), "kind": "postback", "status": "Approved", "version": 2.0, "origin": nil,
			"actor": nil, "note": nil, "operation": nil,
			"time": "2026-03-01T12:00:00Z", "endpoint": "shop/main", "key_id": "k1", "ip": "192.0.2.1",
			"method": "POST", "query": "subid=c1&x=<b>", "body": "status=sale", "content_type": "text/plain", "subid": "c1",
			"subid_from": "query:subid", "tid": "7", "type": "sale",
			"outcome": "recorded", "reason": nil, "warnings": []any{"payout_ambiguous"}, "conversion_id": conversionID.String(),
			"test": true,
		},
		map[string]any{
			"id": ids(2)[1].String(), "kind": "hold", "status": nil, "version": nil, "origin": ids(2)[0].String(),
			"actor": nil, "note": nil, "operation": nil,
			"time": "2026-03-01T12:00:00Z", "endpoint": "shop/main", "key_id": "k1", "ip": "192.0.2.1",
			"method": "GET", "query": "", "body": "", "content_type": nil, "subid": nil, "subid_from": nil, "tid": "",
			"type":    nil,
			"outcome": "ignored", "reason": "subid_missing", "warnings": []any{}, "conversion_id": nil,
			"test": false,
		},
	}
	if diff := cmp.Diff(want, decode(t, w.Body)["items"]); diff != "" {
		t.Error(diff)
	}
}

func TestFiltersReachTheStore(t *testing.T) {
	store := &fakeStore{}
	h := New(options(store))
	tid, cursor := "7", ids(1)[0]
	common := "endpoint=shop/main&subid=c1&tid=7&type=sale&from=2026-03-01&to=2026-03-02&limit=5&cursor=" + cursor.String()
	from, to := start.Truncate(24*time.Hour), start.Truncate(24*time.Hour).AddDate(0, 0, 1)

	get(h, "/api/v1/conversions?"+common)
	if diff := cmp.Diff(ledger.ConversionFilter{
		Endpoint: "shop/main", SubID: "c1", TID: &tid, Type: "sale", From: from, To: to,
		Span: ledger.Span{Before: cursor}, Limit: 6,
	}, store.conversionFilter); diff != "" {
		t.Error(diff)
	}
	get(h, "/api/v1/postbacks?outcome=ignored&reason=status_unknown&"+common)
	if diff := cmp.Diff(ledger.ReceivedFilter{
		Endpoint: "shop/main", SubID: "c1", TID: &tid, Type: "sale", Outcome: conversion.Ignored,
		Reason: conversion.StatusUnknown,
		From:   from, To: to, Span: ledger.Span{Before: cursor}, Limit: 6,
	}, store.receivedFilter); diff != "" {
		t.Error(diff)
	}
}

func TestACursorIsGivenOnlyWhenMoreFollows(t *testing.T) {
	for _, tc := range []struct {
		rows, limit, shown int
		cursor             bool
	}{
		{rows: 0, limit: 2, shown: 0},
		{rows: 1, limit: 2, shown: 1},
		{rows: 2, limit: 2, shown: 2},
		{rows: 3, limit: 2, shown: 2, cursor: true},
		{rows: 3, limit: 1, shown: 1, cursor: true},
	} {
		store := &fakeStore{}
		for _, id := range ids(tc.rows) {
			store.received = append(store.received, ledger.Received{ID: id})
		}
		got := decode(t, get(New(options(store)), fmt.Sprintf("/api/v1/postbacks?limit=%d", tc.limit)).Body)
		items := got["items"].([]any)
		if len(items) != tc.shown || (got["next_cursor"] != nil) != tc.cursor {
			t.Errorf("%d rows by %d: %d items, next_cursor %v", tc.rows, tc.limit, len(items), got["next_cursor"])
		}
		if last := len(items) - 1; tc.cursor && got["next_cursor"] != items[last].(map[string]any)["id"] {
			t.Errorf("next_cursor %v does not continue after the last item", got["next_cursor"])
		}
	}
}

func TestAHistoryHasEveryVersionOldestFirst(t *testing.T) {
	first, second := sale(), sale()
	first.Version, first.Type = 1, "lead"
	h := New(options(&fakeStore{history: []*conversion.Conversion{first, second}}))
	items := decode(t, get(h, "/api/v1/conversions/"+first.ID.String()+"/history").Body)["items"].([]any)
	if len(items) != 2 || items[0].(map[string]any)["type"] != "lead" || items[1].(map[string]any)["version"] != 2.0 {
		t.Errorf("items = %v", items)
	}
}

func TestErrorsSayWhoseFaultItIsAndNotWhatTheStoreSaid(t *testing.T) {
	secret := errors.New("dial db.internal:5432")
	history := "/api/v1/conversions/" + sale().ID.String() + "/history"
	for _, tc := range []struct {
		name, path string
		err        error
		want       int
	}{
		{"an unknown conversion", history, ledger.ErrNotFound, http.StatusNotFound},
		{"an id that is none", "/api/v1/conversions/42/history", nil, http.StatusBadRequest},
		{"a bad filter", "/api/v1/conversions?limit=x", nil, http.StatusBadRequest},
		{"a store that is away", "/api/v1/postbacks", errors.Join(ledger.ErrUnavailable, secret),
			http.StatusServiceUnavailable},
		{"a store that fails", "/api/v1/conversions", secret, http.StatusInternalServerError},
		{"a store that fails while revenue is summed", "/api/v1/revenue", secret, http.StatusInternalServerError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := get(New(options(&fakeStore{err: tc.err})), tc.path)
			if w.Code != tc.want || strings.Contains(w.Body.String(), "db.internal") {
				t.Errorf("status %d, body %s, want %d", w.Code, w.Body, tc.want)
			}
			if decode(t, w.Body)["error"] == "" {
				t.Error("the error is not told")
			}
		})
	}
}

func TestAnAnswerThatBreaksOffIsNotTakenForTheWhole(t *testing.T) {
	store := &fakeStore{conversions: []*conversion.Conversion{sale()}, err: errors.New("gone")}
	server := httptest.NewServer(New(options(store)))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/conversions", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		_, err = io.Copy(io.Discard, response.Body)
	}
	if err == nil {
		t.Error("the client was told that the answer is complete")
	}
}

func TestRevenueIsSummedByEndpointAndCurrency(t *testing.T) {
	earned := func(endpoint, currency, conversionType, payout string) *conversion.Conversion {
		value := decimal.RequireFromString(payout)
		return &conversion.Conversion{
			Endpoint: endpoint, EndpointCurrency: currency, Type: conversionType,
			Payout: money.Amount{Original: value, Currency: currency, Converted: &value},
		}
	}
	waiting := earned("b/b", "USD", "sale", "5")
	waiting.Payout.Converted = nil
	o := options(&fakeStore{conversions: []*conversion.Conversion{
		earned("b/b", "USD", "sale", "10.10"), earned("b/b", "USD", "deposit", "0.2"), earned("b/b", "USD", "lead", "3"),
		earned("b/b", "USD", "install", "0.05"), earned("b/b", "USD", "rejected", "7"), waiting,
		earned("b/b", "EUR", "sale", "1"), earned("a/a", "USD", "sale", "-2"),
	}})
	o.Rules.CountsAs = func(endpoint, conversionType string) config.CountsAs {
		if endpoint == "b/b" && conversionType == "install" {
			return config.CountsAsConfirmed
		}
		return config.CountsAsNone
	}
	got := decode(t, get(New(o), "/api/v1/revenue").Body)
	empty := func(endpoint, currency, confirmed string) map[string]any {
		return map[string]any{
			"endpoint": endpoint, "currency": currency, "total": confirmed, "confirmed": confirmed, "hold": "0", "rejected": "0",
			"registration": "0", "deposit": "0", "trash": "0", "conversions": 1.0, "pending": 0.0,
		}
	}
	want := []any{
		empty("a/a", "USD", "-2"),
		empty("b/b", "EUR", "1"),
		map[string]any{
			"endpoint": "b/b", "currency": "USD", "total": "10.35", "confirmed": "10.15", "hold": "3", "rejected": "7",
			"registration": "0", "deposit": "0.2", "trash": "0", "custom": map[string]any{"install": "0.05"},
			"conversions": 6.0, "pending": 1.0,
		},
	}
	if diff := cmp.Diff(want, got["items"]); diff != "" {
		t.Error(diff)
	}
}

func TestRevenueReadsEverythingInItsTime(t *testing.T) {
	store := &fakeStore{}
	get(New(options(store)), "/api/v1/revenue?endpoint=shop/main&from=2026-03-01&to=2026-04-01")
	want := ledger.ConversionFilter{
		Endpoint: "shop/main", From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, store.conversionFilter); diff != "" {
		t.Error(diff)
	}
}
