package operation

import (
	"context"
	"net/http"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Test is a postback that a person sends to try an endpoint out.
type Test struct {
	// Endpoint is "namespace/name" of the endpoint that judges it.
	Endpoint string
	// Method is GET or POST; empty = GET. A Body is a POST's.
	Method, ContentType, Query, Body string
	Actor, Note                      string
}

// SendTest records a postback for a test click, which is made unless there is one: it goes through every rule, and is
// in no sum. Whether its sender may send is not asked. The error is an [Invalid], or the store's.
func (o *Operator) SendTest(ctx context.Context, t Test) (ledger.Received, error) {
	row := ledger.Received{
		ID:          o.NewID(),
		Kind:        ledger.KindManual,
		Endpoint:    t.Endpoint,
		At:          o.now(),
		Method:      strings.ToUpper(t.Method),
		ContentType: request.Storable(t.ContentType, request.MaxValueBytes),
		Query:       request.Storable(t.Query, request.MaxURLBytes),
		Body:        request.Storable(t.Body, request.MaxBodyBytes),
		Actor:       t.Actor,
		Note:        t.Note,
		Test:        true,
	}
	row.Stamp = row.At.UnixMicro()
	if err := checkNote(t.Note); err != nil {
		return row, err
	}
	in, err := o.judgeTest(t, &row)
	if err != nil {
		return row, err
	}
	if err := o.testClick(ctx, in); err != nil {
		return row, err
	}
	changes, err := o.Ledger.ApplyRows(ctx, []ledger.Postback{{Log: row, Intent: in}})
	if err != nil {
		return row, err
	}
	result := changes[0].Result
	row.Outcome, row.Reason, row.Warnings = result.Outcome, result.Reason, result.Warnings
	row.Conversion, row.Version = result.ConversionID, result.Version
	return row, nil
}

// judgeTest judges the postback, and completes its row of the log.
func (o *Operator) judgeTest(t Test, row *ledger.Received) (*conversion.Intent, error) {
	ep := o.Endpoints().ByName(t.Endpoint)
	if ep == nil {
		return nil, Invalid("endpoint: no such endpoint is served")
	}
	switch {
	case row.Method == "" && t.Body == "":
		row.Method = http.MethodGet
	case row.Method == "":
		row.Method = http.MethodPost
	case row.Method != http.MethodGet && row.Method != http.MethodPost:
		return nil, Invalid("method: must be GET or POST")
	}
	said := &request.Request{
		ID:          row.ID,
		At:          row.At,
		Method:      row.Method,
		RawQuery:    t.Query,
		URLBytes:    len(t.Query),
		ContentType: t.ContentType,
	}
	if said.Method == http.MethodPost {
		said.Unread = strings.NewReader(t.Body)
	}
	attempt := access.To(ep, said, false)
	attempt.Trusted = true
	verdict := attempt.Judge(row.Stamp, o.Rates())
	if verdict.Intent == nil {
		return nil, Invalid("query: is " + string(verdict.Reason.Outcome()) + ", " + string(verdict.Reason) +
			": nothing is recorded of it")
	}
	row.SubIDFrom = request.Storable(verdict.SubIDFrom.String(), request.MaxValueBytes)
	row.SubID, row.TID, row.Type, row.Warnings = verdict.SubID, verdict.TID, verdict.Type, verdict.Warnings
	row.Status = request.Storable(verdict.Status, ledger.MaxStatus)
	verdict.Intent.Test = true // It finds no click that counts, whoever makes one in between.
	return verdict.Intent, nil
}

// testClick makes the click of a test unless there is one. Nothing that counts becomes a test by it: neither a click,
// nor a conversion or a postback that has none.
func (o *Operator) testClick(ctx context.Context, in *conversion.Intent) error {
	click, err := o.Store.Click(ctx, in.Endpoint, in.SubID)
	switch {
	case err != nil:
		return err
	case click != nil && click.Test:
		return nil
	case click != nil:
		return Invalid("query: the subid is that of a click that counts: choose another one")
	}
	for c, err := range o.Store.Conversions(ctx, ledger.ConversionFilter{Endpoint: in.Endpoint, SubID: in.SubID}) {
		if err != nil {
			return err
		}
		if !c.Test {
			return Invalid("query: the subid has a conversion that counts: choose another one")
		}
	}
	waiting := ledger.ReceivedFilter{Endpoint: in.Endpoint, SubID: in.SubID, Outcome: conversion.Held, Limit: 1}
	for _, err := range o.Store.Received(ctx, waiting) {
		if err != nil {
			return err
		}
		return Invalid("query: a postback waits for a click of this subid: choose another one")
	}
	_, err = o.Ledger.AddClicks(ctx, []conversion.Click{{
		Endpoint: in.Endpoint, SubID: in.SubID, Time: in.Received, Test: true,
	}})
	return err
}
