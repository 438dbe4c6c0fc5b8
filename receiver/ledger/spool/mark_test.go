package spool

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// crash copies the files of an open spool, as a machine that loses its power leaves them.
func crash(t *testing.T, dir string) string {
	t.Helper()
	after := t.TempDir()
	for _, name := range []string{"spool.db", "spool.db-wal", "spool.count"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(after, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return after
}

// garbleTail flips the last bytes of the write-ahead log, which SQLite takes for a log that ends earlier.
func garbleTail(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "spool.db-wal")
	data, err := os.ReadFile(path)
	if err != nil || len(data) < 100 {
		t.Fatalf("%d bytes of log: %v", len(data), err)
	}
	for i := range 100 {
		data[len(data)-1-i] ^= 0xff
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func seqs(t *testing.T, s *Spool) (found []int64) {
	t.Helper()
	records, err := s.Next(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		found = append(found, r.Seq)
	}
	return found
}

func TestADamagedTailIsReported(t *testing.T) {
	before := mustOpen(t, t.TempDir(), Options{})
	dir := filepath.Dir(before.path)
	for n := range 3 {
		if err := before.Append(postbacks(n, n+1)); err != nil {
			t.Fatal(err)
		}
	}
	damaged := crash(t, dir)
	garbleTail(t, damaged)

	var log bytes.Buffer
	s := mustOpen(t, damaged, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	status := s.Status()
	if status.Postbacks+int(status.Missing) != 3 || status.Missing == 0 {
		t.Fatalf("%+v, want 3 postbacks, some of them missing", status)
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "missing=") {
		t.Errorf("log: %s", log.String())
	}
	if err := s.Append(postbacks(3, 4)); err != nil {
		t.Fatal(err)
	}
	if found := seqs(t, s); found[len(found)-1] != 4 {
		t.Errorf("records %v, want the number after those that are missing", found)
	}
	if again := mustOpen(t, crash(t, damaged), Options{}).Status(); again.Missing != status.Missing {
		t.Errorf("%d missing after another start, want %d still", again.Missing, status.Missing)
	}
}

func TestADamagedFileIsCalledDamaged(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	for n := range 20 {
		if err := s.Append(postbacks(n, n+1)); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Dir(s.path)
	if err := s.db.Close(); err != nil { // It copies the log into the file.
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]int{"its beginning": 0, "its tables": 4096} {
		for i := from; i < len(text); i++ {
			text[i] ^= 0x5a
		}
		if err := os.WriteFile(s.path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", name, err)
		}
		for i := from; i < len(text); i++ {
			text[i] ^= 0x5a
		}
	}
}

func TestWhatWasDeliveredIsNotMissing(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	dir := filepath.Dir(s.path)
	if err := s.Append(postbacks(0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(3); err != nil {
		t.Fatal(err)
	}
	if status := mustOpen(t, crash(t, dir), Options{}).Status(); status.Missing != 0 {
		t.Errorf("intact: %+v", status)
	}
	damaged := crash(t, dir)
	if err := os.WriteFile(filepath.Join(damaged, "spool.db-wal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if status := mustOpen(t, damaged, Options{}).Status(); status.Missing != 0 {
		t.Errorf("without its log: %+v", status)
	}
}

func TestACountThatIsDamagedItselfLeavesTheOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.count")
	m, err := openMark(osFiles{}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.close() }()
	for n := range int64(3) {
		if err := m.write(counts{acknowledged: n + 19, done: n + 8, missing: 70}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.file.WriteAt([]byte("X"), 3%2*markSize+5); err != nil { // the last one, half written
		t.Fatal(err)
	}
	found, err := openMark(osFiles{}, path)
	if err != nil || found.counts != (counts{acknowledged: 20, done: 9, missing: 70}) {
		t.Errorf("%+v %v", found, err)
	}
	_ = found.close()
}
