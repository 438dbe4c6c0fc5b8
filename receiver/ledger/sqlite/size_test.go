package sqlite

import (
	"encoding/binary"
	"path/filepath"
	"testing"
	"time"
)

func TestWhatWasDeletedIsReusable(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if got, err := store.Reusable(); got != 0 || err != nil {
		t.Errorf("%d bytes of a new store are reusable: %v", got, err)
	}
	fill(t, store, 300)
	if n, err := store.Prune(t.Context(), time.Now().Add(time.Hour), time.Time{}, 1000); n != 300 || err != nil {
		t.Fatalf("%d rows were deleted: %v", n, err)
	}
	var want int64
	row := store.reader.QueryRowContext(t.Context(),
		"select f.freelist_count * p.page_size from pragma_freelist_count f, pragma_page_size p")
	if err := row.Scan(&want); err != nil {
		t.Fatal(err)
	}
	if want < 300*10_000 {
		t.Fatalf("SQLite says that %d bytes are free", want)
	}
	store.checkpoints.full.Store(true) // The header gets into the file with the next checkpoint.
	if err := store.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Reusable(); got != want || err != nil {
		t.Errorf("%d bytes are reusable, want %d: %v", got, want, err)
	}
}

func TestTheGreatestPageSizeIsWrittenAsOne(t *testing.T) {
	var header [100]byte
	binary.BigEndian.PutUint16(header[16:], 1)
	binary.BigEndian.PutUint32(header[36:], 3)
	if got := reusable(header[:]); got != 3<<16 {
		t.Error(got)
	}
}
