package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fakeStore counts how often it is pinged, and answers pingErr.
type fakeStore struct {
	pingErr error
	pings   int
}

func (s *fakeStore) Ping(context.Context) error {
	s.pings++
	return s.pingErr
}

// options are those of a receiver that has loaded its configuration and is well.
func options(store *fakeStore) Options {
	return Options{
		Version: "v1.2.3",
		Config: func() ConfigStatus {
			return ConfigStatus{Revision: "0123456789abcdef", LoadedAt: start, Endpoints: 3, Reloads: 2, Failures: 1}
		},
		Ping:    store.Ping,
		Metrics: NewMetrics(),
		Logger:  slog.New(slog.DiscardHandler),
		Clock:   func() time.Time { return start.Add(time.Hour) },
	}
}

// request asks the handler as a client on the same machine would.
func request(h http.Handler, method, target, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, "http://localhost:9090"+target, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	return request(h, http.MethodGet, target, "")
}

func decode(t *testing.T, body io.Reader) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.NewDecoder(body).Decode(&v); err != nil {
		t.Fatalf("the answer is no JSON object: %v", err)
	}
	return v
}

func TestOnlyReadingMethodsAreAnswered(t *testing.T) {
	h := New(options(&fakeStore{}))
	for _, path := range []string{"/livez", "/readyz", "/configz", "/metrics"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			w := request(h, method, path, "")
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: status %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if w := request(h, method, path, ""); w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: status %d, Cache-Control %q", method, path, w.Code, w.Header().Get("Cache-Control"))
			}
		}
	}
}

func TestTheAPIAnswersBelowItsPathOnly(t *testing.T) {
	o := options(&fakeStore{})
	o.API = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	h := New(o)
	for path, want := range map[string]int{
		"/livez": 200, "/readyz": 200, "/configz": 200, "/metrics": 200, "/api/v1/postbacks": 401, "/api/v2/postbacks": 404,
	} {
		if w := get(h, path); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
}

func TestUnknownPagesAreNotFound(t *testing.T) {
	h := New(options(&fakeStore{}))
	for _, path := range []string{"/", "/healthz", "/api/v1/conversions", "/api/v2/conversions", "/debug/pprof/"} {
		w := get(h, path)
		if w.Code != http.StatusNotFound || decode(t, w.Body)["error"] == nil {
			t.Errorf("%s: status %d, want a 404 with an error", path, w.Code)
		}
	}
}

func TestConfigzSaysWhatIsServed(t *testing.T) {
	o := options(&fakeStore{})
	o.Config = func() ConfigStatus {
		return ConfigStatus{
			Revision: "0123456789abcdef", LoadedAt: start, Endpoints: 3,
			LastError: "shard-000.json: digest differs", LastErrorAt: start.Add(time.Minute),
		}
	}
	o.Rates = func() []RateStatus {
		return []RateStatus{
			{Source: "ecb", Date: start.Truncate(24 * time.Hour), Fetched: start.Add(30 * time.Minute)},
			{Source: "own", LastError: "timeout"},
		}
	}
	o.Spool = func() ledger.SpoolStatus { return ledger.SpoolStatus{Missing: 7} }
	var got configzView
	body := get(New(o), "/configz").Body
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "v1.2.3" || got.Schema != "config.postback.dev/v1alpha1" || got.Revision != "0123456789abcdef" ||
		got.Endpoints != 3 || !got.LoadedAt.Equal(start) {
		t.Errorf("configuration is reported as %+v", got)
	}
	if got.LastError != "shard-000.json: digest differs" || !got.LastErrorAt.Equal(start.Add(time.Minute)) {
		t.Errorf("last error is reported as %q at %v", got.LastError, got.LastErrorAt)
	}
	if got.SpoolMissing != 7 {
		t.Errorf("%d postbacks are reported missing, want 7", got.SpoolMissing)
	}
	if len(got.Rates) != 2 {
		t.Fatalf("%d sources of rates are told, want 2", len(got.Rates))
	}
	if fresh := got.Rates[0]; fresh.Source != "ecb" || *fresh.Date != "2026-03-01" || *fresh.AgeSeconds != 1800 {
		t.Errorf("the fresh source is reported as %+v", fresh)
	}
	if failed := got.Rates[1]; failed.Date != nil || failed.Fetched != nil || failed.AgeSeconds != nil ||
		failed.LastError != "timeout" {
		t.Errorf("the source without rates is reported as %+v", failed)
	}
}

func TestConfigzBeforeTheFirstLoadHasNullTimesAndNoRates(t *testing.T) {
	o := options(&fakeStore{})
	o.Config = func() ConfigStatus { return ConfigStatus{} }
	got := decode(t, get(New(o), "/configz").Body)
	if got["loaded_at"] != nil || got["revision"] != "" {
		t.Errorf("loaded_at %v, revision %v", got["loaded_at"], got["revision"])
	}
	if sources, ok := got["rates"].([]any); !ok || len(sources) != 0 {
		t.Errorf("rates = %v, want an empty list", got["rates"])
	}
}

func TestReadyzSaysWhyPostbacksShouldNotCome(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*Options)
		want  string
	}{
		{"a loaded receiver with a working store is ready", func(*Options) {}, "ready\n"},
		{"a draining one is not", func(o *Options) { o.Draining = func() bool { return true } },
			"draining: the receiver is about to stop\n"},
		{"one without a configuration is not", func(o *Options) { o.Config = func() ConfigStatus { return ConfigStatus{} } },
			"configuration: not loaded yet\n"},
		{"every reason is told", func(o *Options) {
			o.Draining = func() bool { return true }
			o.Config = func() ConfigStatus { return ConfigStatus{} }
		}, "draining: the receiver is about to stop\nconfiguration: not loaded yet\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := options(&fakeStore{})
			tc.spoil(&o)
			w := get(New(o), "/readyz")
			if ready := w.Code == http.StatusOK; w.Body.String() != tc.want || ready != (tc.want == "ready\n") {
				t.Errorf("status %d, body %q, want %q", w.Code, w.Body, tc.want)
			}
		})
	}
}

