package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
)

// Names of the rows that goals are set for.
const (
	newConversions  = "new conversion"
	pgbenchFunction = "pgbench, one PL/pgSQL call"
	pgbenchUpsert   = "pgbench, single-row upsert"
)

// row is one measurement.
type row struct {
	store, scenario       string
	connections           int
	perSecond             float64
	p50, p99              time.Duration // 0 where nobody measured them
	receiverCPU, storeCPU float64       // µs each
	megabytes             int64         // of the receiver; 0 = none
}

func rowOf(store, scenario string, connections int, s *load.Summary, used cpu) row {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(max(len(s.Latencies), 1)) }
	return row{
		store: store, scenario: scenario, connections: connections, perSecond: s.PerSecond(),
		p50: s.Quantile(0.5), p99: s.Quantile(0.99), receiverCPU: each(used.receiver), storeCPU: each(used.store),
	}
}

// hotTable counts a table's updates, and those of them that touched no index.
type hotTable struct {
	name         string
	updates, hot int64
}

// report prints rows as they come, for docs/performance.md, and keeps them.
type report struct {
	w    io.Writer
	rows []row
	hot  []hotTable
}

func newReport(w io.Writer) *report {
	_, _ = io.WriteString(w, "| store | scenario | connections | per second | p50 ms | p99 ms | CPU µs each, receiver "+
		"+ store | receiver MB |\n"+
		"|---|---|---|---|---|---|---|---|\n")
	return &report{w: w}
}

func (r *report) add(m row) {
	r.rows = append(r.rows, m)
	ms := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000)
	}
	memory := ""
	if m.megabytes > 0 {
		memory = fmt.Sprint(m.megabytes)
	}
	_, _ = fmt.Fprintf(r.w, "| %s | %s | %d | %.0f | %s | %s | %.0f + %.0f | %s |\n", m.store, m.scenario, m.connections,
		m.perSecond,
		ms(m.p50), ms(m.p99), m.receiverCPU, m.storeCPU, memory)
}

// goal is what a shared store is to show, and what it did show.
type goal struct {
	text, measured string
	met            bool
}

// printGoals compares with the goals for PostgreSQL, as far as the run has what they are about.
func (r *report) printGoals() {
	goals := r.goals()
	if len(goals) == 0 {
		return
	}
	_, _ = io.WriteString(r.w, "\n| goal, on PostgreSQL | measured | |\n|---|---|---|\n")
	for _, g := range goals {
		verdict := "**not reached**"
		if g.met {
			verdict = "reached"
		}
		_, _ = fmt.Fprintf(r.w, "| %s | %s | %s |\n", g.text, g.measured, verdict)
	}
}

func (r *report) goals() (goals []goal) {
	const (
		store   = "PostgreSQL"
		maxCPU  = 100.0 // µs
		maxP99  = 30 * time.Millisecond
		minGrow = 0.5
	)
	many, ok := r.find(store, newConversions, 256)
	if !ok {
		return nil
	}
	for _, base := range []struct {
		scenario string
		least    float64
	}{{pgbenchFunction, 2.5}, {pgbenchUpsert, 0.7}} {
		if b, ok := r.find(store, base.scenario, 256); ok {
			times := many.perSecond / b.perSecond
			goals = append(goals, goal{
				fmt.Sprintf("at 256 connections at least %.1f × %s", base.least, base.scenario),
				fmt.Sprintf("%.2f ×", times), times >= base.least,
			})
		}
	}
	each := many.receiverCPU + many.storeCPU
	goals = append(goals, goal{
		fmt.Sprintf("at most %.0f µs of processor time for a new conversion at 256", maxCPU), fmt.Sprintf("%.0f µs", each),
		each <= maxCPU,
	})
	if some, ok := r.find(store, newConversions, 64); ok {
		goals = append(goals, goal{
			fmt.Sprintf("99th percentile below %s at 64", maxP99), some.p99.Round(100 * time.Microsecond).String(),
			some.p99 < maxP99,
		})
	}
	for _, m := range r.rows {
		if m.store == store && strings.HasPrefix(m.scenario, newConversions) && strings.HasSuffix(m.scenario, " clicks") {
			share := m.perSecond / many.perSecond
			goals = append(goals, goal{
				fmt.Sprintf("%s: at least %.1f × the rate before", m.scenario, minGrow), fmt.Sprintf("%.2f ×", share),
				share >= minGrow,
			})
		}
	}
	return append(goals, r.hotGoals()...)
}

func (r *report) find(store, scenario string, connections int) (row, bool) {
	for _, m := range r.rows {
		if m.store == store && m.scenario == scenario && m.connections == connections {
			return m, true
		}
	}
	return row{}, false
}

// hotGoals are about the tables in which postbacks change rows.
func (r *report) hotGoals() (goals []goal) {
	const least = 99.0 // percent
	for _, t := range r.hot {
		if t.name != "clicks" && t.name != "conversions" {
			continue
		}
		share := 100 * float64(t.hot) / float64(cmp.Or(t.updates, 1))
		goals = append(goals, goal{
			fmt.Sprintf("updates of %s that touch no index: at least %.0f %%", t.name, least),
			fmt.Sprintf("%.2f %% of %d", share, t.updates), share >= least,
		})
	}
	return goals
}
