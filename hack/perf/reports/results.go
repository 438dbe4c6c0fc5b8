package main

import (
	"fmt"
	"io"
	"time"
)

// row is one result: what was measured, and what it is to be.
type row struct {
	store, what, measured string
	// goal and met are ignored if there is none: without.
	goal    string
	met     bool
	without bool
}

// verdict is the last cell of a row.
func (r row) verdict() string {
	switch {
	case r.without:
		return ""
	case r.met:
		return "reached"
	}
	return "**not reached**"
}

// results prints rows as they come, for docs/performance.md.
type results struct{ w io.Writer }

func newResults(w io.Writer) *results {
	_, _ = io.WriteString(w, "| store | | measured | goal | |\n|---|---|---|---|---|\n")
	return &results{w}
}

func (r *results) add(m row) {
	goal := m.goal
	if m.without {
		goal = ""
	}
	_, _ = fmt.Fprintf(r.w, "| %s | %s | %s | %s | %s |\n", m.store, m.what, m.measured, goal, m.verdict())
}

func inMilliseconds(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func inMicroseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1000)
}

func inMebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
