package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// The example of docs/moving-stores.md: there by a file with the DSN, and back.
func TestAReceiversStoreIsMovedByTheCommand(t *testing.T) {
	dir := writeConfig(t)
	first, back := filepath.Join(t.TempDir(), "store.db"), filepath.Join(t.TempDir(), "back.db")
	dsn := filepath.Join(t.TempDir(), "dsn")
	server := pgtest.Start(t, nil)
	if err := os.WriteFile(dsn, []byte(server.NewDatabase(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := receivertest.Start(t.Context(), receivertest.Options{Program: program, Config: dir, Store: "sqlite://" + first})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AddClicks(t.Context(), 1, func(int) string { return "c1" }); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := finish(t, nil, "migrate", "--from", "sqlite://"+first, "--to-file", dsn); code != 1 ||
		!strings.Contains(stderr, "in use") {
		t.Errorf("beside a receiver: exit code %d, %s", code, stderr)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"migrate", "--from", "sqlite://" + first, "--to-file", dsn},
		{"migrate", "--from-file", dsn, "--to", "sqlite://" + back},
	} {
		code, stdout, stderr := finish(t, nil, args...)
		if code != 0 || !strings.Contains(stdout, "clicks             1\n") || !strings.Contains(stdout, "Everything was copied") {
			t.Fatalf("%v: exit code %d, %s%s", args, code, stdout, stderr)
		}
	}
	for says, args := range map[string][]string{
		"is not empty":     {"migrate", "--from", "sqlite://" + first, "--to-file", dsn},
		"of the same":      {"migrate", "--from", "sqlite://" + first, "--to", "sqlite://" + back},
		"there is a store": {"migrate", "--from-file", dsn, "--to", "sqlite://" + back},
	} {
		if code, _, stderr := finish(t, nil, args...); code != 1 || !strings.Contains(stderr, says) {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
	}
	for says, args := range map[string][]string{
		"--from is missing": {"migrate", "--to", "sqlite://" + back},
		"--to is missing":   {"migrate", "--from", "sqlite://" + back},
		"unexpected":        {"migrate", "now"},
	} {
		if code, _, stderr := finish(t, nil, args...); code != exitUsage || !strings.Contains(stderr, says) {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
	}
}
