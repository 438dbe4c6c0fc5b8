package unique

import (
	"fmt"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/click/subid"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func visitOf(alias, ip, browser string, at time.Time) visit.Visit {
	return visit.Visit{Campaign: &endpoint.Campaign{Alias: alias}, IP: ip, UserAgent: browser, At: at}
}

// cookie is the token of a click of that campaign.
func cookie(alias string, at time.Time) string { return alias + "." + subid.New(at) }

func TestWhichVisitsAreUnique(t *testing.T) {
	earlier := visitOf("QwErTy", "192.0.2.1", "UA", noon)
	with := func(v visit.Visit, token string) visit.Visit {
		v.Token = token
		return v
	}
	for name, c := range map[string]struct {
		visit visit.Visit
		want  bool
	}{
		"another address":         {visitOf("QwErTy", "192.0.2.2", "UA", noon.Add(time.Minute)), true},
		"another browser":         {visitOf("QwErTy", "192.0.2.1", "UB", noon.Add(time.Minute)), true},
		"another campaign":        {visitOf("AsDfGh", "192.0.2.1", "UA", noon.Add(time.Minute)), true},
		"the same within an hour": {visitOf("QwErTy", "192.0.2.1", "UA", noon.Add(time.Hour-time.Second)), false},
		"the same after an hour":  {visitOf("QwErTy", "192.0.2.1", "UA", noon.Add(time.Hour)), true},
		"a cookie of the last 24 hours": {
			with(visitOf("QwErTy", "192.0.2.9", "UC", noon), cookie("QwErTy", noon.Add(-23*time.Hour))), false},
		"a cookie that is older": {
			with(visitOf("QwErTy", "192.0.2.9", "UC", noon), cookie("QwErTy", noon.Add(-24*time.Hour))), true},
		"an older cookie, though the address is known": {
			with(visitOf("QwErTy", "192.0.2.1", "UA", noon), cookie("QwErTy", noon.Add(-25*time.Hour))), true},
		"a cookie of another campaign, and a known address": {
			with(visitOf("QwErTy", "192.0.2.1", "UA", noon), cookie("AsDfGh", noon)), false},
		"a cookie that the receiver did not make": {
			with(visitOf("QwErTy", "192.0.2.9", "UC", noon), "QwErTy.click-1"), true},
	} {
		t.Run(name, func(t *testing.T) {
			v := New()
			if !v.First(earlier) {
				t.Fatal("the first visit of all is not unique")
			}
			if got := v.First(c.visit); got != c.want {
				t.Errorf("unique = %t", got)
			}
		})
	}
}

func TestAVisitThatWasNotRecordedIsForgotten(t *testing.T) {
	v, first := New(), visitOf("QwErTy", "192.0.2.1", "UA", noon)
	v.First(first)
	v.Forget(first)
	if !v.First(first) {
		t.Error("it counts as an earlier visit")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	v := New()
	v.max = 100
	for n := range 1000 {
		if !v.First(visitOf("QwErTy", fmt.Sprint(n), "UA", noon)) {
			t.Fatalf("visitor %d is not unique", n)
		}
	}
	if len(v.present) > v.max || len(v.former) > v.max {
		t.Errorf("%d and %d visitors are remembered", len(v.present), len(v.former))
	}
	if v.First(visitOf("QwErTy", "999", "UA", noon.Add(time.Minute))) {
		t.Error("the last visitor was forgotten")
	}
}
