package sqlite

import (
	"context"
	"slices"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// numbered is a row of the received log with its number, which is the cursor.
type numbered struct {
	ledger.Received
	seq int64
}

var (
	numberedColumns = slices.Concat(
		[]table.Column[numbered]{table.Of("seq", table.BigInteger, func(n *numbered) *int64 { return &n.seq })},
		table.Within(func(n *numbered) *ledger.Received { return &n.Received }, table.Received.Columns))
	readJournal = "select t.seq, " + named(table.Received) + " from received t where t.seq > ? order by t.seq limit ?"
)

// ReadJournal implements [ledger.Journal].
func (s *Store) ReadJournal(ctx context.Context, after ledger.Cursor, limit int) ([]ledger.Received, ledger.Cursor,
	error) {
	var found []ledger.Received
	next := after
	for row, err := range rows(ctx, s, readJournal, []any{int64(after), limit}, reading(numberedColumns)) {
		if err != nil {
			return nil, after, err
		}
		found, next = append(found, row.Received), ledger.Cursor(row.seq)
	}
	return found, next, nil
}

// JournalEnd implements [ledger.Journal].
func (s *Store) JournalEnd(ctx context.Context) (ledger.Cursor, error) {
	end := ledger.Cursor(0) // as long as there was never a row
	for seq, err := range rows(ctx, s, "select seq from sqlite_sequence where name = 'received'", nil,
		func(r *row) (int64, error) { return r.integer(), r.err }) {
		if err != nil {
			return 0, err
		}
		end = ledger.Cursor(seq)
	}
	return end, nil
}
