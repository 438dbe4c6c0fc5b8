package spool

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123000, time.UTC)

func mustOpen(tb testing.TB, dir string, o Options) *Spool {
	tb.Helper()
	s, err := Open(tb.Context(), dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// postback has a value in every field.
func postback(n int) ledger.Postback {
	id := uuid.UUID{15: byte(n)}
	ten, rate := decimal.RequireFromString("10.50"), decimal.RequireFromString("1.1")
	payout := money.Amount{Original: ten, Currency: "EUR", Converted: &ten,
		Rate: money.Rate{Value: rate, Date: noon, Source: "ecb"}}
	return ledger.Postback{
		Log: ledger.Received{
			ID: id, Endpoint: "shop/main", KeyID: "k1", At: noon.Add(time.Duration(n) * time.Second), Stamp: int64(n),
			IP:     "203.0.113.7",
			Method: "POST", Query: "subid=c&x=\u00e9\u2028\ufffd%00", Body: "status=sale", SubID: "c", TID: "t", Type: "sale",
			Outcome: conversion.Recorded, Reason: "r", Warnings: []conversion.Warning{conversion.PayoutAmbiguous},
			Conversion: id,
		},
		Intent: &conversion.Intent{
			Endpoint: "shop/main", SubID: "c", Slot: conversion.SlotKey{TID: "t", Type: "sale"}, Type: "sale", Status: "Sale",
			Payout: &payout, Cost: &payout, Date: noon, Params: conversion.Params{{Name: "sub_id_1", Value: "a"}}, From: "net",
			Warnings: []conversion.Warning{conversion.PayoutAmbiguous}, Received: noon, ReceivedIP: "203.0.113.7",
			RequestID: id, Stamp: int64(n), Redelivered: true,
			Rules: &conversion.Rules{
				Currency: "USD", DefaultPayout: &ten, MaxPayout: &ten,
				Forwards: []conversion.ForwardRule{{Name: "f", Types: []string{"sale"}, Resend: config.ResendOnAnyChange,
					Sources: []string{"s"}}},
				Policies: config.Policies{
					UnknownClick:  config.UnknownClickHold,
					HoldFor:       config.Duration(time.Hour),
					ClickLookback: config.Duration(time.Hour),
					Repeat:        config.RepeatAdd,
					Slot:          config.SlotTid,
					Transitions:   config.TransitionsAny,
				},
			},
		},
	}
}

func postbacks(from, to int) (all []ledger.Postback) {
	for n := from; n < to; n++ {
		all = append(all, postback(n))
	}
	return all
}

func appended(tb testing.TB, s *Spool, all []ledger.Postback) {
	tb.Helper()
	if err := s.Append(all); err != nil {
		tb.Fatal(err)
	}
}

func next(tb testing.TB, s *Spool, limit int) (seqs []int64, all []ledger.Postback) {
	tb.Helper()
	records, err := s.Next(limit)
	if err != nil {
		tb.Fatal(err)
	}
	for _, r := range records {
		seqs, all = append(seqs, r.Seq), append(all, r.Postback)
	}
	return seqs, all
}

func TestPostbacksComeBackWholeAndInOrderAlsoInTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	appended(t, s, postbacks(0, 3))
	appended(t, s, postbacks(3, 5))
	before := s.Status()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{})
	if after := s.Status(); after != before || after.Postbacks != 5 || !after.Oldest.Equal(noon) {
		t.Errorf("status %+v, before the restart %+v", after, before)
	}
	seqs, got := next(t, s, 4)
	if diff := cmp.Diff(postbacks(0, 4), got, cmpopts.EquateComparable()); diff != "" {
		t.Errorf("-appended +read:\n%s", diff)
	}
	if err := s.Remove(seqs[3]); err != nil {
		t.Fatal(err)
	}
	if _, got := next(t, s, 4); len(got) != 1 || got[0].Log.ID != postback(4).Log.ID {
		t.Errorf("after removing four of five: %+v", got)
	}
}

func TestNobodyElseReadsTheFiles(t *testing.T) {
	dir := t.TempDir()
	appended(t, mustOpen(t, dir, Options{}), postbacks(0, 3))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", file.Name(), info.Mode(), err)
		}
	}
}

func TestAnEmptiedSpoolTakesPostbacksAgain(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	for range 3 {
		appended(t, s, postbacks(0, 2))
		seqs, _ := next(t, s, 10)
		if len(seqs) != 2 {
			t.Fatalf("%d records, want 2", len(seqs))
		}
		if err := s.Remove(seqs[1]); err != nil {
			t.Fatal(err)
		}
		if got := s.Status(); got.Postbacks != 0 || got.Bytes != 0 || s.Len() != 0 {
			t.Errorf("emptied: %+v", got)
		}
	}
}

