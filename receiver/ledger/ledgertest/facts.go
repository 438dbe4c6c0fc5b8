package ledgertest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/report"
)

// traffic returns clicks and conversions at random: with and without campaigns, sources, costs, clicks and rates.
func traffic(random *rand.Rand) (clicks []*conversion.Click, conversions []*conversion.Conversion) {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	amount := func(of string) money.Amount {
		if random.IntN(6) == 0 {
			return *pendingAmount()
		}
		return dollars(of)
	}
	params := func() conversion.Params {
		var all conversion.Params
		for _, name := range []string{"keyword", "source", "sub_id_10"} {
			if random.IntN(3) > 0 {
				all = append(all, conversion.Param{Name: name, Value: pick("a", "b", "50%", awkward)})
			}
		}
		return all
	}
	minute := func() time.Time { return noon.Add(time.Duration(random.IntN(3*24*60)) * time.Minute) }
	for n := range 120 {
		click := &conversion.Click{
			Endpoint: pick(shop, "shop/other", "other/main"), SubID: fmt.Sprint("s", n), Time: minute(),
			Campaign: pick("", "spring", "summer"), Params: params(), Unique: random.IntN(2) == 0,
			Test: random.IntN(8) == 0,
		}
		if random.IntN(2) == 0 {
			cost := amount(pick("0.000001", "12.345678", "-3"))
			click.Cost = &cost
		}
		clicks = append(clicks, click)
	}
	for n := range 240 {
		click := clicks[random.IntN(len(clicks))]
		c := bareConversion(click.SubID, fmt.Sprint(n), noon, n)
		c.Endpoint, c.ClickTime, c.ConversionTime = click.Endpoint, click.Time, minute()
		c.Campaign, c.Test = click.Campaign, click.Test || random.IntN(8) == 0
		if random.IntN(5) == 0 {
			c.SubID, c.ClickTime, c.Campaign = fmt.Sprint("orphan", n), time.Time{}, ""
		}
		c.Type = pick("lead", "sale", "trash", "vip")
		c.Status = pick("", "hold", "Ünï'; --")
		c.EndpointCurrency = pick("USD", "EUR")
		c.Payout = amount(pick("0.1", "0.2", "99999999999999.123456", "-0.3"))
		c.Params = params()
		conversions = append(conversions, c)
	}
	return clicks, conversions
}

func testFacts(d *desk) {
	seed := rand.Uint64()
	d.Logf("seed %d", seed)
	clicks, conversions := traffic(rand.New(rand.NewPCG(seed, 1)))
	d.write(&ledger.Changes{NewClicks: clicks, Conversions: conversions})
	day := 24 * time.Hour
	whole := report.Plan{Basis: report.ByClick, From: noon.Add(-day), To: noon.Add(5 * day)}
	for _, change := range []func(*report.Plan){
		func(*report.Plan) {},
		func(p *report.Plan) { p.Basis = report.ByConversion },
		func(p *report.Plan) { p.From, p.To = noon.Add(day), noon.Add(2*day+time.Microsecond) },
		func(p *report.Plan) { p.From, p.To, p.Basis = noon.Add(day), noon.Add(2*day), report.ByConversion },
		func(p *report.Plan) { p.Quarters = true },
		func(p *report.Plan) {
			p.Quarters, p.Basis, p.Fields = true, report.ByConversion, []report.Dimension{report.Campaign}
		},
		func(p *report.Plan) { p.Fields = []report.Dimension{report.Endpoint, report.Source, "sub_id_10"} },
		func(p *report.Plan) { p.Fields, p.WithoutClicks = []report.Dimension{report.Type, report.Status}, true },
		func(p *report.Plan) {
			p.Filters = []report.Filter{{Field: report.Endpoint, Op: report.Equal, Values: []string{shop}}}
		},
		func(p *report.Plan) {
			p.Filters = []report.Filter{{Field: report.Endpoint, Op: report.Prefix, Values: []string{"shop/"}}}
		},
		func(p *report.Plan) {
			p.Filters = []report.Filter{{Field: report.Keyword, Op: report.Equal, Values: []string{awkward}}}
		},
		func(p *report.Plan) {
			p.Filters = []report.Filter{{Field: report.Keyword, Op: report.Contains, Values: []string{"%"}}}
		},
		func(p *report.Plan) { p.Filters = []report.Filter{{Field: report.Campaign, Op: report.Empty}} },
		func(p *report.Plan) {
			p.Filters = []report.Filter{{Field: report.Campaign, Op: report.NotEqual, Values: []string{"spring"}}}
		},
		func(p *report.Plan) {
			p.Filters = []report.Filter{
				{Field: report.Source, Op: report.In, Values: []string{"a", "50%", "'"}},
				{Field: "sub_id_10", Op: report.NotIn, Values: []string{"a", ""}},
			}
		},
		func(p *report.Plan) {
			p.WithoutClicks = true
			p.Filters = []report.Filter{{Field: report.Status, Op: report.Contains, Values: []string{"'; --"}}}
		},
	} {
		p := whole
		change(&p)
		var got []report.Fact
		for fact, err := range d.store.Facts(d.Context(), p) {
			if err != nil {
				d.Fatalf("%+v: %v", p, err)
			}
			got = append(got, fact)
		}
		if diff := gocmp.Diff(sumByHand(p, clicks, conversions), sortFacts(got)); diff != "" {
			d.Errorf("%+v: facts of the rows (-) and of the store (+):\n%s", p, diff)
		}
	}
	for range d.store.Facts(d.Context(), whole) {
		break // A reader may stop early.
	}
}

