package explain_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/explain"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/postback/postbacktest"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/server"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

const key = "key-4n8d2k5s9v3m7x1c"

// book is a ledger that knows one click.
type book struct {
	click       *conversion.Click
	conversions []*conversion.Conversion
}

func (b *book) Click(_ context.Context, _, subid string) (*conversion.Click, error) {
	if b.click == nil || b.click.SubID != subid {
		return nil, nil
	}
	return b.click, nil
}

func (b *book) Conversions(_ context.Context, f ledger.ConversionFilter) iter.Seq2[*conversion.Conversion, error] {
	return func(yield func(*conversion.Conversion, error) bool) {
		for _, c := range b.conversions {
			if c.SubID == f.SubID && c.Slot.TID == *f.TID && !yield(c, nil) {
				return
			}
		}
	}
}

func (b *book) Received(context.Context, ledger.ReceivedFilter) iter.Seq2[ledger.Received, error] {
	return func(func(ledger.Received, error) bool) {}
}

func declared(edit func(*config.Endpoint)) config.Endpoint {
	e := config.Endpoint{
		Namespace: "ads", Name: "shop", Currency: "USD",
		Keys:     []config.Key{{ID: "k1", SHA256: config.Digest(key)}},
		Aliases:  map[string][]string{"subid": {"clickid", "cid"}, "status": {"type"}},
		Training: []config.TrainingRule{{Type: "sale", Statuses: []string{"approved", "лид"}}},
		Policies: config.Policies{
			MissingStatus: config.PolicyIgnore, UnknownStatus: config.PolicyIgnore,
			UnknownClick: config.UnknownClickIgnore, Repeat: config.RepeatOverwrite,
			Slot: config.SlotTid, Transitions: config.TransitionsAny,
		},
		Forwards: []config.Forward{{
			Name: "source", URL: "https://ts.example/pb?token=s3cr3tt0ken&cid={external_id}&sum={payout}",
			Method: http.MethodGet,
			Types:  []string{"sale"}, Resend: config.ResendOnAnyChange,
		}},
	}
	if edit != nil {
		edit(&e)
	}
	return e
}

func explainer(t testing.TB, store *book, edit func(*config.Endpoint)) *explain.Explainer {
	t.Helper()
	snapshot, err := endpoint.Build(&config.Config{Endpoints: []config.Endpoint{declared(edit)}})
	if err != nil {
		t.Fatal(err)
	}
	return explain.New(explain.Options{
		Endpoints: func() *endpoint.Snapshot { return snapshot },
		Rates:     func() *money.Table { return rates() },
		Store:     store,
		Answer:    server.Answer,
		Clock:     func() time.Time { return now },
	})
}

func rates() *money.Table {
	return money.NewTable([]money.FixedRate{{From: "EUR", To: "USD", Rate: decimal.RequireFromString("1.10")}}, nil)
}

func clicked() *conversion.Click {
	return &conversion.Click{
		Endpoint: "ads/shop", SubID: "c1", Time: now.Add(-time.Hour), Campaign: "spring",
		Params: conversion.Params{{Name: "external_id", Value: "x9"}},
	}
}

// steps are told a step a line: its name, what it is about, its value, its result, its reason, its note.
func steps(a explain.Answer) string {
	var b strings.Builder
	for _, s := range a.Steps {
		if s.Name == trace.Parameter || s.Name == trace.Access && s.Reason == "" && s.Note == "" {
			continue
		}
		b.WriteString(strings.Join([]string{string(s.Name), s.About, s.Value, s.Result, s.Reason, s.Note}, " | ") + "\n")
	}
	return b.String()
}

