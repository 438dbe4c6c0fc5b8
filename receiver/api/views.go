package api

import (
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func viewConversion(c *conversion.Conversion) read.Conversion {
	view := read.Conversion{
		ID:               c.ID.String(),
		Endpoint:         c.Endpoint,
		SubID:            c.SubID,
		TID:              c.Slot.TID,
		Type:             c.Type,
		PreviousType:     read.Text(c.PreviousType),
		OriginalStatus:   read.Text(c.Status),
		State:            string(c.State()),
		Payout:           amount(c.Payout.Converted),
		Currency:         c.EndpointCurrency,
		OriginalPayout:   c.Payout.Original.String(),
		OriginalCurrency: c.Payout.Currency,
		Campaign:         read.Text(c.Campaign),
		Test:             c.Test,
		Params:           params(c),
		Warnings:         warnings(c.Warnings),
		ClickTime:        read.UTC(c.ClickTime),
		ConversionTime:   read.UTC(c.ConversionTime),
		SaleTime:         read.UTC(c.SaleTime),
		CreatedAt:        read.UTC(c.CreatedAt),
		UpdatedAt:        read.UTC(c.UpdatedAt),
		Version:          c.Version,
		Writer:           string(c.Writer),
		Pinned:           c.Pinned,
	}
	if !c.Payout.Pending() {
		rate := c.Payout.Rate
		view.Rate, view.RateDate, view.RateSource = amount(&rate.Value), read.Day(rate.Date), read.Text(rate.Source)
	}
	if c.Cost != nil {
		view.Cost = amount(c.Cost.Converted)
	}
	return view
}

func params(c *conversion.Conversion) map[string]string {
	shown := make(map[string]string, len(c.Params)+1)
	for _, param := range c.Params {
		shown[param.Name] = param.Value
	}
	if c.From != "" {
		shown[config.ParamFrom] = c.From
	}
	return shown
}

func viewPostback(r ledger.Received) read.Postback {
	view := read.Postback{
		ID:          r.ID.String(),
		Kind:        string(r.Kind),
		Time:        read.UTC(r.At),
		Endpoint:    r.Endpoint,
		KeyID:       r.KeyID,
		IP:          r.IP,
		Method:      r.Method,
		ContentType: read.Text(r.ContentType),
		Query:       r.Query,
		Body:        r.Body,
		SubID:       read.Text(r.SubID),
		SubIDFrom:   read.Text(r.SubIDFrom),
		TID:         r.TID,
		Type:        read.Text(r.Type),
		Status:      read.Text(r.Status),
		Outcome:     string(r.Outcome),
		Reason:      read.Text(string(r.Reason)),
		Warnings:    warnings(r.Warnings),
		Test:        r.Test,
	}
	view.Actor, view.Note = read.Text(r.Actor), read.Text(r.Note)
	if r.Operation != uuid.Nil {
		view.Operation = read.Text(r.Operation.String())
	}
	if r.Conversion != uuid.Nil {
		view.ConversionID = read.Text(r.Conversion.String())
	}
	if r.Version > 0 {
		view.Version = &r.Version
	}
	if r.Origin != uuid.Nil {
		view.Origin = read.Text(r.Origin.String())
	}
	return view
}

// warnings is never nil: an empty list is not null.
func warnings(w []conversion.Warning) []string {
	names := make([]string, len(w))
	for i, warning := range w {
		names[i] = string(warning)
	}
	return names
}

func amount(d *decimal.Decimal) *string {
	if d == nil {
		return nil
	}
	return read.Text(d.String())
}