func TestReadinessOutlastsAShortFailureOfTheStoreOnly(t *testing.T) {
	store := &fakeStore{}
	o := options(store)
	now := start
	o.Clock = func() time.Time { return now }
	h := New(o)
	fails := errors.New("dial tcp db.internal:5432: refused")
	for _, step := range []struct {
		name    string
		advance time.Duration
		ping    error
		want    string
	}{
		{"works", 0, nil, "ready\n"},
		{"begins to fail", 5 * time.Second, fails, "ready\n"},
		{"fails for less than the grace period", 29 * time.Second, fails, "ready\n"},
		{"fails for as long", time.Second, fails, "store: not writable for 30s\n"},
		{"works again", 5 * time.Second, nil, "ready\n"},
		{"is damaged", time.Second, fmt.Errorf("%w: %w", ledger.ErrUnavailable, ledger.ErrCorrupt),
			"store: damaged, restore a backup: not writable for 0s\n"},
		{"was restored", time.Second, nil, "ready\n"},
		{"fails again, from zero", 5 * time.Second, fails, "ready\n"},
	} {
		now = now.Add(step.advance)
		store.pingErr = step.ping
		if got := get(h, "/readyz").Body.String(); got != step.want {
			t.Errorf("store %s: %q, want %q", step.name, got, step.want)
		}
	}
}

func TestProbesThatComeTogetherShareOnePing(t *testing.T) {
	store := &fakeStore{}
	h := New(options(store)) // Its clock stands still.
	for range 10 {
		get(h, "/readyz")
	}
	if store.pings != 1 {
		t.Errorf("the store was asked %d times, want once", store.pings)
	}
}

func TestLivenessAsksNobody(t *testing.T) {
	store := &fakeStore{pingErr: errors.New("down")}
	o := options(store)
	o.Draining = func() bool { return true }
	if w := get(New(o), "/livez"); w.Code != http.StatusOK || store.pings != 0 {
		t.Errorf("status %d after %d pings", w.Code, store.pings)
	}
}
