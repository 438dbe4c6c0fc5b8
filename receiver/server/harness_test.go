package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

const (
	key        = receivertest.Key
	retiredKey = "retired-key"
	listedKey  = "key-of-the-endpoint-with-an-allow-list"
	signedKey  = "key-of-the-endpoint-with-signatures"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// book is a ledger that remembers what it was given.
type book struct {
	mu       sync.Mutex
	got      []ledger.Postback
	postback func(ctx context.Context, p ledger.Postback) (ledger.Result, error)
}

func (b *book) Postback(ctx context.Context, p ledger.Postback) (ledger.Result, error) {
	b.mu.Lock()
	b.got = append(b.got, p)
	b.mu.Unlock()
	if b.postback != nil {
		return b.postback(ctx, p)
	}
	if p.Intent == nil {
		return ledger.Result{Outcome: p.Log.Outcome, Reason: p.Log.Reason}, nil
	}
	return ledger.Result{Outcome: conversion.Recorded}, nil
}

func (b *book) rows() []ledger.Postback {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got
}

// watcher counts what it is told.
type watcher struct {
	mu                  sync.Mutex
	outcomes            []conversion.Outcome
	unstored, wrongKeys int
	inFlight, begun     int
}

func (w *watcher) Postback(outcome conversion.Outcome, _ conversion.Reason, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes = append(w.outcomes, outcome)
}

func (w *watcher) count(n *int, delta int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*n += delta
}

func (w *watcher) Unstored() { w.count(&w.unstored, 1) }
func (w *watcher) WrongKey() { w.count(&w.wrongKeys, 1) }
func (w *watcher) InFlight(delta int) {
	w.count(&w.inFlight, delta)
	w.count(&w.begun, max(delta, 0))
}

// harness is a handler with everything around it that a test looks at.
type harness struct {
	*Handler
	book  *book
	seen  *watcher
	log   *logBuffer
	drain bool
}

// logBuffer is a log that may be written to while it is read.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	snapshot := compile(t)
	h := &harness{book: &book{}, seen: &watcher{}, log: &logBuffer{}}
	rates := money.NewTable(nil, nil)
	h.Handler = NewHandler(Options{
		Endpoints: func() *endpoint.Snapshot { return snapshot },
		Rates:     func() *money.Table { return rates },
		Ledger:    h.book,
		Clicks:    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		Pages: func(r *http.Request) Page {
			if r.URL.Path != "/QwErTy" {
				return Page{}
			}
			return Page{Endpoint: "default/test", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "page "+r.URL.Path)
			})}
		},
		Observer: h.seen,
		Hold:     time.Minute,
		Draining: func() bool { return h.drain },
		Clock:    func() time.Time { return noon },
		Stamp:    func() int64 { return 7 },
		NewID:    func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		Logger:   slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	t.Cleanup(func() {
		for _, secret := range []string{key, listedKey, signedKey, "payout="} {
			if strings.Contains(h.log.String(), secret) {
				t.Errorf("the log has %q:\n%s", secret, h.log)
			}
		}
	})
	return h
}

// compile returns a snapshot of the endpoints default/test, default/listed, default/signed and default/paged.
func compile(t *testing.T) *endpoint.Snapshot {
	t.Helper()
	plain, listed, signed := receivertest.Endpoint(), receivertest.Endpoint(), receivertest.Endpoint()
	justNow := noon
	plain.Keys = append(plain.Keys, config.Key{ID: "k0", SHA256: config.Digest(retiredKey), RetireAt: &justNow})
	listed.Name, listed.ClickTokens = "listed", nil
	listed.Keys = []config.Key{{ID: "k1", SHA256: config.Digest(listedKey)}}
	listed.Access.AllowedCIDRs = []string{"203.0.113.0/24"}
	signed.Name, signed.ClickTokens = "signed", nil
	signed.Keys = []config.Key{{ID: "k1", SHA256: config.Digest(signedKey)}}
	signed.Access.HMAC = &config.HMAC{Parameter: "signature", Secrets: []config.Secret{{ID: "s1", Value: "hmac-secret"}}}
	paged := signed
	paged.Name, paged.Access.AllowedCIDRs = "paged", []string{"203.0.113.0/24"}
	paged.Keys = []config.Key{{ID: "k1", SHA256: config.Digest("key-of-the-endpoint-with-pages")}}
	paged.Browser = &config.Browser{
		Keys:  []config.Key{{ID: "p1", SHA256: config.Digest(pageKey)}},
		Types: []string{"lead", "sale"}, Origins: []string{shop}, RatePerMinute: 5,
	}
	fleet := receivertest.Fleet()
	fleet.TrustedProxies = []string{"127.0.0.0/8"}
	snapshot, err := endpoint.Build(&config.Config{Fleet: fleet,
		Endpoints: []config.Endpoint{plain, listed, signed, paged}})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// serve opens a port for the handler and returns its URL and the listener, which is shut down in the end.
func (h *harness) serve(t *testing.T, certificate *Certificate) (string, *Listener) {
	t.Helper()
	return h.serveAs(t, h, certificate)
}

// serveAs is serve for a handler that stands before it.
func (h *harness) serveAs(t *testing.T, handler http.Handler, certificate *Certificate) (string, *Listener) {
	t.Helper()
	listener, err := Listen(t.Context(), ListenerOptions{
		Address: "127.0.0.1:0", Handler: handler, Logger: h.Logger, HandlerTime: h.Hold, MaxConnections: 64,
		Certificate: certificate, H2C: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- listener.Serve() }()
	t.Cleanup(func() {
		if err := listener.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	scheme := "http://"
	if certificate != nil {
		scheme = "https://"
	}
	return scheme + listener.Address(), listener
}

// answer is a reply as a sender sees it.
type answer struct {
	status int
	body   string
	header http.Header
	// last says that the connection is closed after it.
	last bool
}

func exchange(t *testing.T, client *http.Client, method, url, contentType, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, string(text), resp.Header, resp.Close}
}
