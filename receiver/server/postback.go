package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// postback judges the attempt, records it, and answers once that is durable. HEAD gets the answer that the judgement
// alone would give: what only the ledger knows, such as a repetition, is not looked up, and nothing is recorded.
func (h *Handler) postback(ctx context.Context, w http.ResponseWriter, a *access.Attempt, gif bool, began time.Time) {
	stamp := h.Stamp()
	verdict := a.Judge(stamp, h.Rates())
	result := ledger.Result{Outcome: conversion.Recorded, Reason: verdict.Reason}
	if verdict.Reason != "" {
		result.Outcome = verdict.Reason.Outcome()
	}
	if a.Request.Method != http.MethodHead {
		// A flood of what pages send too often would be a flood of writes.
		if verdict.Reason != conversion.RateLimited {
			var err error
			if result, err = h.record(ctx, a, stamp, verdict, result.Outcome); err != nil {
				h.unstored(w, a, err)
				return
			}
		}
		defer func() { h.Observer.Postback(result.Outcome, result.Reason, h.Clock().Sub(began)) }()
	}
	Answer(w, a, gif, verdict.Return, result.Outcome, result.Reason)
}

// record waits for the durable commit, but not longer than the hold, and also when the sender has gone: whether it
// still listens must not decide about its conversion.
func (h *Handler) record(
	ctx context.Context, a *access.Attempt, stamp int64, verdict postback.Verdict, outcome conversion.Outcome,
) (ledger.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.Hold)
	defer cancel()
	p := ledger.Postback{
		Intent: verdict.Intent,
		Log: ledger.Received{
			ID:          a.Request.ID,
			Kind:        ledger.KindOf(a.Writer()),
			Endpoint:    a.Endpoint.Name,
			KeyID:       a.KeyID,
			At:          a.Request.At,
			Stamp:       stamp,
			IP:          a.Request.Source.String(),
			Method:      head(a.Request.Method, maxMethod),
			ContentType: head(a.Request.ContentType, maxContentType),
			Query:       head(a.Request.RawQuery, request.MaxURLBytes),
			Body:        head(string(a.Request.Body), request.MaxBodyBytes),
			SubIDFrom:   head(verdict.SubIDFrom.String(), request.MaxValueBytes),
			SubID:       verdict.SubID,
			TID:         verdict.TID,
			Type:        verdict.Type,
			Status:      head(verdict.Status, ledger.MaxStatus),
			Outcome:     outcome,
			Reason:      verdict.Reason,
			Warnings:    verdict.Warnings,
		},
	}
	if p.Intent != nil {
		p.Log.Signature = a.Signature(verdict.Type)
	}
	return h.Ledger.Postback(ctx, p)
}

// maxMethod bounds what is logged of a method that is not known, maxContentType the header, in bytes.
const (
	maxMethod      = 16
	maxContentType = 256
)

// head returns at most n bytes of what a sender sent, as text that every store takes: UTF-8 and without NUL.
func head(text string, n int) string {
	text = strings.ToValidUTF8(text[:min(len(text), n)], "\uFFFD")
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

// unstored answers a postback of which nothing is known to be durable.
func (h *Handler) unstored(w http.ResponseWriter, a *access.Attempt, err error) {
	h.Observer.Unstored()
	if errors.Is(err, ledger.ErrPoisoned) {
		h.Logger.Error("Store refuses a postback", "endpoint", a.Endpoint.Name, "request", a.Request.ID, "error", err)
		answerEmpty(w, poisoned)
		return
	}
	// The ledger says why, once; this would say it for every request.
	h.Logger.Debug("Postback not stored", "endpoint", a.Endpoint.Name, "request", a.Request.ID, "error", err)
	answerEmpty(w, unstored)
}
