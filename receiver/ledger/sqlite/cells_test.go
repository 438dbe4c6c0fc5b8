package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger/ledgertest"
)

// killedStore names the store of a process that is to be killed.
const killedStore = "POSTBACK_TEST_KILLED_STORE"

func TestCellsSurviveKilledProcesses(t *testing.T) {
	if path := os.Getenv(killedStore); path != "" {
		store, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Fatal(ledgertest.TradeUntilKilled(t.Context(), store))
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	for n := range 4 {
		ledgertest.KillWhileTrading(t, t.Name(), killedStore+"="+path, time.Duration(100*n)*time.Millisecond)
		store, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ledgertest.AfterKill(t.Context(), t, store)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
