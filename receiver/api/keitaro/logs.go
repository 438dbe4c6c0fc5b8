package keitaro

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// maxSorted bounds how many rows are held to be sorted.
const maxSorted = 10_000

// pageSize of the product API's lists, the most they give.
const pageSize = "1000"

// column of a log.
type column[T any] struct {
	// field of the product API, for filters.
	field string
	value func(T, *time.Location) any
}

// columns that a log has, by Keitaro's names; fields of clicks are those of both.
type columns[T any] map[string]column[T]

func (c columns[T]) addParams(params func(T) map[string]string) {
	fields := []string{"keyword", "external_id", "creative_id", "ad_campaign_id", "source"}
	for n := range 30 {
		fields = append(fields, "sub_id_"+strconv.Itoa(n+1))
	}
	for _, name := range fields {
		c[name] = column[T]{name, func(v T, _ *time.Location) any { return params(v)[name] }}
	}
}

func (c columns[T]) addCampaign(campaign func(T) (endpoint string, name *string)) {
	id := func(v T, _ *time.Location) any {
		endpoint, name := campaign(v)
		if name == nil {
			return int64(0)
		}
		return campaignID(endpoint, *name)
	}
	name := func(v T, _ *time.Location) any { _, name := campaign(v); return text(name) }
	group := func(v T, _ *time.Location) any { endpoint, _ := campaign(v); return endpoint }
	c["campaign"], c["campaign_id"] = column[T]{"campaign", name}, column[T]{"", id}
	c["offer"], c["offer_id"] = column[T]{"campaign", name}, column[T]{"", id}
	c["campaign_group"] = column[T]{"endpoint", group}
	c["campaign_group_id"] = column[T]{"", func(v T, _ *time.Location) any {
		endpoint, _ := campaign(v)
		return groupID(endpoint)
	}}
}

var conversionColumns = listConversionColumns()

func listConversionColumns() columns[read.Conversion] {
	type c = read.Conversion
	at := func(field string, of func(c) *time.Time) column[c] {
		return column[c]{field, func(v c, zone *time.Location) any { return clock(of(v), zone) }}
	}
	first := at("created_at", func(v c) *time.Time { return v.CreatedAt })
	all := columns[c]{
		"conversion_id":     {"id", func(v c, _ *time.Location) any { return v.ID }},
		"sub_id":            {"subid", func(v c, _ *time.Location) any { return v.SubID }},
		"tid":               {"tid", func(v c, _ *time.Location) any { return v.TID }},
		"status":            {"type", func(v c, _ *time.Location) any { return v.Type }},
		"original_status":   {"original_status", func(v c, _ *time.Location) any { return text(v.OriginalStatus) }},
		"previous_status":   {"previous_type", func(v c, _ *time.Location) any { return text(v.PreviousType) }},
		"revenue":           {"payout", func(v c, _ *time.Location) any { return number(v.Payout) }},
		"cost":              {"cost", func(v c, _ *time.Location) any { return number(v.Cost) }},
		"currency":          {"currency", func(v c, _ *time.Location) any { return v.Currency }},
		"params":            {"", func(v c, _ *time.Location) any { return v.Params }},
		"datetime":          first,
		"postback_datetime": first,
		"click_datetime":    at("click_time", func(v c) *time.Time { return v.ClickTime }),
		"sale_datetime":     at("sale_time", func(v c) *time.Time { return v.SaleTime }),
	}
	all.addParams(func(v c) map[string]string { return v.Params })
	all.addCampaign(func(v c) (endpoint string, name *string) { return v.Endpoint, v.Campaign })
	return all
}

var clickColumns = listClickColumns()

func listClickColumns() columns[read.Click] {
	type c = read.Click
	at := column[c]{"time", func(v c, zone *time.Location) any { return clock(v.Time, zone) }}
	all := columns[c]{
		"sub_id":         {"subid", func(v c, _ *time.Location) any { return v.SubID }},
		"ip":             {"ip", func(v c, _ *time.Location) any { return text(v.IP) }},
		"user_agent":     {"user_agent", func(v c, _ *time.Location) any { return text(v.UserAgent) }},
		"cost":           {"cost", func(v c, _ *time.Location) any { return number(v.Cost) }},
		"datetime":       at,
		"click_datetime": at,
	}
	all.addParams(func(v c) map[string]string { return v.Params })
	all.addCampaign(func(v c) (endpoint string, name *string) { return v.Endpoint, v.Campaign })
	return all
}

// conversions answers conversions/log: by the time of the first postback, newest first.
func (h *handler) conversions(r *http.Request) (any, error) {
	return answerLog(r, h, conversionColumns, []string{"conversion_id", "postback_datetime", "sub_id", "tid", "status",
		"revenue", "currency", "campaign_id"},
		func(values url.Values, from, to time.Time) bool {
			values.Set("from", from.UTC().Format(time.RFC3339Nano))
			values.Set("to", to.UTC().Format(time.RFC3339Nano))
			return true
		},
		func(ctx context.Context, values url.Values) iter.Seq2[read.Conversion, error] {
			return client.All(ctx, h.API.Conversions, values)
		})
}

