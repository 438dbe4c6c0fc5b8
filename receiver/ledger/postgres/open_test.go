package postgres_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

const canary = "canary-3fQ9"

func TestOpenSaysInOneLineWhatIsWrong(t *testing.T) {
	server := pgtest.Shared(t)
	good := server.NewDatabase(t)
	with := func(change func(*url.URL)) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("postgres", canary)
		change(u)
		return u.String()
	}
	readOnly := server.NewDatabase(t)
	if err := server.Exec(t.Context(), "postgres",
		"alter database "+databaseOf(t, readOnly)+" set default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		dsn  string
		is   error
		says string
	}{
		"a wrong password": {with(func(*url.URL) {}), ledger.ErrUnavailable, "refuses the user or the password"},
		"a missing database": {
			strings.Replace(good, databaseOf(t, good), "absent_"+canary, 1), ledger.ErrUnavailable, "database does not exist",
		},
		"nobody listening": {with(func(u *url.URL) { u.Host = "127.0.0.1:1" }), ledger.ErrUnavailable, "connection refused"},
		"a host without address": {
			with(func(u *url.URL) { u.Host = "db.invalid:5432" }), ledger.ErrUnavailable, "host name cannot be resolved",
		},
		"TLS that the server lacks": {
			with(func(u *url.URL) { u.RawQuery = "sslmode=require" }), ledger.ErrUnavailable, "does not offer TLS",
		},
		"a read-only server": {readOnly, ledger.ErrUnavailable, "read-only"},
		"no DSN":             {"", nil, "DSN is empty"},
		"a malformed URL":    {"postgres://u:" + canary + "@host:port/%zz", nil, "DSN cannot be read"},
		"a malformed list":   {"host=h password=" + canary + " sslmode=perhaps", nil, "DSN cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := postgres.Open(t.Context(), postgres.Options{DSN: test.dsn})
			if err == nil {
				t.Fatalf("opened; closing: %v", store.Close())
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%q is no %q", err, test.is)
			}
			text := err.Error()
			if !strings.Contains(text, test.says) || strings.Contains(text, "\n") {
				t.Errorf("%q does not say %q in one line", text, test.says)
			}
			wantNothingOf(t, err, test.dsn)
		})
	}
}

// wantNothingOf checks that an error, and all that it wraps, show no password, host, user or database.
func wantNothingOf(t *testing.T, err error, dsn string) {
	t.Helper()
	for _, secret := range []string{canary, dsn, "127.0.0.1", "db.invalid"} {
		if secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("%q shows %q", err, secret)
		}
	}
	switch wrapped := err.(type) { //nolint:errorlint // walks the tree itself
	case interface{ Unwrap() error }:
		if next := wrapped.Unwrap(); next != nil {
			wantNothingOf(t, next, dsn)
		}
	case interface{ Unwrap() []error }:
		for _, next := range wrapped.Unwrap() {
			wantNothingOf(t, next, dsn)
		}
	}
}

func TestDSNFileIsReadAgainForEveryConnection(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := server.NewDatabase(t)
	file := filepath.Join(t.TempDir(), "dsn")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(dsn + "\n")
	store := openStore(t, postgres.Options{DSNFile: file})
	if err := server.Exec(t.Context(), "postgres", "create role rotated login superuser password 'next'"); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("rotated", "next")
	write(u.String())
	end := "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'postback-receiver' and " +
		"datname = '" + databaseOf(t, dsn) + "'"
	if err := server.Exec(t.Context(), "postgres", end); err != nil {
		t.Fatal(err)
	}
	_ = store.Ping(t.Context()) // may meet the connection that was ended
	if err := store.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := queryInt(t, dsn, "select count(*) from pg_stat_activity where usename = 'rotated' and datname = "+
		"current_database()"); n == 0 {
		t.Error("no connection as the new user")
	}
}

func TestSchemaOfAnotherVersionIsRefused(t *testing.T) {
	server := pgtest.Shared(t)
	for name, test := range map[string]struct {
		before    string
		checkOnly bool
		says      string
	}{
		"no schema, and migrating is switched off": {"select 1", true, "older than this program's"},
		"a schema from the future": {"create table postback_schema (one boolean primary key, version " +
			"int); insert into postback_schema values (true, 99)", false, "newer than this program's"},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := server.NewDatabase(t)
			if err := server.Exec(t.Context(), databaseOf(t, dsn), test.before); err != nil {
				t.Fatal(err)
			}
			store, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn, CheckOnly: test.checkOnly})
			if err == nil {
				t.Fatalf("opened; closing: %v", store.Close())
			}
			if !errors.Is(err, ledger.ErrSchema) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, want ErrSchema that says %q", err, test.says)
			}
			if n := queryInt(t, dsn, "select count(*) from pg_class where relname = 'clicks'"); n != 0 {
				t.Error("it made tables all the same")
			}
		})
	}
}

func TestCheckOnlyAcceptsTheSchemaThatAnotherMade(t *testing.T) {
	dsn := pgtest.Shared(t).NewDatabase(t)
	openStore(t, postgres.Options{DSN: dsn})
	openStore(t, postgres.Options{DSN: dsn, CheckOnly: true})
}

func TestReceiversThatStartTogetherMigrateOnce(t *testing.T) {
	server := pgtest.Shared(t)
	for range 3 {
		dsn := server.NewDatabase(t)
		var wg sync.WaitGroup
		failures := make(chan error, 5)
		for range cap(failures) {
			wg.Go(func() {
				store, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn})
				if err == nil {
					err = store.Close()
				}
				failures <- err
			})
		}
		wg.Wait()
		close(failures)
		for err := range failures {
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func databaseOf(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func TestTheJournalGoesOnInAServerThatHasCountedLess(t *testing.T) {
	dsn := pgtest.Shared(t).NewDatabase(t)
	write := func(store *postgres.Store, tid string) {
		t.Helper()
		row := newPostback("c1", tid, "sale", "1").Log
		row.Outcome = "ignored"
		must(t, store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
			return &ledger.Changes{Received: []ledger.Received{row}}
		}))
	}
	first := openStore(t, postgres.Options{DSN: dsn})
	write(first, "1")
	// As if these rows came from a server with more transactions behind it.
	must(t, pgtest.Shared(t).Exec(t.Context(), databaseOf(t, dsn), "update received set tx = tx + 1000000"))

	restored := openStore(t, postgres.Options{DSN: dsn})
	rows, cursor, err := restored.ReadJournal(t.Context(), 0, 10)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows of the old server: %v", len(rows), err)
	}
	write(restored, "2")
	openStore(t, postgres.Options{DSN: dsn}) // Another start changes nothing.
	rows, _, err = restored.ReadJournal(t.Context(), cursor, 10)
	if err != nil || len(rows) != 1 || rows[0].TID != "2" {
		t.Errorf("read %v after the cursor, want the new row: %v", rows, err)
	}
}
