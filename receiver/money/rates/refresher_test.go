package rates

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/money"
)

func TestRefresherServesStoredAndFixedRatesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory(stored("one", "0.7", time.Now()), stored("gone", "0.1", time.Now())))
		r := b.refresher("a", nil)
		expect(t, r, "")
		r.Configure(providers("one"), false)
		if err := r.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, r, "0.7 by one")
		fixed := providers("one")
		fixed.Fixed = []config.FixedRate{{From: "USD", To: "EUR", Rate: "0.5"}, {From: "X", To: "USD", Rate: "much"},
			{From: "Y", To: "USD", Rate: "0"}}
		r.Configure(fixed, false)
		expect(t, r, "0.5 by fixed")
		r.Configure(providers("two"), false)
		expect(t, r, "")
		if b.one.times()+b.two.times() != 0 {
			t.Error("providers were asked without Run")
		}
		if got := strings.Count(b.log.String(), "Leaving out a fixed rate"); got != 2 {
			t.Errorf("%d fixed rates are logged as left out, want 2", got)
		}
	})
}

// TestRatesOfAClockThatWasAheadAreFetchedAgain instead of being kept for as long as it was ahead.
func TestRatesOfAClockThatWasAheadAreFetchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory(stored("one", "0.7", time.Now().Add(24*time.Hour))))
		r := b.refresher("a", nil)
		r.Configure(providers("one"), false)
		go r.Run(t.Context())
		time.Sleep(time.Minute)
		expect(t, r, "0.9 by one")
		if n := b.one.times(); n != 1 {
			t.Errorf("the provider was asked %d times, want once", n)
		}
	})
}

func TestRefresherAsksTwiceADayAndKeepsTheAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory())
		var tables []string
		r := b.refresher("a", func(table *money.Table) {
			rate, _ := table.Rate("USD", "EUR")
			tables = append(tables, rate.Value.String())
		})
		r.Configure(providers("one", "two"), false)
		go r.Run(t.Context())
		expect(t, r, "0.9 by one")
		time.Sleep(11 * time.Hour)
		b.one.becomes(euro("0.95"))
		expect(t, r, "0.9 by one")
		time.Sleep(2 * time.Hour)
		expect(t, r, "0.95 by one")
		if diff := cmp.Diff([]time.Duration{12 * time.Hour}, b.one.pauses()); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"0.9", "0.95"}, tables); diff != "" {
			t.Errorf("tables handed over (-want +got):\n%s", diff)
		}
		again := b.refresher("b", nil)
		again.Configure(providers("one", "two"), false)
		if err := again.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, again, "0.95 by one")
	})
}

func TestRefresherFallsBackInListedOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory())
		b.one.becomes(fails(http.StatusInternalServerError))
		r := b.refresher("a", nil)
		r.Configure(providers("one", "two"), false)
		go r.Run(t.Context())
		expect(t, r, "0.8 by two")
		b.one.becomes(says(`{"base":"USD","rates":{"RUB":80}}`))
		time.Sleep(2 * time.Minute)
		expect(t, r, "0.8 by two")
		if rate, ok := r.Table().Rate("USD", "RUB"); !ok || rate.Source != "one" {
			t.Errorf("RUB comes from %q", rate.Source)
		}
		b.one.becomes(euro("0.9"))
		time.Sleep(12 * time.Hour)
		expect(t, r, "0.9 by one")
		b.one.becomes(fails(http.StatusBadGateway))
		time.Sleep(24 * time.Hour)
		expect(t, r, "0.9 by one")
	})
}

func TestOnlyOneReceiverOfAStoreFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory())
		first, second := b.refresher("a", nil), b.refresher("b", nil)
		first.Configure(providers("one"), false)
		second.Configure(providers("one"), false)
		go first.Run(t.Context())
		expect(t, first, "0.9 by one")
		go second.Run(t.Context())
		expect(t, second, "0.9 by one")
		b.one.becomes(euro("0.91"))
		time.Sleep(12*time.Hour + 2*time.Minute)
		expect(t, first, "0.91 by one")
		expect(t, second, "0.91 by one")
		if got := b.one.times(); got != 2 {
			t.Errorf("the provider was asked %d times, want 2", got)
		}
	})
}

func TestAnotherReceiverTakesOver(t *testing.T) {
	for name, leave := range map[string]func(b *rig, stop func()){
		"when the first stops, at once":        func(_ *rig, stop func()) { stop() },
		"when the first dies, after its lease": func(b *rig, stop func()) { b.store.holder = "dead"; stop() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(newMemory())
				first, second := b.refresher("a", nil), b.refresher("b", nil)
				first.Configure(providers("one"), false)
				second.Configure(providers("one", "two"), false)
				ctx, stop := contextWithStop(t)
				go first.Run(ctx)
				synctest.Wait()
				b.store.change(func() { leave(b, stop) })
				synctest.Wait()
				go second.Run(t.Context())
				time.Sleep(leaseFor)
				synctest.Wait()
				if b.two.times() != 1 {
					t.Errorf("the second asked its own provider %d times, want 1", b.two.times())
				}
			})
		})
	}
}

func TestConfigureTakesEffectAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory())
		r := b.refresher("a", nil)
		r.Configure(providers("one"), false)
		go r.Run(t.Context())
		expect(t, r, "0.9 by one")

		r.Configure(providers("one"), false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if b.one.times() != 1 {
			t.Errorf("the same configuration again makes %d requests", b.one.times())
		}

		r.Configure(providers("two", "one"), false)
		expect(t, r, "0.8 by two")

		changed := providers("one")
		changed.Providers[0].URL = "http://one/other"
		b.one.becomes(euro("0.99"))
		r.Configure(changed, false)
		expect(t, r, "0.99 by one")

		b.two.becomes(fails(500))
		r.Configure(providers("three", "two"), false)
		expect(t, r, "0.8 by two")
		if asked := b.two.times(); asked != 1 {
			t.Errorf("a provider that comes back with a fresh set is asked %d times", asked)
		}
		r.Configure(config.Rates{}, false)
		expect(t, r, "")
		if got := r.Status(); len(got) != 0 {
			t.Errorf("status %+v", got)
		}
	})
}

func TestAllowingPrivateAddressesRetriesWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(newMemory())
		r := b.refresher("a", nil)
		r.o.Transport = func(allowPrivate bool) http.RoundTripper {
			if !allowPrivate {
				return handlers{}
			}
			return handlers{"one": b.one}
		}
		r.client = newClient(handlers{})
		r.Configure(providers("one"), false)
		go r.Run(t.Context())
		synctest.Wait()
		r.Configure(providers("one"), true)
		expect(t, r, "0.9 by one")
	})
}

func TestStatusBeforeAnythingIsKnown(t *testing.T) {
	r := newRig(newMemory()).refresher("a", nil)
	r.Configure(providers("one", "two"), false)
	want := []Status{{Source: "one"}, {Source: "two"}}
	if diff := cmp.Diff(want, r.Status()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestNewHasWorkingDefaults(t *testing.T) {
	r := New(Options{Store: newMemory(), Holder: "a"})
	r.Configure(config.Rates{Fixed: []config.FixedRate{{From: "EUR", To: "USD", Rate: "1.10"}}}, false)
	a := r.Table().Convert(decimal.NewFromInt(10), "EUR", "USD")
	if a.Pending() || a.Converted.String() != "11" {
		t.Errorf("10 EUR are %v USD", a.Converted)
	}
}
