package rule

import (
	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/macro"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// Values are what macros stand for.
type Values struct {
	// Conversion is the version that is reported, Click its click at that moment; nil for an orphan.
	Conversion *conversion.Conversion
	Click      *conversion.Click
	// IP is where the postback came from.
	IP string
	// Random answers {random}; it is called once for each occurrence.
	Random func() uint64
}

// fill returns what a macro stands for, empty where nothing is known. declared: it is text of the declaration, a word
// for a type or a formatted date.
func (v *Values) fill(m *config.TemplatePart) (value string, declared bool) {
	if word, ok := m.Words[v.Conversion.Type]; ok && m.Macro == config.ParamStatus {
		return word, true
	}
	value = v.value(m)
	if m.Hash != "" {
		value = macro.Hash(m.Hash, value)
	}
	return value, m.Macro == config.ParamDate || m.Macro == config.MacroClickDate
}

func (v *Values) value(m *config.TemplatePart) string {
	c := v.Conversion
	switch m.Macro {
	case config.ParamSubid:
		return c.SubID
	case config.ParamTid:
		return c.Slot.TID
	case config.ParamStatus:
		return c.Type
	case config.MacroOriginalStatus:
		return c.Status
	case config.ParamPayout, config.MacroRevenue:
		return amount(&c.Payout)
	case config.ParamCurrency:
		return c.EndpointCurrency
	case config.ParamCost:
		return v.cost()
	case config.MacroCampaign:
		return v.ofClick(func(click *conversion.Click) string { return click.Campaign })
	case config.ParamDate:
		return macro.Date(c.ConversionTime, m.Format, m.Zone)
	case config.MacroClickDate:
		return v.ofClick(func(click *conversion.Click) string { return macro.Date(click.Time, m.Format, m.Zone) })
	case config.MacroUserAgent:
		return v.ofClick(func(click *conversion.Click) string { return click.UserAgent })
	case config.MacroConversionID:
		return c.ID.String()
	case config.MacroIP:
		if visitor := v.ofClick(func(click *conversion.Click) string { return click.IP }); visitor != "" {
			return visitor
		}
		return v.IP
	case config.MacroRandom:
		return macro.Random(m.Range, v.Random())
	default: // a parameter: sub ids and the click's fields
		return c.Field(v.Click, m.Macro)
	}
}

func (v *Values) ofClick(field func(*conversion.Click) string) string {
	if v.Click == nil {
		return ""
	}
	return field(v.Click)
}

// cost is the conversion's own, else its click's.
func (v *Values) cost() string {
	switch {
	case v.Conversion.Cost != nil:
		return amount(v.Conversion.Cost)
	case v.Click != nil && v.Click.Cost != nil:
		return amount(v.Click.Cost)
	}
	return ""
}

// amount is in the endpoint's currency; empty while no rate is known, never the amount in another currency.
func amount(a *money.Amount) string {
	if a.Pending() {
		return ""
	}
	return a.Converted.String()
}
