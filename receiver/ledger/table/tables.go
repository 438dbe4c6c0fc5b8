package table

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Clicks are visits.
var Clicks = Table[conversion.Click]{Name: "clicks", Columns: slices.Concat([]Column[conversion.Click]{
	Of("endpoint", Text, func(c *conversion.Click) *string { return &c.Endpoint }),
	Of("subid", Text, func(c *conversion.Click) *string { return &c.SubID }),
	Of("click_time", Time, func(c *conversion.Click) *time.Time { return &c.Time }).Null(),
	Of("campaign", Text, func(c *conversion.Click) *string { return &c.Campaign }).Null(),
	Of("ip", Text, func(c *conversion.Click) *string { return &c.IP }).Null(),
	Of("user_agent", Text, func(c *conversion.Click) *string { return &c.UserAgent }).Null(),
	encoded("params", JSON, func(c *conversion.Click) params { return params{&c.Params} }),
	encoded("visitor_fields", Text, func(c *conversion.Click) words[string] { return words[string]{&c.VisitorFields} }),
	Of("unique_visit", Boolean, func(c *conversion.Click) *bool { return &c.Unique }),
	Of("test", Boolean, func(c *conversion.Click) *bool { return &c.Test }),
}, optionalAmount("cost", func(c *conversion.Click) **money.Amount { return &c.Cost }))}

// Conversions are the current versions of the slots, one row a slot.
var Conversions = Table[conversion.Conversion]{Name: "conversions", Columns: conversionColumns}

// History are the versions that are no longer current.
var History = Table[conversion.Conversion]{Name: "conversion_history", Columns: conversionColumns}

var conversionColumns = slices.Concat([]Column[conversion.Conversion]{
	Of("endpoint", Text, func(c *conversion.Conversion) *string { return &c.Endpoint }),
	Of("subid", Text, func(c *conversion.Conversion) *string { return &c.SubID }),
	Of("tid", Text, func(c *conversion.Conversion) *string { return &c.Slot.TID }),
	Of("slot_type", Text, func(c *conversion.Conversion) *string { return &c.Slot.Type }),
	Of("id", UUID, func(c *conversion.Conversion) *uuid.UUID { return &c.ID }),
	Of("type", Text, func(c *conversion.Conversion) *string { return &c.Type }),
	Of("previous_type", Text, func(c *conversion.Conversion) *string { return &c.PreviousType }).Null(),
	Of("status", Text, func(c *conversion.Conversion) *string { return &c.Status }).Null(),
	Of("currency", Text, func(c *conversion.Conversion) *string { return &c.EndpointCurrency }),
	encoded("params", JSON, func(c *conversion.Conversion) params { return params{&c.Params} }),
	Of("campaign", Text, func(c *conversion.Conversion) *string { return &c.Campaign }).Null(),
	Of("source", Text, func(c *conversion.Conversion) *string { return &c.Source }).Null(),
	Of("test", Boolean, func(c *conversion.Conversion) *bool { return &c.Test }),
	Of("sender", Text, func(c *conversion.Conversion) *string { return &c.From }).Null(),
	encoded("warnings", Text, func(c *conversion.Conversion) words[conversion.Warning] {
		return words[conversion.Warning]{&c.Warnings}
	}),
	Of("click_time", Time, func(c *conversion.Conversion) *time.Time { return &c.ClickTime }).Null(),
	Of("conversion_time", Time, func(c *conversion.Conversion) *time.Time { return &c.ConversionTime }).Null(),
	Of("sale_time", Time, func(c *conversion.Conversion) *time.Time { return &c.SaleTime }).Null(),
	Of("created_at", Time, func(c *conversion.Conversion) *time.Time { return &c.CreatedAt }).Null(),
	Of("updated_at", Time, func(c *conversion.Conversion) *time.Time { return &c.UpdatedAt }).Null(),
	Of("version", Integer, func(c *conversion.Conversion) *int { return &c.Version }),
	Of("writer", Text, func(c *conversion.Conversion) *string { return (*string)(&c.Writer) }),
	Of("pinned", Boolean, func(c *conversion.Conversion) *bool { return &c.Pinned }),
	Of("request_id", UUID, func(c *conversion.Conversion) *uuid.UUID { return &c.RequestID }),
	Of("stamp", BigInteger, func(c *conversion.Conversion) *int64 { return &c.Stamp }),
},
	amount("payout", func(c *conversion.Conversion) *money.Amount { return &c.Payout }),
	optionalAmount("cost", func(c *conversion.Conversion) **money.Amount { return &c.Cost }))

