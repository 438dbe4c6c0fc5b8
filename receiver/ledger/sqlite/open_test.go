package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func TestTheStoreIsItsOwnersOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "a ?#%41 name.db")
	store, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]fs.FileMode{
		filepath.Dir(path): 0o700 | fs.ModeDir, path: 0o600, path + "-wal": 0o600, path + ".lock": 0o600,
	} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v %v, want mode %v", filepath.Base(name), info.Mode(), err, want)
		}
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if err := store.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := store.Ping(t.Context()); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("ping after close: %v, want ErrUnavailable", err)
	}
}

func TestOneReceiverOwnsTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	first, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path, Options{})
	if want := "opening the store " + path + ": store is in use by another receiver"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Open(stopped, path, Options{Wait: time.Hour}); !errors.Is(err, errInUse) {
		t.Errorf("got %v from a wait that was ended, want %v", err, errInUse)
	}
	time.AfterFunc(2*lockEvery, func() { _ = first.Close() })
	second, err := Open(t.Context(), path, Options{Wait: time.Minute})
	if err != nil {
		t.Fatalf("while the first one ends: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheStoreHasOneOwnerByWhateverName(t *testing.T) {
	for name, link := range map[string]func(path, other string) error{"hard link": os.Link, "symbolic link": os.Symlink} {
		t.Run(name, func(t *testing.T) {
			path, other := filepath.Join(t.TempDir(), "ledger.db"), filepath.Join(t.TempDir(), "other.db")
			first, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = first.Close() }()
			if err := link(path, other); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), other, Options{}); !errors.Is(err, errInUse) {
				t.Errorf("got %v, want %v", err, errInUse)
			}
		})
	}
}

// script runs SQL on a database that no store has open.
func script(t *testing.T, path, text string) {
	t.Helper()
	conn, err := (&sqlite.Driver{}).Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(run(conn, text), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsNoStoreIsRefusedAndLeftAsItIs(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(t *testing.T, path string)
		want string
	}{
		{"a text file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database\n", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "store schema: the file is no SQLite database, or its beginning is damaged"},
		{"another program's database", func(t *testing.T, path string) {
			script(t, path, "create table songs (title text); insert into songs values ('x')")
		}, "store schema: the file is another program's database"},
		{"a newer program's store", func(t *testing.T, path string) {
			store, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			script(t, path, "pragma user_version = 99; pragma journal_mode = delete")
		}, fmt.Sprintf("store schema: version 99 is newer than this program's %d", latestVersion(t))},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			test.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Open(t.Context(), path, Options{})
			if !errors.Is(err, ledger.ErrSchema) || !strings.HasSuffix(err.Error(), test.want) ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line that ends with %q", err, test.want)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(before) {
				t.Errorf("the file is not as it was (%v)", err)
			}
		})
	}
}

// latestVersion is that of a new store.
func latestVersion(t *testing.T) int {
	t.Helper()
	known, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	return len(known)
}

func TestAPlaceThatCannotHoldAStoreIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(file, "ledger.db"), t.TempDir()} {
		if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names it", path, err)
		}
	}
}

func TestAFullDiskIsNoSuccess(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	insertRows := func(n int) error {
		return store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
			changes := &ledger.Changes{}
			for range n {
				changes.Received = append(changes.Received, ledger.Received{
					ID: uuid.Must(uuid.NewV7()), Endpoint: "shop/new", Outcome: "ignored", Body: strings.Repeat("x", 60_000),
				})
			}
			return changes
		})
	}
	if err := run(store.writer.conn, "pragma max_page_count = 60"); err != nil {
		t.Fatal(err)
	}
	if err := insertRows(10); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	for row, err := range store.Received(t.Context(), ledger.ReceivedFilter{}) {
		t.Errorf("row %v of a batch that failed is there (%v)", row.ID, err)
	}
	if err := run(store.writer.conn, "pragma max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := insertRows(11); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	for row, err := range store.Received(t.Context(), ledger.ReceivedFilter{Limit: 1}) {
		if row.Endpoint != "shop/new" {
			t.Errorf("row of endpoint %q (%v), want that whose first batch was rolled back", row.Endpoint, err)
		}
	}
}

// TestLookupsUseTheirIndexes keeps the questions that users ask first from scanning a month of log.
func TestLookupsUseTheirIndexes(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	for _, test := range []struct {
		table, endpoint, subid, want string
		from                         time.Time
		span                         ledger.Span
	}{
		{table: "received", subid: "c1", want: "received_subid (subid=?)"},
		{table: "received", endpoint: "shop/main", subid: "c1", want: "received_subid (subid=?)"},
		{table: "conversions", subid: "c1", want: "conversions_slot (endpoint=? AND subid=?)"},
		{table: "conversions", endpoint: "shop/main", subid: "c1", want: "conversions_slot (endpoint=? AND subid=?)"},
		{table: "received", endpoint: "shop/main", want: "SCAN t USING INDEX received_id"},
		{table: "conversions", endpoint: "shop/main", want: "SCAN t USING INDEX conversions_id"},
		{table: "received", endpoint: "shop/main", from: time.Now(), want: "received_id (id>?)"},
		{table: "conversions", from: time.Now(), want: "conversions_id (id>?)"},
		{table: "received", span: ledger.Span{Oldest: true}, want: "USING COVERING INDEX received_id"},
		{table: "conversions", span: ledger.Span{Oldest: true, After: uuid.UUID{1}}, want: "conversions_id (id>?)"},
	} {
		var c condition
		c.endpointAndSubID(test.endpoint, test.subid)
		c.between("stamp", test.from, time.Time{})
		query := "explain query plan " + c.list(test.table, "id", test.span, 10)
		var plan []string
		for step, err := range rows(t.Context(), store, query, c.args, func(r *row) (string, error) {
			r.integer()
			r.integer()
			r.integer()
			return r.text(), r.err
		}) {
			if err != nil {
				t.Fatal(err)
			}
			plan = append(plan, step)
		}
		all := strings.Join(plan, "; ")
		if !strings.Contains(all, test.want) || test.subid == "" && strings.Contains(all, "TEMP B-TREE") {
			t.Errorf("%s by endpoint %q, subid %q: %s, want %s", test.table, test.endpoint, test.subid, all, test.want)
		}
	}
}
