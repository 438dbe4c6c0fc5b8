package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// retryAfter is what senders are asked to wait for after a 503, in seconds.
const retryAfter = "5"

// visit is one authenticated request on its way through docs/semantics.md §3.
type visit struct {
	endpoint *endpoint.Endpoint
	keyID    string
	gif      bool
	// alias of a campaign, where the path has that in place of `postback`; empty otherwise.
	alias string
	// repaired: the path held the query.
	repaired bool
	// inPage: the key is a client key, which everybody can read in a page.
	inPage bool
	id     uuid.UUID
	// began is when the request came, at the same as stores keep it: in UTC, without fractions of a microsecond.
	began, at time.Time
	stamp     int64
	source    netip.Addr
	body      []byte
}

// postback judges the request, records it, and answers once that is durable. HEAD gets the answer that the judgement alone
// would give: what only the ledger knows, such as a repetition, is not looked up, and nothing is recorded.
func (h *Handler) postback(w http.ResponseWriter, r *http.Request, v *visit) {
	verdict, refused := h.consider(w, r, v)
	outcome, reason := conversion.Recorded, verdict.Reason
	switch {
	case refused != nil:
		outcome, reason = conversion.Refused, refused.Reason
	case verdict.Intent == nil:
		outcome = conversion.Ignored
	}
	if r.Method != http.MethodHead {
		result, err := h.record(r, v, verdict, outcome, reason)
		if err != nil {
			h.unstored(w, v, err)
			return
		}
		outcome, reason = result.Outcome, result.Reason
		defer func() { h.Observer.Postback(outcome, reason, h.Clock().Sub(v.began)) }()
	}
	status := 0
	if refused != nil {
		status = refused.Status
	}
	reply := v.reply(r, verdict, outcome, reason, status)
	if reason == conversion.MethodNotAllowed {
		w.Header().Set("Allow", "GET, HEAD, POST")
	}
	send(w, reply)
}

// reply answers what became of the postback. What was refused before its parameters were judged is answered in the form that
// its query asks for, so that a page's callback is called all the same. status replaces the usual one of a refusal; 0 does not.
func (v *visit) reply(
	r *http.Request, verdict postback.Verdict, outcome conversion.Outcome, reason conversion.Reason, status int,
) postback.Response {
	if outcome == conversion.Refused && verdict.Form == postback.Text {
		verdict.Form = postback.FormOf(v.endpoint, r.URL.RawQuery)
	}
	if v.gif {
		verdict.Form = postback.GIF
	}
	reply := postback.Reply(v.endpoint, verdict, outcome, reason)
	if status != 0 && verdict.Form == postback.Text {
		reply.Status = status
	}
	return reply
}

// consider goes through the steps that need no store. A refusal says why the postback is not even judged.
func (h *Handler) consider(w http.ResponseWriter, r *http.Request, v *visit) (postback.Verdict, *request.Error) {
	refuse := func(status int, reason conversion.Reason) (postback.Verdict, *request.Error) {
		return postback.Verdict{}, &request.Error{Status: status, Reason: reason}
	}
	if reason := v.stranger(r); reason != "" {
		return refuse(http.StatusForbidden, reason)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, conversion.MethodNotAllowed)
	}
	if len(r.RequestURI) > request.MaxURLBytes {
		return refuse(http.StatusRequestURITooLong, conversion.RequestTooLarge)
	}
	sent := request.Request{RawQuery: r.URL.RawQuery, ContentType: r.Header.Get("Content-Type"), Repaired: v.repaired}
	if r.Method == http.MethodPost {
		sent.BodyError = v.readBody(w, r)
		sent.Body = v.body
	}
	said, refused := v.read(sent)
	if refused != nil {
		return postback.Verdict{}, refused
	}
	if v.inPage {
		said.Values = withCookie(v.endpoint, said.Values, r)
	}
	verdict := postback.Judge(v.endpoint, said, postback.Arrival{
		At: v.at, IP: v.source.String(), RequestID: v.id, Stamp: v.stamp, Writer: v.writer(),
	}, h.Rates())
	if v.inPage && verdict.Intent != nil && !v.endpoint.Browser.AllowsType(verdict.Type) {
		verdict.Intent = nil
		return verdict, &request.Error{Status: http.StatusForbidden, Reason: conversion.TypeNotAllowed}
	}
	return verdict, nil
}

