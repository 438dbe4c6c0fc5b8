package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/report"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fakeStore yields its rows as they are, up to the filter's limit, then err if there is one, and keeps the filters it
// was asked with.
type fakeStore struct {
	ledger.Journal // nil: nobody follows it
	conversions    []*conversion.Conversion
	received       []ledger.Received
	history        []*conversion.Conversion
	forwards       []ledger.OutboxRow
	clicks         []*conversion.Click
	resendErr      error
	err            error

	conversionFilter ledger.ConversionFilter
	receivedFilter   ledger.ReceivedFilter
	outboxFilter     ledger.OutboxFilter
	clickFilter      ledger.ClickFilter
	resent           []uuid.UUID
}

func (s *fakeStore) Forwards(_ context.Context, f ledger.OutboxFilter) iter.Seq2[ledger.OutboxRow, error] {
	s.outboxFilter = f
	return rowsThen(s.forwards, f.Limit, s.err)
}

func (s *fakeStore) ResendForward(_ context.Context, id, _ uuid.UUID, _ time.Time) error {
	s.resent = append(s.resent, id)
	return s.resendErr
}

func (s *fakeStore) Click(_ context.Context, endpoint, subid string) (*conversion.Click, error) {
	for _, c := range s.clicks {
		if c.Endpoint == endpoint && c.SubID == subid {
			return c, s.err
		}
	}
	return nil, s.err
}

func (s *fakeStore) Clicks(_ context.Context, f ledger.ClickFilter) iter.Seq2[*conversion.Click, error] {
	s.clickFilter = f
	return rowsThen(s.clicks, f.Limit, s.err)
}

func (s *fakeStore) Conversions(_ context.Context, f ledger.ConversionFilter) iter.Seq2[*conversion.Conversion, error] {
	s.conversionFilter = f
	return rowsThen(s.conversions, f.Limit, s.err)
}

func (s *fakeStore) Received(_ context.Context, f ledger.ReceivedFilter) iter.Seq2[ledger.Received, error] {
	s.receivedFilter = f
	return rowsThen(s.received, f.Limit, s.err)
}

func (s *fakeStore) History(context.Context, uuid.UUID) ([]*conversion.Conversion, error) {
	return s.history, s.err
}

func rowsThen[T any](rows []T, limit int, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if limit > 0 {
			rows = rows[:min(limit, len(rows))]
		}
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(*new(T), err)
		}
	}
}

// options are those of an API without a token.
func options(store Store) Options {
	return Options{
		Store:  store,
		Rules:  report.Rules{CountsAs: func(string, string) config.CountsAs { return config.CountsAsNone }},
		Logger: slog.New(slog.DiscardHandler),
		Clock:  func() time.Time { return start.Add(time.Hour) },
	}
}

// request asks the handler as a client on the same machine would.
func request(h http.Handler, method, target, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, "http://localhost:9090"+target, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	return request(h, http.MethodGet, target, "")
}

func decode(t *testing.T, body io.Reader) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.NewDecoder(body).Decode(&v); err != nil {
		t.Fatalf("the answer is no JSON object: %v", err)
	}
	return v
}

// ids returns n UUIDv7, newest first.
func ids(n int) []uuid.UUID {
	list := make([]uuid.UUID, n)
	for i := range list {
		list[i] = uuid.MustParse(fmt.Sprintf("01912345-6789-7abc-8def-%012d", n-i))
	}
	return list
}
