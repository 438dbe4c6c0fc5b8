package postgres

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// TestStatementsReadTheirDayOnly holds that what names ids, or a time, touches the partitions of these alone: a log of
// 90 days has a hundred.
func TestStatementsReadTheirDayOnly(t *testing.T) {
	store, err := Open(t.Context(), Options{DSN: pgtest.Shared(t).NewDatabase(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	today := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	rows := make([]ledger.Received, 40)
	receipts := make([]ledger.Receipt, len(rows))
	for n := range rows {
		id := ledger.FirstID(today)
		id[6], id[15] = 0x70, byte(n)
		rows[n] = ledger.Received{
			ID:       id,
			Endpoint: "shop/main",
			SubID:    fmt.Sprint("c", n),
			At:       today,
			Kind:     ledger.KindPostback,
			Outcome:  conversion.Ignored,
		}
		receipts[n] = ledger.Receipt{Key: ledger.KeyOf(rows[n].Endpoint, rows[n].SubID), ID: id, At: today}
	}
	write := func(*ledger.Book) *ledger.Changes { return &ledger.Changes{Received: rows} }
	if err := store.Transact(t.Context(), ledger.Want{}, write); err != nil {
		t.Fatal(err)
	}
	logged, asked := sortedValues(rows, keyOfReceived), sortedValues(receipts, keyOfReceipt)
	ofRows := buckets[ledger.Received](logged)
	day := dayOf(today).name()
	list := func(by func(*filter)) (string, []any) {
		var f filter
		by(&f)
		columns := table.Names("", table.Received.Columns)
		return "select " + columns + " from received" + f.where() + " order by id desc limit 100", f.args
	}
	byID, idArgs := list(func(f *filter) { f.add("id = $%d", uuidOf(rows[0].ID)) })
	byTime, timeArgs := list(func(f *filter) { f.addTimes("at", today, today.Add(time.Hour)) })
	for name, statement := range map[string]struct {
		sql  string
		args []any
		want []string
	}{
		"receipts":          {readReceipts.plain, readReceipts.args(buckets[ledger.Receipt](asked), asked), []string{day}},
		"settling":          {settleReceived.plain, settleReceived.args(ofRows, logged), []string{day}},
		"deleting":          {deleteReceived.plain, deleteReceived.args(ofRows, logged), []string{day}},
		"one row":           {byID, idArgs, []string{day}},
		"a list of an hour": {byTime, timeArgs, []string{day}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := explain(t, store, statement.sql, statement.args)
			if diff := cmp.Diff(statement.want, touched(plan)); diff != "" {
				t.Errorf("%s\n%s", diff, plan)
			}
		})
	}
}

var scanOf = regexp.MustCompile(` on (received_\w+) .*`)

// touched are the partitions that a plan has read, sorted.
func touched(plan string) []string {
	var names []string
	for _, found := range scanOf.FindAllStringSubmatch(plan, -1) {
		if strings.Contains(found[0], "actual rows") && !slices.Contains(names, found[1]) {
			names = append(names, found[1])
		}
	}
	slices.Sort(names)
	return names
}

// explain runs a statement as a batch would, rolls it back and returns its plan.
func explain(t *testing.T, store *Store, sql string, args []any) string {
	t.Helper()
	conn, err := store.pool.Load().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), settings, "60000", "60000"); err != nil {
		t.Fatal(err)
	}
	lines, err := tx.Query(t.Context(), "explain (analyze, timing off) "+sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for lines.Next() {
		var line string
		if err := lines.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
