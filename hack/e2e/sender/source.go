package main

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what the traffic source keeps.
const (
	maxReceived = 20000
	maxBody     = 16 << 10
)

// slowness is how long a slow path takes to answer.
const slowness = time.Second

// source is a traffic source: it keeps whatever comes, and answers it with 200; below /source/slow/ a second later.
type source struct {
	mu       sync.Mutex
	received []Received // the latest, in the order of arrival
}

// Received is one request that came.
type Received struct {
	Method string `json:"method"`
	// Path is without /source, Query as it came.
	Path  string `json:"path"`
	Query string `json:"query"`
	// Body is its beginning.
	Body string `json:"body,omitempty"`
}

// Which names the requests to show: those with this path.
type Which struct {
	Path string `json:"path"`
}

func (s *source) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/source")
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // The sender has gone, and did not see it accepted.
	}
	s.keep(Received{r.Method, path, r.URL.RawQuery, string(body)})
	if strings.HasPrefix(path, "/slow/") {
		time.Sleep(slowness)
	}
}

func (s *source) keep(one Received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.received) == maxReceived {
		s.received = slices.Delete(s.received, 0, maxReceived/2) // by halves, so that it is seldom
	}
	s.received = append(s.received, one)
}

func (s *source) list(which Which) ([]Received, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []Received{}
	for _, one := range s.received {
		if one.Path == which.Path {
			found = append(found, one)
		}
	}
	return found, nil
}
