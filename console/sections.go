package console

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// recent is how many rows of a list the overview shows.
const recent = "8"

func (c *console) overview(p *page) error {
	p.section("overview")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	today := p.Now.In(p.Zone).Format(time.DateOnly)
	asked := url.Values{
		"from": {today}, "tz": {p.Zone.String()}, "time": {"conversion"},
		"metrics": {"clicks,conversions,leads,sales,rejected,cr,hold,revenue_confirmed,cost,profit,roi"},
	}
	sums, err := c.API.Report(p.ctx, asked)
	if err != nil {
		return err
	}
	asked.Set("group", "campaign")
	asked.Set("sort", "-conversions")
	asked.Set("limit", recent)
	campaigns, err := c.API.Report(p.ctx, asked)
	if err != nil {
		return err
	}
	conversions, err := c.API.Conversions(p.ctx, url.Values{"limit": {recent}})
	if err != nil {
		return err
	}
	ignored, err := c.API.Postbacks(p.ctx, url.Values{"limit": {recent}, "outcome": {"ignored"}})
	if err != nil {
		return err
	}
	failed, err := c.API.Forwards(p.ctx, url.Values{"limit": {recent}, "state": {"failed"}})
	if err != nil {
		return err
	}
	p.Report, p.Campaigns = &sums, &campaigns
	p.Conversions, p.Postbacks, p.Forwards = conversions.Items, ignored.Items, failed.Items
	return c.overviewFigures(p)
}

// overviewFigures draws what was received lately, and what the last days brought.
func (c *console) overviewFigures(p *page) (err error) {
	if p.Figures, err = c.dayFigures(p); err != nil {
		return err
	}
	lately, err := c.receivedFigure(p)
	if lately != nil {
		p.Figures = append([]figure{*lately}, p.Figures...)
	}
	return err
}

func (c *console) conversions(p *page) error {
	p.section("conversions")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	found, err := c.API.Conversions(p.ctx, p.askedPage(conversionFilters))
	p.Conversions, p.NextCursor = found.Items, cursor(found.NextCursor)
	return err
}

// conversion shows one with its history, and what was sent for its click and transaction.
func (c *console) conversion(p *page) error {
	p.section("conversions")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	history, err := c.API.History(p.ctx, p.request.PathValue("id"))
	if err != nil {
		return err
	}
	p.template, p.Title, p.Conversions = "conversion", "title.conversion", history.Items
	last := history.Items[len(history.Items)-1]
	of := url.Values{"endpoint": {last.Endpoint}, "subid": {last.SubID}, "tid": {last.TID}}
	postbacks, err := c.API.Postbacks(p.ctx, of)
	if err != nil {
		return err
	}
	forwards, err := c.API.Forwards(p.ctx, of)
	p.Postbacks, p.Forwards = postbacks.Items, forwards.Items
	return err
}

func (c *console) received(p *page) error {
	p.section("received")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	found, err := c.API.Postbacks(p.ctx, p.askedPage(postbackFilters))
	p.Postbacks, p.NextCursor = found.Items, cursor(found.NextCursor)
	return err
}

func (c *console) forwards(p *page) error {
	p.section("s2s")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	found, err := c.API.Forwards(p.ctx, p.askedPage(forwardFilters))
	p.Forwards, p.NextCursor = found.Items, cursor(found.NextCursor)
	return err
}

func (c *console) reports(p *page) error {
	p.section("reports")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	asked := p.askedReport()
	made, err := c.API.Report(p.ctx, asked)
	if err != nil {
		return err
	}
	p.Report, p.Figures = &made, p.reportFigures(&made)
	without := p.asked("out")["out"]
	if len(without) == 0 {
		return nil
	}
	asked["without"] = without
	asked.Set("limit", "1")
	rest, err := c.API.Report(p.ctx, asked)
	p.Rest = rest.Totals
	return err
}

// askedReport are the parameters of the report that the URL says.
func (p *page) askedReport() url.Values {
	asked := p.asked("group", "metrics", "time", "from", "to", "endpoint", "filter", "currency", "sort", "limit")
	asked.Set("tz", p.Zone.String())
	if group := p.Group(); group != "" {
		asked.Set("group", group)
	}
	return asked
}

// askedPage are the parameters of a page of a list.
func (p *page) askedPage(filters []string) url.Values {
	return p.asked(append([]string{"cursor"}, filters...)...)
}

// Currencies are those of a report's sums; those of the endpoints where there is nothing to sum.
func (p *page) Currencies(r *read.Report) string {
	var found []string
	for _, row := range slices.Concat(r.Totals, r.Items) {
		found = append(found, row.Currency)
	}
	if len(found) == 0 {
		for i := range p.Endpoints {
			found = append(found, p.Endpoints[i].Currency)
		}
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), ", ")
}

// Key is what a row of a report is left out by: the values of its groups.
func (p *page) Key(groups []string, row read.ReportRow) string {
	values := make([]string, len(groups))
	for i, group := range groups {
		values[i] = row.Groups[group]
	}
	key, _ := json.Marshal(values) // Strings always encode.
	return string(key)
}

// Out reports whether the URL leaves a row of a report out.
func (p *page) Out(key string) bool { return slices.Contains(p.Query["out"], key) }

func cursor(next *string) string {
	if next == nil {
		return ""
	}
	return *next
}

// Current returns the newest version of the conversion that the page is about.
func (p *page) Current() read.Conversion { return p.Conversions[len(p.Conversions)-1] }
