package server

import (
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRequestsAreCountedByWhoSendsThemAndForWhom(t *testing.T) {
	type count struct {
		Source, Endpoint string
		Refused          bool
	}
	var mu sync.Mutex
	var got []count
	h := newHarness(t)
	h.Gate = NewGate(8, func(Class) {})
	h.Clicks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leave, _ := h.Gate.Clicks(r, "default/clicks", 8<<20)
		defer leave()
		w.WriteHeader(http.StatusOK)
	})
	counted := Counted(h, CountOptions{
		Count: func(source netip.Addr, endpoint string, refused bool, now time.Time) {
			mu.Lock()
			defer mu.Unlock()
			if now != noon {
				t.Errorf("counted at %v", now)
			}
			got = append(got, count{source.String(), endpoint, refused})
		},
		Source: func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.Header.Get("From")) },
		Clock:  func() time.Time { return noon },
	})
	url, _ := h.serveAs(t, counted, nil)
	const here = "192.0.2.7"
	listed, paged := "/"+listedKey+"/postback?subid=c1&status=sale",
		"/"+pageKey+"/postback?subid=c1&status=lead&return=jsonp"
	for name, c := range map[string]struct {
		method, path string
		want         count
	}{
		"a postback": {"GET", "/" + key + "/postback?subid=c1&status=sale",
			count{here, "default/test", false}},
		"one that is ignored":                    {"GET", "/" + key + "/postback", count{here, "default/test", false}},
		"one of another method":                  {"PUT", "/" + key + "/postback", count{here, "default/test", true}},
		"one from elsewhere":                     {"GET", listed, count{here, "default/listed", true}},
		"a page's that is refused with a script": {"GET", paged, count{here, "default/paged", true}},
		"a wrong key":                            {"GET", "/wrong/postback", count{here, "", true}},
		"a visit":                                {"GET", "/QwErTy", count{here, "default/test", false}},
		"clicks":                                 {"POST", "/clicks", count{here, "default/clicks", false}},
	} {
		t.Run(name, func(t *testing.T) {
			mu.Lock()
			got = nil
			mu.Unlock()
			exchange(t, http.DefaultClient, c.method, url+c.path, "", "", "From", here)
			mu.Lock()
			defer mu.Unlock()
			if diff := cmp.Diff([]count{c.want}, got); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("one that does not get in", func(t *testing.T) {
		h.Gate = NewGate(0, func(Class) {})
		mu.Lock()
		got = nil
		mu.Unlock()
		exchange(t, http.DefaultClient, "GET", url+"/"+key+"/postback", "", "", "From", here)
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff([]count{{here, "default/test", true}}, got); diff != "" {
			t.Errorf("counted (-want +got):\n%s", diff)
		}
	})
}