// read reads the parameters, and demands that they are signed where the endpoint says so: of networks, not of pages.
func (v *visit) read(sent request.Request) (request.Parsed, *request.Error) {
	signed := !v.inPage && v.endpoint.SignatureParameter != ""
	if signed && sent.BodyError != nil {
		return request.Parsed{}, sent.BodyError
	}
	invalid := &request.Error{Status: http.StatusForbidden, Reason: conversion.SignatureInvalid}
	if signed && !postback.SignatureValid(v.endpoint, sent.RawQuery, v.body) {
		return request.Parsed{}, invalid
	}
	said, err := postback.Read(v.endpoint, sent)
	if refused := new(request.Error); errors.As(err, &refused) {
		return request.Parsed{}, refused
	}
	if signed && !postback.DigestValid(v.endpoint, said.Values) {
		return request.Parsed{}, invalid
	}
	return said, nil
}

// readBody keeps what could be read also when that is not all.
func (v *visit) readBody(w http.ResponseWriter, r *http.Request) *request.Error {
	var err error
	v.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, request.MaxBodyBytes))
	switch encoding := r.Header.Get("Content-Encoding"); {
	case errors.As(err, new(*http.MaxBytesError)):
		return request.BodyTooLarge()
	case err != nil:
		return request.BodyUnreadable("the body has not arrived whole")
	case len(v.body) > 0 && encoding != "" && !strings.EqualFold(encoding, "identity"):
		return request.BodyUnreadable("the body is compressed")
	}
	return nil
}

// record waits for the durable commit, but not longer than the hold, and also when the sender has gone: whether it still
// listens must not decide about its conversion.
func (h *Handler) record(
	r *http.Request, v *visit, verdict postback.Verdict, outcome conversion.Outcome, reason conversion.Reason,
) (ledger.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.Hold)
	defer cancel()
	return h.Ledger.Postback(ctx, ledger.Postback{
		Intent: verdict.Intent,
		Log: ledger.Received{
			ID: v.id, Endpoint: v.endpoint.Name, KeyID: v.keyID, At: v.at, Stamp: v.stamp, IP: v.source.String(),
			Method: head(r.Method, maxMethod), Query: head(r.URL.RawQuery, request.MaxURLBytes), Body: head(string(v.body), request.MaxBodyBytes),
			SubID: verdict.SubID, TID: verdict.TID, Type: verdict.Type,
			Outcome: outcome, Reason: reason, Warnings: verdict.Warnings,
		},
	})
}

// maxMethod bounds what is logged of a method that is not known.
const maxMethod = 16

// head returns at most n bytes of what a sender sent, as text that every store takes: UTF-8 and without NUL.
func head(text string, n int) string {
	text = strings.ToValidUTF8(text[:min(len(text), n)], "\uFFFD")
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

// unstored answers a postback of which nothing is known to be durable.
func (h *Handler) unstored(w http.ResponseWriter, v *visit, err error) {
	h.Observer.Unstored()
	if errors.Is(err, ledger.ErrPoisoned) {
		h.Logger.Error("Store refuses a postback", "endpoint", v.endpoint.Name, "request", v.id, "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	// The ledger says why, once; this would say it for every request.
	h.Logger.Debug("Postback not stored", "endpoint", v.endpoint.Name, "request", v.id, "error", err)
	w.Header().Set("Retry-After", retryAfter)
	w.WriteHeader(http.StatusServiceUnavailable)
}

func send(w http.ResponseWriter, reply postback.Response) {
	header := w.Header()
	header.Set("Content-Type", reply.ContentType)
	header.Set("Content-Length", strconv.Itoa(len(reply.Body)))
	header.Set("X-Postback-Outcome", reply.Outcome)
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // Fails only when the sender has gone, which changes nothing.
}
