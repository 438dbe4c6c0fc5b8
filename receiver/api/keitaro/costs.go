package keitaro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// costUpdate is the body of clicks/update_costs. What an entry lacks, the whole has.
type costUpdate struct {
	CampaignIDs []json.Number `json:"campaign_ids"`
	costSettings
	Costs []costEntry `json:"costs"`
	// Payload is the name that Costs has had.
	Payload []costEntry `json:"payload"`
}

type costSettings struct {
	Timezone string `json:"timezone"`
	Currency string `json:"currency"`
	// Uniques is true, 1 or "1", or the opposite.
	Uniques json.RawMessage `json:"only_campaign_uniques"`
}

type costEntry struct {
	costSettings
	StartDate string                     `json:"start_date"`
	EndDate   string                     `json:"end_date"`
	Cost      json.Number                `json:"cost"`
	Filters   map[string]json.RawMessage `json:"filters"`
}

// updateCosts spreads costs over the clicks of campaigns, by an operation: it is under way when this answers.
func (h *handler) updateCosts(r *http.Request) (any, error) {
	var u costUpdate
	if err := decode(r, &u); err != nil {
		return nil, err
	}
	entries := append(u.Costs, u.Payload...)
	if len(entries) == 0 {
		return nil, invalid("costs: is missing: a list of start_date, end_date and cost")
	}
	var costs []read.Cost
	var first, last time.Time
	for i := range entries {
		entry := &entries[i]
		cost, from, to, err := entry.read(&u.costSettings, h.Clock())
		if err != nil {
			return nil, invalid(fmt.Sprintf("costs[%d].%s", i, err.Error()))
		}
		if first.IsZero() || from.Before(first) {
			first = from
		}
		if to.After(last) {
			last = to
		}
		costs = append(costs, cost)
	}
	endpoint, names, err := h.campaignsOf(r, u.CampaignIDs, first, last)
	if err != nil {
		return nil, err
	}
	for i := range costs {
		costs[i].Campaigns = names
	}
	_, err = h.Costs.Operate(r.Context(), client.Who{Actor: "Keitaro's Admin API"}, read.NewOperation{
		Kind: "costs", Endpoint: endpoint, Note: "clicks/update_costs by a script", Costs: costs,
	})
	return map[string]bool{"success": true}, err
}

// read makes the cost of an entry. Its errors begin with the field's name.
func (e *costEntry) read(whole *costSettings, now time.Time) (cost read.Cost, from, to time.Time, err error) {
	zone, currency, unique := e.Timezone, e.Currency, e.Uniques
	if zone == "" {
		zone = whole.Timezone
	}
	if currency == "" {
		currency = whole.Currency
	}
	if len(unique) == 0 {
		unique = whole.Uniques
	}
	if e.StartDate == "" || e.EndDate == "" {
		return cost, from, to, invalid("start_date: and end_date are needed")
	}
	from, to, _, err = span{From: e.StartDate, To: e.EndDate, Timezone: zone}.bounds(now)
	if err != nil {
		return cost, from, to, invalid(costFields.Replace(err.Error()))
	}
	cost = read.Cost{
		From: from.UTC().Format(time.RFC3339), To: to.UTC().Format(time.RFC3339), Amount: e.Cost.String(),
		Currency: currency, Params: map[string][]string{},
	}
	switch strings.Trim(string(unique), `"`) {
	case "", "0", "false", "null":
	case "1", "true":
		cost.Unique = true
	default:
		return cost, from, to, invalid("only_campaign_uniques: must be 0 or 1")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Filters)) {
		if cost.Params[name], err = (filter{Name: name, Expression: e.Filters[name]}).alternatives(); err != nil {
			return cost, from, to, err
		}
	}
	return cost, from, to, nil
}

// costFields are the fields of an entry by those of a range.
var costFields = strings.NewReplacer("range.from", "start_date", "range.to", "end_date", "range.", "")

// alternatives are the values of a filter of costs: text with commas between them, a number, or a list.
func (f filter) alternatives() ([]string, error) {
	raw := bytes.TrimSpace(f.Expression)
	var text string
	if json.Unmarshal(raw, &text) == nil {
		var values []string
		for value := range strings.SplitSeq(text, ",") {
			values = append(values, strings.TrimSpace(value))
		}
		return values, nil
	}
	values, err := f.values()
	if err != nil || len(values) == 0 {
		return nil, invalid("filters: " + f.Name + " must be text, a number, or a list of them")
	}
	return values, nil
}

// campaignsOf returns the endpoint and the names of campaigns that have the ids.
func (h *handler) campaignsOf(r *http.Request, ids []json.Number, from, to time.Time) (
	endpoint string, names []string, err error,
) {
	if len(ids) == 0 {
		return "", nil, invalid("campaign_ids: is missing")
	}
	known, err := h.known(r.Context(), from, to)
	if err != nil {
		return "", nil, err
	}
	for _, id := range ids {
		at := slices.IndexFunc(known, func(c Campaign) bool {
			return fmt.Sprint(campaignID(c.Endpoint, c.Name)) == id.String()
		})
		switch {
		case at < 0:
			return "", nil, invalid("campaign_ids: no campaign has the id " + id.String())
		case endpoint != "" && known[at].Endpoint != endpoint:
			return "", nil, invalid("campaign_ids: are of several endpoints; send a request for each")
		}
		endpoint, names = known[at].Endpoint, append(names, known[at].Name)
	}
	return endpoint, names, nil
}
