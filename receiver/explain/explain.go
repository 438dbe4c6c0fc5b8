// Package explain owns the answer to "why": it takes a postback that somebody asks about through the steps of a real
// one, by the code that judges real ones, and tells each step. It records nothing, counts in no allowance, locks
// nothing, and sends nothing: the ledger is read as it is committed. So a postback that arrives at the same moment may
// meet another state.
package explain

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// Store is what is looked at of the ledger.
type Store interface {
	// Click returns a click, nil if there is none.
	Click(ctx context.Context, endpoint, subid string) (*conversion.Click, error)
	Conversions(ctx context.Context, f ledger.ConversionFilter) iter.Seq2[*conversion.Conversion, error]
	Received(ctx context.Context, f ledger.ReceivedFilter) iter.Seq2[ledger.Received, error]
}

// Options are what an [Explainer] works with. All are mandatory.
type Options struct {
	// Endpoints and Rates return what is current now.
	Endpoints func() *endpoint.Snapshot
	Rates     func() *money.Table
	Store     Store
	// Answer answers a postback as the port for postbacks does.
	Answer func(w http.ResponseWriter, a *access.Attempt, gif bool, wish string, outcome conversion.Outcome,
		reason conversion.Reason)
	Clock func() time.Time
}

// Explainer explains postbacks. It may be used concurrently.
type Explainer struct{ Options }

// New returns an explainer.
func New(o Options) *Explainer { return &Explainer{o} }

// Question is a postback that somebody asks about. Empty fields were not said.
type Question struct {
	// URL is a whole postback URL, whose key names the endpoint; in its place Endpoint, "namespace/name", and Query.
	URL, Endpoint, Query string
	// Only, if it is not empty, is the only endpoint that may be asked about: of others there is nothing.
	Only string
	// Method is GET unless it is said, or there is a Body.
	Method, ContentType, Body string
	// IP is who sends it, Origin the page, Cookie the subid that a browser keeps.
	IP, Origin, Cookie string
	// ClientKey: a page sends it. It matters where no URL has the key.
	ClientKey bool
	// Trusted: whether the sender may send is not asked.
	Trusted bool
	// At is when it arrives; zero = now.
	At time.Time
	// Configuration stands in for the endpoint's present one; nil = it does not.
	Configuration *config.Endpoint
}

// Step is a step of the judgement with what it means in a sentence, empty where the step says it all.
type Step struct {
	trace.Step
	Note string
	// Sent: the step is about an S2S rule that would send.
	Sent bool
}

// Answer is what would become of the postback.
type Answer struct {
	// Endpoint that it is for; empty if the key is of none.
	Endpoint string
	Steps    []Step
	// Outcome is empty if the key is of no endpoint.
	Outcome  conversion.Outcome
	Reason   conversion.Reason
	Warnings []conversion.Warning
	// Before is the slot's present version, After the one that would be recorded; nil for none. A new conversion has no
	// id.
	Before, After *conversion.Conversion
	// Status, ContentType and Body are the reply; the Body of an image is left out.
	Status      int
	ContentType string
	Body        string
}

// Invalid is an error of the question. It begins with the name of the parameter that is wrong.
type Invalid string

func (e Invalid) Error() string { return string(e) }

func invalid(parameter, format string, args ...any) error {
	return Invalid(parameter + ": " + fmt.Sprintf(format, args...))
}

// Explain answers the question. The error is an [Invalid], or the store's.
func (e *Explainer) Explain(ctx context.Context, q Question) (Answer, error) {
	if q.At.IsZero() {
		q.At = e.Clock()
	}
	q.At = q.At.UTC().Truncate(time.Microsecond)
	said, err := q.request()
	if err != nil {
		return Answer{}, err
	}
	found, err := e.attempt(&q, said)
	if err != nil {
		return Answer{}, err
	}
	if found.Attempt == nil {
		return Answer{Steps: []Step{{Step: trace.Step{Name: trace.Key, Reason: wrongKey}, Note: read.Sentence(wrongKey)}},
			Status: http.StatusNotFound}, nil
	}
	return e.walk(ctx, found)
}

// wrongKey is the one reason that no postback has: nothing is kept of those with a wrong key.
const wrongKey = "wrong_key"

// attempt is the attempt that a question is about; none if the key is of no endpoint that may be asked about.
type attempt struct {
	*access.Attempt
	gif bool
	// assumed: the sender is not said, and taken as one that is allowed.
	assumed bool
}

