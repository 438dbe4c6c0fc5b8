package api

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

func TestFiltersAreReadFromTheQuery(t *testing.T) {
	empty, seven := "", "7"
	const cursor = "01912345-6789-7abc-8def-0123456789ab"
	for _, tc := range []struct {
		name, query string
		want        filters
	}{
		{"nothing selects everything, a hundred at a time", "", filters{limit: 100}},
		{"endpoint and subid", "endpoint=shop/main&subid=c1", filters{endpoint: "shop/main", subid: "c1", limit: 100}},
		{"a tid", "tid=7", filters{tid: &seven, limit: 100}},
		{"an empty tid selects the slots without one", "tid=", filters{tid: &empty, limit: 100}},
		{"a type in any letter case", "type=Sale", filters{typ: "sale", limit: 100}},
		{"outcome and reason", "outcome=ignored&reason=status_unknown",
			filters{outcome: conversion.Ignored, reason: conversion.StatusUnknown, limit: 100}},
		{"times in UTC", "from=2026-03-01T12:00:00Z&to=2026-03-01T12:00:00.5Z",
			filters{from: start, to: start.Add(500 * time.Millisecond), limit: 100}},
		{"a time with an offset", "from=2026-03-01T14:00:00%2B02:00", filters{from: start, limit: 100}},
		{"an offset whose plus was not encoded", "from=2026-03-01T14:00:00+02:00", filters{from: start, limit: 100}},
		{"dates mean their first moment", "from=2026-03-01&to=2026-04-01", filters{
			from: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), to: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), limit: 100,
		}},
		{"the largest page", "limit=1000", filters{limit: 1000, limited: true}},
		{"a cursor", "cursor=" + cursor, filters{resumed: cursor, limit: 100}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseFilters(tc.query, postbackFilters)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(filters{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABadFilterIsNamed(t *testing.T) {
	for _, tc := range []struct{ name, query, want string }{
		{"a misspelt parameter", "sub_id=c1", "sub_id: unknown parameter; known here: endpoint,"},
		{"an empty value", "subid=", "subid: is empty"},
		{"a repeated parameter", "subid=a&subid=b", "subid: given more than once"},
		{"an endpoint without a namespace", "endpoint=main", "endpoint: must be namespace/name"},
		{"an endpoint with too much", "endpoint=a/b/c", "endpoint: must be namespace/name"},
		{"an endpoint without a name", "endpoint=shop/", "endpoint: must be namespace/name"},
		{"an unknown outcome", "outcome=lost", "outcome: must be one of recorded,"},
		{"an unknown reason", "reason=bad_luck", "reason: must be one of "},
		{"an unreadable time", "from=yesterday", "from: must be RFC 3339"},
		{"a day that does not exist", "to=2026-02-30", "to: must be RFC 3339"},
		{"an end before the start", "from=2026-03-02&to=2026-03-01", "to: must be after from"},
		{"an empty span", "from=2026-03-01&to=2026-03-01", "to: must be after from"},
		{"no rows", "limit=0", "limit: must be 1 to 1000"},
		{"too many rows", "limit=1001", "limit: must be 1 to 1000"},
		{"a limit that is no number", "limit=all", "limit: must be 1 to 1000"},
		{"a broken % sequence", "subid=%zz", "query: "},
		{"a semicolon", "subid=a;tid=b", "query: "},
		{"NUL", "subid=a%00b", "subid: must be UTF-8 without NUL"},
		{"what is not UTF-8", "tid=%ff", "tid: must be UTF-8 without NUL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := parseFilters(tc.query, postbackFilters); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("error = %v, want %q…", err, tc.want)
			}
		})
	}
}

func TestResourcesKnowTheirOwnParametersOnly(t *testing.T) {
	for _, tc := range []struct {
		name    string
		allowed []string
		query   string
	}{
		{"conversions have no outcome", conversionFilters, "outcome=recorded"},
		{"conversions have no reason", conversionFilters, "reason=status_unknown"},
		{"revenue has no pages", revenueFilters, "limit=5"},
		{"a history is whole", noFilters, "from=2026-03-01"},
	} {
		if _, err := parseFilters(tc.query, tc.allowed); err == nil {
			t.Errorf("%s, yet %q is taken", tc.name, tc.query)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func FuzzFilters(f *testing.F) {
	for _, seed := range []string{
		"", "endpoint=a/b&subid=c1&tid=&type=sale&limit=5", "from=2026-03-01T14:00:00+02:00&to=2026-04-01",
		"cursor=01912345-6789-7abc-8def-0123456789ab", "limit=-1", "subid=%zz", "a;b", "tid=%00", "type=%c3",
		"from=0000-01-01&to=9999-12-31",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := parseFilters(query, postbackFilters)
		if err != nil {
			if !errors.As(err, new(badRequest)) {
				t.Fatalf("%q: the error %v is not the caller's", query, err)
			}
			return
		}
		if got.limit < 1 || got.limit > maxLimit {
			t.Errorf("%q: limit %d", query, got.limit)
		}
		for _, text := range []string{got.endpoint, got.subid, got.typ, deref(got.tid)} {
			if strings.Contains(text, "\x00") || !utf8.ValidString(text) {
				t.Errorf("%q: no store can look for %q", query, text)
			}
		}
		if got.outcome != "" && !got.outcome.Valid() || got.reason != "" && !got.reason.Valid() {
			t.Errorf("%q: outcome %q, reason %q", query, got.outcome, got.reason)
		}
	})
}
