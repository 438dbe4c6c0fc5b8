package docs

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/offline"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/forward"
	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/queue"
)

// sha256 of "c1" and of "test@example.com".
const (
	hashOfSubid = "d0f631ca1ddba8db3bcfcb9e057cdc98d0379f1bee00e75a545147a27dadd982"
	hashOfEmail = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"
)

// documented is what a traffic source's public documentation asks for.
type documented struct {
	host, path string
	headers    map[string]string
	// body of a sale by a visitor whose e-mail address is known.
	body map[string]any
}

var sources = map[string]documented{
	"meta.yaml": {
		host: "graph.facebook.com", path: "/v25.0/1234567890/events",
		headers: map[string]string{"Authorization": "Bearer REPLACE-WITH-THE-ACCESS-TOKEN"},
		body: map[string]any{"data": []any{map[string]any{
			"event_name": "Purchase", "event_time": 1772867102.0, "event_id": conversionID, "action_source": "website",
			"event_source_url": "https://shop.example/",
			"user_data": map[string]any{
				"fbc": "fb.1.1772323200123.click\"id", "client_ip_address": "203.0.113.9", "client_user_agent": "UA/1",
				"external_id": hashOfSubid, "em": hashOfEmail,
			},
			"custom_data": map[string]any{"value": 12.5, "currency": "USD"},
		}}},
	},
	"tiktok.yaml": {
		host: "business-api.tiktok.com", path: "/open_api/v1.3/event/track/",
		headers: map[string]string{"Access-Token": "REPLACE-WITH-THE-ACCESS-TOKEN"},
		body: map[string]any{"event_source": "web", "event_source_id": "C0000000000000000000", "data": []any{map[string]any{
			"event": "CompletePayment", "event_time": 1772867102.0, "event_id": conversionID,
			"user": map[string]any{
				"ttclid": "click\"id", "external_id": hashOfSubid, "email": hashOfEmail, "ip": "203.0.113.9", "user_agent": "UA/1",
			},
			"page":       map[string]any{"url": "https://shop.example/"},
			"properties": map[string]any{"value": 12.5, "currency": "USD"},
		}}},
	},
	"google-ads.yaml": {
		host: "googleads.googleapis.com", path: "/v26/customers/1234567890:uploadClickConversions",
		headers: map[string]string{
			"Authorization":   "Bearer REPLACE-WITH-THE-ACCESS-TOKEN",
			"Developer-Token": "REPLACE-WITH-THE-DEVELOPER-TOKEN", "Login-Customer-Id": "9876543210",
		},
		body: map[string]any{"partialFailure": true, "conversions": []any{map[string]any{
			"gclid": "click\"id", "conversionAction": "customers/1234567890/conversionActions/111",
			"conversionDateTime": "2026-03-07 07:05:02+00:00", "conversionValue": 12.5, "currencyCode": "USD",
			"orderId": conversionID,
		}}},
	},
}

const conversionID = "01a20770-0464-79e0-b5cf-3de9951fcaaf"

func TestTheSamplesSendWhatTheTrafficSourcesDocument(t *testing.T) {
	files, err := filepath.Glob("samples/*.yaml")
	if err != nil || len(files) != len(sources) {
		t.Fatalf("samples %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := sources[filepath.Base(file)]
			declared := declaredForward(t, file)
			if got := strings.Join(declared.Require, " "); got != "external_id" {
				t.Errorf("it requires %q", got)
			}
			request, body := deliver(t, declared, want.host)
			if request.Method != http.MethodPost || request.RequestURI != want.path ||
				request.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s %v", request.Method, request.RequestURI, request.Header)
			}
			for name, value := range want.headers {
				if got := request.Header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			var sent map[string]any
			if err := json.Unmarshal(body, &sent); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			if diff := cmp.Diff(want.body, sent); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

// declaredForward renders a sample beside its endpoint and returns its only forward.
func declaredForward(t *testing.T, file string) config.Forward {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var notices bytes.Buffer
	err = offline.Render(t.Context(), offline.Options{
		Paths: []string{"-"}, Stdin: strings.NewReader(string(data) + shop), Dir: dir, Out: io.Discard, Notices: &notices,
		Now: time.Now(),
	})
	if err != nil || notices.Len() > 0 {
		t.Fatalf("%v, %s", err, &notices)
	}
	opened, err := config.Open(func(name string) ([]byte,
		error) {
		return os.ReadFile(filepath.Join(dir, "default.shop", name))
	})
	if err != nil {
		t.Fatal(err)
	}
	if forwards := opened.Endpoints[0].Forwards; len(forwards) == 1 {
		return forwards[0]
	}
	t.Fatalf("forwards: %+v", opened.Endpoints[0].Forwards)
	return config.Forward{}
}

// deliver has the forward send a sale to a server of the test's own, in place of the host, and returns what it got.
func deliver(t *testing.T, declared config.Forward, host string) (*http.Request, []byte) {
	t.Helper()
	type request struct {
		head *http.Request
		body []byte
	}
	got := make(chan request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r, body}
	}))
	t.Cleanup(server.Close)
	to, err := url.Parse(declared.URL)
	if err != nil || to.Scheme != "https" || to.Host != host {
		t.Fatalf("it goes to %v, %v", to, err)
	}
	declared.URL = server.URL + to.RequestURI()
	compiled, err := rule.Compile(declared)
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	row := sale(compiled)
	err = store.Transact(t.Context(), ledger.Want{},
		func(*ledger.Book) *ledger.Changes { return &ledger.Changes{Forwards: []ledger.Forward{row}} })
	if err != nil {
		t.Fatal(err)
	}
	worker := forward.New(forward.Options{
		Options:      queue.Options{Store: store, Logger: slog.New(slog.DiscardHandler)},
		Rule:         func(_, _ string) *rule.Rule { return compiled },
		AllowPrivate: func() bool { return true },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); worker.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	select {
	case r := <-got:
		return r.head, r.body
	case <-time.After(time.Minute):
		t.Fatal("nothing was sent")
		return nil, nil
	}
}

// sale is a sale by a click with everything that the samples ask for.
func sale(by *rule.Rule) ledger.Forward {
	payout := decimal.RequireFromString("12.5")
	at := time.Date(2026, 3, 7, 7, 5, 2, 0, time.UTC)
	return ledger.Forward{
		ID: uuid.Must(uuid.NewV7()), Rule: by.Name, Host: by.Host, Due: time.Now().Add(-time.Second),
		Conversion: &conversion.Conversion{
			ID: uuid.MustParse(conversionID), Endpoint: "default/shop", SubID: "c1", Type: "sale", Status: "sale", Version: 1,
			EndpointCurrency: "USD", Payout: money.Amount{Original: payout, Currency: "USD", Converted: &payout},
			ConversionTime: at, CreatedAt: at, UpdatedAt: at,
		},
		Click: &conversion.Click{
			Endpoint: "default/shop", SubID: "c1", Time: time.Date(2026, 3, 1, 0, 0, 0, 123_000_000, time.UTC), Campaign: "c",
			IP: "203.0.113.9", UserAgent: "UA/1",
			Params: conversion.Params{{Name: "external_id", Value: `click"id`}, {Name: "sub_id_5", Value: "Test@Example.com "}},
		},
	}
}
