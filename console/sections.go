package console

import (
	"net/url"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// recent is how many rows of a list the overview shows.
const recent = "8"

func (c *console) overview(p *page) error {
	p.section("overview")
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
	if p.Figures, err = c.dayFigures(p); err != nil {
		return err
	}
	lately, err := c.receivedFigure(p)
	if lately != nil {
		p.Figures = append([]figure{*lately}, p.Figures...)
	}
	p.Report, p.Campaigns = &sums, &campaigns
	p.Conversions, p.Postbacks, p.Forwards = conversions.Items, ignored.Items, failed.Items
	return err
}

func (c *console) conversions(p *page) error {
	p.section("conversions")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	found, err := c.API.Conversions(p.ctx, p.asked("endpoint", "subid", "tid", "type", "from", "to", "filter", "cursor"))
	p.Conversions, p.NextCursor = found.Items, cursor(found.NextCursor)
	return err
}

// conversion shows one with its history, and what was sent for its click and transaction.
func (c *console) conversion(p *page) error {
	p.section("conversions")
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
	asked := p.asked("endpoint", "subid", "outcome", "reason", "from", "to", "filter", "cursor")
	found, err := c.API.Postbacks(p.ctx, asked)
	p.Postbacks, p.NextCursor = found.Items, cursor(found.NextCursor)
	return err
}

func (c *console) forwards(p *page) error {
	p.section("s2s")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	found, err := c.API.Forwards(p.ctx, p.asked("endpoint", "subid", "rule", "state", "from", "to", "cursor"))
	p.Forwards, p.NextCursor = found.Items, cursor(found.NextCursor)
	return err
}

func (c *console) reports(p *page) error {
	p.section("reports")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	asked := p.asked("group", "metrics", "time", "from", "to", "endpoint", "filter", "currency", "sort", "limit")
	asked.Set("tz", p.Zone.String())
	if group := p.Group(); group != "" {
		asked.Set("group", group)
	}
	made, err := c.API.Report(p.ctx, asked)
	if err == nil {
		p.Report, p.Figures = &made, p.reportFigures(&made)
	}
	return err
}

func cursor(next *string) string {
	if next == nil {
		return ""
	}
	return *next
}

// Current returns the newest version of the conversion that the page is about.
func (p *page) Current() read.Conversion { return p.Conversions[len(p.Conversions)-1] }
