package move_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/ledgertest"
	"github.com/postback-dev/postback-operator/receiver/ledger/move"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// content are the rows of all tables, by the table's name. Those of the received log are in the order of the journal.
type content map[string][]any

func contentOf(t *testing.T, source move.Source, err error) content {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	all := content{}
	for _, of := range table.Kept() {
		var rows []string
		byText := map[string]any{}
		if err := source.Rows(t.Context(), of, func(row *any) error {
			text := strings.Join(describe(of, row), " ")
			rows, byText[text] = append(rows, text), *row
			return nil
		}); err != nil {
			t.Fatalf("%s: %v", of.Name, err)
		}
		if of.Name != table.Received.Name {
			slices.Sort(rows)
		}
		for _, text := range rows {
			all[of.Name] = append(all[of.Name], byText[text])
		}
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// describe returns the row's fields that tell it apart from the table's others.
func describe(of table.Any, row *any) []string {
	var key []string
	for i := range of.Columns {
		switch value := of.Columns[i].Value(row).(type) {
		case *string:
			key = append(key, of.Columns[i].Name+"="+*value)
		case *uuid.UUID:
			key = append(key, of.Columns[i].Name+"="+value.String())
		case *int:
			key = append(key, of.Columns[i].Name+"="+fmt.Sprint(*value))
		}
	}
	return key
}

func same(t *testing.T, what string, want, got content) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func filled(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "store.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ledgertest.Fill(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// moved copies a store and returns how many rows it has.
func moved(t *testing.T, from move.Source, err error, to move.Target, err2 error) map[string]int64 {
	t.Helper()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	copied, err := move.Rows(t.Context(), from, to)
	if err := errors.Join(err, from.Close(), to.Close()); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, c := range copied {
		counts[c.Table] = c.Rows
	}
	return counts
}

func toPostgres(t *testing.T, path string, options postgres.Options) map[string]int64 {
	t.Helper()
	from, err := sqlite.OpenSource(t.Context(), path)
	to, err2 := postgres.CreateTarget(t.Context(), options)
	return moved(t, from, err, to, err2)
}

func toSQLite(t *testing.T, options postgres.Options, path string) map[string]int64 {
	t.Helper()
	from, err := postgres.OpenSource(t.Context(), options)
	to, err2 := sqlite.CreateTarget(t.Context(), path)
	return moved(t, from, err, to, err2)
}

func TestAStoreIsMovedThereAndBack(t *testing.T) {
	path := filled(t)
	first, err := sqlite.OpenSource(t.Context(), path)
	want := contentOf(t, first, err)
	options := postgres.Options{DSN: pgtest.Shared(t).NewDatabase(t)}
	counts := toPostgres(t, path, options)
	for _, of := range table.Kept() {
		if len(want[of.Name]) == 0 || counts[of.Name] != int64(len(want[of.Name])) {
			t.Errorf("%s has %d rows, %d were copied", of.Name, len(want[of.Name]), counts[of.Name])
		}
	}
	there, err := postgres.OpenSource(t.Context(), options)
	same(t, "in PostgreSQL", want, contentOf(t, there, err))
	store, err := postgres.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	goesOn(t, store)

	back := filepath.Join(t.TempDir(), "new", "back.db")
	toSQLite(t, options, back)
	again, err := sqlite.OpenSource(t.Context(), back)
	got := contentOf(t, again, err)
	got[table.Received.Name] = got[table.Received.Name][:len(want[table.Received.Name])] // goesOn added one
	same(t, "back in SQLite", want, got)
	embedded, err := sqlite.Open(t.Context(), back, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	goesOn(t, embedded)
}

// goesOn holds that a store that was made works: its sums are those of its rows, and its journal goes on behind them.
func goesOn(t *testing.T, store ledger.Store) {
	t.Helper()
	defer func() { _ = store.Close() }()
	ledgertest.SumsAgree(t, store)
	before, err := store.JournalEnd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
		return &ledger.Changes{Received: []ledger.Received{{ID: ledger.NewIDs(time.Now).Next(), Endpoint: "shop/main",
			At: time.Now(), Outcome: "ignored"}}}
	}); err != nil {
		t.Fatal(err)
	}
	rows, _, err := store.ReadJournal(t.Context(), before, 10)
	if err != nil || len(rows) != 1 {
		t.Errorf("%d rows behind the journal's end, %v", len(rows), err)
	}
}

func TestEveryTableIsMovedOrFollowsFromTheOthers(t *testing.T) {
	known := []string{
		"endpoints", "heartbeat", "sqlite_sequence", // the engine's own
		"report_cells", "report_changes", // made again
		"leases",   // nobody's any more
		"erasures", // the record of what was done to that file
		"postback_schema",
	}
	for _, of := range table.Kept() {
		known = append(known, of.Name)
	}
	options := postgres.Options{DSN: pgtest.Shared(t).NewDatabase(t)}
	store, err := postgres.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	conn, err := pgx.Connect(t.Context(), options.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), "select relname from pg_class where relkind in ('r', 'p') and not relispartition "+
		"and relnamespace = 'public'::regnamespace")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) < len(table.Kept()) {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			t.Errorf("nobody moves the table %s", name)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	path := filled(t)
	server := pgtest.Shared(t)
	for name, c := range map[string]struct {
		try  func(t *testing.T) error
		says string
	}{
		"a file that is there": {func(t *testing.T) error {
			_, err := sqlite.CreateTarget(t.Context(), path)
			if !errors.Is(err, fs.ErrExist) {
				t.Errorf("the error is %v", err)
			}
			return err
		}, "move its files away"},
		"a store that a receiver has open": {func(t *testing.T) error {
			store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			_, err = sqlite.OpenSource(t.Context(), path)
			return err
		}, "in use by another receiver"},
		"a file that is none": {func(t *testing.T) error {
			_, err := sqlite.OpenSource(t.Context(), filepath.Join(t.TempDir(), "none.db"))
			return err
		}, "no such file"},
		"a database that is not empty": {func(t *testing.T) error {
			options := postgres.Options{DSN: server.NewDatabase(t)}
			toPostgres(t, path, options)
			_, err := postgres.CreateTarget(t.Context(), options)
			return err
		}, "its table clicks has rows"},
		"a database on which a receiver works": {func(t *testing.T) error {
			options := postgres.Options{DSN: server.NewDatabase(t)}
			store, err := postgres.Open(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			now := time.Now()
			if _, err := store.Lease(t.Context(), "rates", "a", now, now.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			_, err = postgres.OpenSource(t.Context(), options)
			return err
		}, "stop all receivers"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.try(t); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// failing is a source that breaks off in a table.
type failing struct {
	move.Source
	in string
}

var errBroken = errors.New("broken off")

func (f failing) Rows(ctx context.Context, t table.Any, each func(*any) error) error {
	if t.Name == f.in {
		return errBroken
	}
	return f.Source.Rows(ctx, t, each)
}

func TestWhatWasBrokenOffStartsOver(t *testing.T) {
	path := filled(t)
	options := postgres.Options{DSN: pgtest.Shared(t).NewDatabase(t)}
	file := filepath.Join(t.TempDir(), "next.db")
	breakOff := func(from move.Source, err error, to move.Target, err2 error) {
		t.Helper()
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if _, err := move.Rows(t.Context(), failing{from, table.Outbox.Name}, to); !errors.Is(err, errBroken) {
			t.Errorf("it ends with %v", err)
		}
		if err := errors.Join(from.Close(), to.Close()); err != nil {
			t.Fatal(err)
		}
	}
	from, err := sqlite.OpenSource(t.Context(), path)
	to, err2 := postgres.CreateTarget(t.Context(), options)
	breakOff(from, err, to, err2)
	toPostgres(t, path, options) // which takes an empty one only
	back, err := postgres.OpenSource(t.Context(), options)
	next, err2 := sqlite.CreateTarget(t.Context(), file)
	breakOff(back, err, next, err2)
	if left, err := filepath.Glob(file + "*"); err != nil || !cmp.Equal(left, []string{file + ".lock"}) {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := os.WriteFile(file+".partial-wal", []byte("of a process that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	toSQLite(t, options, file)
	if err := sqlite.Check(t.Context(), file); err != nil {
		t.Error(err)
	}
}
