package ops

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/talkers"
)

// many returns options of a receiver to which many send: the first of them most.
func many(sources int) Options {
	o := options(&fakeStore{})
	o.Talkers = func(n int) (all, endpoints []talkers.Talker) {
		for i := range min(n, sources) {
			all = append(all, talkers.Talker{Name: fmt.Sprint("192.0.2.", i), Requests: int64(1000 - i), Refused: int64(i)})
		}
		return all, []talkers.Talker{{Name: "default/shop", Requests: 5000, Refused: 30}}
	}
	return o
}

func TestTheMetricsRankTheTalkersAndNameNone(t *testing.T) {
	o := many(100)
	got := map[string]string{}
	for series, value := range scrape(t, o) {
		if strings.HasPrefix(series, "postback_talker_") {
			got[series] = value
		}
		if strings.Contains(series, "192.0.2") || strings.Contains(series, "default/shop") {
			t.Errorf("%s names somebody", series)
		}
	}
	if want := 2 * (rankedTalkers + 1); len(got) != want {
		t.Errorf("%d series, want %d", len(got), want)
	}
	for series, want := range map[string]string{
		`postback_talker_requests{of="source",rank="1"}`:           "1000",
		`postback_talker_requests{of="source",rank="10"}`:          "991",
		`postback_talker_refused_requests{of="source",rank="10"}`:  "9",
		`postback_talker_requests{of="endpoint",rank="1"}`:         "5000",
		`postback_talker_refused_requests{of="endpoint",rank="1"}`: "30",
	} {
		if got[series] != want {
			t.Errorf("%s = %q, want %q", series, got[series], want)
		}
	}
}
