package main

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func TestALinkIsFlooded(t *testing.T) {
	var visits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() == "/link?keyword=shoes" {
			visits.Add(1)
		}
	}))
	defer server.Close()
	got, err := inundate(Flood{URL: server.URL + "/link?keyword=shoes", Visitors: 3, Seconds: 0.5})
	if err != nil || got.Answered < 3 || got.Answered > visits.Load() {
		t.Errorf("%+v of %d visits: %v", got, visits.Load(), err)
	}
	for _, wrong := range []Flood{{URL: "https://shop.example/", Seconds: 1}, {URL: server.URL},
		{URL: server.URL, Seconds: 3600}} {
		if _, err := inundate(wrong); err == nil {
			t.Errorf("%+v is not refused", wrong)
		}
	}
}
