package setup

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
)

// ErrStoreURL means that the URL names no store. It does not repeat the URL, which may hold a password.
var ErrStoreURL = errors.New("the store must be sqlite:///absolute/path.db or postgres://user:password@host/database")

// openStore opens the store that a URL names, and says how many lanes should commit to it: a SQLite file has one writer,
// while a database server gains from a second.
func openStore(ctx context.Context, url string, logger *slog.Logger) (store ledger.Store, lanes int, err error) {
	scheme, rest, _ := strings.Cut(url, "://")
	switch scheme {
	case "sqlite":
		if !strings.HasPrefix(rest, "/") || strings.HasSuffix(rest, "/") {
			return nil, 0, ErrStoreURL
		}
		file, err := sqlite.Open(ctx, rest, sqlite.Options{Logger: logger})
		if err != nil {
			return nil, 0, err
		}
		return file, 1, nil
	case "postgres", "postgresql":
		database, err := postgres.Open(ctx, postgres.Options{DSN: url, Logger: logger})
		if err != nil {
			return nil, 0, err
		}
		return database, 2, nil
	}
	return nil, 0, ErrStoreURL
}
