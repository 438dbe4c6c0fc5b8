package postgres_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// TestADSNWithSeveralHostsFollowsAFailover kills a server under load and promotes its synchronous standby. The DSN
// names the standby first: it answers all the time, and cannot be written until it is promoted.
func TestADSNWithSeveralHostsFollowsAFailover(t *testing.T) {
	primary := pgtest.Start(t, nil)
	database := databaseOf(t, primary.NewDatabase(t))
	standby := primary.StartStandby(t)
	u, err := url.Parse(primary.DSN(database))
	must(t, err)
	u.Host = fmt.Sprintf("127.0.0.1:%d,127.0.0.1:%d", standby.Port, primary.Port)

	wantDurability(t, u.String(), ledger.DurabilitySync)
	store, book := openLedger(t, u.String())
	defer closeLedger(t, store, book)
	_, detail, err := store.Durability(t.Context())
	if must(t, err); !strings.Contains(detail, "sync") {
		t.Errorf("durability is said to be %q", detail)
	}
	load := startLoad(t, book)
	load.await(t, 200)
	must(t, primary.Kill())
	must(t, standby.Promote(t.Context()))
	load.await(t, 200)
	load.check(t, load.stop(), u.String())
}
