// Package clicktest is what tests of visitors' clicks share: a book in memory, and an endpoint with campaigns.
package clicktest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/click"
	"github.com/postback-dev/postback-operator/receiver/click/unique"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// Token is the click API's of the campaign spring.
const Token = "campaign-token-7d2k"

// Noon is when tests happen.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Book is a ledger in memory.
type Book struct {
	mu     sync.Mutex
	Clicks []conversion.Click
	// Err is what it answers.
	Err error
	// Accepted, Unstored and Limited are what the observer was told.
	Accepted, Unstored, Limited int
}

// AddClicks implements [click.Recorder].
func (b *Book) AddClicks(ctx context.Context, clicks []conversion.Click) ([]ledger.ClickResult, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := errors.Join(b.Err, ctx.Err()); err != nil {
		return nil, err
	}
	b.Clicks = append(b.Clicks, clicks...)
	return make([]ledger.ClickResult, len(clicks)), nil
}

// UpdateClick implements [click.Ledger].
func (b *Book) UpdateClick(ctx context.Context, u ledger.ClickUpdate) (*conversion.Click, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := errors.Join(b.Err, ctx.Err()); err != nil {
		return nil, err
	}
	for i := range b.Clicks {
		c := &b.Clicks[i]
		if c.Endpoint != u.Endpoint || c.SubID != u.SubID || u.Campaign != "" && c.Campaign != u.Campaign {
			continue
		}
		if updated := c.With(u.Params, u.Proven); updated != nil {
			*c = *updated
		}
		found := *c
		return &found, nil
	}
	return nil, nil
}

// observer implements [click.Observer].
type observer struct{ *Book }

func (o observer) Clicks(accepted, _, _ int) { o.Accepted += accepted }
func (o observer) ClicksUnstored(n int)      { o.Unstored += n }
func (o observer) ClicksLimited(n int)       { o.Limited += n }

// Store returns a store of clicks on the book.
func (b *Book) Store() *click.Store {
	return &click.Store{
		Ledger:   b,
		Observer: observer{b},
		Visitors: unique.New(),
		Timeout:  time.Minute,
		Logger:   slog.New(slog.DiscardHandler),
	}
}

// Endpoint returns an endpoint in USD with the campaigns spring (alias QwErTy) and autumn (alias autumn), whose pages
// on https://shop.example may report leads and sales.
func Endpoint() config.Endpoint {
	e := receivertest.Endpoint()
	e.Campaigns = []config.Campaign{
		{
			Name: "autumn", Alias: "autumn", OfferURL: "https://other.example/",
		},
		{
			Name: "spring", Alias: "QwErTy", Tokens: []config.Key{{ID: "ct1", SHA256: config.Digest(Token)}},
			OfferURL: "https://offer.example/go?clickid={subid}&c={campaign}&kw={keyword}&src={source}&z={zone}" +
				"&cost={cost}{currency}#{sub_id_2}",
			Source: "adnet",
			Parameters: map[string][]string{
				config.ParamKeyword: {"kw", "utm_term"}, config.ParamExternalID: {"click"}, config.ParamCost: {"bid"},
				"sub_id_1": {"zone"},
			},
			Cost: &config.Cost{Amount: "0.05", Currency: "EUR"},
		},
	}
	return e
}

// VisitorToken returns the token that a visitor of spring has for the click.
func VisitorToken(t *testing.T, subid string) string {
	t.Helper()
	return visit.Token(Snapshot(t, Endpoint()).ByAlias("QwErTy"), &conversion.Click{SubID: subid})
}

// Snapshot returns what serves endpoints, on a fleet that trusts proxies on loopback.
func Snapshot(t *testing.T, endpoints ...config.Endpoint) *endpoint.Snapshot {
	t.Helper()
	fleet := receivertest.Fleet()
	fleet.TrustedProxies = []string{"127.0.0.0/8"}
	c := &config.Config{Revision: "0123456789abcdef", Fleet: fleet, Endpoints: endpoints}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	snapshot, err := endpoint.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}
