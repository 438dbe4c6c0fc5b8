package keitaro

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// now is a Sunday; in Moscow it is Monday already.
var now = time.Date(2026, 3, 1, 22, 30, 0, 0, time.UTC)

func TestRangesAreInTheZoneOfTheRequest(t *testing.T) {
	for name, c := range map[string]struct {
		span span
		want string
	}{
		"today": {
			span{Interval: "today"},
			"2026-03-01 00:00:00 2026-03-02 00:00:00",
		},
		"today in Moscow": {
			span{Interval: "today", Timezone: "Europe/Moscow"},
			"2026-03-02 00:00:00 2026-03-03 00:00:00",
		},
		"yesterday": {
			span{Interval: "yesterday"},
			"2026-02-28 00:00:00 2026-03-01 00:00:00",
		},
		"this week": {
			span{Interval: "first_day_of_this_week"},
			"2026-02-23 00:00:00 2026-03-02 00:00:00",
		},
		"this week, Monday": {
			span{Interval: "first_day_of_this_week", Timezone: "Europe/Moscow"},
			"2026-03-02 00:00:00 2026-03-03 00:00:00",
		},
		"this month": {
			span{Interval: "first_day_of_this_month"},
			"2026-03-01 00:00:00 2026-03-02 00:00:00",
		},
		"this year": {
			span{Interval: "first_day_of_this_year"},
			"2026-01-01 00:00:00 2026-03-02 00:00:00",
		},
		"a week back": {
			span{Interval: "7_days_ago"},
			"2026-02-22 00:00:00 2026-03-02 00:00:00",
		},
		"the last day is part of it": {
			span{From: "2026-01-05", To: "2026-01-05"},
			"2026-01-05 00:00:00 2026-01-06 00:00:00",
		},
		"the last minute is part of it": {
			span{From: "2026-01-05 10:00", To: "2026-01-05 10:59"},
			"2026-01-05 10:00:00 2026-01-05 11:00:00",
		},
		"the last second is part of it": {
			span{From: "2026-01-05T10:00:00", To: "2026-01-05 23:59:59"},
			"2026-01-05 10:00:00 2026-01-06 00:00:00",
		},
		"until today without an end": {
			span{From: "2026-01-05"},
			"2026-01-05 00:00:00 2026-03-02 00:00:00",
		},
		"no range": {span{}, "range: needs from and to, or interval"},
		"the wrong order": {
			span{From: "2026-01-05", To: "2026-01-04"},
			"range.to: must not be before from",
		},
	} {
		t.Run(name, func(t *testing.T) {
			from, to, _, err := c.span.bounds(now)
			got := from.Format(time.DateTime) + " " + to.Format(time.DateTime)
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestFiltersAreTranslated(t *testing.T) {
	for expression, c := range map[string]struct{ operator, want string }{
		`"a b"`:         {"EQUALS", "f eq a b"},
		`12`:            {"equals", "f eq 12"},
		`""`:            {"EQUALS", "f empty"},
		`["a","b"]`:     {"IN_LIST", "f in a,b"},
		`[1,2]`:         {"NOT_IN_LIST", "f notin 1,2"},
		`null`:          {"IS_NOT_SET", "f empty"},
		`"10.5"`:        {"GREATER_THAN", "f gt 10.5"},
		`[ "a" , "c" ]`: {"EQUALS", "filters: EQUALS of name takes one value"},
		`{"a":1}`:       {"EQUALS", "filters: expression of name"},
		`["a,b","c"]`:   {"IN_LIST", "filters: expression of name"},
		`[]`:            {"IN_LIST", "filters: expression of name is missing"},
		`".*"`:          {"MATCH_REGEXP", `filters: operator "MATCH_REGEXP" of name`},
	} {
		got, err := filter{"name", c.operator, json.RawMessage(expression)}.text("f")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) || err == nil && got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.operator, expression, got, c.want)
		}
	}
}

func TestIdsOfCampaignsDoNotChange(t *testing.T) {
	got := []int64{
		campaignID("default/shop", "spring"), campaignID("other/shop", "spring"), campaignID("default/shop", ""),
		groupID("default/shop"),
	}
	if got[0] == got[1] || got[2] != 0 || got[0] == got[3] {
		t.Errorf("ids: %v", got)
	}
	for _, id := range got {
		if id < 0 || id >= 1<<52 {
			t.Errorf("%d is not exact in every script's numbers", id)
		}
	}
	if want := int64(3394631321234902); got[0] != want {
		t.Errorf("the id of a campaign is %d, and was %d: scripts have stored it", got[0], want)
	}
}

func TestRowsAreSortedByNumberNotByText(t *testing.T) {
	rows := []row{{"n": json.Number("9")}, {"n": json.Number("10.5")}, {"n": nil}, {"n": json.Number("-1")}}
	sortRows(rows, []order{{Name: "n", Order: "DESC"}})
	want := []row{{"n": json.Number("10.5")}, {"n": json.Number("9")}, {"n": json.Number("-1")}, {"n": nil}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
