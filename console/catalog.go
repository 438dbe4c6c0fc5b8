package console

import (
	"maps"
	"net/url"
	"slices"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// campaignsFor is for how many days back the sums of campaigns go, unless the URL says from when.
const campaignsFor = 7

// campaignRow is a declared campaign with its sums, one for each currency, or none.
type campaignRow struct {
	read.Campaign
	Endpoint string
	Sums     []read.ReportRow
}

// clicks lists clicks, of a campaign if the URL says one.
func (c *console) clicks(p *page) error {
	p.section("clicks")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	asked := p.askedClicks()
	maps.Copy(asked, p.asked("cursor"))
	found, err := c.API.Clicks(p.ctx, asked)
	p.Clicks, p.NextCursor = found.Items, cursor(found.NextCursor)
	return err
}

// askedClicks are the parameters of the clicks that the URL says.
func (p *page) askedClicks() url.Values {
	asked := p.asked("endpoint", "filter")
	for _, name := range []string{"campaign", "subid"} {
		if value := p.Value(name); value != "" {
			asked.Add("filter", name+" eq "+value)
		}
	}
	return asked
}

// click shows one click with its conversions.
func (c *console) click(p *page) error {
	p.section("clicks")
	of := p.request.PathValue("namespace") + "/" + p.request.PathValue("name")
	click, err := c.API.Click(p.ctx, of, p.request.PathValue("subid"))
	if err != nil {
		return err
	}
	p.template, p.Title = "click", "title.click"
	p.Clicks, p.Conversions = []read.Click{click.Click}, click.Conversions
	postbacks, err := c.API.Postbacks(p.ctx, url.Values{"endpoint": {of}, "subid": {click.SubID}})
	p.Postbacks = postbacks.Items
	return err
}

// campaigns lists what is declared, with what the last days brought.
func (c *console) campaigns(p *page) error {
	p.section("campaigns")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	asked := p.asked("from", "to", "endpoint", "currency")
	asked.Set("tz", p.Zone.String())
	asked.Set("group", "endpoint,campaign")
	asked.Set("metrics", "clicks,conversions,cr,hold,revenue_confirmed,cost,profit,roi")
	if asked.Get("from") == "" {
		asked.Set("from", p.Now.In(p.Zone).AddDate(0, 0, 1-campaignsFor).Format(time.DateOnly))
	}
	sums, err := c.API.Report(p.ctx, asked)
	if err != nil {
		return err
	}
	p.Report = &sums
	for i := range p.Endpoints {
		e := &p.Endpoints[i]
		if only := p.Value("endpoint"); only != "" && only != e.Name {
			continue
		}
		for _, campaign := range e.Campaigns {
			row := campaignRow{Campaign: campaign, Endpoint: e.Name}
			for _, sum := range sums.Items {
				if sum.Groups["endpoint"] == e.Name && sum.Groups["campaign"] == campaign.Name {
					row.Sums = append(row.Sums, sum)
				}
			}
			p.CampaignRows = append(p.CampaignRows, row)
		}
	}
	return nil
}

// endpoints shows what the receiver serves.
func (c *console) endpoints(p *page) error {
	p.section("endpoints")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	busy, err := c.API.Talkers(p.ctx)
	if err == nil {
		p.Talkers = busy.Endpoints // A token of one endpoint may not ask: there are none then.
	}
	return nil
}

// Busy returns the requests of an endpoint within the last minutes; nil if it is not among those who get most.
func (p *page) Busy(name string) *read.Talker {
	if i := slices.IndexFunc(p.Talkers, func(t read.Talker) bool { return t.Name == name }); i >= 0 {
		return &p.Talkers[i]
	}
	return nil
}

func (c *console) listEndpoints(p *page) error {
	found, err := c.API.Endpoints(p.ctx)
	p.Endpoints = found.Items
	return err
}

// Types returns every conversion type of the endpoints, sorted.
func (p *page) Types() []string {
	var types []string
	for i := range p.Endpoints {
		types = append(types, p.Endpoints[i].Types...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// Ended reports whether a moment has passed.
func (p *page) Ended(t *time.Time) bool { return t != nil && !t.After(p.Now) }
