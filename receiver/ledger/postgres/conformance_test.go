package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/ledgertest"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestConformance(t *testing.T) {
	for name, parameters := range map[string]string{
		"statements prepared":  "",
		"statements described": "&default_query_exec_mode=cache_describe",
	} {
		t.Run(name, func(t *testing.T) { conform(t, postgres.Options{}, parameters) })
	}
}

func TestConformanceOfBatchesGroupedByBucket(t *testing.T) {
	conform(t, postgres.Options{GroupByBucket: true}, "")
}

func TestConformanceBehindPgbouncer(t *testing.T) {
	server := pgtest.Shared(t)
	conformAt(t, postgres.Options{}, func(t *testing.T) string {
		return server.Bouncer(t, databaseOf(t, server.NewDatabase(t)))
	})
}

// TestConformanceWithDays has the days of the suite in partitions, which without that are past when it runs.
func TestConformanceWithDays(t *testing.T) {
	first := time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)
	ledgertest.Run(t, ledgertest.Engine{
		Place: func(t *testing.T) func() (ledger.Store, error) {
			dsn := pgtest.Shared(t).NewDatabase(t)
			return func() (ledger.Store, error) {
				store, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn})
				if err != nil {
					return nil, err
				}
				for week := range 3 {
					if err := store.Prepare(t.Context(), first.AddDate(0, 0, 7*week)); err != nil {
						return nil, errors.Join(err, store.Close())
					}
				}
				return store, nil
			}
		},
		Shared:    true,
		WholeDays: true,
	})
}

func conform(t *testing.T, options postgres.Options, parameters string) {
	conformAt(t, options, func(t *testing.T) string { return pgtest.Shared(t).NewDatabase(t) + parameters })
}

func conformAt(t *testing.T, options postgres.Options, place func(*testing.T) string) {
	ledgertest.Run(t, ledgertest.Engine{
		Place: func(t *testing.T) func() (ledger.Store, error) {
			options := options
			options.DSN = place(t)
			return func() (ledger.Store, error) { return postgres.Open(t.Context(), options) }
		},
		Shared: true,
	})
}

// queryInt returns a number from the database, past the store.
func queryInt(t testing.TB, dsn, sql string, args ...any) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
