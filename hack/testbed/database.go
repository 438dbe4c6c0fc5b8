package testbed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// Database is a private PostgreSQL server on this machine that pods reach. It ends with this process.
type Database struct {
	*pgtest.Server
	dir string
}

// StartDatabase starts a server. It listens on the loopback address and on [Host], and asks for a password everywhere.
func StartDatabase(ctx context.Context) (*Database, error) {
	dir, err := os.MkdirTemp("", "testbed-postgres-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the server runs as another user
		return nil, err
	}
	rules := filepath.Join(dir, "pg_hba.conf")
	rule := []string{"host", "all", "all", "0.0.0.0/0", "scram-sha-256"} // kind, databases, users, addresses, method
	if err := os.WriteFile(rules, []byte(strings.Join(rule, " ")+"\n"), 0o644); err != nil {
		return nil, err
	}
	server, err := pgtest.New(ctx, map[string]string{"listen_addresses": "127.0.0.1," + Host(), "hba_file": rules,
		"max_connections": "200"})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Database{server, dir}, nil
}

// Stop stops the server and removes it.
func (d *Database) Stop() error { return errors.Join(d.Server.Stop(), os.RemoveAll(d.dir)) }

// Create creates a database and returns its connection string for pods, and the one for this machine.
func (d *Database) Create(ctx context.Context, name string) (pods, local string, err error) {
	if err := d.Exec(ctx, "postgres", fmt.Sprintf("create database %q", name)); err != nil {
		return "", "", err
	}
	local = d.DSN(name)
	u, err := url.Parse(local)
	if err != nil {
		return "", "", err
	}
	u.Host = net.JoinHostPort(Host(), strconv.Itoa(d.Port))
	return u.String(), local, nil
}
