package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// sales sends sales of the click c1 with the tids t1, t2, … and remembers those that were acknowledged.
type sales struct {
	mu sync.Mutex
	// acknowledged is guarded by mu.
	acknowledged int
}

func (s *sales) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acknowledged
}

// send returns when ctx is done or the receiver has gone.
func (s *sales) send(ctx context.Context, addr string) {
	for i := 1; ; i++ {
		target := fmt.Sprintf("http://%s/%s/postback?subid=c1&status=sale&payout=1&tid=t%d", addr, receivertest.Key, i)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		_ = resp.Body.Close()
		if resp.Header.Get("X-Postback-Outcome") != "recorded" {
			return
		}
		s.mu.Lock()
		s.acknowledged = i
		s.mu.Unlock()
	}
}

func awaitCount(t *testing.T, s *sales, n int) {
	t.Helper()
	for s.count() < n {
		if t.Context().Err() != nil {
			t.Fatal("no postback was recorded")
		}
	}
}

// recordedTIDs returns the transaction ids in the conversion log.
func recordedTIDs(t *testing.T, p *receivertest.Process) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for row, err := range receivertest.List[struct{ TID string }](t.Context(), p, "/api/v1/conversions", url.Values{}) {
		if err != nil {
			t.Fatal(err)
		}
		found[row.TID] = true
	}
	return found
}

