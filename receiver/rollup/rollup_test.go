package rollup

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// store has so many rows of changes, taken one at a time.
type store struct {
	left, leases int
	taken        bool
	err          error
}

func (s *store) FoldReports(context.Context) (int, error) {
	if s.left == 0 || s.err != nil {
		return 0, s.err
	}
	s.left--
	return 1, nil
}

func (s *store) ReportsBehind(context.Context) (time.Time, error) {
	if s.left == 0 {
		return time.Time{}, nil
	}
	return noon.Add(-time.Minute), nil
}

func (s *store) Lease(_ context.Context, _, _ string, _, _ time.Time) (bool, error) {
	s.leases++
	return !s.taken, nil
}

func worker(s *store) (*Worker, *[]time.Duration) {
	var lags []time.Duration
	return New(Options{
		Store:  s,
		Holder: "me",
		Clock:  func() time.Time { return noon },
		Logger: slog.New(slog.DiscardHandler),
		Lag:    func(d time.Duration) { lags = append(lags, d) },
	}), &lags
}

func TestATurnFoldsEverythingUnderOneLease(t *testing.T) {
	s := &store{left: 3}
	w, lags := worker(s)
	for range 2 {
		if err := w.Turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.left += 2 * (1 - len(*lags)/2)
	}
	if s.leases != 1 || (*lags)[0] != time.Minute {
		t.Errorf("%d leases, lags %v", s.leases, *lags)
	}
}

func TestNothingToFoldNeedsNoLease(t *testing.T) {
	s := &store{}
	w, lags := worker(s)
	if err := w.Turn(t.Context()); err != nil || s.leases != 0 || len(*lags) != 1 || (*lags)[0] != 0 {
		t.Errorf("%v, %d leases, lags %v", err, s.leases, *lags)
	}
}

func TestAnotherReceiversWorkIsLeftAlone(t *testing.T) {
	s := &store{left: 1, taken: true}
	w, _ := worker(s)
	if err := w.Turn(t.Context()); err != nil || s.left != 1 {
		t.Errorf("%v, %d left", err, s.left)
	}
}

func TestAFailureEndsTheTurn(t *testing.T) {
	s := &store{left: 1, err: errors.New("away")}
	w, _ := worker(s)
	if err := w.Turn(t.Context()); !errors.Is(err, s.err) {
		t.Errorf("%v", err)
	}
}
