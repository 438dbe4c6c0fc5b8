package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func execSQL(t *testing.T, server *pgtest.Server, dsn, sql string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err == nil {
		err = server.Exec(t.Context(), strings.TrimPrefix(u.Path, "/"), sql)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseThatCannotBeUsedIsOneLine(t *testing.T) {
	server := pgtest.Start(t, nil)
	dsn, newer, readOnly := server.NewDatabase(t), server.NewDatabase(t), server.NewDatabase(t)
	execSQL(t, server, newer, "create table postback_schema (one boolean primary key, version integer not null); "+
		"insert into postback_schema values (true, 99)")
	execSQL(t, server, readOnly, "do $$ begin execute 'alter database ' || current_database() || ' set "+
		"default_transaction_read_only = on'; end $$")
	config := writeConfig(t)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"a DSN that nobody can read", []string{"--store", "postgres://user:s3cret@host:port/db"}, "DSN cannot be read"},
		{"a database nobody listens for", []string{"--store", "postgres://user:s3cret@127.0.0.1:1/db"}, "connection refused"},
		{"a wrong password", []string{"--store", strings.Replace(dsn, server.Password, "s3cret", 1)},
			"refuses the user or the password"},
		{"a database that does not exist", []string{"--store", server.DSN("s3cret")}, "does not exist"},
		{"a file that does not exist", []string{"--store-file", "/proc/none/dsn"}, "no such file"},
		{"a wrong password in a file", []string{"--store-file",
			writeFile(t, strings.Replace(dsn, server.Password, "s3cret", 1))}, "refuses the user or the password"},
		{"a newer schema", []string{"--store", newer}, "start a newer program"},
		{"no schema, and only checking", []string{"--store", dsn, "--store-check-only"}, "migrating is switched off"},
		{"a read-only server", []string{"--store", readOnly}, "read-only"},
		{"a newer schema, though there is a spool", []string{"--store", newer, "--spool-dir", t.TempDir()},
			"start a newer program"},
		{"a spool that cannot be written", []string{"--store", dsn, "--spool-dir", "/proc/none"}, "opening the spool"},
		{"a SQLite store that is to be synchronous",
			[]string{"--store", "sqlite:///s3cret/store.db", "--require-synchronous"}, "not synchronous"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"--config", config, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"}, test.args...)
			code, _, stderr := finish(t, nil, args...)
			last := stderr[strings.LastIndex(strings.TrimSuffix(stderr, "\n"), "\n")+1:]
			if code != 1 || !strings.HasPrefix(last, "receiver: ") || !strings.Contains(last, test.want) {
				t.Errorf("exit code %d, want 1 with %q:\n%s", code, test.want, stderr)
			}
			if strings.Contains(stderr, "s3cret") || strings.Contains(stderr, server.Password) {
				t.Errorf("a secret is shown:\n%s", stderr)
			}
		})
	}
}

func TestFlagsOfTheStoreThatDoNotFitAreUsageErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"two stores", []string{"--store", "sqlite:///s.db", "--store-file", "f"}, "exclude each other"},
		{"one connection", []string{"--store-file", "f", "--store-max-connections", "1"}, "--store-max-connections"},
		{"no time for a statement", []string{"--store-file", "f", "--store-statement-timeout", "0s"},
			"--store-statement-timeout"},
		{"a spool of no size", []string{"--store-file", "f", "--spool-size", "0"}, "--spool-size"},
		{"a size in words", []string{"--store-file", "f", "--spool-size", "much"}, "KiB"},
		{"more patience than hold", []string{"--store-file", "f", "--spool-dir", "d", "--hold", "1s"}, "--patience"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, _, stderr := finish(t, nil, append([]string{"--config", "c"}, test.args...)...)
			if code != 2 || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, want 2 with %q:\n%s", code, test.want, stderr)
			}
		})
	}
}

// answerOf sends a sale with a tid.
func answerOf(t *testing.T, p *receivertest.Process, tid string) (status int, header http.Header) {
	t.Helper()
	target := "http://" + p.Addr + "/" + receivertest.Key + "/postback?subid=c1&status=sale&payout=1&tid=" + tid
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, resp.Header
}