// request returns the question as a request.
func (q *Question) request() (*request.Request, error) {
	if (q.URL == "") == (q.Endpoint == "" && q.Configuration == nil) {
		return nil, invalid("url", "say either the url, whose key names the endpoint, or the endpoint and the query")
	}
	said := &request.Request{
		At:          q.At,
		Method:      strings.ToUpper(q.Method),
		RawQuery:    q.Query,
		URLBytes:    len(q.Query),
		ContentType: q.ContentType,
		Origin:      q.Origin,
	}
	switch {
	case said.Method == "" && q.Body != "":
		said.Method = http.MethodPost
	case said.Method == "":
		said.Method = http.MethodGet
	}
	if said.Method == http.MethodPost {
		said.Unread = strings.NewReader(q.Body)
	}
	if q.Cookie != "" {
		said.Cookies = []request.Cookie{{Name: config.ParamSubid, Value: q.Cookie}}
	}
	if q.IP != "" {
		ip, err := netip.ParseAddr(q.IP)
		if err != nil {
			return nil, invalid("ip", "must be an IP address")
		}
		said.Source = ip.Unmap().WithZone("")
	}
	if q.URL == "" {
		return said, nil
	}
	if q.Query != "" {
		return nil, invalid("query", "the url has one")
	}
	target, err := url.ParseRequestURI(strings.TrimSpace(q.URL)) // where # begins no fragment: networks write macros by it
	if err != nil {
		return nil, invalid("url", "cannot be read") // the error would repeat the key
	}
	said.Repaired = request.Clean(target)
	said.Path, said.RawQuery, said.URLBytes = target.Path, target.RawQuery, len(target.RequestURI())
	return said, nil
}

// attempt finds the endpoint, by the key as for a real postback, by its name, or in the question itself.
func (e *Explainer) attempt(q *Question, said *request.Request) (attempt, error) {
	found := attempt{}
	snapshot := e.Endpoints()
	path := request.SplitPath(said.Path)
	switch {
	case q.Configuration != nil:
		ep, err := q.compile()
		if err != nil {
			return attempt{}, err
		}
		found.Attempt = access.To(ep, said, q.ClientKey)
	case q.URL != "":
		if path.Key == "" || path.Name == "" {
			return attempt{}, invalid("url", "its path must be /KEY/postback")
		}
		// A door of its own: asking takes nothing of an allowance.
		a, ok := access.NewDoor().Postback(snapshot, said, path.Key, q.At)
		if !ok || path.Name != request.PostbackName && !a.MayUse(snapshot.ByAlias(path.Name)) || q.Only != "" &&
			a.Endpoint.Name != q.Only {
			return attempt{}, nil
		}
		found.Attempt, found.gif = a, path.GIF
	default:
		ep := snapshot.ByName(q.Endpoint)
		if ep == nil {
			return attempt{}, invalid("endpoint", "no such endpoint is served")
		}
		found.Attempt = access.To(ep, said, q.ClientKey)
	}
	if found.ClientKey && found.Endpoint.Browser == nil {
		return attempt{}, invalid("client", "the endpoint has no client keys")
	}
	found.Trusted = q.Trusted
	if !said.Source.IsValid() && len(found.Endpoint.AllowedCIDRs) > 0 {
		said.Source, found.assumed = found.Endpoint.AllowedCIDRs[0].Addr(), true
	}
	return found, nil
}

