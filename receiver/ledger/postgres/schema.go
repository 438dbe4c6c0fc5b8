package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the steps from each version of the schema to the next, in order, each a list of statements: a server
// that hands statements on to others, as Citus does, takes them one by one only.
var migrations = readMigrations()

func readMigrations() [][]string {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name
	if err != nil {
		panic(err)
	}
	steps := make([][]string, len(files))
	for i, file := range files {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			panic(err)
		}
		steps[i] = statements(string(text))
	}
	return steps
}

// statements parts a migration. A statement ends with a semicolon at the end of a line.
func statements(text string) []string {
	parts := strings.SplitAfter(text, ";\n")
	if last := len(parts) - 1; strings.TrimSpace(parts[last]) == "" {
		parts = parts[:last]
	}
	return parts
}

// migrationTimeout bounds a migration together with the wait for another receiver's.
const migrationTimeout = 5 * time.Minute

// prepareSchema checks the schema's version, and migrates unless it may only check.
func (s *Store) prepareSchema(ctx context.Context, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, migrationTimeout)
	defer cancel()
	return s.withConnOf(ctx, pool, func(conn *pgx.Conn) error {
		version, err := schemaVersion(ctx, conn)
		if err != nil {
			return err
		}
		if s.options.CheckOnly || version >= len(migrations) {
			if err := checkVersion(version); err != nil {
				return err
			}
			return continueJournal(ctx, conn)
		}
		s.options.Logger.InfoContext(ctx, "Migrating the schema", "from", version, "to", len(migrations))
		if err := createVersion(ctx, conn); err != nil {
			return err
		}
		return migrate(ctx, conn)
	})
}

// prepareDays makes the partitions of the next days. A receiver that cannot starts all the same.
func (s *Store) prepareDays(ctx context.Context, pool *pgxpool.Pool) {
	err := s.withConnOf(ctx, pool, func(conn *pgx.Conn) error { return s.createDays(ctx, conn, time.Now()) })
	if err != nil {
		s.options.Logger.WarnContext(ctx, "The received log lacks the partition of a day, trying again later", "error", err)
	}
}

func checkVersion(version int) error {
	switch {
	case version > len(migrations):
		return fmt.Errorf("%w: version %d is newer than this program's %d: start a newer program",
			ledger.ErrSchema, version, len(migrations))
	case version < len(migrations):
		return fmt.Errorf("%w: version %d is older than this program's %d and migrating is switched off",
			ledger.ErrSchema, version, len(migrations))
	}
	return nil
}

// schemaVersion is 0 where there is no schema yet.
func schemaVersion(ctx context.Context, conn *pgx.Conn) (int, error) {
	var exists bool
	if err := conn.QueryRow(ctx, "select to_regclass('postback_schema') is not null").Scan(&exists); err != nil ||
		!exists {
		return 0, err
	}
	var version int
	err := conn.QueryRow(ctx, "select version from postback_schema").Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// createVersion makes the table whose one row holds the version, and is the lock of those who migrate.
func createVersion(ctx context.Context, conn *pgx.Conn) error {
	const (
		create = "create table if not exists postback_schema (one boolean primary key check (one), version integer " +
			"not null, " +
			"tx_base bigint not null default 0)"
		fill = "insert into postback_schema values (true, 0) on conflict do nothing"
	)
	for {
		_, err := conn.Exec(ctx, create, pgx.QueryExecModeExec)
		if err == nil {
			_, err = conn.Exec(ctx, fill, pgx.QueryExecModeExec)
		}
		var server *pgconn.PgError
		// "if not exists" still fails for one of two that create at the same moment: its row type, its name, its key.
		if !errors.As(err, &server) || !slices.Contains([]string{"42710", "42P07", "23505"}, server.Code) {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// migrate applies the missing steps in one transaction, while the version's row is locked.
func migrate(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, begin); err != nil {
		return err
	}
	var version int
	if err := conn.QueryRow(ctx, "select version from postback_schema for update").Scan(&version); err != nil {
		return err
	}
	for _, step := range migrations[min(version, len(migrations)):] {
		for _, statement := range step {
			// The extended protocol, which refuses two statements in one.
			if _, err := conn.Exec(ctx, statement, pgx.QueryExecModeExec); err != nil {
				return err
			}
		}
	}
	if _, err := conn.Exec(ctx, "update postback_schema set version = greatest(version, $1)",
		len(migrations)); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "commit"); err != nil {
		return err
	}
	return checkVersion(max(version, len(migrations)))
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Millisecond):
		return nil
	}
}
