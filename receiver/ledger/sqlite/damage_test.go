package sqlite

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const pageSize = 4096

// TestADamagedFileIsCalledDamaged by whoever meets it: at the opening, in use, by the check.
func TestADamagedFileIsCalledDamaged(t *testing.T) {
	intact := filepath.Join(t.TempDir(), "ledger.db")
	store, err := Open(t.Context(), intact, Options{})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, store, 100)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(intact)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(text []byte) {
		for i := range text {
			text[i] ^= 0x5a
		}
	}
	for name, damage := range map[string]func(text []byte) []byte{
		"its beginning":                func(text []byte) []byte { flip(text[:16]); return text },
		"the schema":                   func(text []byte) []byte { flip(text[100:pageSize]); return text },
		"a table":                      func(text []byte) []byte { flip(text[len(text)/2:]); return text },
		"every page's first byte":      func(text []byte) []byte { flipEvery(text[pageSize:]); return text },
		"the end, which is cut off":    func(text []byte) []byte { return text[:len(text)/2/pageSize*pageSize] },
		"zeros where a table has been": func(text []byte) []byte { clear(text[len(text)/2:]); return text },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			if err := os.WriteFile(path, damage(bytes.Clone(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := Check(t.Context(), path); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("check: %v", err)
			}
			if err := use(t, path); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("use: %v", err)
			}
		})
	}
}

// flipEvery changes the byte that says what a page is.
func flipEvery(text []byte) {
	for i := 0; i < len(text); i += pageSize {
		text[i] ^= 0x5a
	}
}

// use opens a store, reads it, and writes to it. Once it knows that it is damaged it takes nothing more and says so
// once.
func use(t *testing.T, path string) error {
	t.Helper()
	var log bytes.Buffer
	store, err := Open(t.Context(), path, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	var found error
	for _, err := range store.Received(t.Context(), ledger.ReceivedFilter{}) {
		found = err
	}
	if found == nil {
		return nil
	}
	for range 2 {
		if err := store.Ping(t.Context()); !errors.Is(err, ledger.ErrCorrupt) || !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("ping: %v", err)
		}
	}
	if told := strings.Count(log.String(), "level=ERROR"); told != 1 ||
		!strings.Contains(log.String(), "restore a backup") {
		t.Errorf("%d errors in the log: %s", told, log.String())
	}
	return found
}
