package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// TestReportsLeaveConnectionsToOthers has as many statements of reports under way as there may be: a further one waits,
// a list does not.
func TestReportsLeaveConnectionsToOthers(t *testing.T) {
	store, err := Open(t.Context(), Options{DSN: pgtest.Shared(t).NewDatabase(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	begun, end := make(chan string, reportsAtATime), make(chan struct{})
	ended := make(chan error, reportsAtATime)
	for range reportsAtATime {
		go func() {
			ended <- store.sum(t.Context(), "select current_setting('statement_timeout')", nil, func(rows pgx.Rows) error {
				var timeout string
				for rows.Next() {
					if err := rows.Scan(&timeout); err != nil {
						return err
					}
				}
				begun <- timeout
				<-end
				return nil
			})
		}()
	}
	for range reportsAtATime {
		if timeout := <-begun; timeout != "30s" {
			t.Errorf("the server would end it after %q, want 30s", timeout)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	nothing := func(pgx.Rows) error { return nil }
	if err := store.sum(short, "select 1", nil, nothing); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("one more than may be: %v", err)
	}
	for _, err := range store.Conversions(t.Context(), ledger.ConversionFilter{Limit: 1}) {
		if err != nil {
			t.Errorf("a list beside them: %v", err)
		}
	}
	close(end)
	for range reportsAtATime {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
