package click

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/postback"
)

// Patience is how long a visitor waits for the store at most: less than a postback, since he may give up.
const Patience = 3 * time.Second

// Book is the part of the ledger that visitors' clicks need.
type Book interface {
	Recorder
	// UpdateClick lays fields over a click; it is nil where there is no such click.
	UpdateClick(ctx context.Context, u ledger.ClickUpdate) (*conversion.Click, error)
}

// Keeper stores the clicks of visitors, who wait. All fields are mandatory.
type Keeper struct {
	Ledger   Book
	Observer Observer
	// Patience bounds how long a visitor waits for the store.
	Patience time.Duration
	Logger   *slog.Logger
}

// Add reports whether the click is durable. It does not wait longer than the patience, and not less when the visitor has
// gone: that must not decide about his click.
func (k *Keeper) Add(ctx context.Context, click *conversion.Click) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.Patience)
	defer cancel()
	if _, err := k.Ledger.AddClicks(ctx, []conversion.Click{*click}); err != nil {
		k.Observer.ClicksUnstored(1)
		k.report("Click not stored", click.Endpoint, err)
		return false
	}
	// A click of a new subid that is there already is this one: the store lost the answer of a commit.
	k.Observer.Clicks(1, 0, 0)
	return true
}

// Update lays params over a click of a campaign and returns it once that is durable: nil if the campaign has none of that
// subid. ok is false when the store did not answer.
func (k *Keeper) Update(
	ctx context.Context, c *endpoint.Campaign, subid string, params conversion.Params,
) (click *conversion.Click, ok bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.Patience)
	defer cancel()
	click, err := k.Ledger.UpdateClick(ctx, ledger.ClickUpdate{
		Endpoint: c.Endpoint.Name, SubID: subid, Campaign: c.Name, Params: params,
	})
	if err != nil {
		k.report("Click not updated", c.Endpoint.Name, err)
	}
	return click, err == nil
}

// report says what the ledger does not say itself: that it is away it says once, this would say it for every visitor.
func (k *Keeper) report(message, endpointName string, err error) {
	level := slog.LevelDebug
	if errors.Is(err, ledger.ErrPoisoned) {
		level = slog.LevelError
	}
	k.Logger.Log(context.Background(), level, message, "endpoint", endpointName, "error", err)
}

// Source returns the visitor's address.
func Source(r *http.Request, trusted []netip.Prefix) netip.Addr {
	return postback.SourceIP(peer(r), r.Header.Values("X-Forwarded-For"), trusted)
}

// IsSecure reports whether the visitor's browser speaks TLS, to the receiver itself or to a trusted proxy.
func IsSecure(r *http.Request, trusted []netip.Prefix) bool {
	return r.TLS != nil ||
		strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") && postback.FromTrustedProxy(peer(r), trusted)
}

// peer is the other end of the connection; the zero address where that is none of IP.
func peer(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return addr.Addr()
}