// Received is the log of received postbacks, and the journal of all versions.
var Received = Table[ledger.Received]{Name: "received", Columns: []Column[ledger.Received]{
	Of("endpoint", Text, func(r *ledger.Received) *string { return &r.Endpoint }),
	Of("subid", Text, func(r *ledger.Received) *string { return &r.SubID }),
	Of("id", UUID, func(r *ledger.Received) *uuid.UUID { return &r.ID }),
	Of("kind", Text, func(r *ledger.Received) *string { return (*string)(&r.Kind) }),
	Of("at", Time, func(r *ledger.Received) *time.Time { return &r.At }).Null(),
	Of("stamp", BigInteger, func(r *ledger.Received) *int64 { return &r.Stamp }),
	Of("key_id", Text, func(r *ledger.Received) *string { return &r.KeyID }).Null(),
	Of("ip", Text, func(r *ledger.Received) *string { return &r.IP }).Null(),
	Of("method", Text, func(r *ledger.Received) *string { return &r.Method }).Null(),
	Of("content_type", Text, func(r *ledger.Received) *string { return &r.ContentType }).Null(),
	Of("query", Bytes, func(r *ledger.Received) *string { return &r.Query }).Null(),
	Of("body", Bytes, func(r *ledger.Received) *string { return &r.Body }).Null(),
	Of("subid_from", Text, func(r *ledger.Received) *string { return &r.SubIDFrom }).Null(),
	Of("tid", Text, func(r *ledger.Received) *string { return &r.TID }).Null(),
	Of("type", Text, func(r *ledger.Received) *string { return &r.Type }).Null(),
	Of("outcome", Text, func(r *ledger.Received) *string { return (*string)(&r.Outcome) }),
	Of("reason", Text, func(r *ledger.Received) *string { return (*string)(&r.Reason) }).Null(),
	encoded("warnings", Text, func(r *ledger.Received) words[conversion.Warning] {
		return words[conversion.Warning]{&r.Warnings}
	}),
	Of("test", Boolean, func(r *ledger.Received) *bool { return &r.Test }),
	Of("signature", UUID, func(r *ledger.Received) *uuid.UUID { return &r.Signature }).Null(),
	Of("conversion", UUID, func(r *ledger.Received) *uuid.UUID { return &r.Conversion }).Null(),
	Of("version", Integer, func(r *ledger.Received) *int { return &r.Version }).Null(),
	Of("status", Text, func(r *ledger.Received) *string { return &r.Status }).Null(),
	Of("actor", Text, func(r *ledger.Received) *string { return &r.Actor }).Null(),
	Of("note", Text, func(r *ledger.Received) *string { return &r.Note }).Null(),
	Of("operation", UUID, func(r *ledger.Received) *uuid.UUID { return &r.Operation }).Null(),
	Of("origin", UUID, func(r *ledger.Received) *uuid.UUID { return &r.Origin }).Null(),
}}

// ReportChanges are what batches have changed and cells do not have yet.
var ReportChanges = Table[ledger.ReportChanges]{Name: "report_changes", Columns: []Column[ledger.ReportChanges]{
	Of("endpoint", Text, func(r *ledger.ReportChanges) *string { return &r.Endpoint }),
	Of("id", UUID, func(r *ledger.ReportChanges) *uuid.UUID { return &r.ID }),
	Of("at", Time, func(r *ledger.ReportChanges) *time.Time { return &r.At }),
	Of("changes", Bytes, func(r *ledger.ReportChanges) *string { return &r.Changes }),
}}

// Held are postbacks that wait for their click.
var Held = Table[ledger.HeldPostback]{Name: "held", Columns: []Column[ledger.HeldPostback]{
	Of("endpoint", Text, func(h *ledger.HeldPostback) *string { return &intent(h).Endpoint }),
	Of("subid", Text, func(h *ledger.HeldPostback) *string { return &intent(h).SubID }),
	Of("request_id", UUID, func(h *ledger.HeldPostback) *uuid.UUID { return &intent(h).RequestID }),
	Of("tid", Text, func(h *ledger.HeldPostback) *string { return &intent(h).Slot.TID }),
	Of("slot_type", Text, func(h *ledger.HeldPostback) *string { return &intent(h).Slot.Type }),
	Of("until", Time, func(h *ledger.HeldPostback) *time.Time { return &h.Until }),
	encoded("intent", JSON, func(h *ledger.HeldPostback) document[conversion.Intent] {
		return document[conversion.Intent]{&h.Intent}
	}).required(),
}}

// intent makes the intent of a row that is being read.
func intent(h *ledger.HeldPostback) *conversion.Intent {
	if h.Intent == nil {
		h.Intent = &conversion.Intent{}
	}
	return h.Intent
}

