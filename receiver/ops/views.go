package ops

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// conversionView is a conversion as the read API shows it. Every field is always present, null where there is nothing to
// say. Amounts are exact decimals in plain notation, as strings, without trailing zeros; times are RFC 3339 in UTC.
type conversionView struct {
	ID       uuid.UUID `json:"id"`
	Endpoint string    `json:"endpoint"`
	SubID    string    `json:"subid"`
	// TID is "" for the slot without a transaction id.
	TID          string  `json:"tid"`
	Type         string  `json:"type"`
	PreviousType *string `json:"previous_type"`
	// OriginalStatus is the network's word; null where the policy missingStatus stood in.
	OriginalStatus *string          `json:"original_status"`
	State          conversion.State `json:"state"`
	// Payout and Cost are in Currency, the endpoint's; null while no rate is known. A conversion without a cost has null.
	Payout           *string `json:"payout"`
	Currency         string  `json:"currency"`
	OriginalPayout   string  `json:"original_payout"`
	OriginalCurrency string  `json:"original_currency"`
	// Rate converted the payout; null while none is known. RateDate and RateSource are null when nothing had to be converted.
	Rate       *string `json:"rate"`
	RateDate   *string `json:"rate_date"`
	RateSource *string `json:"rate_source"`
	Cost       *string `json:"cost"`
	// Params are the sub ids, the click fields, the extra parameters and `from`.
	Params         map[string]string    `json:"params"`
	Warnings       []conversion.Warning `json:"warnings"`
	ClickTime      *time.Time           `json:"click_time"`
	ConversionTime *time.Time           `json:"conversion_time"`
	SaleTime       *time.Time           `json:"sale_time"`
	CreatedAt      *time.Time           `json:"created_at"`
	UpdatedAt      *time.Time           `json:"updated_at"`
	Version        int                  `json:"version"`
	// Writer says who wrote this version: key, page, person, import or replay.
	Writer conversion.Writer `json:"writer"`
	// Pinned: a person corrected the conversion, and postbacks for it are ignored.
	Pinned bool `json:"pinned"`
}

func viewConversion(c *conversion.Conversion) any {
	view := conversionView{
		ID: c.ID, Endpoint: c.Endpoint, SubID: c.SubID, TID: c.Slot.TID,
		Type: c.Type, PreviousType: text(c.PreviousType), OriginalStatus: text(c.Status), State: c.State(),
		Payout: amount(c.Payout.Converted), Currency: c.EndpointCurrency,
		OriginalPayout: c.Payout.Original.String(), OriginalCurrency: c.Payout.Currency,
		Params: params(c), Warnings: warnings(c.Warnings),
		ClickTime: utc(c.ClickTime), ConversionTime: utc(c.ConversionTime), SaleTime: utc(c.SaleTime),
		CreatedAt: utc(c.CreatedAt), UpdatedAt: utc(c.UpdatedAt), Version: c.Version, Writer: c.Writer, Pinned: c.Pinned,
	}
	if !c.Payout.Pending() {
		rate := c.Payout.Rate
		view.Rate, view.RateDate, view.RateSource = amount(&rate.Value), day(rate.Date), text(rate.Source)
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

// postbackView is a row of the received log as the read API shows it.
type postbackView struct {
	ID       uuid.UUID  `json:"id"`
	Time     *time.Time `json:"time"`
	Endpoint string     `json:"endpoint"`
	KeyID    string     `json:"key_id"`
	IP       string     `json:"ip"`
	Method   string     `json:"method"`
	// Query and Body are as received, bounded. The key is part of neither.
	Query        string               `json:"query"`
	Body         string               `json:"body"`
	SubID        *string              `json:"subid"`
	TID          string               `json:"tid"`
	Type         *string              `json:"type"`
	Outcome      conversion.Outcome   `json:"outcome"`
	Reason       *string              `json:"reason"`
	Warnings     []conversion.Warning `json:"warnings"`
	ConversionID *uuid.UUID           `json:"conversion_id"`
}

func viewPostback(r ledger.Received) any {
	view := postbackView{
		ID: r.ID, Time: utc(r.At), Endpoint: r.Endpoint, KeyID: r.KeyID, IP: r.IP,
		Method: r.Method, Query: r.Query, Body: r.Body,
		SubID: text(r.SubID), TID: r.TID, Type: text(r.Type),
		Outcome: r.Outcome, Reason: text(string(r.Reason)), Warnings: warnings(r.Warnings),
	}
	if r.Conversion != uuid.Nil {
		view.ConversionID = &r.Conversion
	}
	return view
}

func warnings(w []conversion.Warning) []conversion.Warning {
	if w == nil {
		return []conversion.Warning{}
	}
	return w
}

// text returns nil for the empty string.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// utc returns nil for the zero time.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// day returns t's date in UTC, nil for the zero time.
func day(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return text(t.UTC().Format(time.DateOnly))
}

func amount(d *decimal.Decimal) *string {
	if d == nil {
		return nil
	}
	return text(d.String())
}
