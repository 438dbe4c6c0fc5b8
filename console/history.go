package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// version is one version of a conversion, with what it changed of the one before.
type version struct {
	read.Conversion
	Changes []change
}

// change is a field that has another value than before. Name is a field of the API.
type change struct{ Name, Before, After string }

// History returns the versions of the page's conversion, the newest first.
func (p *page) History() []version {
	versions := make([]version, len(p.Conversions))
	for i := range p.Conversions {
		versions[i].Conversion = p.Conversions[i]
		if i > 0 {
			versions[i].Changes = p.changes(&p.Conversions[i-1], &p.Conversions[i])
		}
	}
	slices.Reverse(versions)
	return versions
}

// changes compares what a conversion says, without what is new in each version.
func (p *page) changes(before, after *read.Conversion) []change {
	var found []change
	old, now := p.said(before), p.said(after)
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if old[name] != now[name] {
			found = append(found, change{name, old[name], now[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, kept := now[name]; !kept {
			found = append(found, change{name, old[name], "–"})
		}
	}
	return found
}

func (p *page) said(c *read.Conversion) map[string]string {
	said := map[string]string{
		"type":            c.Type,
		"payout":          p.Text(c.Payout) + " " + c.Currency,
		"original_payout": c.OriginalPayout + " " + c.OriginalCurrency,
		"original_status": p.Text(c.OriginalStatus),
		"state":           c.State,
		"rate":            p.Text(c.Rate),
		"cost":            p.Text(c.Cost),
		"campaign":        p.Text(c.Campaign),
		"sale_time":       p.Time(c.SaleTime),
		"conversion_time": p.Time(c.ConversionTime),
		"warnings":        strings.Join(c.Warnings, " "),
		"pinned":          fmt.Sprint(c.Pinned),
	}
	for name, value := range c.Params {
		said["params."+name] = value
	}
	return said
}
