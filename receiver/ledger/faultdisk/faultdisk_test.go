package faultdisk_test

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/postback-dev/postback-operator/receiver/ledger/faultdisk"
)

func open(t *testing.T, d *faultdisk.Disk, pragmas string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+d.Path("test.db")+"?"+pragmas)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// rows returns how many rows a crashed disk has; -1 when it has not even the table.
func rows(t *testing.T, d *faultdisk.Disk) int {
	t.Helper()
	db := open(t, d, "")
	n := -1
	if err := db.QueryRow("select count(*) from t").Scan(&n); err != nil &&
		!strings.Contains(err.Error(), "no such table") {
		t.Fatal(err)
	}
	return n
}

func TestACommitSurvivesACrashIfItIsSynced(t *testing.T) {
	for pragmas, want := range map[string]int{
		"_pragma=journal_mode(wal)&_pragma=synchronous(full)":     2,
		"_pragma=journal_mode(wal)&_pragma=synchronous(off)":      -1,
		"_pragma=journal_mode(delete)&_pragma=synchronous(extra)": 2,
		// Here SQLite does not sync the removal of its journal, and its documentation says so.
		"_pragma=journal_mode(delete)&_pragma=synchronous(full)": 1,
	} {
		t.Run(pragmas, func(t *testing.T) {
			d := faultdisk.New(t)
			db := open(t, d, pragmas)
			exec(t, db, "create table t (n)", "insert into t values (1)", "insert into t values (2)")
			if n := rows(t, d.Crash(t, d.Changes(), faultdisk.OnlySynced)); n != want {
				t.Errorf("%d rows after the machine's crash, want %d", n, want)
			}
			if n := rows(t, d.Crash(t, d.Changes(), faultdisk.Everything)); n != 2 {
				t.Errorf("%d rows after the process's end, want 2", n)
			}
		})
	}
}

func TestCallsFailAsAsked(t *testing.T) {
	for kind, want := range map[faultdisk.Kind]string{
		faultdisk.IOError: "disk I/O error", faultdisk.ShortWrite: "full", faultdisk.NoSpace: "full",
	} {
		t.Run(kind.String(), func(t *testing.T) {
			d := faultdisk.New(t)
			db := open(t, d, "_pragma=journal_mode(wal)&_pragma=synchronous(full)")
			exec(t, db, "create table t (n)")
			d.Inject(kind, 0, faultdisk.Always)
			if _, err := db.Exec("insert into t values (1)"); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			d.Heal()
			exec(t, db, "insert into t values (2)")
			if n := rows(t, d.Crash(t, d.Changes(), faultdisk.OnlySynced)); n != 1 {
				t.Errorf("%d rows, want the one that was committed", n)
			}
		})
	}
}

func write(t *testing.T, d *faultdisk.Disk, texts ...string) *faultdisk.File {
	t.Helper()
	f, err := d.OpenFile(d.Path("file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	for _, text := range texts {
		if _, err := f.WriteAt([]byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func contents(t *testing.T, d *faultdisk.Disk) string {
	t.Helper()
	text, err := os.ReadFile(d.Path("file"))
	if errors.Is(err, os.ErrNotExist) {
		return "none"
	} else if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatIsCertainAfterACrash(t *testing.T) {
	d := faultdisk.New(t)
	f := write(t, d, "first")
	after := func(fate func(faultdisk.Change) faultdisk.Fate) string {
		return contents(t, d.Crash(t, d.Changes(), fate))
	}
	sync := func() {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	sync()
	if got := after(faultdisk.OnlySynced); got != "none" {
		t.Errorf("a name that was not synced: %q", got)
	}
	if err := d.SyncDir(d.Dir); err != nil {
		t.Fatal(err)
	}
	if got := after(faultdisk.OnlySynced); got != "first" {
		t.Errorf("a synced file: %q", got)
	}
	write(t, d, "SECOND")
	found := map[string]bool{}
	for seed := range uint64(20) {
		found[after(faultdisk.Some(rand.New(rand.NewPCG(seed, 0))))] = true
	}
	if len(found) != 3 || !found["first"] || !found["SECOND"] || !found["SECst"] {
		t.Errorf("an overwrite that was not synced: %v", found)
	}
	d.Inject(faultdisk.IOError, 0, 1)
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("sync: %v", err)
	}
	sync()
	if got := after(faultdisk.OnlySynced); got != "first" {
		t.Errorf("a sync after one that failed has saved what that one lost: %q", got)
	}
	if err := d.Remove(d.Path("file")); err != nil {
		t.Fatal(err)
	}
	if got := after(faultdisk.OnlySynced); got != "first" {
		t.Errorf("a removal that was not synced: %q", got)
	}
	if got := after(faultdisk.Everything); got != "none" {
		t.Errorf("a removal: %q", got)
	}
}
