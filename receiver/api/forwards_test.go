package api

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

var forwardID = uuid.MustParse("01912345-6789-7abc-8def-0123456789ab")

func failedForward() ledger.OutboxRow {
	return ledger.OutboxRow{
		ID: forwardID, Slot: ledger.Slot{Key: ledger.KeyOf("shop/main", "c1"), SlotKey: conversion.SlotKey{TID: "t1"}},
		ConversionID: uuid.MustParse("01912345-0000-7abc-8def-0123456789ab"), Version: 2, Type: "sale", Rule: "fb",
		Host:  "fb.example:443",
		State: ledger.ForwardFailed, Reason: "status_404", Created: start, Due: start, Ended: start.Add(5 * time.Second),
		Tries: 2,
		Attempts: []ledger.Attempt{
			{At: start, Milliseconds: 10_000, Error: ledger.AttemptTimeout, URL: "https://fb.example/…?c=1"},
			{At: start.Add(5 * time.Second), Milliseconds: 12, Status: 404, Answer: "no <click>",
				Location: "https://new.example/pb"},
		},
	}
}

func TestAForwardShowsEveryField(t *testing.T) {
	store := &fakeStore{forwards: []ledger.OutboxRow{failedForward(),
		{ID: forwardID, State: ledger.ForwardWaiting, Due: start, Test: true}}}
	got := decode(t, get(New(options(store)),
		"/api/v1/forwards?endpoint=shop/main&subid=c1&tid=t1&rule=fb&state=failed&limit=5").Body)
	want := []any{
		map[string]any{
			"id": forwardID.String(), "endpoint": "shop/main", "rule": "fb", "host": "fb.example:443", "subid": "c1",
			"tid":           "t1",
			"conversion_id": "01912345-0000-7abc-8def-0123456789ab", "type": "sale", "version": 2.0, "state": "failed",
			"test":       false,
			"reason":     "status_404",
			"created_at": "2026-03-01T12:00:00Z", "due_at": nil, "ended_at": "2026-03-01T12:00:05Z", "tries": 2.0,
			"operation": nil, "attempts": []any{
				map[string]any{"at": "2026-03-01T12:00:00Z", "ms": 10_000.0, "status": nil, "error": "timeout",
					"url": "https://fb.example/…?c=1", "answer": nil, "location": nil},
				map[string]any{"at": "2026-03-01T12:00:05Z", "ms": 12.0, "status": 404.0, "error": nil, "url": nil,
					"answer": "no <click>", "location": "https://new.example/pb"},
			},
		},
		map[string]any{
			"id": forwardID.String(), "endpoint": "", "rule": "", "host": "", "subid": "", "tid": "",
			"conversion_id": uuid.Nil.String(), "type": "", "version": 0.0, "state": "waiting", "reason": nil,
			"test":       true,
			"created_at": nil, "due_at": "2026-03-01T12:00:00Z", "ended_at": nil, "tries": 0.0, "operation": nil, "attempts": []any{},
		},
	}
	if diff := cmp.Diff(want, got["items"]); diff != "" {
		t.Error(diff)
	}
	tid := "t1"
	wantFilter := ledger.OutboxFilter{Endpoint: "shop/main", SubID: "c1", TID: &tid, Rule: "fb",
		State: ledger.ForwardFailed, Limit: 6}
	if diff := cmp.Diff(wantFilter, store.outboxFilter); diff != "" {
		t.Error(diff)
	}
	if w := get(New(options(store)), "/api/v1/forwards?state=sent"); w.Code != http.StatusBadRequest {
		t.Errorf("a state that is none: %d", w.Code)
	}
}

// token makes the options want one.
func withToken(t *testing.T, o Options) Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.Token, err = OpenTokenFile(path); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestSendingAgain(t *testing.T) {
	const path = "/api/v1/forwards/01912345-6789-7abc-8def-0123456789ab/resend"
	for name, c := range map[string]struct {
		method, path, authorization string
		token                       bool
		store                       fakeStore
		want                        int
		resent                      []uuid.UUID
	}{
		"with the token": {"POST", path, "Bearer s3cret", true,
			fakeStore{forwards: []ledger.OutboxRow{failedForward()}}, 202, []uuid.UUID{forwardID}},
		"without the token":        {"POST", path, "", true, fakeStore{}, 401, nil},
		"with another token":       {"POST", path, "Bearer s3cre", true, fakeStore{}, 401, nil},
		"on loopback, without any": {"POST", path, "", false, fakeStore{}, 403, nil},
		"what has not failed": {"POST", path, "Bearer s3cret", true, fakeStore{resendErr: ledger.ErrForwardState}, 409,
			[]uuid.UUID{forwardID}},
		"what is not there": {"POST", path, "Bearer s3cret", true, fakeStore{resendErr: ledger.ErrNotFound}, 404,
			[]uuid.UUID{forwardID}},
		"while the store is away": {"POST", path, "Bearer s3cret", true, fakeStore{resendErr: ledger.ErrUnavailable}, 503,
			[]uuid.UUID{forwardID}},
		"an id that is none": {"POST", "/api/v1/forwards/1/resend", "Bearer s3cret", true, fakeStore{}, 400, nil},
		"with a parameter":   {"POST", path + "?all=1", "Bearer s3cret", true, fakeStore{}, 400, nil},
		"by GET":             {"GET", path, "Bearer s3cret", true, fakeStore{}, 404, nil},
		"by PUT":             {"PUT", path, "Bearer s3cret", true, fakeStore{}, 405, nil},
		"the list by POST":   {"POST", "/api/v1/forwards", "Bearer s3cret", true, fakeStore{}, 405, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(&c.store)
			if c.token {
				o = withToken(t, o)
			}
			var woken []string
			o.Resent = func(hosts []string) { woken = append(woken, hosts...) }
			w := request(New(o), c.method, c.path, c.authorization)
			if w.Code != c.want || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("status %d, want %d: %s", w.Code, c.want, w.Body)
			}
			if !slices.Equal(c.store.resent, c.resent) {
				t.Errorf("sent again: %v", c.store.resent)
			}
			if (len(woken) > 0) != (c.want == 202) {
				t.Errorf("woken for %v", woken)
			}
		})
	}
}