// compile returns the endpoint that the question brings along.
func (q *Question) compile() (*endpoint.Endpoint, error) {
	if err := q.Configuration.Validate(); err != nil {
		return nil, invalid("configuration", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	ep, err := endpoint.Compile(*q.Configuration)
	if err != nil {
		return nil, invalid("configuration", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if q.Endpoint != "" && q.Endpoint != ep.Name || q.Only != "" && q.Only != ep.Name {
		return nil, invalid("configuration", "must be of the endpoint that is asked about")
	}
	return ep, nil
}

// walk goes the way of a postback behind its key.
func (e *Explainer) walk(ctx context.Context, a attempt) (Answer, error) {
	steps := &trace.Trace{}
	a.Trace = steps
	answer := Answer{Endpoint: a.Endpoint.Name, Outcome: conversion.Recorded}
	verdict := a.Judge(a.Request.At.UnixMicro(), e.Rates())
	answer.Reason, answer.Warnings = verdict.Reason, verdict.Warnings
	switch {
	case verdict.Reason != "":
		answer.Outcome = verdict.Reason.Outcome()
	case a.Request.Method != http.MethodHead: // which records nothing, and so looks nothing up
		if err := e.apply(ctx, &answer, a, verdict.Intent); err != nil {
			return Answer{}, err
		}
	}
	w := &reply{header: http.Header{}}
	e.Answer(w, a.Attempt, a.gif, verdict.Return, answer.Outcome, answer.Reason)
	answer.Status, answer.ContentType = w.status, w.header.Get("Content-Type")
	if !strings.HasPrefix(answer.ContentType, "image/") {
		answer.Body = w.body.String()
	}
	answer.tell(steps, a)
	return answer, nil
}

// apply goes through the steps that look at the click and at the slot.
func (e *Explainer) apply(ctx context.Context, answer *Answer, a attempt, in *conversion.Intent) error {
	if counted, err := e.counted(ctx, a, in); err != nil || counted {
		answer.Outcome = conversion.Duplicate
		return err
	}
	click, err := e.Store.Click(ctx, in.Endpoint, in.SubID)
	if err != nil {
		return err
	}
	slot := ledger.ConversionFilter{Endpoint: in.Endpoint, SubID: in.SubID, TID: &in.Slot.TID}
	for c, err := range e.Store.Conversions(ctx, slot) {
		if err != nil {
			return err
		}
		if c.Slot == in.Slot {
			answer.Before = c
		}
	}
	d := conversion.Explain(in, answer.Before, click, a.Trace)
	answer.Outcome, answer.Reason = d.Outcome, d.Reason
	if d.Outcome != conversion.Recorded {
		return nil
	}
	answer.After, answer.Warnings = d.Next, d.Next.Warnings
	if d.Click != nil {
		click = d.Click
	}
	values := rule.Values{Conversion: d.Next, Click: click, IP: in.ReceivedIP, Random: rand.Uint64}
	for i := range a.Trace.Steps {
		step := &a.Trace.Steps[i]
		if step.Name == trace.Forward && slices.Contains(d.Forwards, step.About) {
			step.Value = a.Endpoint.Forward(step.About).Render(&values).Shown
		}
	}
	return nil
}

// counted reports whether the signature has counted already, where it does only once.
func (e *Explainer) counted(ctx context.Context, a attempt, in *conversion.Intent) (bool, error) {
	if a.Trusted {
		return false, nil
	}
	signature := a.Signature(in.Type)
	if signature == uuid.Nil {
		return false, nil
	}
	for row, err := range e.Store.Received(ctx, ledger.ReceivedFilter{Endpoint: in.Endpoint, SubID: in.SubID}) {
		if err != nil {
			return false, err
		}
		if row.Signature == signature && row.Outcome != conversion.Ignored {
			a.Trace.Add(trace.Step{Name: trace.Change, Value: "the signature has counted", Result: string(conversion.Duplicate)})
			return true, nil
		}
	}
	return false, nil
}

// tell adds to the steps what they mean.
func (answer *Answer) tell(steps *trace.Trace, a attempt) {
	answer.Steps = make([]Step, 0, len(steps.Steps))
	for _, s := range steps.Steps {
		if s.Name == trace.Key && a.KeyID == "" {
			continue // Nobody presented one.
		}
		note := read.Sentence(s.Reason)
		sent := s.Name == trace.Forward && s.Reason == ""
		switch {
		case s.Name == trace.Forward:
			note, s.By, s.Reason = cmp.Or(note, s.Reason), s.Reason, ""
			if read.Sentence(s.By) == "" {
				s.By = "" // it is no field of the rule
			}
		case note != "":
		case len(s.Warnings) > 0:
			var notes []string
			for _, warning := range s.Warnings {
				notes = append(notes, read.Sentence(warning))
			}
			note = strings.Join(notes, " ")
		case s.Name == trace.Access && s.About == "address" && a.assumed:
			note = "No ip was given: it is taken to be allowed."
		case s.Name == trace.Access && s.About == "rate" && a.ClientKey:
			note = "How much of its allowance a source has used up is not looked at."
		}
		answer.Steps = append(answer.Steps, Step{Step: s, Note: note, Sent: sent})
	}
}

// reply keeps what is answered.
type reply struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *reply) Header() http.Header         { return r.header }
func (r *reply) WriteHeader(status int)      { r.status = status }
func (r *reply) Write(p []byte) (int, error) { return r.body.Write(p) }
