package report

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postback-dev/postback-operator/receiver/money"
)

// parameters of a query, in the order in which they are read: times need the zone, sorting needs groups and metrics.
var parameters = []string{
	"tz", "time", "from", "to", "group", "metrics", "endpoint", "namespace", "filter", "without", "currency", "sort",
	"limit",
}

// Parameters returns the names of a query's parameters.
func Parameters() []string { return slices.Clone(parameters) }

// Parse reads a query. Nothing is ignored: errors are *[Invalid] and name the parameter. now gives the default range,
// the last seven days with today. zone resolves the name of a time zone.
func Parse(values url.Values, now time.Time, zone func(name string) (*time.Location, error)) (Query, error) {
	if err := checkParameters(values); err != nil {
		return Query{}, err
	}
	p := parser{Query: Query{Basis: ByClick, Zone: time.UTC, Limit: defaultRows}, zone: zone}
	if err := p.set("metrics", strings.Join(defaultMetrics, ",")); err != nil {
		return Query{}, err
	}
	for _, name := range parameters {
		for _, value := range values[name] {
			if err := p.set(name, value); err != nil {
				return Query{}, err
			}
		}
	}
	return p.Query, p.completeRange(now)
}

// repeatable are the parameters that may be given several times, and how often.
var repeatable = map[string]int{"filter": maxFilters, "without": MaxWithout}

func checkParameters(values url.Values) error {
	for name, given := range values {
		switch {
		case !slices.Contains(parameters, name):
			return invalid(name, "unknown parameter; known here: %s", strings.Join(parameters, ", "))
		case repeatable[name] == 0 && len(given) > 1:
			return invalid(name, "given more than once")
		case repeatable[name] > 0 && len(given) > repeatable[name]:
			return invalid(name, "given more than %d times", repeatable[name])
		}
		for _, value := range given {
			switch {
			case value == "":
				return invalid(name, "is empty; leave it out instead")
			case !utf8.ValidString(value) || strings.Contains(value, "\x00"):
				return invalid(name, "must be UTF-8 without NUL")
			}
		}
	}
	return nil
}

type parser struct {
	Query
	zone func(name string) (*time.Location, error)
}

func (p *parser) set(name, value string) (err error) {
	switch name {
	case "tz":
		return p.setZone(value)
	case "time":
		if p.Basis = Basis(value); p.Basis != ByClick && p.Basis != ByConversion {
			err = invalid(name, "must be %s or %s", ByClick, ByConversion)
		}
	case "from":
		p.From, err = parseTime(name, value, p.Zone)
	case "to":
		p.To, err = parseTime(name, value, p.Zone)
	case "group":
		p.Groups, err = parseGroups(value)
	case "metrics":
		p.Metrics, err = parseMetrics(value)
	case "endpoint", "namespace", "filter":
		return p.addFilter(name, value)
	case "without":
		return p.leaveOut(value)
	case "currency":
		if p.Currency = money.Currency(value); p.Currency == "" {
			err = invalid(name, "%q is no currency code", value)
		}
	case "sort":
		if p.Sort, p.Descending = strings.CutPrefix(value, "-"); !p.sortable(p.Sort) {
			err = invalid(name, "%q is neither a group nor a metric of this report", p.Sort)
		}
	case "limit":
		p.Limit, err = parseLimit(value)
	}
	return err
}

func (p *parser) setZone(value string) (err error) {
	if p.Zone, err = p.zone(value); err != nil || value == time.Local.String() {
		return invalid("tz", "%q is no time zone; write a name such as Europe/Moscow, or UTC", value)
	}
	return nil
}

func (p *parser) addFilter(name, value string) error {
	f := Filter{Field: Endpoint, Op: Equal, Values: []string{value}}
	switch name {
	case "endpoint":
		if namespace, endpoint, ok := strings.Cut(value, "/"); !ok || namespace == "" || endpoint == "" {
			return invalid(name, "must be namespace/name")
		}
	case "namespace":
		f.Op, f.Values = Prefix, []string{value + "/"}
	default:
		var err error
		if f, err = parseFilter(value); err != nil {
			return err
		}
	}
	p.Filters = append(p.Filters, f)
	return nil
}

// leaveOut reads which row is left out.
func (p *parser) leaveOut(value string) error {
	var groups []string
	if json.Unmarshal([]byte(value), &groups) != nil || len(groups) != len(p.Groups) || len(groups) == 0 {
		return invalid("without", `must be a JSON array with a value for each group, such as ["2026-01-31","spring"]`)
	}
	p.Without = append(p.Without, groups)
	return nil
}

func parseLimit(value string) (int, error) {
	limit, err := strconv.Atoi(value)
	if err != nil || limit < 1 || limit > MaxRows {
		return 0, invalid("limit", "must be 1 to %d", MaxRows)
	}
	return limit, nil
}

// parseTime reads RFC 3339, or a date, which means its first moment in the report's zone. A "+" that the client forgot
// to encode has arrived as a space.
func parseTime(name, value string, zone *time.Location) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, strings.ReplaceAll(value, " ", "+")); err == nil {
		return at, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, value, zone)
	if err != nil {
		return at, invalid(name, "must be a date (2026-01-31) or RFC 3339 (2026-01-31T15:04:05Z)")
	}
	return at, nil
}

func parseGroups(value string) ([]Dimension, error) {
	var groups []Dimension
	for name := range strings.SplitSeq(value, ",") {
		d := Dimension(strings.TrimSpace(name))
		switch {
		case !d.Valid():
			return nil, invalid("group", "%q is no dimension; they are %s", d, listed(dimensions))
		case slices.Contains(groups, d):
			return nil, invalid("group", "%s is named twice", d)
		}
		groups = append(groups, d)
	}
	if len(groups) > MaxGroups {
		return nil, invalid("group", "at most %d", MaxGroups)
	}
	return groups, nil
}

func parseMetrics(value string) ([]Metric, error) {
	var chosen []Metric
	for name := range strings.SplitSeq(value, ",") {
		m, ok := MetricNamed(strings.TrimSpace(name))
		switch {
		case !ok:
			return nil, invalid("metrics", "%q is no metric; they are %s, and count.TYPE and revenue.TYPE of custom types", name,
				listed(metricNames()))
		case slices.ContainsFunc(chosen, func(c Metric) bool { return c.Name == m.Name }):
			return nil, invalid("metrics", "%s is named twice", m.Name)
		}
		chosen = append(chosen, m)
	}
	if len(chosen) > maxMetrics {
		return nil, invalid("metrics", "at most %d", maxMetrics)
	}
	return chosen, nil
}

func metricNames() []string {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.Name
	}
	return names
}

func listed[S ~string](values []S) string {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = string(value)
	}
	return strings.Join(names, ", ")
}
