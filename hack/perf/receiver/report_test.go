package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGoalsAreJudgedByTheRowsThatTheyAreAbout(t *testing.T) {
	conversions := func(connections int, rate float64) row {
		return row{store: "PostgreSQL", scenario: newConversions, connections: connections, perSecond: rate, receiverCPU: 50,
			storeCPU: 50}
	}
	baseline := func(name string, rate float64) row {
		return row{store: "PostgreSQL", scenario: name, connections: 256, perSecond: rate}
	}
	slow := conversions(64, 9000)
	slow.p99 = 30 * time.Millisecond
	grown := baseline(newConversions+", 10000000 clicks", 4999)
	dear := conversions(256, 10000)
	dear.storeCPU = 50.1
	for _, c := range []struct {
		name string
		rows []row
		hot  []hotTable
		want []string // measured, and whether that reaches the goal
	}{
		{name: "nothing of PostgreSQL", rows: []row{{store: "SQLite", scenario: newConversions, connections: 256}}},
		{name: "the limits themselves reach the goals",
			rows: []row{conversions(256, 10000), baseline(pgbenchFunction, 4000), baseline(pgbenchUpsert, 14285)},
			hot:  []hotTable{{"clicks", 1000, 990}, {"outbox", 10, 0}},
			want: []string{"2.50 × true", "0.70 × true", "100 µs true", "99.00 % of 1000 true"}},
		{name: "a hair less does not",
			rows: []row{dear, slow, grown, baseline(pgbenchFunction, 4001), baseline(pgbenchUpsert, 14290)},
			hot:  []hotTable{{"conversions", 1000, 989}},
			want: []string{"2.50 × false", "0.70 × false", "100 µs false", "30ms false", "0.50 × false",
				"98.90 % of 1000 false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, g := range (&report{rows: c.rows, hot: c.hot}).goals() {
				got = append(got, g.measured+" "+map[bool]string{true: "true", false: "false"}[g.met])
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("goals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARowLeavesBlankWhatNobodyMeasured(t *testing.T) {
	var text strings.Builder
	(&report{w: &text}).add(row{store: "PostgreSQL", scenario: pgbenchUpsert, connections: 64, perSecond: 16404.4,
		storeCPU: 79.2})
	if want := "| PostgreSQL | pgbench, single-row upsert | 64 | 16404 |  |  | 0 + 79 |  |\n"; text.String() != want {
		t.Errorf("got  %q\nwant %q", text.String(), want)
	}
}
