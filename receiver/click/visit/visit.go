// Package visit owns what a visit to a campaign means: which click it is, and where the visitor goes. It is pure but
// for the randomness of subids and of the macro {random}: no clock, no store, no network.
package visit

import (
	"math/rand/v2"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/click/subid"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/macro"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// DefaultKeyword is by which the tracking script sends the page's title, for clicks that have no keyword.
const DefaultKeyword = "default_keyword"

// maxUserAgent bounds what is kept of a browser's name, in bytes.
const maxUserAgent = 1 << 10

// Visit is one visit to a campaign.
type Visit struct {
	Campaign *endpoint.Campaign
	// Values are the link's parameters.
	Values request.Values
	// IP and UserAgent are the visitor's.
	IP, UserAgent string
	// Token is what the browser keeps of its last click, see [Token]; empty if there is none.
	Token string
	At    time.Time
}

// LastClick is the time of the visitor's last click, as their browser says, if that was one of this campaign, otherwise
// zero.
func (v Visit) LastClick() time.Time {
	alias, last, ok := SplitToken(v.Token)
	if !ok || alias != v.Campaign.Alias {
		return time.Time{}
	}
	return subid.Time(last)
}

// Click returns the click of the visit, with a new subid.
func (v Visit) Click(rates *money.Table) *conversion.Click {
	c := &conversion.Click{
		Endpoint: v.Campaign.Endpoint.Name, SubID: subid.New(v.At), Time: v.At, Campaign: v.Campaign.Name,
		IP: v.IP, UserAgent: request.Storable(v.UserAgent, maxUserAgent), Cost: v.cost(rates),
	}
	for _, field := range conversion.ClickFields() {
		value := v.field(field)
		switch {
		case value != "":
		case field == config.ParamSource:
			value = v.Campaign.Source
		case field == config.ParamKeyword:
			value = v.Values.Get(DefaultKeyword)
		}
		if value != "" {
			c.Params = append(c.Params, conversion.Param{Name: field, Value: value})
		}
	}
	return c
}

// field returns what the link says of a click field: by the field's own name, else by the traffic source's.
func (v Visit) field(field string) string {
	value := v.value(field)
	for _, name := range v.Campaign.Parameters[field] {
		if value != "" {
			break
		}
		value = v.value(name)
	}
	return value
}

// value returns a parameter of the link. A macro that the traffic source did not fill in counts as empty: it means
// nothing to the offer and to S2S postbacks.
func (v Visit) value(name string) string {
	if value := v.Values.Get(name); !macro.IsBare(value) {
		return value
	}
	return ""
}

// cost of the click: what the link says, in the currency that the link says, else in the endpoint's. A cost that cannot
// be read, such as a macro that was not filled in, is none: then the campaign's own counts.
func (v Visit) cost(rates *money.Table) *money.Amount {
	to := v.Campaign.Endpoint.Currency
	currency, _ := request.Currency(v.field(config.ParamCurrency))
	sent := money.ReadAmount(v.field(config.ParamCost), currency, to)
	if sent.Reading == money.Missing || sent.Reading == money.Unreadable {
		if v.Campaign.Cost == nil {
			return nil
		}
		amount := rates.Convert(*v.Campaign.Cost, v.Campaign.CostCurrency, to)
		return &amount
	}
	amount := rates.Convert(sent.Value, sent.Currency, to)
	return &amount
}

// Update returns the click fields among the values, sorted by name, under their own names only: what a page knows of a
// click later on.
func Update(values request.Values) conversion.Params {
	var params conversion.Params
	for _, field := range conversion.ClickFields() {
		if value := values.Get(field); value != "" && !macro.IsBare(value) {
			params = append(params, conversion.Param{Name: field, Value: value})
		}
	}
	return params
}

// OfferURL returns where the visitor of a click goes. A click without a subid is one that is not stored.
func (v Visit) OfferURL(click *conversion.Click) string {
	return v.Campaign.Offer.Render(func(m *config.TemplatePart) string {
		switch m.Macro {
		case config.ParamSubid:
			return click.SubID
		case config.MacroCampaign:
			return v.Campaign.Name
		case config.MacroIP:
			return click.IP
		case config.MacroRandom:
			return macro.Random(m.Range, rand.Uint64()) //nolint:gosec // It keeps caches away, nothing else.
		case config.ParamDate:
			return macro.Date(v.At, m.Format, m.Zone)
		case config.ParamCost:
			if click.Cost == nil {
				return ""
			}
			return click.Cost.Original.String()
		case config.ParamCurrency:
			if click.Cost == nil {
				return v.Campaign.Endpoint.Currency
			}
			return click.Cost.Currency
		}
		if conversion.IsClickField(m.Macro) {
			if value := click.Params.Get(m.Macro); !macro.IsBare(value) {
				return value
			}
			return ""
		}
		return v.value(m.Macro)
	})
}

// robots are words in the names of programs that are no visitor's browser.
var robots = []string{"bot", "crawl", "spider", "slurp", "facebookexternalhit", "headless", "curl/", "wget/", "python",
	"go-http-client"}

// IsBot guesses by its name whether a browser is a program. It is but a word for who asks; the click is one all the
// same.
func IsBot(userAgent string) bool {
	name := strings.ToLower(userAgent)
	for _, robot := range robots {
		if strings.Contains(name, robot) {
			return true
		}
	}
	return name == ""
}

// IsSpeculative reports whether a browser fetches or renders a page ahead, for a visitor who may never come. header
// returns the value of a header of the visitor's request.
func IsSpeculative(header func(name string) string) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		purpose := strings.ToLower(header(name))
		if strings.HasPrefix(purpose, "prefetch") || strings.HasPrefix(purpose, "prerender") || purpose == "preview" {
			return true
		}
	}
	return false
}
