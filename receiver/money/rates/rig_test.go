package rates

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// provider plays one JSON provider and counts how often it is asked.
type provider struct {
	mu     sync.Mutex
	asked  []time.Time
	answer http.HandlerFunc
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, time.Now())
	answer := p.answer
	p.mu.Unlock()
	answer(w, r)
}

func (p *provider) becomes(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *provider) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

// pauses are the times between the requests.
func (p *provider) pauses() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var pauses []time.Duration
	for i := 1; i < len(p.asked); i++ {
		pauses = append(pauses, p.asked[i].Sub(p.asked[i-1]))
	}
	return pauses
}

func euro(rate string) http.HandlerFunc { return says(`{"base":"USD","rates":{"EUR":` + rate + `}}`) }

func fails(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// journal is a log that a test reads while it grows.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// rig is two providers, one and two, and a store, inside a synctest bubble.
type rig struct {
	store    *memory
	one, two *provider
	log      journal
}

func newRig(store *memory) *rig {
	return &rig{store: store, one: &provider{answer: euro("0.9")}, two: &provider{answer: euro("0.8")}}
}

// refresher is a receiver of the store; its jitter is always in the middle.
func (b *rig) refresher(holder string, onTable func(*money.Table)) *Refresher {
	return New(Options{
		Store:     b.store,
		Holder:    holder,
		Transport: func(bool) http.RoundTripper { return handlers{"one": b.one, "two": b.two} },
		Random:    func() float64 { return 0.5 },
		Logger:    slog.New(slog.NewTextHandler(&b.log, nil)),
		OnTable:   onTable,
	})
}

func providers(names ...string) config.Rates {
	rates := config.Rates{RefreshEvery: config.Duration(12 * time.Hour)}
	for _, name := range names {
		rates.Providers = append(rates.Providers, config.RateProvider{
			Name: name, Type: config.RateProviderJSON, URL: "http://" + name + "/",
			Key: &config.Secret{ID: "1", Value: secret},
		})
	}
	return rates
}

// worth returns the rate of EUR to USD and its source, "" for none.
func worth(r *Refresher) string {
	rate, ok := r.Table().Rate("USD", "EUR")
	if !ok {
		return ""
	}
	return rate.Value.String() + " by " + rate.Source
}

func expect(t *testing.T, r *Refresher, want string) {
	t.Helper()
	synctest.Wait()
	if got := worth(r); got != want {
		t.Errorf("1 USD is worth %q EUR, want %q", got, want)
	}
}

func stored(source, rate string, fetched time.Time) money.Set {
	return money.Set{Source: source, Base: "USD", Date: fetched, Fetched: fetched,
		Rates: decimals(map[string]string{"EUR": rate})}
}
