package acceptance

import (
	"bufio"
	"encoding/json"
	"net/http"
	"testing"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

func TestTheLogIsFollowed(t *testing.T) {
	onBothEngines(t, declare(t, []string{"", ""}), func(t *testing.T, r *rig) {
		watched, other := sceneOf(r, 0), sceneOf(r, 1)
		for _, s := range []*scene{watched, other} {
			click(`{"subid":"c1"}`).run(t, s)
			get("subid=c1&status=sale&tid=before", "recorded").run(t, s)
		}
		all, mine := r.follow(t, ""), r.follow(t, "&endpoint=default/e000&filter=outcome+ne+ignored")
		get("subid=c1&status=sale&tid=1", "recorded").run(t, other)
		get("subid=c1&status=foo&tid=2", "ignored; reason=status_unknown").run(t, watched)
		get("subid=c1&status=sale&tid=3", "recorded").run(t, watched)
		for _, want := range []string{"subid=c1&status=sale&tid=1", "subid=c1&status=foo&tid=2",
			"subid=c1&status=sale&tid=3"} {
			if got := all(); got.Query != want {
				t.Errorf("all: %s, want %s", got.Query, want)
			}
		}
		if got := mine(); got.TID != "3" || got.Version == nil {
			t.Errorf("of one endpoint: %+v", got)
		}
		if status, text := r.read(t, "/api/v1/postbacks?follow=2"); status != http.StatusBadRequest {
			t.Errorf("%d %s", status, text)
		}
	})
}

// follow returns what reads the next row.
func (r *rig) follow(t *testing.T, more string) (next func() read.Postback) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.ops+"/api/v1/postbacks?follow=1"+more, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	return func() (row read.Postback) {
		t.Helper()
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &row) != nil {
			t.Fatalf("%q (%v)", lines.Text(), lines.Err())
		}
		return row
	}
}
