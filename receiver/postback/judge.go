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
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// Arrival is how and when a postback came. Its fields are those of [conversion.Intent], but for the Trace.
type Arrival struct {
	At        time.Time
	IP        string
	RequestID uuid.UUID
	Stamp     int64
	Writer    conversion.Writer
	// Trace gets the steps of the judgement; nil = nobody asks for them.
	Trace *trace.Trace
}

// Verdict is what a postback asks for, as far as that can be told without its click and its slot.
type Verdict struct {
	// Intent is what to record; nil when the postback is ignored, for the Reason.
	Intent *conversion.Intent
	Reason conversion.Reason
	// SubID, TID and Type as far as they were understood: never a malformed one.
	SubID, TID, Type string
	// Status is the network's word, as it was sent.
	Status string
	// SubIDFrom is where the request said the subid, or what it has in its place.
	SubIDFrom request.Source
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
	t := at.Trace
	v := Verdict{Warnings: said.Warnings}
	kept := v.resolve(ep, f, &said, t)
	v.Return, v.Status = f[endpoint.FieldReturn], f[endpoint.FieldStatus]
	if v.Reason = v.judgeSubID(f[endpoint.FieldSubid], t); v.Reason != "" {
		return v
	}
	if v.Reason = v.judgeStatus(ep, f, t); v.Reason != "" {
		return v
	}
	if v.Reason = v.judgeTID(f[endpoint.FieldTid], t); v.Reason != "" {
		return v
	}
	currency, unresolved := request.Currency(f[endpoint.FieldCurrency])
	if unresolved {
		v.warn(conversion.CurrencyUnresolved)
	}
	payout := v.amount(ep, rates, f[endpoint.FieldPayout], currency, &payoutWords, t)
	cost := v.amount(ep, rates, f[endpoint.FieldCost], currency, &costWords, t)
	date := v.date(f[endpoint.FieldDate], ep.Location, at.At, t)
	v.Intent = &conversion.Intent{
		Endpoint:   ep.Name,
		SubID:      v.SubID,
		Slot:       conversion.SlotKey{TID: v.TID},
		Writer:     at.Writer,
		Type:       v.Type,
		Status:     f[endpoint.FieldStatus],
		Payout:     payout,
		Cost:       cost,
		Date:       date,
		Params:     kept,
		From:       f[endpoint.FieldFrom],
		Received:   at.At,
		ReceivedIP: at.IP,
		RequestID:  at.RequestID,
		Stamp:      at.Stamp,
		Rules:      ep.Rules,
	}
	if ep.Rules.Slot == config.SlotTidAndType {
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

func (v *Verdict) judgeSubID(subid string, t *trace.Trace) conversion.Reason {
	reason := CheckSubID(subid)
	if reason == "" {
		v.SubID = subid
	}
	if t != nil {
		v.tell(t, trace.Step{
			Name:   trace.SubID,
			Value:  subid,
			From:   v.SubIDFrom.String(),
			Result: v.SubID,
			Reason: string(reason),
		})
	}
	return reason
}

func (v *Verdict) judgeStatus(ep *endpoint.Endpoint, f Fields, t *trace.Trace) conversion.Reason {
	status := f[endpoint.FieldStatus]
	conversionType, by, reason := v.typeOf(ep, f, status)
	v.Type = conversionType
	if t != nil {
		v.tell(t, trace.Step{
			Name:   trace.Status,
			Value:  status,
			By:     string(by),
			Result: conversionType,
			Reason: string(reason),
		})
	}
	return reason
}

// typeOf returns the type that the status means, and what decided.
func (v *Verdict) typeOf(ep *endpoint.Endpoint, f Fields, status string) (string, endpoint.Level, conversion.Reason) {
	switch {
	case status == "" && ep.MissingStatus == "":
		return "", endpoint.LevelPolicy, conversion.StatusMissing
	case status == "":
		return ep.MissingStatus, endpoint.LevelPolicy, ""
	case lists(f[endpoint.FieldIgnoreStatus], status):
		return "", endpoint.LevelURL, conversion.StatusIgnored
	case len(status) > request.MaxValueBytes:
		return "", "", conversion.StatusUnknown
	}
	conversionType, by, ambiguous := train(ep, f, status)
	if ambiguous {
		v.warn(conversion.AmbiguousTraining)
	}
	switch {
	case conversionType != "":
		return conversionType, by, ""
	case ep.UnknownStatus != "":
		return ep.UnknownStatus, endpoint.LevelPolicy, ""
	case macro.IsUnresolved(status):
		return "", endpoint.LevelPolicy, conversion.StatusUnresolvedMacro
	}
	return "", endpoint.LevelPolicy, conversion.StatusUnknown
}

func (v *Verdict) judgeTID(tid string, t *trace.Trace) conversion.Reason {
	var reason conversion.Reason
	switch {
	case macro.IsUnresolved(tid):
		v.warn(conversion.TIDUnresolvedMacro)
	case len(tid) > maxTIDBytes:
		reason = conversion.TIDMalformed
	default:
		v.TID = tid
	}
	if t != nil {
		v.tell(t, trace.Step{Name: trace.TID, Value: tid, Result: v.TID, Reason: string(reason)})
	}
	return reason
}

// amountWords are what is said of an amount: its name, and the warnings if it is not plain.
type amountWords struct {
	name                  trace.Name
	ambiguous, unreadable conversion.Warning
}

var (
	payoutWords = amountWords{trace.Payout, conversion.PayoutAmbiguous, conversion.PayoutUnreadable}
	costWords   = amountWords{trace.Cost, conversion.CostAmbiguous, conversion.CostUnreadable}
)

// amount reads an amount and converts it into the endpoint's currency; nil when there is none to be read. Without a
// rate the amount stays pending (docs/semantics.md §5). currency is the parameter as sent, "" for none.
func (v *Verdict) amount(
	ep *endpoint.Endpoint, rates *money.Table, text, currency string, words *amountWords, t *trace.Trace,
) *money.Amount {
	if text == "" {
		return nil
	}
	var read *money.Amount
	sent := money.ReadAmount(text, currency, ep.Currency)
	switch sent.Reading {
	case money.Missing:
		return nil
	case money.Unreadable:
		v.warn(words.unreadable)
	case money.Ambiguous:
		v.warn(words.ambiguous)
		fallthrough
	default:
		amount := v.convert(ep, rates, &sent)
		read = &amount
	}
	if t != nil {
		v.tellAmount(t, words.name, text, ep.Currency, read)
	}
	return read
}

func (v *Verdict) convert(ep *endpoint.Endpoint, rates *money.Table, sent *money.Sent) money.Amount {
	if sent.Conflict {
		v.warn(conversion.CurrencyConflict)
	}
	amount := rates.Convert(sent.Value, sent.Currency, ep.Currency)
	if amount.Pending() && !rates.Known(sent.Currency) {
		v.warn(conversion.CurrencyUnknown)
	}
	return amount
}

// date returns the zero time for a date that is missing or of no use.
func (v *Verdict) date(sent string, zone *time.Location, now time.Time, t *trace.Trace) time.Time {
	if sent == "" {
		return time.Time{}
	}
	date, warning := parseDate(sent, zone, now)
	if warning != "" {
		v.warn(warning)
	}
	if t != nil {
		v.tellDate(t, sent, date)
	}
	return date
}
