package rates

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/money"
)

// handlers plays the hosts of providers without a network, so that a test owns the clock.
type handlers map[string]http.Handler

func (h handlers) RoundTrip(r *http.Request) (*http.Response, error) {
	handler, ok := h[r.URL.Host]
	if !ok {
		return nil, errors.New("no such host")
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := recorder.Result()
	response.Request = r
	return response, nil
}

var errDown = errors.New("store down")

// memory is a store.
type memory struct {
	mu     sync.Mutex
	sets   map[string]money.Set
	holder string
	until  time.Time
	down   bool
	// readOnly lets SaveRates alone fail.
	readOnly bool
}

func newMemory(sets ...money.Set) *memory {
	m := &memory{sets: map[string]money.Set{}}
	for _, set := range sets {
		m.sets[set.Source] = set
	}
	return m
}

func (m *memory) LoadRates(context.Context) ([]money.Set, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	return slices.Collect(maps.Values(m.sets)), nil
}

func (m *memory) SaveRates(_ context.Context, set money.Set) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down || m.readOnly {
		return errDown
	}
	m.sets[set.Source] = set
	return nil
}

func (m *memory) Lease(_ context.Context, name, holder string, now, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down || name != "rates" {
		return false, errDown
	}
	if m.holder != holder && m.until.After(now) {
		return false, nil
	}
	m.holder, m.until = holder, until
	return true, nil
}

func (m *memory) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func contextWithStop(t *testing.T) (context.Context, func()) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}
