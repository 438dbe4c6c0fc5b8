package api

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/talkers"
)

func TestTheTalkersAreNamed(t *testing.T) {
	o := options(&fakeStore{})
	o.Talkers = func(n int) (sources, endpoints []talkers.Talker) {
		if n != listedTalkers {
			t.Errorf("%d are asked for", n)
		}
		return []talkers.Talker{{Name: "192.0.2.7", Requests: 1000}, {Name: "2001:db8::", Requests: 999, Refused: 1}},
			[]talkers.Talker{{Name: "default/shop", Requests: 5000, Refused: 30}}
	}
	want := map[string]any{
		"window_seconds": 600.,
		"sources": []any{
			map[string]any{"name": "192.0.2.7", "requests": 1000., "refused": 0.},
			map[string]any{"name": "2001:db8::", "requests": 999., "refused": 1.},
		},
		"endpoints": []any{map[string]any{"name": "default/shop", "requests": 5000., "refused": 30.}},
	}
	if diff := cmp.Diff(want, decode(t, get(New(o), "/api/v1/talkers").Body)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if w := get(New(o), "/api/v1/talkers?limit=1"); w.Code != http.StatusBadRequest {
		t.Errorf("a filter is answered %d", w.Code)
	}
	empty := decode(t, get(New(options(&fakeStore{})), "/api/v1/talkers").Body)
	if diff := cmp.Diff(map[string]any{"window_seconds": 600., "sources": []any{}, "endpoints": []any{}},
		empty); diff != "" {
		t.Errorf("without any (-want +got):\n%s", diff)
	}
}