// PendingRates are amounts that wait for a rate. All columns together are the key.
var PendingRates = Table[ledger.PendingRate]{Name: "pending_rates", Columns: []Column[ledger.PendingRate]{
	Of("endpoint", Text, func(p *ledger.PendingRate) *string { return &p.Endpoint }),
	Of("subid", Text, func(p *ledger.PendingRate) *string { return &p.SubID }),
	Of("of_click", Boolean, func(p *ledger.PendingRate) *bool { return &p.Click }),
	Of("tid", Text, func(p *ledger.PendingRate) *string { return &p.Slot.TID }),
	Of("slot_type", Text, func(p *ledger.PendingRate) *string { return &p.Slot.Type }),
	Of("currency", Text, func(p *ledger.PendingRate) *string { return &p.Currency }),
	Of("to_currency", Text, func(p *ledger.PendingRate) *string { return &p.ToCurrency }),
}}

// Outbox are the S2S postbacks, those that were sent included.
var Outbox = Table[ledger.OutboxRow]{Name: "outbox", Columns: []Column[ledger.OutboxRow]{
	Of("endpoint", Text, func(o *ledger.OutboxRow) *string { return &o.Slot.Endpoint }),
	Of("subid", Text, func(o *ledger.OutboxRow) *string { return &o.Slot.SubID }),
	Of("id", UUID, func(o *ledger.OutboxRow) *uuid.UUID { return &o.ID }),
	Of("rule", Text, func(o *ledger.OutboxRow) *string { return &o.Rule }),
	Of("host", Text, func(o *ledger.OutboxRow) *string { return &o.Host }),
	Of("tid", Text, func(o *ledger.OutboxRow) *string { return &o.Slot.TID }),
	Of("slot_type", Text, func(o *ledger.OutboxRow) *string { return &o.Slot.Type }),
	Of("version", Integer, func(o *ledger.OutboxRow) *int { return &o.Version }),
	Of("conversion_id", UUID, func(o *ledger.OutboxRow) *uuid.UUID { return &o.ConversionID }),
	Of("type", Text, func(o *ledger.OutboxRow) *string { return &o.Type }),
	Of("test", Boolean, func(o *ledger.OutboxRow) *bool { return &o.Test }),
	encoded("conversion", JSON, func(o *ledger.OutboxRow) document[conversion.Conversion] {
		return document[conversion.Conversion]{&o.Conversion}
	}),
	encoded("click", JSON, func(o *ledger.OutboxRow) document[conversion.Click] {
		return document[conversion.Click]{&o.Click}
	}),
	Of("ip", Text, func(o *ledger.OutboxRow) *string { return &o.IP }).Null(),
	Of("state", Text, func(o *ledger.OutboxRow) *string { return (*string)(&o.State) }),
	Of("reason", Text, func(o *ledger.OutboxRow) *string { return &o.Reason }).Null(),
	Of("created_at", Time, func(o *ledger.OutboxRow) *time.Time { return &o.Created }),
	Of("due", Time, func(o *ledger.OutboxRow) *time.Time { return &o.Due }),
	Of("ended_at", Time, func(o *ledger.OutboxRow) *time.Time { return &o.Ended }).Null(),
	Of("tries", Integer, func(o *ledger.OutboxRow) *int { return &o.Tries }),
	encoded("attempts", JSON, func(o *ledger.OutboxRow) list[ledger.Attempt] { return list[ledger.Attempt]{&o.Attempts} }),
	Of("operation", UUID, func(o *ledger.OutboxRow) *uuid.UUID { return &o.Operation }).Null(),
}}

// Rates are the sets of exchange rates, one row a source.
var Rates = Table[money.Set]{Name: "rates", Columns: []Column[money.Set]{
	Of("source", Text, func(s *money.Set) *string { return &s.Source }),
	Of("base", Text, func(s *money.Set) *string { return &s.Base }),
	Of("date", Time, func(s *money.Set) *time.Time { return &s.Date }).Null(),
	Of("fetched", Time, func(s *money.Set) *time.Time { return &s.Fetched }).Null(),
	encoded("rates", JSON, func(s *money.Set) object[decimal.Decimal] {
		return object[decimal.Decimal]{&s.Rates}
	}).required(),
}}

// Lease says who does a piece of work that only one receiver of a store is to do, and until when.
type Lease struct {
	Name, Holder string
	Until        time.Time
}

// Leases are kept by name.
var Leases = Table[Lease]{Name: "leases", Columns: []Column[Lease]{
	Of("name", Text, func(l *Lease) *string { return &l.Name }),
	Of("holder", Text, func(l *Lease) *string { return &l.Holder }),
	Of("until", Time, func(l *Lease) *time.Time { return &l.Until }),
}}
