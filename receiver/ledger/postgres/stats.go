package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// Durability implements [ledger.Store]. The store's transactions commit with
// synchronous_commit at least "on" whatever the session's default is, so the level follows from fsync and
// synchronous_standby_names. The standbys themselves are only visible to members of pg_monitor; their state is detail.
func (s *Store) Durability(ctx context.Context) (level ledger.Durability, detail string, err error) {
	const query = `select current_setting('fsync'), current_setting('synchronous_standby_names'),
		(select string_agg(coalesce(sync_state, 'hidden'), ' ' order by sync_state) from pg_stat_replication)`
	var fsync, names string
	var standbys pgtype.Text
	err = s.withConn(ctx, func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
		defer cancel()
		return conn.QueryRow(ctx, query).Scan(&fsync, &names, &standbys)
	})
	if err != nil {
		return "", "", err
	}
	level, detail = durability(fsync, names, standbys.String)
	return level, detail, nil
}

func durability(fsync, names, standbys string) (ledger.Durability, string) {
	switch {
	case fsync != "on":
		return ledger.DurabilityNone, "fsync is off"
	case strings.TrimSpace(names) == "":
		return ledger.DurabilityLocal, "synchronous_standby_names is empty"
	case standbys == "":
		return ledger.DurabilitySync, "synchronous_standby_names is set, and no standby is connected: commits wait for one"
	case strings.Contains(standbys, "hidden"):
		return ledger.DurabilitySync, "the standbys' state is hidden: grant pg_monitor to see it"
	}
	return ledger.DurabilitySync, "standbys: " + standbys
}

// TableStats are a table's figures from the statistics collector, which lags by a second or so.
type TableStats struct {
	Table string
	// Bytes of the table with its indexes and overflow.
	Bytes int64
	// Updates since the statistics were reset, and how many of them touched no index.
	Updates, HOTUpdates int64
}

// Tables returns the figures of the store's own tables, by name; partitions are part of theirs. Only for plain
// PostgreSQL: distributed engines keep them per shard.
func (s *Store) Tables(ctx context.Context) (stats []TableStats, err error) {
	columns := []table.Column[TableStats]{
		table.Of("coalesce(parent.relname, t.relname)", table.Text, func(t *TableStats) *string { return &t.Table }),
		table.Of("sum(pg_total_relation_size(t.relid))::bigint", table.BigInteger,
			func(t *TableStats) *int64 { return &t.Bytes }),
		table.Of("sum(t.n_tup_upd)::bigint", table.BigInteger, func(t *TableStats) *int64 { return &t.Updates }),
		table.Of("sum(t.n_tup_hot_upd)::bigint", table.BigInteger, func(t *TableStats) *int64 { return &t.HOTUpdates }),
	}
	err = readRows(ctx, s, columns, func(t *TableStats) error {
		stats = append(stats, *t)
		return nil
	}, fmt.Sprintf(`select %s from pg_stat_user_tables t left join pg_inherits on inhrelid = t.relid
		left join pg_class parent on parent.oid = inhparent where t.schemaname = current_schema() group by 1 order by 1`,
		table.Names("", columns)))
	return stats, err
}

// Size returns how many bytes the database takes, with what else is in it.
func (s *Store) Size(ctx context.Context) (bytes int64, err error) {
	err = s.withConn(ctx, func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, s.options.FlightTimeout)
		defer cancel()
		return conn.QueryRow(ctx, "select pg_database_size(current_database())").Scan(&bytes)
	})
	return bytes, err
}
