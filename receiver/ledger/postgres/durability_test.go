package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// TestCommitThatNoStandbyConfirmsIsNoSuccess also has a default of synchronous_commit that would not wait.
func TestCommitThatNoStandbyConfirmsIsNoSuccess(t *testing.T) {
	server := pgtest.Start(t, nil)
	dsn := server.NewDatabase(t)
	wantDurability(t, dsn, ledger.DurabilityLocal)
	openStore(t, postgres.Options{DSN: dsn}) // migrates
	standby := func(names string) {
		t.Helper()
		queryInt(t, dsn, "select 1")
		must(t, server.Exec(t.Context(), "postgres", "alter system set synchronous_standby_names = '"+names+"'"))
		must(t, server.Exec(t.Context(), "postgres", "select pg_reload_conf()"))
	}
	must(t, server.Exec(t.Context(), "postgres", "alter role postgres set synchronous_commit = off"))
	standby("absent")
	eventually(t, func() bool { return durabilityOf(t, dsn) == ledger.DurabilitySync })

	store := openStore(t, postgres.Options{DSN: dsn, FlightTimeout: 500 * time.Millisecond})
	row := newPostback("c1", "", "sale", "1").Log
	receipt := ledger.Receipt{Key: ledger.KeyOf(row.Endpoint, row.SubID), ID: row.ID, At: row.At}
	log := func(*ledger.Book) *ledger.Changes { return &ledger.Changes{Received: []ledger.Received{row}} }
	if err := store.Transact(t.Context(), ledger.Want{}, log); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("a commit without its standby gave %v, want ErrUnavailable", err)
	}
	// The row is on the server's own disk, and becomes visible when the wait is canceled. To find it is no proof.
	eventually(t, func() bool { return queryInt(t, dsn, "select count(*) from received") == 1 })
	found := 0
	look := func(book *ledger.Book) *ledger.Changes {
		found = len(book.Receipts)
		return nil
	}
	want := ledger.Want{Receipts: []ledger.Receipt{receipt}}
	if err := store.Transact(t.Context(), want, look); !errors.Is(err, ledger.ErrUnavailable) || found != 1 {
		t.Errorf("a receipt that no standby has gave %v, want ErrUnavailable; %d found", err, found)
	}
	standby("")
	eventually(t, func() bool { return durabilityOf(t, dsn) == ledger.DurabilityLocal })
	if err := store.Transact(t.Context(), want, look); err != nil || found != 1 {
		t.Errorf("a receipt on a server without standbys gave %v; %d found", err, found)
	}
}

func wantDurability(t *testing.T, dsn string, want ledger.Durability) {
	t.Helper()
	if got := durabilityOf(t, dsn); got != want {
		t.Errorf("durability is %q, want %q", got, want)
	}
}

func durabilityOf(t *testing.T, dsn string) ledger.Durability {
	t.Helper()
	store, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn})
	must(t, err)
	defer func() { must(t, store.Close()) }()
	level, _, err := store.Durability(t.Context())
	must(t, err)
	return level
}

// eventually waits for what another process does in its own time.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to be")
		}
	}
}

func TestValueThatTheDatabaseRefusesIsPoisoned(t *testing.T) {
	store := openStore(t, postgres.Options{DSN: pgtest.Shared(t).NewDatabase(t)})
	bad, good := newPostback("c1", "", "sale", "1").Log, newPostback("c2", "", "sale", "1").Log
	bad.KeyID = "a\x00b"
	err := store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
		return &ledger.Changes{Received: []ledger.Received{good, bad}}
	})
	if !errors.Is(err, ledger.ErrPoisoned) || strings.Contains(err.Error(), "a\x00b") {
		t.Errorf("got %q, want ErrPoisoned without the value", err)
	}
	err = store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
		return &ledger.Changes{Received: []ledger.Received{good}}
	})
	if err != nil {
		t.Errorf("after a poisoned batch: %v", err)
	}
}

func TestUpdatesStayInTheirPage(t *testing.T) {
	dsn := pgtest.Shared(t).NewDatabase(t)
	store, book := openLedger(t, dsn)
	defer closeLedger(t, store, book)
	const updates = 200
	for n := range updates {
		p := newPostback("c1", "", []string{"lead", "sale"}[n%2], "1")
		p.Intent.Rules = &orphanRules
		if _, err := book.Postback(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool {
		tables, err := store.Tables(t.Context())
		must(t, err)
		for _, table := range tables {
			if table.Table == "conversions" && table.Updates == updates-1 {
				if table.HOTUpdates*100 < table.Updates*99 {
					t.Errorf("%d of %d updates touched no index", table.HOTUpdates, table.Updates)
				}
				return table.Bytes > 0
			}
		}
		return false
	})
}

func TestADatabaseSaysItsSize(t *testing.T) {
	store, book := openLedger(t, pgtest.Shared(t).NewDatabase(t))
	defer closeLedger(t, store, book)
	if size, err := store.Size(t.Context()); err != nil || size < 1<<20 { // An empty one has 7 MiB.
		t.Errorf("%d bytes: %v", size, err)
	}
}
