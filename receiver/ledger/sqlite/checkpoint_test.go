package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// fill writes n rows of 10 kB to the received log.
func fill(t *testing.T, store *Store, n int) {
	t.Helper()
	err := store.Transact(t.Context(), ledger.Want{}, func(*ledger.Book) *ledger.Changes {
		changes := &ledger.Changes{}
		for i := range n {
			changes.Received = append(changes.Received, ledger.Received{
				ID: uuid.Must(uuid.NewV7()), At: time.Now(), Endpoint: "shop/main", Outcome: conversion.Ignored,
				SubID: fmt.Sprint(i), Query: strings.Repeat("x", 10_000),
			})
		}
		return changes
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestALongLogIsEmptiedOnceNobodyReadsInIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	store, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	size := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	empty := func() {
		store.checkpoints.full.Store(true)
		if err := store.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, store, 300)
	long := size()
	for _, err := range store.Received(t.Context(), ledger.ReceivedFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		fill(t, store, 1)
		if empty(); size() < long {
			t.Errorf("the log shrank from %d to %d bytes under a reader", long, size())
		}
		break
	}
	if empty(); size() >= long/10 {
		t.Errorf("the log still has %d of %d bytes", size(), long)
	}
}

func TestTheLogIsCopiedBesideTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	store, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	fill(t, store, 300)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(checkpointEvery) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 300*10_000 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the file has %d bytes after a minute", info.Size())
		}
	}
}
