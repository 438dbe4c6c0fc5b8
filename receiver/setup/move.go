package setup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/ledger/move"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
)

// StoreName names a store: by its URL, or a database by a file that holds its DSN.
type StoreName struct{ URL, DSNFile string }

// errSameEngine: nothing has to be translated.
var errSameEngine = errors.New("both stores are of the same engine: copy the store by receiver backup, or the " +
	"database by pg_dump")

// path returns the file of an embedded store; embedded is false of a database.
func (n StoreName) path() (path string, embedded bool, err error) {
	scheme, rest, _ := strings.Cut(n.URL, "://")
	switch {
	case (n.URL == "") == (n.DSNFile == ""):
		return "", false, errors.New("name each store once, by its URL or by a file with its DSN")
	case n.DSNFile != "", scheme == "postgres", scheme == "postgresql":
		return "", false, nil
	case scheme != "sqlite", !strings.HasPrefix(rest, "/"), strings.HasSuffix(rest, "/"):
		return "", false, ErrStoreURL
	}
	return rest, true, nil
}

func (n StoreName) database() postgres.Options {
	return postgres.Options{DSN: n.URL, DSNFile: n.DSNFile}
}

// MoveStore copies all rows of a store into a new one of the other engine. No receiver may have either open.
func MoveStore(ctx context.Context, from, to StoreName) (copied []move.Copied, err error) {
	fromPath, fromFile, err := from.path()
	if err != nil {
		return nil, err
	}
	toPath, toFile, err := to.path()
	if err != nil {
		return nil, err
	}
	if fromFile == toFile {
		return nil, errSameEngine
	}
	var source move.Source
	var target move.Target
	if fromFile {
		source, err = asSource(sqlite.OpenSource(ctx, fromPath))
	} else {
		source, err = asSource(postgres.OpenSource(ctx, from.database()))
	}
	if err != nil {
		return nil, fmt.Errorf("the store to copy: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if toFile {
		target, err = asTarget(sqlite.CreateTarget(ctx, toPath))
	} else {
		target, err = asTarget(postgres.CreateTarget(ctx, to.database()))
	}
	if err != nil {
		return nil, fmt.Errorf("the store to make: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return move.Rows(ctx, source, target)
}

// asSource keeps a nil pointer from becoming an interface that is not nil.
func asSource[S move.Source](s S, err error) (move.Source, error) { return s, err }

func asTarget[T move.Target](t T, err error) (move.Target, error) { return t, err }