func TestEachStepIsTold(t *testing.T) {
	for _, c := range []struct {
		name   string
		edit   func(*config.Endpoint)
		q      explain.Question
		want   string
		answer string
	}{
		{
			name: "a sale in another currency, by a URL",
			q:    explain.Question{URL: "https://pb.example/" + key + "/postback?cid=c1&type=approved&payout=10&currency=eur"},
			want: `
key |  | k1 | key |  | 
subid |  | c1 | c1 |  | 
status |  | approved | sale |  | 
tid |  |  |  |  | 
payout |  | 10 | 11 USD |  | 
click |  | c1 | 2026-03-04T11:00:00Z, 1h0m0s before, campaign spring |  | 
slot |  | subid c1, tid "" | empty |  | 
change |  | empty | sale 11, version 1, written by a key |  | 
s2s | source | https://ts.example/…?…&cid=x9&sum=11 | is sent |  | 
`,
			answer: "recorded 200 Success",
		},
		{
			name: "a type that no rule sends",
			q:    explain.Question{Endpoint: "ads/shop", Query: "subid=c1&status=lead"},
			want: `
subid |  | c1 | c1 |  | 
status |  | lead | lead |  | 
tid |  |  |  |  | 
click |  | c1 | 2026-03-04T11:00:00Z, 1h0m0s before, campaign spring |  | 
slot |  | subid c1, tid "" | empty |  | 
change |  | empty | lead 0, version 1, written by a key |  | 
s2s | source | ts.example:443 | is not sent |  | The rule does not list this type.
`,
			answer: "recorded 200 Success",
		},
		{
			name: "a word that nothing knows",
			q:    explain.Question{Endpoint: "ads/shop", Query: "subid=c1&status=approve"},
			want: `
subid |  | c1 | c1 |  | 
status |  | approve |  | status_unknown | The word is no conversion type, and no training knows it: add it to training.
`,
			answer: "ignored; status_unknown 200 Ignored: status_unknown",
		},
		{
			name:   "a key that nobody has",
			q:      explain.Question{URL: "https://pb.example/wrong/postback?subid=c1&status=sale"},
			want:   "\nkey |  |  |  | wrong_key | No endpoint has this key, or the key is retired or revoked.\n",
			answer: " 404 ",
		},
		{
			name: "an address that may not send",
			edit: func(e *config.Endpoint) { e.Access.AllowedCIDRs = []string{"192.0.2.0/24"} },
			q:    explain.Question{Endpoint: "ads/shop", Query: "subid=c1&status=sale", IP: "198.51.100.1"},
			want: "\naccess | address | 198.51.100.1 |  | ip_not_allowed | The sender's address is not among " +
				"access.allowedCIDRs.\n",
			answer: "refused; ip_not_allowed 403 Refused: ip_not_allowed",
		},
		{
			name: "the same, when that is not asked",
			edit: func(e *config.Endpoint) { e.Access.AllowedCIDRs, e.Forwards = []string{"192.0.2.0/24"}, nil },
			q:    explain.Question{Endpoint: "ads/shop", Query: "subid=c7&status=sale", IP: "198.51.100.1", Trusted: true},
			want: `
subid |  | c7 | c7 |  | 
status |  | sale | sale |  | 
tid |  |  |  |  | 
click |  | c7 | not known | click_not_found | The endpoint has no click with this subid.
`,
			answer: "ignored; click_not_found 200 Ignored: click_not_found",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := explainer(t, &book{click: clicked()}, c.edit).Explain(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			if told := "\n" + steps(got); told != c.want {
				t.Errorf("got%swant%s", told, c.want)
			}
			answer := string(got.Outcome)
			if got.Reason != "" {
				answer += "; " + string(got.Reason)
			}
			answer += " " + http.StatusText(got.Status) + " " + got.Body
			answer = strings.NewReplacer("Not Found", "404", "OK", "200", "Forbidden", "403").Replace(answer)
			if answer != c.answer {
				t.Errorf("answer %q, want %q", answer, c.answer)
			}
		})
	}
}

