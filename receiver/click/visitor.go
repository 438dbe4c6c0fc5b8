package click

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/postback-dev/postback-operator/receiver/click/unique"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// VisitorTimeout is how long a visitor waits for the store at most: less than a postback, since visitors give up.
const VisitorTimeout = 3 * time.Second

// Ledger is the part of the ledger that visitors' clicks need.
type Ledger interface {
	Recorder
	// UpdateClick adds fields to a click; it is nil if there is no such click.
	UpdateClick(ctx context.Context, u ledger.ClickUpdate) (*conversion.Click, error)
}

// Store stores the clicks of visitors, who wait for it. All fields are mandatory.
type Store struct {
	Ledger   Ledger
	Observer Observer
	// Visitors tell unique visits.
	Visitors *unique.Visitors
	// Timeout bounds how long a visitor waits.
	Timeout time.Duration
	Logger  *slog.Logger
}

// AddVisit adds the click of a visit and says in it whether the visit is unique: a test is not, and keeps no later
// visit from being so. It reports whether the click is durable, as Add does.
func (s *Store) AddVisit(ctx context.Context, v visit.Visit, click *conversion.Click) bool {
	if click.Test {
		return s.Add(ctx, click)
	}
	click.Unique = s.Visitors.First(v)
	stored := s.Add(ctx, click)
	if !stored {
		s.Visitors.Forget(v)
	}
	return stored
}

// Add reports whether the click is durable. It waits at most for the timeout, also when the visitor has gone: that does
// not decide about the click.
func (s *Store) Add(ctx context.Context, click *conversion.Click) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeout)
	defer cancel()
	if _, err := s.Ledger.AddClicks(ctx, []conversion.Click{*click}); err != nil {
		s.Observer.ClicksUnstored(1)
		s.report("Click not stored", click.Endpoint, err)
		return false
	}
	// A click of a new subid that is there already is this one: the store lost the answer of a commit.
	s.Observer.Clicks(1, 0, 0)
	return true
}

// Update adds params to a click of a campaign and returns it once that is durable: nil if the campaign has none of that
// subid. proven as in [conversion.Click.With]. ok is false if the store did not answer.
func (s *Store) Update(
	ctx context.Context, c *endpoint.Campaign, subid string, params conversion.Params, proven bool,
) (click *conversion.Click, ok bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeout)
	defer cancel()
	return s.update(ctx, ledger.ClickUpdate{
		Endpoint: c.Endpoint.Name,
		SubID:    subid,
		Campaign: c.Name,
		Params:   params,
		Proven:   proven,
	})
}

// maxSearched bounds at how many endpoints [Store.UpdateAny] looks for one click.
const maxSearched = 64

// UpdateAny is Update, without proof, for a click of any campaign of the endpoints, of which it searches the first 64.
func (s *Store) UpdateAny(
	ctx context.Context, endpoints []*endpoint.Endpoint, subid string, params conversion.Params,
) (click *conversion.Click, ok bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeout)
	defer cancel()
	ok = true
	for _, e := range endpoints[:min(len(endpoints), maxSearched)] {
		found, answered := s.update(ctx, ledger.ClickUpdate{Endpoint: e.Name, SubID: subid, Params: params})
		if found != nil {
			return found, true
		}
		ok = ok && answered
	}
	return nil, ok
}

func (s *Store) update(ctx context.Context, u ledger.ClickUpdate) (*conversion.Click, bool) {
	click, err := s.Ledger.UpdateClick(ctx, u)
	if err != nil {
		s.report("Click not updated", u.Endpoint, err)
	}
	return click, err == nil
}

// report logs what the ledger does not log itself. That it is away the ledger logs once; here it would be once a
// visitor.
func (s *Store) report(message, endpointName string, err error) {
	level := slog.LevelDebug
	if errors.Is(err, ledger.ErrPoisoned) {
		level = slog.LevelError
	}
	s.Logger.Log(context.Background(), level, message, "endpoint", endpointName, "error", err)
}
