package rates

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRefresherBacksOff(t *testing.T) {
	m, h := time.Minute, time.Hour
	busy := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   []time.Duration
	}{
		"a failing provider is asked ever more rarely, at last as often as it would be": {
			fails(503), []time.Duration{m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 64 * m, 128 * m, 256 * m, 512 * m, 12 * h,
				12 * h},
		},
		"a provider that says for how long is left alone for that long": {
			busy, []time.Duration{2 * h, 2 * h, 2 * h, 2 * h, 2 * h, 2 * h, 2 * h, 128 * m, 256 * m, 512 * m, 12 * h},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(newMemory())
				b.one.becomes(c.answer)
				r := b.refresher("a", nil)
				r.Configure(providers("one"), false)
				go r.Run(t.Context())
				time.Sleep(48 * h)
				synctest.Wait()
				if diff := cmp.Diff(c.want, b.one.pauses()); diff != "" {
					t.Errorf("pauses (-want +got):\n%s", diff)
				}
				b.one.becomes(euro("0.9"))
				time.Sleep(13 * h)
				expect(t, r, "0.9 by one")
				if status := r.Status()[0]; status.LastError != "" || status.Base != "USD" {
					t.Errorf("status %+v", status)
				}
			})
		})
	}
}

func TestRefresherRidesOutEveryFailure(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no answer":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"500":           fails(500),
		"429":           fails(429),
		"garbage":       says("\x00\xff"),
		"a page":        says("<html></html>"),
		"truncated":     says(`{"base":"USD","rates":{"EUR":0.`),
		"oversized":     says(strings.Repeat(" ", maxBody+1)),
		"negative":      euro("-0.9"),
		"no currencies": says(`{"base":"USD","rates":{}}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(newMemory())
				r := b.refresher("a", nil)
				r.Configure(providers("one"), false)
				go r.Run(t.Context())
				expect(t, r, "0.9 by one")
				b.one.becomes(answer)
				time.Sleep(13 * time.Hour)
				expect(t, r, "0.9 by one")
				status := r.Status()[0]
				if status.LastError == "" || status.Age != 13*time.Hour || !status.NextRefresh.After(time.Now()) {
					t.Errorf("status %+v", status)
				}
				if strings.Contains(b.log.String()+fmt.Sprint(status), secret) {
					t.Error("the key is told")
				}
			})
		})
	}
}

func TestRefresherWarnsOfOldRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory())
		r := b.refresher("a", nil)
		r.Configure(providers("one", "two"), false)
		go r.Run(t.Context())
		synctest.Wait()
		b.one.becomes(fails(500))
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if strings.Contains(b.log.String(), "are old") {
			t.Error("warned although one provider delivers")
		}
		b.two.becomes(fails(500))
		time.Sleep(62*time.Hour + 30*time.Minute)
		synctest.Wait()
		if got := strings.Count(b.log.String(), "are old"); got < 10 || got > 15 {
			t.Errorf("warned %d times in the hours since the rates are old", got)
		}
	})
}

func TestRefresherOutlivesItsStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory())
		b.store.down = true
		r := b.refresher("a", nil)
		r.Configure(providers("one"), false)
		go r.Run(t.Context())
		time.Sleep(time.Minute)
		expect(t, r, "")
		if got := strings.Count(b.log.String(), "not kept current"); got != 1 {
			t.Errorf("a store that stays down is logged %d times", got)
		}
		b.store.change(func() { b.store.down, b.store.readOnly = false, true })
		time.Sleep(reloadRetry)
		expect(t, r, "0.9 by one")
		b.store.change(func() { b.store.sets["one"] = stored("one", "0.1", time.Now().Add(-24*time.Hour)) })
		time.Sleep(2 * reloadEvery)
		expect(t, r, "0.9 by one")
		if !strings.Contains(b.log.String(), "Storing exchange rates failed") {
			t.Error("that nothing was stored isn't logged")
		}
	})
}

func TestScatterStaysWithinTenPercent(t *testing.T) {
	var got []time.Duration
	for _, x := range []float64{0, 0.5, 0.999999} {
		got = append(got, scatter(10*time.Hour, x).Round(time.Minute))
	}
	if want := []time.Duration{9 * time.Hour, 10 * time.Hour, 11 * time.Hour}; !slices.Equal(got, want) {
		t.Errorf("scattered to %v, want %v", got, want)
	}
	if got := pause(1, time.Hour, 1000*time.Hour, 0.5); got != maxRetryAfter {
		t.Errorf("a provider sends us away for %s", got)
	}
}