// clicks answers clicks/log. The store keeps no order of clicks by time, so that they have to be sorted here.
func (h *handler) clicks(r *http.Request) (any, error) {
	return answerLog(r, h, clickColumns, []string{"sub_id", "datetime", "campaign_id", "ip"},
		func(values url.Values, from, to time.Time) bool {
			values["filter"] = append(values["filter"],
				"time gt "+from.Add(-time.Nanosecond).UTC().Format(time.RFC3339Nano),
				"time lt "+to.UTC().Format(time.RFC3339Nano))
			return false
		},
		func(ctx context.Context, values url.Values) iter.Seq2[read.Click, error] {
			return client.All(ctx, h.API.Clicks, values)
		})
}

// newest is the order of logs.
var newest = order{Name: "datetime", Order: "desc"}

// answerLog answers with rows of a list of the product API. within puts the range into its parameters, and reports
// whether the list is in the order of time, the newest row first.
func answerLog[T any](
	r *http.Request, h *handler, known columns[T], usual []string,
	within func(values url.Values, from, to time.Time) bool,
	list func(context.Context, url.Values) iter.Seq2[T, error],
) (any, error) {
	var q query
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	offset, limit, err := q.page()
	if err != nil {
		return nil, err
	}
	from, to, zone, err := q.Range.bounds(h.Clock())
	if err != nil {
		return nil, err
	}
	shown := q.Columns
	if len(shown) == 0 {
		shown = usual
	}
	has := func(name string) bool { return known[name].value != nil }
	var wrong []string
	for _, name := range shown {
		if !has(name) {
			wrong = append(wrong, name)
		}
	}
	if err := unknown("columns", wrong, names(known)); err != nil {
		return nil, err
	}
	if err := q.checkSort(has); err != nil {
		return nil, err
	}
	values, err := logFilters(r.Context(), h, known, &q, from, to)
	if err != nil {
		return nil, err
	}
	values.Set("limit", pageSize)
	ordered := within(values, from, to)
	if len(q.Sort) == 0 {
		q.Sort = []order{newest}
	}
	byTime := q.Sort[0].descending() &&
		(q.Sort[0].Name == "datetime" || q.Sort[0].Name == "postback_datetime")
	c := collector[T]{known: known, shown: shown, sort: q.Sort, zone: zone, offset: offset, limit: limit}
	if ordered && byTime {
		return c.inOrder(list(r.Context(), values))
	}
	return c.sorted(list(r.Context(), values))
}

func logFilters[T any](
	ctx context.Context, h *handler, known columns[T], q *query, from, to time.Time,
) (url.Values, error) {
	values := url.Values{"filter": {"test eq false"}} // Keitaro has no tests: a script would take them for money.
	for _, f := range q.Filters {
		c, ok := known[f.Name]
		switch {
		case ok && c.field != "":
			one, err := f.text(c.field)
			if err != nil {
				return nil, err
			}
			values["filter"] = append(values["filter"], one)
		case ok && strings.HasSuffix(f.Name, "_id"):
			texts, err := h.byID(ctx, f, from, to)
			if err != nil {
				return nil, err
			}
			values["filter"] = append(values["filter"], texts...)
		default:
			return nil, unknown("filters", []string{f.Name}, names(known))
		}
	}
	return values, nil
}

// collector makes rows of what a list yields.
type collector[T any] struct {
	known         columns[T]
	shown         []string
	sort          []order
	zone          *time.Location
	offset, limit int
}

func (c *collector[T]) view(item T, names []string) row {
	made := row{}
	for _, name := range names {
		made[name] = c.known[name].value(item, c.zone)
	}
	return made
}

// inOrder takes rows as they come. It counts on to the bound, and further only as far as the page goes, so that
// whoever pages until the total gets everything.
func (c *collector[T]) inOrder(items iter.Seq2[T, error]) (answer, error) {
	made := answer{Rows: []row{}, Meta: map[string]any{}}
	for item, err := range items {
		if err != nil {
			return made, err
		}
		if made.Total >= c.offset && len(made.Rows) < c.limit {
			made.Rows = append(made.Rows, c.view(item, c.shown))
		}
		if made.Total++; made.Total > max(maxSorted, c.offset+c.limit) {
			made.Meta["total_is_at_least"] = made.Total
			break
		}
	}
	return made, nil
}

// sorted holds all rows, as few columns of them as it can.
func (c *collector[T]) sorted(items iter.Seq2[T, error]) (answer, error) {
	needed := slices.Clone(c.shown)
	for _, o := range c.sort {
		needed = append(needed, o.Name)
	}
	var rows []row
	for item, err := range items {
		if err != nil {
			return answer{}, err
		}
		if rows = append(rows, c.view(item, distinct(slices.Clone(needed)))); len(rows) > maxSorted {
			return answer{}, invalid("range: more than 10000 rows would have to be sorted; narrow the range, or add filters")
		}
	}
	sortRows(rows, c.sort)
	made := answer{Rows: []row{}, Total: len(rows), Meta: map[string]any{}}
	for _, held := range rows[min(c.offset, len(rows)):min(c.offset+c.limit, len(rows))] {
		for name := range held {
			if !slices.Contains(c.shown, name) {
				delete(held, name)
			}
		}
		made.Rows = append(made.Rows, held)
	}
	return made, nil
}
