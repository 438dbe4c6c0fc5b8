// Package offline judges postbacks by a declaration in a file: it is rendered as the operator would, and judged by the
// code of the receivers, with no cluster and no receiver. Here alone the plugin imports both.
package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/declared"
	render "github.com/postback-dev/postback-operator/controllers/offline"
	"github.com/postback-dev/postback-operator/receiver/api"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/explain"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/server"
)

// Judge judges the postbacks of one endpoint. What it records counts for those after it.
type Judge struct {
	// Endpoint is "namespace/name".
	Endpoint  string
	explainer *explain.Explainer
	ledger    *ledgerOfCases
	// next is when the next postback arrives, if it does not say: one after the other, since of two of the same moment
	// none is later.
	next time.Time
}

// New renders the declaration and returns its judge. Currencies are converted by the fixed rates of the declaration:
// no provider is asked.
func New(ctx context.Context, from declared.Source, stdin io.Reader, now time.Time) (*Judge, error) {
	dir, err := os.MkdirTemp("", "postback-explain-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // keys that were generated for nobody
	configuration, err := rendered(ctx, from, stdin, dir, now)
	if err != nil {
		return nil, err
	}
	snapshot, err := endpoint.Build(configuration.Config)
	if err != nil {
		return nil, err
	}
	table, err := rates(configuration.Config)
	if err != nil {
		return nil, err
	}
	j := &Judge{
		Endpoint: configuration.endpoint,
		ledger:   &ledgerOfCases{endpoint: configuration.endpoint, clicked: now},
		next:     now,
	}
	j.explainer = explain.New(explain.Options{
		Endpoints: func() *endpoint.Snapshot { return snapshot },
		Rates:     func() *money.Table { return table },
		Store:     j.ledger,
		Answer:    server.Answer,
		Clock:     func() time.Time { return now },
	})
	return j, nil
}

// configuration is the rendered one with the endpoint in it.
type configuration struct {
	*config.Config
	endpoint string
}

func rendered(ctx context.Context, from declared.Source, stdin io.Reader, dir string, now time.Time) (configuration,
	error) {
	options := render.Options{
		Paths: []string{from.File}, Stdin: stdin, Dir: dir, Out: io.Discard, Notices: io.Discard, Now: now,
	}
	if err := render.Render(ctx, options); err != nil {
		return configuration{}, fmt.Errorf("%s: %w", from.File, err)
	}
	manifests, err := filepath.Glob(filepath.Join(dir, "*", config.ManifestFile))
	if err != nil {
		return configuration{}, err
	}
	var found []configuration
	for _, manifest := range manifests {
		opened, err := config.Open(func(name string) ([]byte, error) {
			return os.ReadFile(filepath.Join(filepath.Dir(manifest), name)) //nolint:gosec // below the folder made above
		})
		if err != nil {
			return configuration{}, err
		}
		for _, e := range opened.Endpoints {
			if from.Name == "" || from.Name == e.Name || from.Name == e.Namespace+"/"+e.Name {
				found = append(found, configuration{opened, e.Namespace + "/" + e.Name})
			}
		}
	}
	switch len(found) {
	case 0:
		return configuration{}, fmt.Errorf("%s: no such PostbackEndpoint in it", from.File)
	case 1:
		return found[0], nil
	}
	return configuration{}, fmt.Errorf("%s: %d PostbackEndpoints in it, choose one by --name", from.File, len(found))
}

func rates(c *config.Config) (*money.Table, error) {
	var fixed []money.FixedRate
	for _, f := range c.Fleet.Rates.Fixed {
		rate, err := decimal.NewFromString(f.Rate)
		if err != nil {
			return nil, fmt.Errorf("the rate of %s to %s is no number", f.From, f.To)
		}
		fixed = append(fixed, money.FixedRate{From: f.From, To: f.To, Rate: rate})
	}
	return money.NewTable(fixed, nil), nil
}

// Explain says what becomes of a postback, and records it for those after it.
func (j *Judge) Explain(ctx context.Context, said url.Values) (read.Explanation, error) {
	q := explain.Question{
		URL: said.Get("url"), Endpoint: said.Get("endpoint"), Query: strings.TrimPrefix(said.Get("query"), "?"),
		Method: said.Get("method"), ContentType: said.Get("content_type"), Body: said.Get("body"), IP: said.Get("ip"),
		Origin: said.Get("origin"), Trusted: said.Get("access") == "skip",
	}
	if q.URL != "" { // its key is one of a receiver's, not of the file's
		u, err := url.Parse(q.URL)
		if err != nil {
			return read.Explanation{}, errors.New("the URL cannot be read") // the error would repeat the key
		}
		q.URL, q.Endpoint, q.Query = "", j.Endpoint, u.RawQuery
	}
	j.next = j.next.Add(time.Second)
	q.At = j.next
	if at := said.Get("at"); at != "" {
		var err error
		if q.At, err = time.Parse(time.RFC3339, at); err != nil {
			return read.Explanation{}, errors.New("--at: must be RFC 3339, like 2026-01-31T15:04:05Z")
		}
	}
	answer, err := j.explainer.Explain(ctx, q)
	if err != nil {
		return read.Explanation{}, err
	}
	if answer.After != nil {
		j.ledger.record(answer.After)
	}
	return api.ViewExplanation(&answer), nil
}

// ledgerOfCases is a ledger in which every subid has a click.
type ledgerOfCases struct {
	endpoint    string
	clicked     time.Time
	conversions []*conversion.Conversion
}

// record keeps a version. What is explained has no request id; here it gets one, since the next postback, which has
// none either, would count as the same request.
func (l *ledgerOfCases) record(explained *conversion.Conversion) {
	copied := *explained
	next := &copied
	next.RequestID = uuid.New()
	for i, c := range l.conversions {
		if c.SubID == next.SubID && c.Slot == next.Slot {
			l.conversions[i] = next
			return
		}
	}
	l.conversions = append(l.conversions, next)
}

// Click implements [explain.Store].
func (l *ledgerOfCases) Click(_ context.Context, _, subid string) (*conversion.Click, error) {
	return &conversion.Click{Endpoint: l.endpoint, SubID: subid, Time: l.clicked}, nil
}

// Conversions implements [explain.Store].
func (l *ledgerOfCases) Conversions(_ context.Context, f ledger.ConversionFilter) iter.Seq2[*conversion.Conversion,
	error] {
	return func(yield func(*conversion.Conversion, error) bool) {
		for _, c := range l.conversions {
			if c.SubID == f.SubID && (f.TID == nil || c.Slot.TID == *f.TID) && !yield(c, nil) {
				return
			}
		}
	}
}

// Received implements [explain.Store]: no signature has counted.
func (l *ledgerOfCases) Received(context.Context, ledger.ReceivedFilter) iter.Seq2[ledger.Received, error] {
	return func(func(ledger.Received, error) bool) {}
}
