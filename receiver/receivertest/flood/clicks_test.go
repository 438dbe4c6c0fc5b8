package flood

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// TestLargeBatchesOfClicks: 8 connections of a tenant's own server, each with the greatest batch of clicks, over and over.
func TestLargeBatchesOfClicks(t *testing.T) {
	s := newSiege(t)
	var sent, taken atomic.Int64
	s.besiege(8, func(ctx context.Context, i int) {
		var batch strings.Builder
		for n := range 10_000 {
			fmt.Fprintf(&batch, `{"subid":"b%d-%d","keyword":%q}`+"\n", i, n, strings.Repeat("k", 780))
		}
		for ctx.Err() == nil {
			if s.clicks(ctx, batch.String()) == http.StatusOK {
				taken.Add(1)
			}
			sent.Add(1)
		}
	})
	t.Logf("%d batches were sent, %d taken", sent.Load(), taken.Load())
	s.lives()
}

// clicks sends a batch of the flooded tenant and returns the answer's status, 0 if there is none.
func (s *siege) clicks(ctx context.Context, batch string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Addr+"/clicks", strings.NewReader(batch))
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+floodedToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
