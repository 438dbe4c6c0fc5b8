package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// request is a report that is asked for several times.
type request struct {
	name  string
	query url.Values
	// goal for the median; 0 = none.
	goal time.Duration
	// source that is to answer it.
	source string
}

func (b *bench) query(group string, last int, more ...string) url.Values {
	values := url.Values{
		"group": {group},
		"limit": {"10000"},
		"from":  {b.world.until.AddDate(0, 0, -last).Format(time.RFC3339)},
		"to":    {b.world.until.AddDate(0, 0, 1).Format(time.RFC3339)},
	}
	for i := 0; i < len(more); i += 2 {
		values.Add(more[i], more[i+1])
	}
	return values
}

// freeDays are so many that the clicks and conversions of them are about a million.
func (b *bench) freeDays() int {
	rows := b.world.conversions + b.world.conversions/perClick
	return min(max(days*1_000_000/max(rows, 1), 1), days)
}

func measureReports(ctx context.Context, b *bench) error {
	largest := []string{"endpoint", endpointName(0)}
	free := b.freeDays()
	return b.measureRequests(ctx,
		request{"day × campaign, largest endpoint, 30 days", b.query("day,campaign", 30, largest...),
			50 * time.Millisecond, "rollup"},
		request{"day × campaign, all endpoints, 90 days", b.query("day,campaign", days), 1500 * time.Millisecond, "rollup"},
		request{"day × endpoint, all endpoints, 90 days", b.query("day,endpoint", days), 0, "rollup"},
		request{"hour, largest endpoint, 1 day", b.query("hour", 1, largest...), 0, "rollup"},
		request{fmt.Sprintf("sub_id_1, all endpoints, %d days", free), b.query("sub_id_1", free), 2 * time.Second, "rows"},
		request{fmt.Sprintf("sub_id_1 by conversion time, all endpoints, %d days", free),
			b.query("sub_id_1", free, "time", "conversion"), 2 * time.Second, "rows"},
		request{fmt.Sprintf("type, largest endpoint, %d days", free), b.query("type", free, largest...), 0, "rows"},
	)
}

// measureReportsOfFile asks the embedded store: its goal is about all that it has of an endpoint.
func measureReportsOfFile(ctx context.Context, b *bench) error {
	largest := []string{"endpoint", endpointName(0)}
	return b.measureRequests(ctx,
		request{"day × campaign, largest endpoint, 30 days", b.query("day,campaign", 30, largest...),
			100 * time.Millisecond, "rollup"},
		request{"day × campaign, all endpoints, 90 days", b.query("day,campaign", days), 0, "rollup"},
		request{"sub_id_1, all endpoints, 7 days", b.query("sub_id_1", 7), 0, "rows"},
	)
}

func (b *bench) measureRequests(ctx context.Context, requests ...request) error {
	if err := b.start(ctx); err != nil {
		return err
	}
	for _, r := range requests {
		times, rows, err := b.ask(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		median := slices.Sorted(slices.Values(times))[len(times)/2]
		b.out.add(row{
			store: b.name, what: fmt.Sprintf("%s: %d rows of a report, from %s", r.name, rows, r.source),
			measured: inMilliseconds(median), goal: "below " + inMilliseconds(r.goal), met: median < r.goal,
			without: r.goal == 0,
		})
	}
	return b.stop()
}

// ask makes a report once to warm up, and five times that count. It says how many rows there were.
func (b *bench) ask(ctx context.Context, r request) (times []time.Duration, rows int, err error) {
	const count = 5
	for i := range 1 + count {
		start := time.Now()
		made, err := b.report(ctx, r.query)
		if err != nil {
			return nil, 0, err
		}
		if took := time.Since(start); i > 0 {
			times = append(times, took)
		}
		if made.Source != r.source || len(made.Items) == 0 {
			return nil, 0, fmt.Errorf("answered with %d rows from %s, expected some from %s", len(made.Items), made.Source,
				r.source)
		}
		rows = len(made.Items)
	}
	return times, rows, nil
}

func (b *bench) report(ctx context.Context, query url.Values) (made read.Report, err error) {
	var text bytes.Buffer
	if err := b.receiver.Get(ctx, "/api/v1/report?"+query.Encode(), &text); err != nil {
		return made, err
	}
	return made, json.Unmarshal(text.Bytes(), &made)
}

// measureRebuild makes all sums from the rows.
func measureRebuild(ctx context.Context, b *bench) error {
	store, err := b.open(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := store.RebuildReports(ctx, ""); err != nil {
		return err
	}
	took := time.Since(start)
	if err := store.Close(); err != nil {
		return err
	}
	b.rebuilt = float64(b.world.conversions) / took.Seconds()
	b.out.add(row{
		store: b.name, what: fmt.Sprintf("rebuild of the sums of %d conversions", b.world.conversions),
		measured: fmt.Sprintf("%.1f s, %.0f a second", took.Seconds(), b.rebuilt), without: true,
	})
	if b.server == nil {
		return nil
	}
	return b.server.Exec(ctx, b.database, "vacuum analyze report_cells")
}
