package flood

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAFloodVisitsAndHolds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var visits, bodies atomic.Int64
	var mu sync.Mutex
	sources := map[string]bool{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			bodies.Add(1)
			return
		}
		mu.Lock()
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		sources[host] = true
		mu.Unlock()
		switch n := visits.Add(1); {
		case n > 60 && bodies.Load() >= 2:
			stop()
		case n%10 == 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	server.Start()
	defer server.Close()
	got := Run(ctx, Options{
		Addr: server.Listener.Addr().String(), Path: "/link", Visitors: 6, Held: 4,
		From: func(i int) net.IP { return net.IPv4(127, 0, 1, byte(1+i%3)) },
	})
	if got.Answered < 40 || got.Refused < 4 || got.Answered+got.Refused > visits.Load() {
		t.Errorf("%+v of %d visits", got, visits.Load())
	}
	if len(sources) != 3 {
		t.Errorf("visits came from %v", sources)
	}
}
