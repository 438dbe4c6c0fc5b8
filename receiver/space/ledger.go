package space

import (
	"context"
	"errors"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ratelimit"
)

// ErrNoSpace means that the volume has no room for this but the reserve. Nothing was stored.
var ErrNoSpace = errors.New("the store's volume has no room left but its reserve")

// maxRefused bounds the query and body together that the received log keeps of a refused request, in bytes.
const maxRefused = 1 << 10

// refusedRows is how many refused requests of an endpoint the received log keeps: a day's take 90 MB at most.
var refusedRows = ratelimit.Limit{PerSecond: 1, Burst: 60}

// Book is the part of the ledger that senders reach: see [ledger.Ledger].
type Book interface {
	Postback(ctx context.Context, p ledger.Postback) (ledger.Result, error)
	AddClicks(ctx context.Context, clicks []conversion.Click) ([]ledger.ClickResult, error)
	UpdateClick(ctx context.Context, u ledger.ClickUpdate) (*conversion.Click, error)
}

// Options of a [Ledger]. Book, Unlogged and Clock are mandatory.
type Options struct {
	Book Book
	// Level says what the store's volume has no room for; nil = it has room for everything.
	Level func() Level
	// Unlogged is called for each refused request that the received log does not keep.
	Unlogged func()
	Clock    func() time.Time
}

// Ledger is a [Book] in front of another that hands on what there is room for.
type Ledger struct {
	Options
	refused *ratelimit.Limiter
}

// NewLedger returns a ledger in front of o.Book.
func NewLedger(o Options) *Ledger {
	if o.Level == nil {
		o.Level = func() Level { return Everything }
	}
	return &Ledger{Options: o, refused: ratelimit.NewLimiter()}
}

// Postback records a postback, as [ledger.Ledger.Postback] does, with as much of its row as there is room for. The row
// of a refused request may be left out: what the request gets for an answer is the same. [ErrNoSpace] if there is no
// room.
func (l *Ledger) Postback(ctx context.Context, p ledger.Postback) (ledger.Result, error) {
	level := l.Level()
	if p.Log.Outcome == conversion.Refused {
		if level >= NoPostbacks || !l.refused.Allow(p.Log.Endpoint, refusedRows, netip.Addr{}, l.Clock()) {
			l.Unlogged()
			return ledger.Result{Outcome: p.Log.Outcome, Reason: p.Log.Reason, Warnings: p.Log.Warnings}, nil
		}
		p.Log.Query = head(p.Log.Query, maxRefused)
		p.Log.Body = head(p.Log.Body, maxRefused-len(p.Log.Query))
	}
	if level >= NoPostbacks {
		return ledger.Result{}, ErrNoSpace
	}
	return l.Book.Postback(ctx, level.Shorten(p))
}

// AddClicks stores clicks as [ledger.Ledger.AddClicks] does, or none: [ErrNoSpace].
func (l *Ledger) AddClicks(ctx context.Context, clicks []conversion.Click) ([]ledger.ClickResult, error) {
	if l.Level() >= NoClicks {
		return nil, ErrNoSpace
	}
	return l.Book.AddClicks(ctx, clicks)
}

// UpdateClick changes a click as [ledger.Ledger.UpdateClick] does, if there is room, else [ErrNoSpace]. It can be read
// always.
func (l *Ledger) UpdateClick(ctx context.Context, u ledger.ClickUpdate) (*conversion.Click, error) {
	if len(u.Params) > 0 && l.Level() >= NoClicks {
		return nil, ErrNoSpace
	}
	return l.Book.UpdateClick(ctx, u)
}

// head returns at most n bytes of a text, cut between two characters.
func head(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
