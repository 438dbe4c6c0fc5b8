package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// TestTheSchemaIsAsDescribed holds that the migrations make the columns that the description says, besides those that
// only this engine has.
func TestTheSchemaIsAsDescribed(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	wantColumns(t, store, table.Clicks, "seq")
	wantColumns(t, store, table.Conversions, "seq")
	wantColumns(t, store, table.History, "seq")
	wantColumns(t, store, table.Received, "seq")
	wantColumns(t, store, table.Held)
	wantColumns(t, store, table.PendingRates)
	wantColumns(t, store, table.Outbox, "seq", "postponed")
	wantColumns(t, store, table.Rates)
	wantColumns(t, store, table.Leases)
}

func wantColumns[R any](t *testing.T, store *Store, described table.Table[R], own ...string) {
	t.Helper()
	left := map[string]bool{} // whether the column may be null
	for name, err := range rows(t.Context(), store, "select name, \"notnull\" or pk > 0 from pragma_table_info(?)",
		[]any{described.Name}, func(r *row) (string, error) {
			name := r.text()
			left[name] = r.integer() == 0
			return name, r.err
		}) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, name := range own {
		if _, made := left[name]; !made {
			t.Errorf("table %s has no column %s", described.Name, name)
		}
		delete(left, name)
	}
	for _, c := range described.Columns {
		if optional, made := left[c.Name]; !made || optional != c.Optional {
			t.Errorf("table %s: column %s is made: %t, may be null: %t, described as %t", described.Name, c.Name, made, optional,
				c.Optional)
		}
		delete(left, c.Name)
	}
	for name := range left {
		t.Errorf("table %s: column %s is made and not described", described.Name, name)
	}
}
