package postback

import (
	"slices"
	"time"

	"github.com/google/uuid"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/macro"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Arrival is how and when a postback came. Its fields are those of [conversion.Intent].
type Arrival struct {
	At        time.Time
	IP        string
	RequestID uuid.UUID
	Stamp     int64
	Writer    conversion.Writer
}

// Verdict is what a postback asks for, as far as that can be told without its click and its slot.
type Verdict struct {
	// Intent is what to record; nil when the postback is ignored, for the Reason.
	Intent *conversion.Intent
	Reason conversion.Reason
	// SubID, TID and Type as far as they were understood: never a malformed one.
	SubID, TID, Type string
	// Warnings, each once, in the order of processing.
	Warnings []conversion.Warning
	// Return is what the sender asked for as reply: a text, or a form.
	Return string
}

// Judge goes through the steps 4-7 and 9-11 of docs/semantics.md §3: subid, status, training, slot, amounts. Those that
// need the click or the slot's present state are [conversion.Apply]'s.
func Judge(ep *endpoint.Endpoint, said request.Parsed, at Arrival, rates *money.Table) Verdict {
	var usual [usualFields]string
	f := Fields(usual[:])
	if ep.Fields() > usualFields {
		f = make(Fields, ep.Fields())
	}
	v := Verdict{Warnings: said.Warnings}
	kept := v.resolve(ep, f, said.Values)
	v.Return = f[endpoint.FieldReturn]
	if v.Reason = v.judgeSubID(f[endpoint.FieldSubid]); v.Reason != "" {
		return v
	}
	if v.Reason = v.judgeStatus(ep, f); v.Reason != "" {
		return v
	}
	if v.Reason = v.judgeTID(f[endpoint.FieldTid]); v.Reason != "" {
		return v
	}
	currency, unresolved := request.Currency(f[endpoint.FieldCurrency])
	if unresolved {
		v.warn(conversion.CurrencyUnresolved)
	}
	v.Intent = &conversion.Intent{
		Endpoint:   ep.Name,
		SubID:      v.SubID,
		Slot:       conversion.SlotKey{TID: v.TID},
		Writer:     at.Writer,
		Type:       v.Type,
		Status:     f[endpoint.FieldStatus],
		Payout:     v.amount(ep, rates, f[endpoint.FieldPayout], currency, payoutWarnings),
		Cost:       v.amount(ep, rates, f[endpoint.FieldCost], currency, costWarnings),
		Date:       v.date(f[endpoint.FieldDate], ep.Location, at.At),
		Params:     kept,
		From:       f[endpoint.FieldFrom],
		Received:   at.At,
		ReceivedIP: at.IP,
		RequestID:  at.RequestID,
		Stamp:      at.Stamp,
		Rules:      ep.Rules,
	}
	if ep.Rules.SlotPolicy == config.SlotTidAndType {
		v.Intent.Slot.Type = v.Type
	}
	v.Intent.Warnings = v.Warnings
	return v
}

func (v *Verdict) warn(w conversion.Warning) {
	if !slices.Contains(v.Warnings, w) {
		v.Warnings = append(v.Warnings, w)
	}
}

func (v *Verdict) judgeSubID(subid string) conversion.Reason {
	reason := CheckSubID(subid)
	if reason == "" {
		v.SubID = subid
	}
	return reason
}

func (v *Verdict) judgeStatus(ep *endpoint.Endpoint, f Fields) conversion.Reason {
	status := f[endpoint.FieldStatus]
	if status == "" {
		v.Type = ep.MissingStatus
		if v.Type == "" {
			return conversion.StatusMissing
		}
		return ""
	}
	if lists(f[endpoint.FieldIgnoreStatus], status) {
		return conversion.StatusIgnored
	}
	if len(status) > request.MaxValueBytes {
		return conversion.StatusUnknown
	}
	var ambiguous bool
	if v.Type, ambiguous = train(ep, f, status); ambiguous {
		v.warn(conversion.AmbiguousTraining)
	}
	if v.Type == "" {
		v.Type = ep.UnknownStatus
	}
	switch {
	case v.Type != "":
		return ""
	case macro.IsUnresolved(status):
		return conversion.StatusUnresolvedMacro
	}
	return conversion.StatusUnknown
}

func (v *Verdict) judgeTID(tid string) conversion.Reason {
	switch {
	case macro.IsUnresolved(tid):
		v.warn(conversion.TIDUnresolvedMacro)
	case len(tid) > maxTIDBytes:
		return conversion.TIDMalformed
	default:
		v.TID = tid
	}
	return ""
}

// amountWarnings are what can be said of an amount that is not plain.
type amountWarnings struct{ ambiguous, unreadable conversion.Warning }

var (
	payoutWarnings = amountWarnings{conversion.PayoutAmbiguous, conversion.PayoutUnreadable}
	costWarnings   = amountWarnings{conversion.CostAmbiguous, conversion.CostUnreadable}
)

// amount reads an amount and converts it into the endpoint's currency; nil when there is none to be read. Without a rate
// the amount stays pending (docs/semantics.md §5). currency is the parameter as sent, "" for none.
func (v *Verdict) amount(
	ep *endpoint.Endpoint, rates *money.Table, text, currency string, warnings amountWarnings,
) *money.Amount {
	if text == "" {
		return nil
	}
	sent := money.ReadAmount(text, currency, ep.Currency)
	switch sent.Reading {
	case money.Missing:
		return nil
	case money.Unreadable:
		v.warn(warnings.unreadable)
		return nil
	case money.Ambiguous:
		v.warn(warnings.ambiguous)
	}
	if sent.Conflict {
		v.warn(conversion.CurrencyConflict)
	}
	amount := rates.Convert(sent.Value, sent.Currency, ep.Currency)
	if amount.Pending() && !rates.Known(sent.Currency) {
		v.warn(conversion.CurrencyUnknown)
	}
	return &amount
}

// date returns the zero time for a date that is missing or of no use.
func (v *Verdict) date(sent string, zone *time.Location, now time.Time) time.Time {
	if sent == "" {
		return time.Time{}
	}
	date, warning := parseDate(sent, zone, now)
	if warning != "" {
		v.warn(warning)
	}
	return date
}
