package setup

import (
	"context"
	"errors"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/spool"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
)

// ErrStoreURL means that the URL names no store. It does not repeat the URL, which may hold a password.
var ErrStoreURL = errors.New("the store must be sqlite:///absolute/path.db or postgres://user:password@host/database")

// errLocal: a file has no standby.
var errLocal = errors.New("commits to a SQLite store are not synchronous, which is required: use PostgreSQL with a " +
	"synchronous standby")

// A SQLite file has one writer, while a database server gains from a second.
const (
	fileLanes     = 1
	databaseLanes = 2
)

// OpenStore opens the store that the options name, for one piece of work.
func OpenStore(ctx context.Context, o Options) (ledger.Store, error) {
	store, _, err := o.openStore(ctx)
	return store, err
}

// openStore opens the store that the options name, and says how many lanes should commit to it.
func (o Options) openStore(ctx context.Context) (store ledger.Store, lanes int, err error) {
	scheme, rest, _ := strings.Cut(o.Store, "://")
	switch {
	case o.StoreFile != "", scheme == "postgres", scheme == "postgresql":
		store, err := o.openDatabase(ctx)
		return store, databaseLanes, err
	case scheme != "sqlite", !strings.HasPrefix(rest, "/"), strings.HasSuffix(rest, "/"):
		return nil, 0, ErrStoreURL
	case o.RequireSynchronous:
		return nil, 0, errLocal
	}
	// A pod that is deleted is replaced at once, while it still answers what is under way.
	file, err := sqlite.Open(ctx, rest, sqlite.Options{Wait: o.stopTime(), Logger: o.Logger})
	if err != nil {
		return nil, 0, err
	}
	return file, fileLanes, nil
}

// openDatabase starts without the database where a spool can take its place: else a receiver that is restarted while
// the database is away could take nothing.
func (o Options) openDatabase(ctx context.Context) (ledger.Store, error) {
	settings := o.Database
	settings.DSN, settings.DSNFile, settings.Logger = o.Store, o.StoreFile, o.Logger
	settings.Late = o.Spool.Dir != ""
	store, err := postgres.Open(ctx, settings)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// openSpool opens the spool, if there is to be one.
func (r *Receiver) openSpool(ctx context.Context) (err error) {
	o := r.options
	if o.Spool.Dir != "" {
		r.spool, err = spool.Open(ctx, o.Spool.Dir,
			spool.Options{MaxBytes: o.Spool.MaxBytes, Clock: o.Clock, Logger: o.Logger})
	}
	return err
}