// The drill of docs/backup.md: the store is copied under load, the receiver is killed, its store damaged, and the
// backup put in its place.
func TestARestoredBackupHoldsEverythingThatWasAcknowledgedBeforeIt(t *testing.T) {
	dir, path := writeConfig(t), filepath.Join(t.TempDir(), "store.db")
	store, saved := "sqlite://"+path, filepath.Join(t.TempDir(), "saved.db")
	start := func() *receivertest.Process {
		p, err := receivertest.Start(t.Context(), receivertest.Options{Program: program, Config: dir, Store: store})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := start()
	if err := p.AddClicks(t.Context(), 1, func(int) string { return "c1" }); err != nil {
		t.Fatal(err)
	}
	sent := &sales{}
	var sender sync.WaitGroup
	sender.Go(func() { sent.send(t.Context(), p.Addr) })
	awaitCount(t, sent, 20)
	before := sent.count()
	if code, _, stderr := finish(t, nil, "backup", "--store", store, "--to", saved); code != 0 {
		t.Fatalf("backup: exit code %d, %s", code, stderr)
	}
	awaitCount(t, sent, before+1) // The receiver serves on.
	if code, _, stderr := finish(t, nil, "restore", "--store", store, "--from", saved); code != 1 ||
		!strings.Contains(stderr, "in use") {
		t.Errorf("restore beside a receiver: exit code %d, %s", code, stderr)
	}
	p.Kill()
	sender.Wait()
	if err := start().Stop(); err != nil { // It empties the write-ahead log into the file.
		t.Fatal(err)
	}
	damage(t, path)
	if code, _, stderr := finish(t, nil, "check", "--store", store); code != 1 || !strings.Contains(stderr, "damaged") {
		t.Errorf("check of a damaged store: exit code %d, %s", code, stderr)
	}
	if code, _, stderr := finish(t, nil, "--config", dir, "--store", store); code != 1 ||
		!strings.Contains(stderr, "damaged") {
		t.Errorf("a receiver on a damaged store: exit code %d, %s", code, stderr)
	}

	code, stdout, stderr := finish(t, nil, "restore", "--store", store, "--from", saved)
	if code != 0 || !strings.Contains(stdout, path+".replaced-") {
		t.Fatalf("restore: exit code %d, %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := finish(t, nil, "check", "--store", store); code != 0 || stdout != path+" is intact\n" {
		t.Errorf("check of the restored store: exit code %d, %s%s", code, stdout, stderr)
	}
	p = start()
	found := recordedTIDs(t, p)
	for i := 1; i <= before; i++ {
		if !found[fmt.Sprintf("t%d", i)] {
			t.Errorf("t%d was acknowledged before the backup and is missing", i)
		}
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

// damage overwrites what is behind the first pages of the file.
func damage(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < len(text); i++ {
		text[i] ^= 0x5a
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestErasingNeedsAStoreThatNoReceiverHas(t *testing.T) {
	dir, path := writeConfig(t), filepath.Join(t.TempDir(), "store.db")
	store := "sqlite://" + path
	p, err := receivertest.Start(t.Context(), receivertest.Options{Program: program, Config: dir, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if err := p.AddClicks(t.Context(), 1, func(int) string { return "c1" }); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + p.Addr + "/" + receivertest.Key +
		"/postback?subid=c1&status=sale&external_id=CANARY")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	erase := []string{"erase", "--store", store, "--parameter", "external_id=CANARY"}
	if code, _, stderr := finish(t, nil, erase...); code != 1 || !strings.Contains(stderr, "in use") {
		t.Errorf("beside a receiver: exit code %d, %s", code, stderr)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Erased from 1 clicks, 1 versions of conversions, 1 received postbacks",
		"Nothing was found"} {
		if code, stdout, stderr := finish(t, nil, erase...); code != 0 || !strings.HasPrefix(stdout, want) {
			t.Errorf("exit code %d, %s%s, want %s", code, stdout, stderr, want)
		}
	}
	if text, err := os.ReadFile(path); err != nil || bytes.Contains(text, []byte("CANARY")) {
		t.Errorf("it is still in the file: %v", err)
	}
}

func TestABackupCanBeStreamed(t *testing.T) {
	dir, path := writeConfig(t), filepath.Join(t.TempDir(), "store.db")
	p, err := receivertest.Start(t.Context(), receivertest.Options{Program: program, Config: dir,
		Store: "sqlite://" + path})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	code, stdout, stderr := finish(t, []string{"POSTBACK_STORE=sqlite://" + path}, "backup", "--to", "-")
	if code != 0 || !bytes.HasPrefix([]byte(stdout), []byte("SQLite format 3\x00")) {
		t.Errorf("exit code %d, %d bytes, %s", code, len(stdout), stderr)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*backup*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestACommandThatCannotWorkSaysWhyInOneLine(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	store := "sqlite://" + filepath.Join(dir, "store.db")
	for _, test := range []struct {
		name string
		code int
		want string
		args []string
	}{
		{"no store", 2, "--store is missing", []string{"backup", "--to", "x"}},
		{"no target", 2, "--to is missing", []string{"backup", "--store", store}},
		{"no source", 2, "--from is missing", []string{"restore", "--store", store}},
		{"a database server", 2, "pg_dump", []string{"check", "--store", "postgres://user:s3cret@host/db"}},
		{"an argument too many", 2, "unexpected argument", []string{"check", "--store", store, "now"}},
		{"an unknown flag", 2, "not defined", []string{"check", "--quick"}},
		{"a store that is not there", 1, "no such file", []string{"check", "--store", store}},
		{"reports without what to do", 2, "only rebuilt", []string{"reports", "--store", store}},
		{"reports of a store that is none", 1, "the store must be", []string{"reports", "rebuild", "--store", "x"}},
		{"nothing to erase", 2, "only one of them", []string{"erase", "--store", store}},
		{"two things to erase", 2, "only one of them",
			[]string{"erase", "--store", store, "--subid", "c1", "--ip", "192.0.2.1"}},
		{"an address that is none", 2, "--ip is no IP address", []string{"erase", "--store", store, "--ip", "s3cret"}},
		{"a text file", 1, "no SQLite database", []string{"check", "--store", "sqlite://" + text}},
		{"a backup that is none", 1, "no SQLite database", []string{"restore", "--store", store, "--from", text}},
	} {
		code, stdout, stderr := finish(t, nil, test.args...)
		if code != test.code || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.want) ||
			strings.Contains(stderr, "s3cret") {
			t.Errorf("%s: exit code %d, %q %q, want %d and one line with %q", test.name, code, stdout, stderr, test.code,
				test.want)
		}
	}
	if code, stdout, _ := finish(t, nil, "backup", "--help"); code != 0 || !strings.Contains(stdout, "receiver restore") {
		t.Errorf("--help: exit code %d, %s", code, stdout)
	}
}
