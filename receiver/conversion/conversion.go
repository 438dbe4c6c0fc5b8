// Package conversion owns what is recorded for a slot and the rules by which a postback changes it
// (docs/semantics.md §3 steps 8-13 and §4). It is pure: no clock, no store, no network.
package conversion

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Param is one named value of a postback or click.
type Param struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Params are sorted by name; names are unique.
type Params []Param

// Click is a visit that the tracker recorded.
type Click struct {
	// Endpoint is "namespace/name" of the endpoint that the click belongs to.
	Endpoint  string    `json:"endpoint"`
	SubID     string    `json:"subid"`
	Time      time.Time `json:"time"`
	Campaign  string    `json:"campaign,omitempty"`
	IP        string    `json:"ip,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	// Params are keyword, external_id, creative_id, ad_campaign_id, source and sub_id_1 to sub_id_30.
	Params Params `json:"params,omitempty"`
	// Cost of the click; nil if nobody said.
	Cost *money.Amount `json:"cost,omitempty"`
	// Unique: it is the campaign's first click of its visitor for some time.
	Unique bool `json:"unique,omitempty"`
	// Test: somebody tries something out by this click, and all of its conversions are tests.
	Test bool `json:"test,omitempty"`
	// VisitorFields are the names among Params, and `cost`, whose values were set from a page, sorted: with empty ones
	// they are all that a page may set.
	VisitorFields []string `json:"visitor_fields,omitempty"`
}

// SlotKey tells the conversions of one click apart.
type SlotKey struct {
	// TID is the transaction id, empty if the network sends none.
	TID string `json:"tid"`
	// Type is the conversion type under the slot policy TidAndType, otherwise empty.
	Type string `json:"type,omitempty"`
}

// Intent is what a judged postback asks for: record this slot so. It stands by itself, so that it can wait in a store
// and be applied later, by another process.
type Intent struct {
	Endpoint string  `json:"endpoint"`
	SubID    string  `json:"subid"`
	Slot     SlotKey `json:"slot"`
	Writer   Writer  `json:"writer,omitempty"`
	// Type is the conversion type that training gave.
	Type string `json:"type"`
	// Status is the network's word, trimmed; empty where the policy missingStatus stood in.
	Status string `json:"status"`
	// Payout and Cost are nil when the postback has none.
	Payout *money.Amount `json:"payout,omitempty"`
	Cost   *money.Amount `json:"cost,omitempty"`
	// Date is the conversion's time; zero when the postback has none that is usable.
	Date time.Time `json:"date,omitzero"`
	// Params are sub_id_1 to sub_id_30, the click fields, and the extra parameters.
	Params   Params    `json:"params,omitempty"`
	From     string    `json:"from,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
	// Received is when the receiver read the request; ReceivedIP who sent it.
	Received   time.Time `json:"received"`
	ReceivedIP string    `json:"received_ip,omitempty"`
	// RequestID is a UUIDv7, the reply's X-Request-Id and the conversion's id should it be the slot's first.
	RequestID uuid.UUID `json:"request_id"`
	// Stamp orders the postbacks of one receiver: microseconds since 1970, strictly increasing within the process.
	Stamp int64 `json:"stamp"`
	// Redelivered says that the postback was or may have been tried before, so that a newer one may have overtaken it.
	Redelivered bool `json:"redelivered,omitempty"`
	// Test: it was for a test click when it was received. It is for no other click, see [meetClick].
	Test  bool   `json:"test,omitempty"`
	Rules *Rules `json:"rules"`
}

// Rules are what of an endpoint's configuration decides about a slot. Immutable and shared by all intents of a
// snapshot.
type Rules struct {
	config.Policies
	Currency string `json:"currency"`
	// IgnoredParams are extra parameters that make no difference between two postbacks.
	IgnoredParams []string         `json:"ignored_params,omitempty"`
	DefaultPayout *decimal.Decimal `json:"default_payout,omitempty"`
	// CampaignPayouts replace DefaultPayout for clicks of some campaigns.
	CampaignPayouts map[string]decimal.Decimal `json:"campaign_payouts,omitempty"`
	MaxPayout       *decimal.Decimal           `json:"max_payout,omitempty"`
	Forwards        []ForwardRule              `json:"forwards,omitempty"`
}