func TestASpoolIsBoundedInBytes(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{MaxBytes: 10_000, Clock: func() time.Time { return noon }})
	var n int
	var err error
	for ; err == nil && n < 100; n++ {
		err = s.Append(postbacks(n, n+1))
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	status := s.Status()
	if status.Bytes > 10_000 || status.Bytes < 5_000 || status.FailingSince != noon || status.Postbacks != n-1 {
		t.Errorf("status %+v after %d appended", status, n-1)
	}
	seqs, _ := next(t, s, 1)
	if err := s.Remove(seqs[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(postbacks(n, n+1)); err != nil || !s.Status().FailingSince.IsZero() {
		t.Errorf("with room again: %v, %+v", err, s.Status())
	}
}

// TestAFullDiskPromisesNothing bounds the pages of the file, which SQLite reports as a full disk.
func TestAFullDiskPromisesNothing(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	appended(t, s, postbacks(0, 1))
	if _, err := s.db.Exec("pragma max_page_count = 12"); err != nil {
		t.Fatal(err)
	}
	var stored int
	var err error
	for stored = 1; err == nil && stored < 1000; stored += 5 {
		err = s.Append(postbacks(stored, stored+5))
	}
	stored -= 5
	if !errors.Is(err, ErrFull) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	if err := s.Append(postbacks(0, 9)); !errors.Is(err, ErrFull) {
		t.Errorf("the second time: %v, want ErrFull", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{})
	if _, got := next(t, s, 10_000); len(got) != stored || s.Len() != stored {
		t.Errorf("%d records, want the %d that were promised", len(got), stored)
	}
}

// TestADiskThatLetsNothingBeDeletedLosesAndKeepsNothing: then delivered records are forgotten all the same, and the
// file is replaced once none is left.
func TestADiskThatLetsNothingBeDeletedLosesAndKeepsNothing(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	appended(t, s, postbacks(0, 4))
	if _, err := s.db.Exec("create trigger t before delete on queue begin select raise(abort, 'no'); end"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(3); err == nil || s.Len() != 1 {
		t.Errorf("removing three of four: %v, %d left", err, s.Len())
	}
	if seqs, _ := next(t, s, 10); !cmp.Equal(seqs, []int64{4}) {
		t.Errorf("records %v, want the last one", seqs)
	}
	if err := s.Remove(4); err != nil || s.Status() != (ledger.SpoolStatus{Limit: 1 << 30}) {
		t.Errorf("removing the last: %v, %+v", err, s.Status())
	}
	appended(t, s, postbacks(4, 6))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{})
	if _, got := next(t, s, 10); len(got) != 2 || got[0].Log.ID != postback(4).Log.ID {
		t.Errorf("after the restart %d records, want the two new ones", len(got))
	}
}

func TestAnUnreadableRecordIsADeadLetter(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	appended(t, s, postbacks(0, 3))
	if _, err := s.db.Exec("update queue set body = '{\"Log\":7}' where seq = 2"); err != nil {
		t.Fatal(err)
	}
	if seqs, _ := next(t, s, 10); !cmp.Equal(seqs, []int64{1, 3}) {
		t.Errorf("records %v, want 1 and 3", seqs)
	}
	var reason, body string
	if err := s.db.QueryRow("select error, body from dead where seq = 2").Scan(&reason, &body); err != nil {
		t.Fatal(err)
	}
	if got := s.Status(); got.Dead != 1 || got.Postbacks != 2 || !strings.Contains(reason, "cannot unmarshal") ||
		body != `{"Log":7}` {
		t.Errorf("status %+v, reason %q, body %q", got, reason, body)
	}
}

func TestDeadLetteringWhatIsNotThereIsAnError(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	if err := s.DeadLetter(7, errors.New("poison")); err == nil || s.Status().Dead != 0 {
		t.Errorf("got %v, %+v", err, s.Status())
	}
}

func TestADirectoryHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, Options{})
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
}

func TestWhatIsNoSpoolIsLeftAlone(t *testing.T) {
	text := strings.Repeat("no database\n", 1000)
	for name, create := range map[string]func(path string) error{
		"a text": func(path string) error { return os.WriteFile(path, []byte(text), 0o600) },
		"another program's database": func(path string) error {
			return execFile(path, "create table theirs (n int)")
		},
		"a spool of a newer program": func(path string) error {
			return execFile(path, fmt.Sprintf("create table queue (n int); pragma application_id = %d; pragma user_version = %d",
				applicationID, version+1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "spool.db")
			if err := create(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrFormat) {
				t.Errorf("got %v, want ErrFormat", err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed, or cannot be read: %v", err)
			}
		})
	}
}

func execFile(path, script string) error {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	_, err = db.Exec(script)
	return errors.Join(err, db.Close())
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"Log":{"ID":"00000000-0000-0000-0000-000000000001","At":"2026-03-01T12:00:00Z"},"Intent":null}`))
	f.Add([]byte(`{"Log":7}`))
	f.Add([]byte("\x00"))
	s := mustOpen(f, f.TempDir(), Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := s.db.Exec("insert into queue (at, body) values (0, ?)", append([]byte{}, body...)); err != nil {
			t.Fatal(err)
		}
		s.status.Postbacks++
		seqs, _ := next(t, s, 10)
		for _, seq := range seqs {
			if err := s.Remove(seq); err != nil {
				t.Fatal(err)
			}
		}
		if s.Len() != 0 {
			t.Errorf("%d records left", s.Len())
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	s := mustOpen(b, b.TempDir(), Options{})
	batch := postbacks(0, 64)
	for b.Loop() {
		appended(b, s, batch)
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "postbacks/s")
}
