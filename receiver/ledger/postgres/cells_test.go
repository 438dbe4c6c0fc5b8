package postgres_test

import (
	"os"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger/ledgertest"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// killedDSN names the database of a process that is to be killed.
const killedDSN = "POSTBACK_TEST_KILLED_DSN"

func TestCellsSurviveKilledProcesses(t *testing.T) {
	dsn := os.Getenv(killedDSN)
	killed := dsn != ""
	if !killed {
		dsn = pgtest.Shared(t).NewDatabase(t)
	}
	store, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	if killed {
		t.Fatal(ledgertest.TradeUntilKilled(t.Context(), store))
	}
	defer func() { _ = store.Close() }()
	for n := range 4 {
		ledgertest.KillWhileTrading(t, t.Name(), killedDSN+"="+dsn, time.Duration(100*n)*time.Millisecond)
		// What the server still does for the process that is gone ends on its own.
		for queryInt(t, dsn, `select count(*) from pg_stat_activity where datname = current_database()
			and state <> 'idle' and pid <> pg_backend_pid()`) > 0 {
			time.Sleep(20 * time.Millisecond)
		}
		ledgertest.AfterKill(t.Context(), t, store)
	}
}
