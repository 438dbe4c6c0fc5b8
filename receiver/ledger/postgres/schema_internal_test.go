package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// TestTheSchemaIsAsDescribed holds that the migrations make the columns that the description says, besides those that
// only this engine has.
func TestTheSchemaIsAsDescribed(t *testing.T) {
	dsn := pgtest.Shared(t).NewDatabase(t)
	store, err := Open(t.Context(), Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	wantColumns(t, conn, table.Clicks, "bucket", "present")
	wantColumns(t, conn, table.Conversions, "bucket")
	wantColumns(t, conn, table.History, "bucket")
	wantColumns(t, conn, table.Received, "bucket", "tx")
	wantColumns(t, conn, table.ReportChanges, "bucket")
	wantColumns(t, conn, table.Held, "bucket")
	wantColumns(t, conn, table.PendingRates, "bucket")
	wantColumns(t, conn, table.Outbox, "bucket", "postponed", "holder", "leased_until")
	wantColumns(t, conn, table.Rates)
	wantColumns(t, conn, table.Leases)
}

func wantColumns[R any](t *testing.T, conn *pgx.Conn, described table.Table[R], own ...string) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `select column_name::text || ' ' || data_type || case is_nullable when 'YES' then ' null' else '' end
		from information_schema.columns where table_schema = current_schema() and table_name = $1 and not column_name = any($2)`,
		described.Name, append([]string{}, own...))
	if err != nil {
		t.Fatal(err)
	}
	made, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, column := range made {
		left[column] = true
	}
	for _, c := range described.Columns {
		want := c.Name + " " + strings.Replace(sqlTypes[c.Type], "timestamptz", "timestamp with time zone", 1)
		if c.Optional {
			want += " null"
		}
		if !left[want] {
			t.Errorf("table %s: %q is described and not made", described.Name, want)
		}
		delete(left, want)
	}
	for column := range left {
		t.Errorf("table %s: %q is made and not described", described.Name, column)
	}
}

func TestAMigrationIsSentStatementByStatement(t *testing.T) {
	got := statements("-- a comment;with a semicolon\ncreate table a (\n  b text  -- ; within\n);\n\ncreate index c on " +
		"a (b);\n")
	if len(got) != 2 || !strings.Contains(got[0], "create table a") || !strings.Contains(got[1], "create index c") {
		t.Errorf("got %q, want two statements", got)
	}
	for _, step := range migrations {
		for _, statement := range step {
			if strings.Count(statement, "create ") > 1 {
				t.Errorf("more than one statement: %s", statement)
			}
		}
	}
}