// AddsUp reports whether the payouts of postbacks of that type add up.
func (r *Rules) AddsUp(conversionType string) bool {
	return r.repeat(conversionType) == config.RepeatAdd
}

// repeat returns the policy for postbacks of that type.
func (r *Rules) repeat(conversionType string) config.Repeat {
	if own, ok := r.RepeatByType[conversionType]; ok {
		return own
	}
	return r.Repeat
}

// ForwardRule is what decides whether a change is forwarded (docs/semantics.md §6).
type ForwardRule struct {
	Name string `json:"name"`
	// Host is where it sends to, host:port: what deliveries queue up for.
	Host      string        `json:"host,omitempty"`
	Types     []string      `json:"types,omitempty"`
	Resend    config.Resend `json:"resend"`
	Sources   []string      `json:"sources,omitempty"`
	Campaigns []string      `json:"campaigns,omitempty"`
	// Require are fields that the conversion or its click must have; SendTests lets test conversions pass.
	Require   []string `json:"require,omitempty"`
	SendTests bool     `json:"send_tests,omitempty"`
}

// State says whether a conversion's amounts are converted.
type State string

// The states.
const (
	StateRecorded    State = "recorded"
	StatePendingRate State = "pending_rate"
)

// Conversion is what is recorded for a slot.
type Conversion struct {
	// ID is a UUIDv7 and stays with the slot through every overwrite.
	ID           uuid.UUID     `json:"id"`
	Endpoint     string        `json:"endpoint"`
	SubID        string        `json:"subid"`
	Slot         SlotKey       `json:"slot"`
	Type         string        `json:"type"`
	PreviousType string        `json:"previous_type,omitempty"`
	Status       string        `json:"status"`
	Payout       money.Amount  `json:"payout"`
	Cost         *money.Amount `json:"cost,omitempty"`
	// EndpointCurrency is the currency of the converted amounts.
	EndpointCurrency string `json:"endpoint_currency"`
	Params           Params `json:"params,omitempty"`
	// Campaign and Source are the click's when this version was written, for reports; an orphan has the source that its
	// postbacks said, and no campaign.
	Campaign string `json:"campaign,omitempty"`
	Source   string `json:"source,omitempty"`
	// Test: the click is one. A test is in no sum, and stays a test in all of its versions.
	Test     bool      `json:"test,omitempty"`
	From     string    `json:"from,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
	// ClickTime is zero for an orphan.
	ClickTime time.Time `json:"click_time,omitzero"`
	// ConversionTime is the postback's date, or when the slot's first postback was received.
	ConversionTime time.Time `json:"conversion_time"`
	// SaleTime is when the slot first became a sale; zero if it never did.
	SaleTime  time.Time `json:"sale_time,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// Version counts the slot's recorded changes, from 1.
	Version int `json:"version"`
	// Writer wrote this version.
	Writer Writer `json:"writer"`
	// Pinned: a person corrected the slot, and nobody else may change it.
	Pinned bool `json:"pinned,omitempty"`
	// RequestID and Stamp are those of the postback that made this version.
	RequestID uuid.UUID `json:"request_id"`
	Stamp     int64     `json:"stamp"`
}

// State reports whether the conversion waits for an exchange rate.
func (c *Conversion) State() State {
	if c.Payout.Pending() || c.Cost != nil && c.Cost.Pending() {
		return StatePendingRate
	}
	return StateRecorded
}

// Decision is what a postback does to a slot.
type Decision struct {
	Outcome Outcome
	Reason  Reason
	// Next is the slot's next version. It is nil unless Outcome is Recorded, or is Duplicate and a network has confirmed
	// what only pages had said.
	Next *Conversion
	// Click is the click as the postback updates it; nil when nothing in it changes.
	Click *Click
	// Forwards are the names of the rules whose S2S postbacks are due: none when nothing but extra parameters changed.
	Forwards []string
	// HoldUntil bounds the wait for the click; zero unless Outcome is Held.
	HoldUntil time.Time
}
