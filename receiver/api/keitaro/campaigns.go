package keitaro

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// idOf is the number of a campaign or of an endpoint. It follows from the name, so that it is the same on every
// receiver and after every restart, and nothing has to be stored. 52 bits are exact in every script's numbers: of
// 10,000 campaigns two share one with a chance of one in a hundred million. What has no name is 0.
func idOf(kind, endpoint, name string) int64 {
	if name == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(kind + "\x1f" + endpoint + "\x1f" + name))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 12)
}

func campaignID(endpoint, name string) int64 { return idOf("campaign", endpoint, name) }

func groupID(endpoint string) int64 { return idOf("group", "", endpoint) }

// recently is how far back campaigns are looked for that are not declared.
const recently = 30 * 24 * time.Hour

// known are the declared campaigns, then those that clicks and conversions of a time name.
func (h *handler) known(ctx context.Context, from, to time.Time) ([]Campaign, error) {
	all := slices.Clone(h.Campaigns())
	declared := map[int64]bool{}
	for _, c := range all {
		declared[campaignID(c.Endpoint, c.Name)] = true
	}
	report, err := h.API.Report(ctx, url.Values{
		"group": {"endpoint,campaign"}, "metrics": {"conversions"}, "limit": {strconv.Itoa(maxLimit)},
		"from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Format(time.RFC3339)},
	})
	if err != nil {
		return nil, err
	}
	for _, item := range report.Items {
		c := Campaign{Endpoint: item.Groups["endpoint"], Name: item.Groups["campaign"]}
		if id := campaignID(c.Endpoint, c.Name); id != 0 && !declared[id] {
			declared[id] = true
			all = append(all, c)
		}
	}
	return all, nil
}

// campaigns lists them. Those that are in Keitaro's answer and have no meaning here are left out.
func (h *handler) campaigns(r *http.Request) (any, error) {
	return h.listed(r, func(c Campaign) row {
		return row{
			"id": campaignID(c.Endpoint, c.Name), "name": c.Name, "alias": c.Alias, "state": "active", "type": "position",
			"group_id": groupID(c.Endpoint), "group": c.Endpoint,
		}
	})
}

// offers lists one for each campaign, which has one offer.
func (h *handler) offers(r *http.Request) (any, error) {
	return h.listed(r, func(c Campaign) row {
		return row{
			"id": campaignID(c.Endpoint, c.Name), "name": c.Name, "state": "active", "offer_type": "external",
			"group_id": groupID(c.Endpoint),
		}
	})
}

// groups lists the endpoints.
func (h *handler) groups(r *http.Request) (any, error) {
	now := h.Clock()
	known, err := h.known(r.Context(), now.Add(-recently), now)
	if err != nil {
		return nil, err
	}
	var endpoints []string
	for _, c := range known {
		endpoints = append(endpoints, c.Endpoint)
	}
	slices.Sort(endpoints)
	rows := []row{}
	for _, endpoint := range slices.Compact(endpoints) {
		rows = append(rows, row{"id": groupID(endpoint), "name": endpoint, "type": "campaigns"})
	}
	return rows, nil
}

func (h *handler) listed(r *http.Request, view func(Campaign) row) (any, error) {
	now := h.Clock()
	known, err := h.known(r.Context(), now.Add(-recently), now)
	if err != nil {
		return nil, err
	}
	offset, limit := 0, len(known)
	for name, into := range map[string]*int{"offset": &offset, "limit": &limit} {
		if given := r.URL.Query().Get(name); given != "" {
			if *into, err = strconv.Atoi(given); err != nil || *into < 0 {
				return nil, invalid(name + ": must be a number")
			}
		}
	}
	rows := []row{}
	for _, c := range known[min(offset, len(known)):] {
		if len(rows) == limit {
			break
		}
		rows = append(rows, view(c))
	}
	return rows, nil
}

// byID turns a filter of numbers into filters of the product API: of campaigns or endpoints that have them.
func (h *handler) byID(ctx context.Context, f filter, from, to time.Time) ([]string, error) {
	op, err := f.operator()
	if err != nil {
		return nil, err
	}
	ids, err := f.values()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || op != "eq" && op != "in" {
		return nil, invalid("filters: " + f.Name + " takes EQUALS with a number, or IN_LIST with several")
	}
	known, err := h.known(ctx, from, to)
	if err != nil {
		return nil, err
	}
	ofGroup := f.Name == "campaign_group_id" || f.Name == "group_id"
	wanted := func(c Campaign) bool {
		id := campaignID(c.Endpoint, c.Name)
		if ofGroup {
			id = groupID(c.Endpoint)
		}
		return slices.Contains(ids, strconv.FormatInt(id, 10))
	}
	var endpoints, names []string
	for _, c := range known {
		if wanted(c) {
			endpoints, names = append(endpoints, c.Endpoint), append(names, c.Name)
		}
	}
	endpointIn := "endpoint in " + strings.Join(distinct(endpoints), ",")
	switch {
	case len(names) == 0:
		return nil, invalid("filters: no " + strings.TrimSuffix(f.Name, "_id") + " has the id " + strings.Join(ids, ", "))
	case ofGroup:
		return []string{endpointIn}, nil
	}
	for _, c := range known {
		if slices.Contains(endpoints, c.Endpoint) && slices.Contains(names, c.Name) && !wanted(c) {
			return nil, invalid("filters: campaigns of one name in several endpoints cannot be told apart in one request; " +
				"ask for them one by one")
		}
	}
	return []string{endpointIn, "campaign in " + strings.Join(distinct(names), ",")}, nil
}

func distinct(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}
