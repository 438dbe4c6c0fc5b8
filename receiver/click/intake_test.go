package click

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// book is a ledger in memory.
type book struct {
	known map[string]bool
	err   error
}

func (b *book) AddClicks(ctx context.Context, clicks []conversion.Click) ([]ledger.ClickResult, error) {
	if err := errors.Join(b.err, ctx.Err()); err != nil {
		return nil, err
	}
	var results []ledger.ClickResult
	for _, click := range clicks {
		result := ledger.ClickAccepted
		if b.known[click.SubID] {
			result = ledger.ClickDuplicate
		}
		b.known[click.SubID] = true
		results = append(results, result)
	}
	return results, nil
}

// counts are what the observer was told: accepted, duplicate, rejected, unstored.
type counts [4]int

func (c *counts) ClicksUnstored(clicks int) { c[3] += clicks }
func (c *counts) ClicksLimited(int)         {}

func (c *counts) Clicks(accepted, duplicate, rejected int) {
	c[0], c[1], c[2] = c[0]+accepted, c[1]+duplicate, c[2]+rejected
}

func newIntake(t *testing.T) (*Intake, *book, *counts) {
	t.Helper()
	snapshot, err := endpoint.Build(&config.Config{Fleet: receivertest.Fleet(),
		Endpoints: []config.Endpoint{receivertest.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	b, seen := &book{known: map[string]bool{}}, &counts{}
	roomy := func(*http.Request, string) (func(), bool) { return func() {}, true }
	return New(Options{
		Endpoints: func() *endpoint.Snapshot { return snapshot },
		Rates:     func() *money.Table { return money.NewTable(nil, nil) },
		Ledger:    b, Observer: seen, Hold: time.Minute, Clock: func() time.Time { return now },
		Logger: slog.New(slog.DiscardHandler),
		Admit:  roomy,
	}), b, seen
}

func post(body string, header ...string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/clicks", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+receivertest.ClickToken)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func serve(in *Intake, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	in.ServeHTTP(w, r)
	return w
}

func TestEachClickIsAcceptedRepeatedOrRejected(t *testing.T) {
	in, _, seen := newIntake(t)
	for _, test := range []struct {
		name, body string
		want       Answer
	}{
		{"a new one", `{"subid":"a"}`, Answer{Accepted: 1, Rejected: []Rejection{}}},
		{"the same again with another field", `{"subid":"a","keyword":"x"}`, Answer{Duplicate: 1, Rejected: []Rejection{}}},
		{"a mixture", `[{"subid":"b"},{},{"subid":"b"},{"subid":"c","cost":"x"}]`,
			Answer{Accepted: 1, Duplicate: 1, Rejected: []Rejection{{1, "subid_missing"}, {3, CostUnreadable}}}},
		{"nothing usable", `[{}]`, Answer{Rejected: []Rejection{{0, "subid_missing"}}}},
		{"nothing", `[]`, Answer{Rejected: []Rejection{}}},
	} {
		w := serve(in, post(test.body))
		var got Answer
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s: %v", test.name, w.Code, w.Body, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s:\n%s", test.name, diff)
		}
	}
	if want := (counts{2, 2, 3, 0}); *seen != want {
		t.Errorf("observed %v, want %v", *seen, want)
	}
}

func TestTheAnswerHasItsThreeFieldsAlways(t *testing.T) {
	in, _, _ := newIntake(t)
	if got, want := serve(in, post(`[]`)).Body.String(), `{"accepted":0,"duplicate":0,"rejected":[]}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOnlyTheClickTokenOpensTheIntake(t *testing.T) {
	for _, authorization := range []string{
		"", "Bearer", "Bearer wrong", "Bearer " + receivertest.Key, "Basic " + receivertest.ClickToken,
		receivertest.ClickToken,
		"Bearer " + receivertest.ClickToken + "x",
	} {
		in, b, _ := newIntake(t)
		w := serve(in, post(`{"subid":"a"}`, "Authorization", authorization))
		if w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") || len(b.known) != 0 {
			t.Errorf("%q: %d %v", authorization, w.Code, w.Header())
		}
	}
	in, _, _ := newIntake(t)
	if w := serve(in, post(`{"subid":"a"}`, "Authorization", "bearer  "+receivertest.ClickToken)); w.Code != 200 {
		t.Errorf("the scheme in lower case: %d", w.Code)
	}
}

func TestARequestThatIsWrongAsAWholeStoresNothing(t *testing.T) {
	for _, test := range []struct {
		name    string
		request *http.Request
		want    int
	}{
		{"text", post("subid=a"), 400},
		{"too many", post("[" + strings.Repeat(`{"subid":"a"},`, MaxItems) + `{"subid":"a"}]`), 413},
		{"too large", post(`{"subid":"a"` + strings.Repeat(" ", MaxBodyBytes) + "}"), 413},
		{"compressed", post(`{"subid":"a"}`, "Content-Encoding", "gzip"), 415},
		{"empty", post(""), 400},
		{"ended early", func() *http.Request {
			r := post("")
			r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
			return r
		}(), 400},
		{"a GET", func() *http.Request { r := post(`{"subid":"a"}`); r.Method = "GET"; return r }(), 405},
	} {
		t.Run(test.name, func(t *testing.T) {
			in, b, _ := newIntake(t)
			w := serve(in, test.request)
			var answer struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error == "" || w.Code != test.want ||
				len(b.known) != 0 {
				t.Errorf("%d %s (%v), want %d; stored %v", w.Code, w.Body, err, test.want, b.known)
			}
		})
	}
}

func TestClicksThatAreNotStoredAreNotAcknowledged(t *testing.T) {
	for err, want := range map[error]int{
		ledger.ErrBusy: 503,
		fmt.Errorf("commit: %w", ledger.ErrUnavailable): 503,
		context.DeadlineExceeded:                        503,
		fmt.Errorf("row: %w", ledger.ErrPoisoned):       500,
	} {
		in, b, seen := newIntake(t)
		b.err = err
		w := serve(in, post(`{"subid":"a"}`))
		if w.Code != want || (want == 503) != (w.Header().Get("Retry-After") == "5") || *seen != (counts{0, 0, 0, 1}) {
			t.Errorf("%v: %d %v, observed %v", err, w.Code, w.Header(), *seen)
		}
	}
}

func TestTheSenderGoingAwayDoesNotUndoItsClicks(t *testing.T) {
	in, b, _ := newIntake(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if w := serve(in, post(`{"subid":"a"}`).WithContext(gone)); w.Code != 200 || !b.known["a"] {
		t.Errorf("%d, stored %v", w.Code, b.known)
	}
}
