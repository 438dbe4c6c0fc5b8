package clients

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// trafficSource is who gets the S2S postbacks.
type trafficSource struct {
	*httptest.Server
	mu  sync.Mutex
	got []url.Values
}

func newTrafficSource(t *testing.T) *trafficSource {
	t.Helper()
	s := &trafficSource{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, r.URL.Query())
	}))
	t.Cleanup(s.Close)
	return s
}

// about returns the S2S postbacks about a click.
func (s *trafficSource) about(subid string) []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []url.Values
	for _, q := range s.got {
		if q.Get("subid") == subid {
			found = append(found, q)
		}
	}
	return found
}
