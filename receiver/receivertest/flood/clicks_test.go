package flood

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// TestLargeBatchesOfClicks: 8 servers of a tenant, each with the greatest batch of clicks, over and over. They have
// addresses of their own: what comes from one address shares its part of the connections.
func TestLargeBatchesOfClicks(t *testing.T) {
	s := newSiege(t)
	var sent, taken atomic.Int64
	s.besiege(8, func(ctx context.Context, i int) {
		var batch strings.Builder
		for n := range 10_000 {
			fmt.Fprintf(&batch, `{"subid":"b%d-%d","keyword":%q}`+"\n", i, n, strings.Repeat("k", 780))
		}
		server := &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, to string) (net.Conn, error) { return dialFrom(ctx, source(i), to) },
		}}
		defer server.CloseIdleConnections()
		for ctx.Err() == nil {
			if s.clicks(ctx, server, batch.String()) == http.StatusOK {
				taken.Add(1)
			}
			sent.Add(1)
		}
	})
	t.Logf("%d batches were sent, %d taken", sent.Load(), taken.Load())
	s.lives()
}

// clicks sends a batch of the flooded tenant and returns the answer's status, 0 if there is none.
func (s *siege) clicks(ctx context.Context, server *http.Client, batch string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Addr+"/clicks", strings.NewReader(batch))
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+floodedToken)
	resp, err := server.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
