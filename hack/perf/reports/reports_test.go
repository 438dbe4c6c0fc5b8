package main

import (
	"strings"
	"testing"
	"time"
)

func TestAResultSaysWhetherItsGoalIsReached(t *testing.T) {
	var text strings.Builder
	out := newResults(&text)
	out.add(row{store: "PostgreSQL", what: "a report", measured: "40.0 ms", goal: "below 50.0 ms", met: true})
	out.add(row{store: "PostgreSQL", what: "another", measured: "60.0 ms", goal: "below 50.0 ms"})
	out.add(row{store: "SQLite", what: "a third", measured: "1 s", goal: "below 0.0 ms", without: true})
	const want = `| store | | measured | goal | |
|---|---|---|---|---|
| PostgreSQL | a report | 40.0 ms | below 50.0 ms | reached |
| PostgreSQL | another | 60.0 ms | below 50.0 ms | **not reached** |
| SQLite | a third | 1 s |  |  |
`
	if text.String() != want {
		t.Errorf("printed\n%swant\n%s", text.String(), want)
	}
}

func TestAPartThatDoesNotExistIsRefused(t *testing.T) {
	o := options{conversions: 1000, embedded: 1000, exported: 1000, rounds: 1, rate: 1}
	for only, valid := range map[string]bool{
		"": true, "load": true, "load,sqlite": true, "lo": false, "load,none": false,
	} {
		o.only = only
		if err := o.check(); (err == nil) != valid {
			t.Errorf("-only %q: %v", only, err)
		}
	}
}

// TestAWorldIsSpreadAsItSays holds what the figures stand for: the same rows at each call, all within the days, a
// seventh of them of the largest of fifty endpoints.
func TestAWorldIsSpreadAsItSays(t *testing.T) {
	w := world{conversions: 20_000, endpoints: 50, until: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	largest, ids := 0, map[string]bool{}
	for n := range w.conversions / perClick {
		click, all := w.click(n)
		if click.Time.Before(w.from()) || !click.Time.Before(w.until) {
			t.Fatalf("click %d is of %s", n, click.Time)
		}
		if click.Endpoint == endpointName(0) {
			largest++
		}
		again, _ := w.click(n)
		if click.Campaign != again.Campaign {
			t.Fatalf("click %d is of %s and of %s", n, click.Campaign, again.Campaign)
		}
		for _, c := range all {
			if late := c.ConversionTime.Sub(click.Time); late < 0 || late > 24*time.Hour {
				t.Fatalf("a conversion comes %s after its click", late)
			}
			ids[c.ID.String()] = true
		}
	}
	if len(ids) != w.conversions {
		t.Errorf("%d ids of %d conversions", len(ids), w.conversions)
	}
	if share := float64(largest) / float64(w.conversions/perClick); share < 0.12 || share > 0.16 {
		t.Errorf("the largest endpoint has %.2f of the clicks", share)
	}
}