func TestAGivenConfigurationStandsInForThePresentOne(t *testing.T) {
	trained := declared(func(e *config.Endpoint) {
		e.Training = []config.TrainingRule{{Type: "rejected", Statuses: []string{"approve"}}}
	})
	q := explain.Question{Query: "subid=c1&status=approve", Configuration: &trained}
	got, err := explainer(t, &book{click: clicked()}, nil).Explain(t.Context(), q)
	if err != nil || got.After == nil || got.After.Type != "rejected" {
		t.Errorf("%+v, %v", got.After, err)
	}
	q.Only = "ads/other"
	if _, err := explainer(t, &book{}, nil).Explain(t.Context(), q); !strings.HasPrefix(errorOf(err), "configuration: ") {
		t.Errorf("the configuration of another endpoint: %v", err)
	}
	trained.Currency = "bucks"
	q.Only = ""
	if _, err := explainer(t, &book{}, nil).Explain(t.Context(), q); !strings.HasPrefix(errorOf(err), "configuration: ") {
		t.Errorf("a configuration that is not valid: %v", err)
	}
}

func errorOf(err error) string {
	var wrong explain.Invalid
	if errors.As(err, &wrong) {
		return wrong.Error()
	}
	return ""
}

func TestOfAnotherEndpointNothingIsTold(t *testing.T) {
	e := explainer(t, &book{click: clicked()}, nil)
	theirs, err := e.Explain(t.Context(), explain.Question{Only: "ads/mine",
		URL: "https://pb.example/" + key + "/postback?subid=c1&status=sale"})
	nobodys, errNobody := e.Explain(t.Context(),
		explain.Question{Only: "ads/mine", URL: "https://pb.example/nobody/postback?subid=c1&status=sale"})
	if err != nil || errNobody != nil || theirs.Status != http.StatusNotFound || steps(theirs) != steps(nobodys) {
		t.Errorf("%+v, %+v", theirs, nobodys)
	}
}

func TestErrorsNameTheParameter(t *testing.T) {
	for parameter, q := range map[string]explain.Question{
		"url":      {},
		"ip":       {Endpoint: "ads/shop", IP: "1.2.3"},
		"query":    {URL: "https://pb.example/" + key + "/postback", Query: "subid=c1"},
		"endpoint": {Endpoint: "ads/none"},
		"client":   {Endpoint: "ads/shop", ClientKey: true},
	} {
		_, err := explainer(t, &book{}, nil).Explain(t.Context(), q)
		if got := errorOf(err); !strings.HasPrefix(got, parameter+": ") || strings.Contains(got, key) {
			t.Errorf("%s: %v", parameter, err)
		}
	}
}

// FuzzExplain holds that an explanation is what judging says.
func FuzzExplain(f *testing.F) {
	for _, r := range postbacktest.Requests {
		f.Add(r.Query, r.ContentType, []byte(r.Body))
	}
	e := explainer(f, &book{click: clicked()},
		func(e *config.Endpoint) { e.Policies.UnknownClick = config.UnknownClickRecord })
	ep := e.Endpoints().ByName("ads/shop")
	f.Fuzz(func(t *testing.T, query, contentType string, body []byte) {
		q := explain.Question{Endpoint: "ads/shop", Query: query, ContentType: contentType, Body: string(body),
			Method: http.MethodPost}
		got, err := e.Explain(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		verdict := access.To(ep, &request.Request{
			At: now, Method: http.MethodPost, RawQuery: query, URLBytes: len(query), ContentType: contentType,
			Unread: strings.NewReader(string(body)),
		}, false).Judge(now.UnixMicro(), rates())
		if got.Reason != verdict.Reason || (got.After == nil) != (verdict.Intent == nil) {
			t.Fatalf("explained as %s, judged as %s", got.Reason, verdict.Reason)
		}
		if got.After != nil && (got.After.Type != verdict.Type || got.After.SubID != verdict.SubID ||
			got.After.Slot.TID != verdict.TID) {
			t.Fatalf("explained as %+v, judged as %+v", got.After, verdict)
		}
	})
}

func TestEveryReasonAndWarningHasASentence(t *testing.T) {
	for _, reason := range conversion.Reasons() {
		if read.Sentence(string(reason)) == "" {
			t.Errorf("reason %s", reason)
		}
	}
	for _, warning := range conversion.Warnings() {
		if read.Sentence(string(warning)) == "" {
			t.Errorf("warning %s", warning)
		}
	}
}
