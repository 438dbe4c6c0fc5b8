package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the embedded store is verified by reading its file
)

// store is where a measured receiver keeps its rows.
type store interface {
	Name() string
	URL() string
	// Receivers is how many receivers can share the store: one or two.
	Receivers() int
	// CPU is the processor time that the store's own processes have used.
	CPU() (time.Duration, error)
	// Settle brings the store to rest before a measurement.
	Settle(ctx context.Context) error
	// Baseline measures what the store's own tools achieve; it prints rows of the same table.
	Baseline(ctx context.Context, o options, dir string, out *report) error
	// Verify compares the rows with what was acknowledged, once the receiver has stopped, and reports what else only the
	// store knows.
	Verify(ctx context.Context, clicks int, t tally, out *report) error
	Close() error
}

var stores = map[string]func(ctx context.Context, dir string) (store, error){
	"sqlite": func(_ context.Context, dir string) (store, error) {
		return embedded{filepath.Join(dir, "postback.db")}, nil
	},
	"postgres": openPostgres,
}

// selected are the scenarios that the options ask for.
func (o options) selected() []scenario {
	var chosen []scenario
	for _, sc := range scenarios {
		if strings.Contains(sc.name, o.only) {
			chosen = append(chosen, sc)
		}
	}
	return chosen
}

type embedded struct{ path string }

func (e embedded) Name() string                { return "SQLite" }
func (e embedded) URL() string                 { return "sqlite://" + e.path }
func (e embedded) Receivers() int              { return 1 }
func (e embedded) CPU() (time.Duration, error) { return 0, nil }
func (e embedded) Close() error                { return os.Remove(e.path) }

func (embedded) Settle(context.Context) error                             { return nil }
func (embedded) Baseline(context.Context, options, string, *report) error { return nil }

func (e embedded) Verify(ctx context.Context, clicks int, t tally, _ *report) error {
	db, err := sql.Open("sqlite", "file:"+e.path+"?mode=ro")
	if err != nil {
		return err
	}
	return errors.Join(verify(clicks, t, func(table string) (n int, err error) {
		err = db.QueryRowContext(ctx, "select count(*) from "+table).Scan(&n)
		return n, err
	}), db.Close())
}

// verify counts the store's rows: each acknowledged change is a version of a conversion, each answer a received
// postback.
func verify(clicks int, t tally, count func(table string) (int, error)) error {
	counts := map[string]int{}
	for _, table := range []string{"clicks", "conversions", "conversion_history", "received"} {
		n, err := count(table)
		if err != nil {
			return fmt.Errorf("counting %s: %w", table, err)
		}
		counts[table] = n
	}
	versions := counts["conversions"] + counts["conversion_history"]
	if counts["clicks"] < clicks || counts["conversions"] != t.created || versions != t.recorded ||
		counts["received"] != t.received {
		return fmt.Errorf("acknowledged: %d conversions, %d changes, %d postbacks; stored: %d, %d, %d",
			t.created, t.recorded, t.received, counts["conversions"], versions, counts["received"])
	}
	fmt.Fprintf(os.Stderr, "verified: %d conversions, %d changes, %d received postbacks, as acknowledged\n", t.created,
		t.recorded, t.received)
	return nil
}