// TestAReceiverStartsAndSpoolsWithoutItsDatabase starts one while the database is away, fills its spool, restarts it,
// and gives it the database.
func TestAReceiverStartsAndSpoolsWithoutItsDatabase(t *testing.T) {
	server := pgtest.Start(t, nil)
	dsn := server.NewDatabase(t)
	options := receivertest.Options{
		Program: program, Config: writeConfig(t), Store: dsn,
		Args: []string{"--spool-dir", filepath.Join(t.TempDir(), "spool"), "--spool-size", "8KiB", "--patience", "500ms"},
	}
	p := start(t, options)
	if err := p.AddClicks(t.Context(), 1, func(int) string { return "c1" }); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}

	p = start(t, options)
	spooled := fillSpool(t, p)
	var ready bytes.Buffer
	if err := p.Get(t.Context(), "/readyz", &ready); err != nil || !strings.Contains(ready.String(), "spooling: ") {
		t.Errorf("/readyz: %s, %v", &ready, err)
	}
	p.Kill()

	p = start(t, options)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitEmptySpool(t, p)
	if rows := countRecorded(t, p); rows != spooled || spooled < 2 {
		t.Errorf("%d spooled, %d in the received log", spooled, rows)
	}
	if _, header := answerOf(t, p, "later"); header.Get("X-Postback-Outcome") != "recorded" {
		t.Errorf("with the database back: %v", header)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if log := p.Log(); strings.Contains(log, server.Password) || strings.Count(log, "Store cannot be opened") > 2 {
		t.Errorf("the log shows the password, or says the same over and over:\n%s", log)
	}
}

// fillSpool sends until the spool is full, and returns how much it has taken.
func fillSpool(t *testing.T, p *receivertest.Process) int {
	t.Helper()
	for spooled := range 20 {
		status, header := answerOf(t, p, strconv.Itoa(spooled))
		if status == http.StatusServiceUnavailable && header.Get("Retry-After") != "" &&
			header.Get("X-Postback-Outcome") == "" {
			return spooled
		}
		if status != http.StatusOK || header.Get("X-Postback-Outcome") != "spooled" {
			t.Fatalf("postback %d: status %d, %v", spooled, status, header)
		}
	}
	t.Fatal("the spool is never full")
	return 0
}

// countRecorded returns the number of rows of the received log, which are all to be recorded.
func countRecorded(t *testing.T, p *receivertest.Process) (rows int) {
	t.Helper()
	for row, err := range receivertest.List[struct{ Outcome string }](t.Context(), p, "/api/v1/postbacks", url.Values{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rows++; row.Outcome != "recorded" {
			t.Errorf("a spooled postback became %q", row.Outcome)
		}
	}
	return rows
}

func TestAReceiverIsNotReadyUnlessCommitsAreSynchronousAsRequired(t *testing.T) {
	server := pgtest.Start(t, nil)
	dsn := server.NewDatabase(t)
	config := writeConfig(t)
	addr, err := receivertest.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	p, err := receivertest.Launch(t.Context(), receivertest.Options{
		Program: program, Config: config, Store: dsn, OpsAddr: addr, Args: []string{"--require-synchronous"},
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		err := p.Get(t.Context(), "/readyz", nil)
		return err != nil && strings.Contains(err.Error(), "503") &&
			strings.Contains(err.Error(), "do not wait for a standby")
	})
	p.Kill()
}

func start(t *testing.T, o receivertest.Options) *receivertest.Process {
	t.Helper()
	p, err := receivertest.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func awaitEmptySpool(t *testing.T, p *receivertest.Process) {
	t.Helper()
	await(t, func() bool {
		var metrics bytes.Buffer
		err := p.Get(t.Context(), "/metrics", &metrics)
		return err == nil && strings.Contains(metrics.String(), "\npostback_spool_postbacks 0\n")
	})
}

// await polls until something is so.
func await(t *testing.T, so func() bool) {
	t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(2 * time.Minute)
	for !so() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("it does not come to that within two minutes")
		}
	}
}
