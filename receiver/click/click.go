// Package click owns the click intake: clicks that the tracker recorded, handed in over HTTP, so that postbacks find
// them. What the packages below it share to take in visitors is here, too. Storing clicks is the ledger's. It imports
// no store engine; tokens never reach its log.
package click

import (
	"encoding/json"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/macro"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Reason says why one click of a request was rejected; besides these there are the reasons of [postback.CheckSubID].
type Reason string

// The reasons.
const (
	// JSONInvalid: the item is no JSON object.
	JSONInvalid Reason = "json_invalid"
	// ValueUnreadable: a known field holds a list, an object, or a truth value where that means nothing; or unique
	// or test holds none.
	ValueUnreadable Reason = "value_unreadable"
	// ValueTooLong: a value is longer than [MaxValueBytes].
	ValueTooLong Reason = "value_too_long"
	// TimeUnreadable: the time has none of the forms that [postback.ReadDate] knows.
	TimeUnreadable Reason = "time_unreadable"
	// CostUnreadable: the cost is no decimal amount.
	CostUnreadable Reason = "cost_unreadable"
)

// MaxValueBytes bounds one value, decoded.
const MaxValueBytes = request.MaxValueBytes

// maxAhead is how far the tracker's clock may be ahead: a later click counts as one of now, as a postback's date does.
const maxAhead = 5 * time.Minute

// Scope is what a click's meaning depends on besides the click itself.
type Scope struct {
	// Endpoint is "namespace/name" of the endpoint that gets the clicks, Currency its currency.
	Endpoint, Currency string
	Rates              *money.Table
	// Now is the time of a click that has none.
	Now time.Time
}

// read turns one JSON object into a click. Unknown fields are ignored, so that a tracker can send what it has. A value
// may be a string or a number, is trimmed, and empty or null is as good as absent; so is a macro that nobody filled in,
// except for the subid.
func (s Scope) read(item json.RawMessage) (conversion.Click, Reason) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(item, &object); err != nil || object == nil {
		return conversion.Click{}, JSONInvalid
	}
	f := fields{object: object}
	click := conversion.Click{
		Endpoint: s.Endpoint, SubID: f.text(config.ParamSubid), Time: s.time(&f), Campaign: f.text("campaign"),
		IP: f.text("ip"), UserAgent: f.text("user_agent"), Cost: s.cost(&f), Unique: f.flag("unique"), Test: f.flag("test"),
	}
	for _, name := range conversion.ClickFields() {
		if value := f.text(name); value != "" {
			click.Params = append(click.Params, conversion.Param{Name: name, Value: value})
		}
	}
	if reason := postback.CheckSubID(click.SubID); reason != "" && f.reason == "" {
		f.reason = Reason(reason)
	}
	return click, f.reason
}

func (s Scope) time(f *fields) time.Time {
	text := f.text("time")
	if text == "" {
		return s.Now
	}
	at, ok := postback.ReadDate(text)
	switch {
	case !ok:
		f.reject(TimeUnreadable)
	case at.After(s.Now.Add(maxAhead)):
		return s.Now
	}
	return at
}

func (s Scope) cost(f *fields) *money.Amount {
	currency, _ := request.Currency(f.text(config.ParamCurrency))
	sent := money.ReadAmount(f.text(config.ParamCost), currency, s.Currency)
	switch sent.Reading {
	case money.Missing:
		return nil
	case money.Unreadable:
		f.reject(CostUnreadable)
		return nil
	}
	amount := s.Rates.Convert(sent.Value, sent.Currency, s.Currency)
	return &amount
}

// fields reads an object's values and keeps the first thing that is wrong with them.
type fields struct {
	object map[string]json.RawMessage
	reason Reason
}

func (f *fields) reject(reason Reason) {
	if f.reason == "" {
		f.reason = reason
	}
}

// flag returns a truth value: as JSON has it, or as 1 and 0, or either as text.
func (f *fields) flag(name string) bool {
	switch strings.Trim(string(f.object[name]), `"`) {
	case "true", "1":
		return true
	case "", "null", "false", "0":
	default:
		f.reject(ValueUnreadable)
	}
	return false
}

// text returns a value as text that every store takes: UTF-8 without NUL. A number stays as it is written.
func (f *fields) text(name string) string {
	raw := f.object[name]
	if len(raw) == 0 {
		return ""
	}
	text := string(raw)
	switch c := raw[0]; {
	case text == "null":
		return ""
	case c == '"':
		if err := json.Unmarshal(raw, &text); err != nil {
			f.reject(ValueUnreadable)
		}
		text = strings.ReplaceAll(request.Trim(text), "\x00", "\uFFFD")
		if name != config.ParamSubid && macro.IsBare(text) {
			return ""
		}
	case c != '-' && (c < '0' || c > '9'):
		f.reject(ValueUnreadable)
	}
	if len(text) > MaxValueBytes {
		f.reject(ValueTooLong)
	}
	return text
}
