package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

//go:embed baseline.sql
var baselineSQL string

// server is a private PostgreSQL with a buffer cache that holds the clicks, as a DBA would give it.
type server struct {
	*pgtest.Server
	database string
}

func openPostgres(ctx context.Context, _ string) (store, error) {
	s, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	return s.with(ctx, "perf")
}

func startPostgres(ctx context.Context) (server, error) {
	s, err := pgtest.New(ctx, map[string]string{
		"shared_buffers": "4GB", "max_wal_size": "16GB", "max_connections": "400", "checkpoint_timeout": "30min",
	})
	return server{Server: s}, err
}

// with creates a database and returns the server as its store. It stops the server if that fails.
func (s server) with(ctx context.Context, database string) (store, error) {
	if err := s.Exec(ctx, "postgres", "create database "+database); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return server{s.Server, database}, nil
}

func (s server) Name() string { return "PostgreSQL" }
func (s server) URL() string  { return s.DSN(s.database) }
func (server) Receivers() int { return 2 }
func (s server) Close() error { return s.Stop() }

func (s server) Settle(ctx context.Context) error { return s.Exec(ctx, s.database, "vacuum analyze") }

func (s server) Verify(ctx context.Context, clicks int, t tally, out *report) error {
	conn, err := pgx.Connect(ctx, s.DSN(s.database))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := verify(clicks, t, func(table string) (n int, err error) {
		err = conn.QueryRow(ctx, "select count(*) from "+table).Scan(&n)
		return n, err
	}); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `select relname, n_tup_upd, n_tup_hot_upd from pg_stat_user_tables
		where schemaname = 'public' and n_tup_upd > 0 order by relname`)
	if err != nil {
		return err
	}
	var table hotTable
	_, err = pgx.ForEachRow(rows, []any{&table.name, &table.updates, &table.hot}, func() error {
		out.hot = append(out.hot, table)
		return nil
	})
	return err
}

var (
	functionScript = `\set newest random(1, 10)
\set click random(0, %[1]d - 1)
\if :newest <= 8
\set click random(%[1]d - %[1]d / 10, %[1]d - 1)
\endif
\set tid random(1, 9000000000000000)
select baseline.postback(:click, :tid);
`
	upsertScript = `\set k random(1, 1000000)
insert into baseline.single (k, v, at) values (:k, 1, now()) on conflict (k) do update set v = single.v + 1, at = excluded.at;
`
	tps = regexp.MustCompile(`tps = ([0-9.]+)`)
)

// Baseline runs pgbench on the same server: the comparison that every figure above it stands beside.
func (s server) Baseline(ctx context.Context, o options, dir string, out *report) error {
	if err := s.Exec(ctx, s.database, baselineSQL); err != nil {
		return fmt.Errorf("preparing the baseline: %w", err)
	}
	for _, script := range []struct{ name, text string }{
		{pgbenchFunction, fmt.Sprintf(functionScript, o.clicks)},
		{pgbenchUpsert, upsertScript},
	} {
		file := filepath.Join(dir, "pgbench.sql")
		if err := os.WriteFile(file, []byte(script.text), 0o600); err != nil {
			return err
		}
		for _, clients := range []int{64, 256} {
			if err := s.Settle(ctx); err != nil {
				return err
			}
			if _, err := s.pgbench(ctx, warmUp, file, clients); err != nil {
				return err
			}
			if err := s.measurePgbench(ctx, o.measureFor, script.name, file, clients, out); err != nil {
				return err
			}
		}
	}
	return s.Exec(ctx, s.database, "drop schema baseline cascade")
}

func (s server) measurePgbench(ctx context.Context, d time.Duration, name, file string, clients int,
	out *report) error {
	before, err := s.CPU()
	if err != nil {
		return err
	}
	rate, err := s.pgbench(ctx, d, file, clients)
	if err != nil {
		return err
	}
	after, err := s.CPU()
	if err != nil {
		return err
	}
	out.add(row{
		store: s.Name(), scenario: name, connections: clients, perSecond: rate,
		storeCPU: float64((after - before).Microseconds()) / (rate * d.Seconds()),
	})
	return nil
}

// pgbench returns the transactions per second.
func (s server) pgbench(ctx context.Context, d time.Duration, file string, clients int) (float64, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.Bin, "pgbench"), "-n", "-M", "prepared", "-j", "2",
		"-T", strconv.Itoa(max(int(d/time.Second), 1)), "-c", strconv.Itoa(clients), "-f", file, s.DSN(s.database))
	text, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, text)
	}
	found := tps.FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("pgbench printed no rate:\n%s", text)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
