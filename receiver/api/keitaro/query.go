package keitaro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// query is the body of report/build and of the logs. Keitaro has had two names for groups and for metrics.
type query struct {
	Range      span     `json:"range"`
	Columns    []string `json:"columns"`
	Metrics    []string `json:"metrics"`
	Measures   []string `json:"measures"`
	Grouping   []string `json:"grouping"`
	Dimensions []string `json:"dimensions"`
	Filters    []filter `json:"filters"`
	Sort       []order  `json:"sort"`
	Limit      *int     `json:"limit"`
	Offset     int      `json:"offset"`
	Summary    bool     `json:"summary"`
}

// order sorts by a column.
type order struct {
	Name  string `json:"name"`
	Order string `json:"order"`
}

func (o order) descending() bool { return strings.EqualFold(o.Order, "desc") }

// filter is one condition.
type filter struct {
	Name       string          `json:"name"`
	Operator   string          `json:"operator"`
	Expression json.RawMessage `json:"expression"`
}

// operators by Keitaro's names. There are no patterns: a filter must not make a store work hard.
var operators = map[string]string{
	"EQUALS": "eq", "NOT_EQUAL": "ne", "IN_LIST": "in", "NOT_IN_LIST": "notin", "CONTAINS": "contains",
	"GREATER_THAN": "gt", "LESS_THAN": "lt", "IS_NOT_SET": "empty",
}

// operator returns the product API's.
func (f filter) operator() (string, error) {
	op, ok := operators[strings.ToUpper(f.Operator)]
	if !ok {
		return "", invalid(fmt.Sprintf("filters: operator %q of %s is not supported; there are EQUALS, NOT_EQUAL, IN_LIST, "+
			"NOT_IN_LIST, CONTAINS, GREATER_THAN, LESS_THAN, IS_NOT_SET", f.Operator, f.Name))
	}
	return op, nil
}

// values are the expression: text, a number, or a list of them.
func (f filter) values() ([]string, error) {
	wrong := invalid("filters: expression of " + f.Name +
		" must be text, a number, or a list of them, without commas in one")
	raw := bytes.TrimSpace(f.Expression)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	if raw[0] != '[' {
		raw = append(append([]byte{'['}, raw...), ']')
	}
	var list []any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&list) != nil {
		return nil, wrong
	}
	values := make([]string, len(list))
	for i, item := range list {
		switch v := item.(type) {
		case string:
			values[i] = v
		case json.Number:
			values[i] = v.String()
		default:
			return nil, wrong
		}
		if len(list) > 1 && strings.Contains(values[i], ",") {
			return nil, wrong
		}
	}
	return values, nil
}

// text is the filter as the product API reads it, of one of its fields.
func (f filter) text(field string) (string, error) {
	op, err := f.operator()
	if err != nil {
		return "", err
	}
	values, err := f.values()
	switch {
	case err != nil:
		return "", err
	case op == "empty", op == "eq" && (len(values) == 0 || values[0] == ""):
		return field + " empty", nil
	case len(values) == 0:
		return "", invalid("filters: expression of " + f.Name + " is missing")
	case len(values) > 1 && op != "in" && op != "notin":
		return "", invalid("filters: " + f.Operator + " of " + f.Name + " takes one value; IN_LIST takes several")
	}
	return field + " " + op + " " + strings.Join(values, ","), nil
}

// Bounds of an answer.
const (
	defaultLimit = 100
	maxLimit     = 10_000
	maxOffset    = 100_000
)

// page returns which rows are wanted.
func (q *query) page() (offset, limit int, err error) {
	if limit = defaultLimit; q.Limit != nil {
		limit = *q.Limit
	}
	switch {
	case limit < 1 || limit > maxLimit:
		// Scripts send 100000 for all there is.
		if limit = maxLimit; *q.Limit < 1 {
			return 0, 0, invalid("limit: must be above 0")
		}
	case q.Offset < 0 || q.Offset > maxOffset:
		return 0, 0, invalid("offset: must be 0 to 100000; narrow the range for more")
	}
	return q.Offset, limit, nil
}

// span is the time that is asked about.
type span struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Timezone string `json:"timezone"`
	Interval string `json:"interval"`
}

// intervals by Keitaro's names: the first moment, and the first one after, of now's day.
var intervals = map[string]func(today time.Time) (from, to time.Time){
	"today":                   since(0, 0, 0),
	"7_days_ago":              since(0, 0, -7),
	"1_month_ago":             since(0, -1, 0),
	"1_year_ago":              since(-1, 0, 0),
	"yesterday":               func(d time.Time) (from, to time.Time) { return d.AddDate(0, 0, -1), d },
	"first_day_of_this_week":  func(d time.Time) (from, to time.Time) { return since(0, 0, -(int(d.Weekday())+6)%7)(d) },
	"first_day_of_this_month": func(d time.Time) (from, to time.Time) { return since(0, 0, 1-d.Day())(d) },
	"first_day_of_this_year":  func(d time.Time) (from, to time.Time) { return since(0, 0, 1-d.YearDay())(d) },
	"all_time": func(d time.Time) (from, to time.Time) {
		return time.Date(2000, 1, 1, 0, 0, 0, 0, d.Location()), d.AddDate(0, 0, 1)
	},
}

func since(years, months, days int) func(time.Time) (from, to time.Time) {
	return func(d time.Time) (from, to time.Time) { return d.AddDate(years, months, days), d.AddDate(0, 0, 1) }
}

// bounds returns the first moment of the span, the first one after it, and its time zone, UTC if it says none.
func (s span) bounds(now time.Time) (from, to time.Time, zone *time.Location, err error) {
	zone = time.UTC
	if s.Timezone != "" {
		if zone, err = time.LoadLocation(s.Timezone); err != nil || s.Timezone == time.Local.String() {
			return from, to, nil, invalid(fmt.Sprintf(
				"range.timezone: %.64q is no time zone; write a name such as Europe/Moscow", s.Timezone))
		}
	}
	now = now.In(zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone)
	if s.Interval != "" {
		interval, ok := intervals[s.Interval]
		if !ok {
			return from, to, nil, invalid(fmt.Sprintf("range.interval: %.64q is not known; there are %s", s.Interval,
				names(intervals)))
		}
		from, to = interval(today)
		return from, to, zone, nil
	}
	if s.From == "" {
		return from, to, nil, invalid("range: needs from and to, or interval")
	}
	if from, _, err = moment("from", s.From, zone); err != nil {
		return from, to, nil, err
	}
	if to = today.AddDate(0, 0, 1); s.To != "" {
		if _, to, err = moment("to", s.To, zone); err != nil {
			return from, to, nil, err
		}
	}
	if !from.Before(to) {
		return from, to, nil, invalid("range.to: must not be before from")
	}
	return from, to, zone, nil
}

// moment reads a date, or a date with a time, and returns its beginning and its end: the last day, minute or second of
// a range is part of it.
func moment(name, value string, zone *time.Location) (begin, end time.Time, err error) {
	value = strings.Replace(value, "T", " ", 1)
	if begin, err = time.ParseInLocation(time.DateOnly, value, zone); err == nil {
		return begin, begin.AddDate(0, 0, 1), nil
	}
	for layout, length := range map[string]time.Duration{"2006-01-02 15:04": time.Minute, time.DateTime: time.Second} {
		if begin, err = time.ParseInLocation(layout, value, zone); err == nil {
			return begin, begin.Add(length), nil
		}
	}
	return begin, end, invalid("range." + name + ": must be 2026-01-31 or 2026-01-31 15:04:05")
}
