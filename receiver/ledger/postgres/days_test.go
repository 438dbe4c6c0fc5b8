package postgres_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// receivedAt is a row of the received log of that moment.
func receivedAt(at time.Time, n uint64) ledger.Received {
	row := newPostback("c1", fmt.Sprint(n), "sale", "1").Log
	row.ID = ledger.FirstID(at)
	binary.BigEndian.PutUint64(row.ID[8:], n)
	row.ID[6] |= 0x70
	row.At, row.Outcome = at.UTC().Truncate(time.Microsecond), conversion.Ignored
	return row
}

func writeReceived(t *testing.T, store *postgres.Store, rows ...ledger.Received) {
	t.Helper()
	must(t, store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
		return &ledger.Changes{Received: rows}
	}))
}

// rowsIn counts the rows of a partition; -1 if there is no such.
func rowsIn(t *testing.T, dsn, partition string) int {
	t.Helper()
	if queryInt(t, dsn, "select count(*) from pg_class where relname = $1", partition) == 0 {
		return -1
	}
	return queryInt(t, dsn, "select count(*) from received where tableoid = $1::text::regclass", partition)
}

func partition(at time.Time) string { return at.UTC().Format("received_20060102") }

func TestARowGoesToItsDayOrToTheRest(t *testing.T) {
	dsn := pgtest.Shared(t).NewDatabase(t)
	store := openStore(t, postgres.Options{DSN: dsn})
	now := time.Now()
	late, early := now.AddDate(0, 0, -40), now.AddDate(0, 0, 40)
	writeReceived(t, store, receivedAt(now, 1), receivedAt(now.AddDate(0, 0, -1), 2), receivedAt(now.AddDate(0, 0, 7), 3),
		receivedAt(late, 4), receivedAt(early, 5))
	for name, want := range map[string]int{
		partition(now): 1, partition(now.AddDate(0, 0, -1)): 1, partition(now.AddDate(0, 0, 7)): 1, "received_rest": 2,
		partition(now.AddDate(0, 0, 8)): -1, partition(late): -1,
	} {
		if got := rowsIn(t, dsn, name); got != want {
			t.Errorf("%s has %d rows, want %d", name, got, want)
		}
	}

	// A day of which the rest has rows gets none, and the others do.
	must(t, store.Prepare(t.Context(), early))
	if rowsIn(t, dsn, partition(early)) != -1 || rowsIn(t, dsn, partition(early.AddDate(0, 0, 1))) != 0 {
		t.Error("the days of which the rest has rows, or those after, are not as they should be")
	}
	writeReceived(t, store, receivedAt(early, 6))
	if got := rowsIn(t, dsn, "received_rest"); got != 3 {
		t.Errorf("the rest has %d rows, want 3", got)
	}
}

func TestOldDaysAreDroppedWhole(t *testing.T) {
	dsn := pgtest.Shared(t).NewDatabase(t)
	store := openStore(t, postgres.Options{DSN: dsn})
	noon := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -30).Add(12 * time.Hour)
	must(t, store.Prepare(t.Context(), noon))
	rest := noon.AddDate(0, 0, -20)
	writeReceived(t, store, receivedAt(noon, 1), receivedAt(noon.AddDate(0, 0, 1), 2), receivedAt(rest, 3),
		receivedAt(rest.AddDate(0, 0, 1), 4))
	prune := func(before time.Time, deleted, left int) {
		t.Helper()
		n, err := store.Prune(t.Context(), before, time.Time{}, 100)
		if err != nil || n != deleted {
			t.Errorf("pruned %d rows one by one, want %d: %v", n, deleted, err)
		}
		if got := queryInt(t, dsn, "select count(*) from received"); got != left {
			t.Errorf("%d rows are left, want %d", got, left)
		}
	}
	prune(rest.Add(time.Hour), 1, 3) // of the rest, row by row
	midnight := noon.Truncate(24*time.Hour).AddDate(0, 0, 1)
	prune(midnight.Add(ledger.IDSlack-time.Second), 1, 2)
	if got := rowsIn(t, dsn, partition(noon)); got != 1 {
		t.Errorf("a day that may still have a young row has %d rows, want 1", got)
	}
	prune(midnight.Add(ledger.IDSlack), 0, 1)
	if rowsIn(t, dsn, partition(noon)) != -1 || rowsIn(t, dsn, partition(noon.AddDate(0, 0, 1))) != 1 {
		t.Error("the old day is not dropped, or the next one is")
	}
	// What comes for it from a spool is kept.
	writeReceived(t, store, receivedAt(noon, 5))
	if got := rowsIn(t, dsn, "received_rest"); got != 1 {
		t.Errorf("the rest has %d rows, want the late one", got)
	}
}

// TestReceiversThatMayNotCreateTablesGoOnWithoutDays has one receiver that makes the schema, and one that only checks
// it.
func TestReceiversThatMayNotCreateTablesGoOnWithoutDays(t *testing.T) {
	dsn := pgtest.Shared(t).NewDatabase(t)
	must(t, openStore(t, postgres.Options{DSN: dsn}).Close())
	store := openStore(t, postgres.Options{DSN: dsn, CheckOnly: true})
	now := time.Now()
	later := now.AddDate(0, 0, 10)
	must(t, store.Prepare(t.Context(), later))
	writeReceived(t, store, receivedAt(now, 1), receivedAt(later, 2))
	if rowsIn(t, dsn, partition(later)) != -1 || rowsIn(t, dsn, "received_rest") != 1 {
		t.Error("the row of a day without a partition is not in the rest")
	}
	n, err := store.Prune(t.Context(), later.Add(time.Hour), time.Time{}, 100)
	if err != nil || n != 2 || rowsIn(t, dsn, partition(now)) != 0 {
		t.Errorf("pruned %d rows, want 2 and the empty day: %v", n, err)
	}
}

// TestDaysComeAndGoWhileABatchIsUnderWay: neither waits for a batch that does not end, nor holds up the next ones.
func TestDaysComeAndGoWhileABatchIsUnderWay(t *testing.T) {
	dsn := pgtest.Shared(t).NewDatabase(t)
	store := openStore(t, postgres.Options{DSN: dsn})
	now := time.Now()
	old := now.AddDate(0, 0, -30)
	must(t, store.Prepare(t.Context(), old))
	conn, err := pgx.Connect(t.Context(), dsn)
	must(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	writeReceived(t, store, receivedAt(now, 1))
	_, err = conn.Exec(t.Context(), fmt.Sprintf(`begin; insert into received
		(bucket, endpoint, subid, id, kind, stamp, outcome, tx)
		values (0, 'shop/main', 'slow', '%s', 'postback', 1, 'ignored', 1)`, receivedAt(now, 3).ID))
	must(t, err)

	must(t, store.Prepare(t.Context(), now.AddDate(0, 0, 20)))
	start := time.Now()
	if _, err := store.Prune(t.Context(), now.AddDate(0, 0, -10), time.Time{}, 100); err == nil {
		t.Error("days were dropped under a transaction that uses the log")
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("waited %s for a transaction that does not end", took)
	}
	writeReceived(t, store, receivedAt(now, 2))
	_, err = conn.Exec(t.Context(), "rollback")
	must(t, err)
	if _, err := store.Prune(t.Context(), now.AddDate(0, 0, -10), time.Time{}, 100); err != nil {
		t.Errorf("pruning once it has ended: %v", err)
	}
	if got := rowsIn(t, dsn, partition(old)); got != -1 {
		t.Errorf("the old day is still there, with %d rows", got)
	}
}