// sumByHand is what the store must answer.
func sumByHand(p report.Plan, clicks []*conversion.Click, conversions []*conversion.Conversion) []report.Fact {
	sums := map[string]*report.Fact{}
	bySubID := map[string]*conversion.Click{}
	for _, click := range clicks {
		bySubID[click.SubID] = click
		field := func(d report.Dimension) string {
			switch d {
			case report.Endpoint:
				return click.Endpoint
			case report.Campaign:
				return click.Campaign
			}
			return click.Params.Get(string(d))
		}
		if !p.WithoutClicks && !click.Test {
			one := report.Fact{Endpoint: click.Endpoint}
			if click.Unique {
				one.Unique = 1
			}
			addByHand(sums, p, click.Time, field, one, click.Cost)
		}
	}
	for _, c := range conversions {
		if c.Test {
			continue
		}
		click := bySubID[c.SubID]
		at := c.ConversionTime
		if p.Basis == report.ByClick && click != nil {
			at = click.Time
		}
		field := func(d report.Dimension) string {
			switch d {
			case report.Endpoint:
				return c.Endpoint
			case report.Type:
				return c.Type
			case report.Status:
				return c.Status
			case report.Campaign:
				return c.Campaign
			}
			if click != nil && click.Params.Get(string(d)) != "" {
				return click.Params.Get(string(d))
			}
			return c.Params.Get(string(d))
		}
		addByHand(sums, p, at, field, kindOf(c), &c.Payout)
	}
	var all []report.Fact
	for _, fact := range sums {
		all = append(all, *fact)
	}
	return sortFacts(all)
}

// kindOf is what tells facts of conversions apart: the endpoint of a custom type alone.
func kindOf(c *conversion.Conversion) report.Fact {
	kind := report.Fact{Currency: c.EndpointCurrency, Type: c.Type}
	if !slices.Contains(report.CellTypes(), c.Type) {
		kind.Endpoint = c.Endpoint
	}
	return kind
}

func addByHand(
	sums map[string]*report.Fact, p report.Plan, at time.Time, field func(report.Dimension) string, fact report.Fact,
	amount *money.Amount,
) {
	if at.Before(p.From) || !at.Before(p.To) {
		return
	}
	for _, f := range p.Filters {
		if !f.Holds(field(f.Field)) {
			return
		}
	}
	if p.Quarters {
		fact.Slot = at.Truncate(report.Quarter)
	}
	fact.Values = []string{}
	for _, d := range p.Fields {
		fact.Values = append(fact.Values, field(d))
	}
	key := factKey(fact)
	unique := fact.Unique
	if sums[key] == nil {
		fact.Unique = 0
		sums[key] = &fact
	}
	sum := sums[key]
	sum.Rows++
	sum.Unique += unique
	switch {
	case amount == nil:
	case amount.Pending():
		sum.Pending++
	default:
		sum.Amount = sum.Amount.Add(*amount.Converted)
	}
}

func factKey(f report.Fact) string {
	return fmt.Sprint(f.Slot.UnixMicro(), "\x00", strings.Join(f.Values, "\x00"), "\x00", f.Endpoint, "\x00", f.Currency,
		"\x00", f.Type)
}

func sortFacts(all []report.Fact) []report.Fact {
	slices.SortFunc(all, func(a, b report.Fact) int { return cmp.Compare(factKey(a), factKey(b)) })
	return all
}
