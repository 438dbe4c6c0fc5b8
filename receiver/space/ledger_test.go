package space

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// book keeps what it is given.
type book struct {
	rows    []ledger.Received
	clicks  int
	updates []ledger.ClickUpdate
}

func (b *book) Postback(_ context.Context, p ledger.Postback) (ledger.Result, error) {
	b.rows = append(b.rows, p.Log)
	return ledger.Result{Outcome: p.Log.Outcome, Reason: p.Log.Reason}, nil
}

func (b *book) AddClicks(_ context.Context, clicks []conversion.Click) ([]ledger.ClickResult, error) {
	b.clicks += len(clicks)
	return make([]ledger.ClickResult, len(clicks)), nil
}

func (b *book) UpdateClick(_ context.Context, u ledger.ClickUpdate) (*conversion.Click, error) {
	b.updates = append(b.updates, u)
	return &conversion.Click{SubID: u.SubID}, nil
}

// rig is a ledger in front of a book, at a time that the test sets.
type rig struct {
	*Ledger
	book     *book
	level    Level
	unlogged int
	now      time.Time
}

func newRig() *rig {
	r := &rig{book: &book{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	r.Ledger = NewLedger(Options{
		Book:     r.book,
		Level:    func() Level { return r.level },
		Unlogged: func() { r.unlogged++ },
		Clock:    func() time.Time { return r.now },
	})
	return r
}

// send sends a postback with that outcome, whose query and body have so many bytes.
func (r *rig) send(t *testing.T, endpoint string, outcome conversion.Outcome, query, body int) error {
	t.Helper()
	p := ledger.Postback{Log: ledger.Received{
		Endpoint: endpoint, Outcome: outcome, Reason: conversion.IPNotAllowed,
		Query: strings.Repeat("q", query), Body: strings.Repeat("b", body),
	}}
	got, err := r.Postback(t.Context(), p)
	if want := (ledger.Result{Outcome: outcome, Reason: conversion.IPNotAllowed}); err == nil && !cmp.Equal(got, want) {
		t.Errorf("the postback got %+v, want %+v", got, want)
	}
	return err
}

func TestARefusedRequestIsKeptInAKibibyte(t *testing.T) {
	for name, c := range map[string]struct {
		outcome                                conversion.Outcome
		query, body, wantQuery, wantBody, rows int
	}{
		"a short one is kept whole":                {conversion.Refused, 600, 424, 600, 424, 1},
		"a long query leaves no room for the body": {conversion.Refused, 16 << 10, 64 << 10, 1 << 10, 0, 1},
		"a long body gets what the query leaves":   {conversion.Refused, 24, 64 << 10, 24, 1000, 1},
		"an ignored one can be judged again":       {conversion.Ignored, 16 << 10, 64 << 10, 16 << 10, 64 << 10, 1},
		"a recorded one too":                       {conversion.Recorded, 16 << 10, 64 << 10, 16 << 10, 64 << 10, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			if err := r.send(t, "default/shop", c.outcome, c.query, c.body); err != nil || len(r.book.rows) != 1 {
				t.Fatalf("%v, %d rows", err, len(r.book.rows))
			}
			if row := r.book.rows[0]; len(row.Query) != c.wantQuery || len(row.Body) != c.wantBody {
				t.Errorf("the query has %d bytes and the body %d, want %d and %d", len(row.Query), len(row.Body), c.wantQuery,
					c.wantBody)
			}
		})
	}
}

func TestWhatIsCutOffStaysText(t *testing.T) {
	long := strings.Repeat("ж", maxRefused) // two bytes each
	for n := range 6 {
		if got := head(long, n); !utf8.ValidString(got) || len(got) > n || len(got) < n-1 {
			t.Errorf("head of %d bytes is %q", n, got)
		}
	}
}

func TestRefusedRequestsOfAnEndpointAreKeptSeldom(t *testing.T) {
	r := newRig()
	for range 1000 {
		if err := r.send(t, "default/flooded", conversion.Refused, 10, 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.book.rows) != 60 || r.unlogged != 940 {
		t.Errorf("of 1,000 at once %d are kept and %d counted, want 60 and 940", len(r.book.rows), r.unlogged)
	}
	if err := r.send(t, "default/other", conversion.Refused, 10, 0); err != nil || len(r.book.rows) != 61 {
		t.Errorf("another endpoint's is not kept: %v", err)
	}
	if err := r.send(t, "default/flooded", conversion.Ignored, 10, 0); err != nil || len(r.book.rows) != 62 {
		t.Errorf("an ignored postback of the flooded endpoint is not kept: %v", err)
	}
	r.now = r.now.Add(10 * time.Second)
	for range 1000 {
		if err := r.send(t, "default/flooded", conversion.Refused, 10, 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.book.rows) != 72 {
		t.Errorf("%d are kept after ten seconds more, want 10", len(r.book.rows)-62)
	}
}

func TestLessIsRecordedWhileAVolumeFillsUp(t *testing.T) {
	type kept struct {
		Click, Update, Read, Postback, Query, Refused bool
	}
	for level, want := range map[Level]kept{
		Everything:  {Click: true, Update: true, Read: true, Postback: true, Query: true, Refused: true},
		NoClicks:    {Read: true, Postback: true, Query: true, Refused: true},
		NoQueries:   {Read: true, Postback: true, Refused: true},
		NoPostbacks: {Read: true},
	} {
		t.Run(level.String(), func(t *testing.T) {
			r := newRig()
			r.level = level
			has := func(err error) bool {
				if err != nil && !errors.Is(err, ErrNoSpace) {
					t.Fatal(err)
				}
				return err == nil
			}
			var got kept
			_, err := r.AddClicks(t.Context(), make([]conversion.Click, 2))
			got.Click = has(err) && r.book.clicks == 2
			_, err = r.UpdateClick(t.Context(), ledger.ClickUpdate{Params: conversion.Params{{Name: "keyword", Value: "shoes"}}})
			got.Update = has(err)
			_, err = r.UpdateClick(t.Context(), ledger.ClickUpdate{})
			got.Read = has(err)
			got.Postback = has(r.send(t, "default/shop", conversion.Ignored, 100, 100))
			got.Query = got.Postback && r.book.rows[0].Query != "" && r.book.rows[0].Body != ""
			before := len(r.book.rows)
			if err := r.send(t, "default/shop", conversion.Refused, 100, 100); err != nil {
				t.Errorf("a refused request got %v", err) // Whatever there is room for, its answer is that it is refused.
			}
			got.Refused = len(r.book.rows) > before
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}
