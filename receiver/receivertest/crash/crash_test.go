// Package crash kills the real receiver under load and looks for what it had acknowledged.
package crash

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

const (
	rounds      = 20
	connections = 64
	clicks      = 200
)

type conversion struct {
	ID       string `json:"id"`
	SubID    string `json:"subid"`
	TID      string `json:"tid"`
	Type     string `json:"type"`
	Payout   string `json:"payout"`
	Version  int    `json:"version"`
	Currency string `json:"currency"`
}

type postback struct {
	TID        string `json:"tid"`
	Outcome    string `json:"outcome"`
	Conversion string `json:"conversion_id"`
}

// TestKillUnderLoadLosesNothingAcknowledged kills the receiver at a random moment, over and over, on one store that
// keeps growing. Request i is the sale with tid i, so everything that must be there can be named.
func TestKillUnderLoadLosesNothingAcknowledged(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	ctx := t.Context()
	dir := t.TempDir()
	program, err := receivertest.Build(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := receivertest.WriteConfig(dir, receivertest.Fleet(), receivertest.Endpoint()); err != nil {
		t.Fatal(err)
	}
	start := func() *receivertest.Process {
		p, err := receivertest.Start(ctx, receivertest.Options{
			Program: program, Config: dir, Store: "sqlite://" + filepath.Join(dir, "postback.db"),
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}

	receiver := start()
	if err := receiver.AddClicks(ctx, clicks, subid); err != nil {
		t.Fatal(err)
	}
	var (
		acknowledged = map[string]bool{}
		sent         int
	)
	for round := range rounds {
		first := sent
		n, acks := killUnderLoad(ctx, t, receiver, first, time.Duration(200+random.IntN(1000))*time.Millisecond)
		sent += n
		maps.Copy(acknowledged, acks)
		receiver = start()
		verify(ctx, t, receiver, acknowledged, sent)
		t.Logf("round %d: killed after %d acknowledgements, all found", round+1, len(acks))
		if t.Failed() {
			break
		}
	}
	if len(acknowledged) < rounds*100 {
		t.Errorf("only %d acknowledgements in %d rounds: the receiver was hardly under load", len(acknowledged), rounds)
	}
	if err := receiver.Stop(); err != nil {
		t.Error(err)
	}
}

func subid(i int) string { return fmt.Sprintf("click-%d", i) }

// killUnderLoad returns how many requests may have been sent and the tids that were acknowledged before the kill.
func killUnderLoad(ctx context.Context, t *testing.T, p *receivertest.Process, first int, after time.Duration) (int,
	map[string]bool) {
	var (
		mu   sync.Mutex
		acks = map[string]bool{}
		sent int
	)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		time.Sleep(after)
		p.Kill()
	}()
	summary, err := load.Run(ctx, load.Options{
		Addr: p.Addr, Connections: connections, For: after + time.Minute,
		Path: func(i int) string {
			i += first
			return fmt.Sprintf("/%s/postback?subid=%s&status=sale&payout=1.25&tid=%d", receivertest.Key, subid(i%clicks), i)
		},
		OnReply: func(i int, reply load.Reply, err error) {
			mu.Lock()
			defer mu.Unlock()
			sent = max(sent, i+1)
			if err == nil && reply.Status == 200 && reply.Outcome == "recorded" {
				acks[fmt.Sprint(first+i)] = true
			}
		},
	})
	<-killed
	if err != nil {
		t.Fatal(err)
	}
	if len(summary.Outcomes) > 1 {
		t.Errorf("answers other than recorded: %v", summary.Outcomes)
	}
	return sent, acks
}

// verify looks for every acknowledged conversion, and for any that is not whole.
func verify(ctx context.Context, t *testing.T, p *receivertest.Process, acknowledged map[string]bool, sent int) {
	t.Helper()
	conversions := map[string]conversion{}
	for c, err := range receivertest.List[conversion](ctx, p, "/api/v1/conversions", url.Values{}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := conversions[c.TID]; twice {
			t.Errorf("tid %s is recorded twice", c.TID)
		}
		if c.Type != "sale" || c.Payout != "1.25" || c.Currency != "USD" || c.Version != 1 {
			t.Errorf("half-written conversion: %+v", c)
		}
		conversions[c.TID] = c
	}
	for tid := range acknowledged {
		if _, found := conversions[tid]; !found {
			t.Errorf("tid %s was acknowledged and is lost", tid)
		}
	}
	logged := 0
	for row, err := range receivertest.List[postback](ctx, p, "/api/v1/postbacks", url.Values{}) {
		if err != nil {
			t.Fatal(err)
		}
		logged++
		if c := conversions[row.TID]; row.Outcome != "recorded" || row.Conversion != c.ID {
			t.Errorf("the received log says %+v, the conversion is %+v", row, c)
		}
	}
	if logged != len(conversions) || len(conversions) > sent {
		t.Errorf("%d conversions, %d rows of the received log, %d requests", len(conversions), logged, sent)
	}
}
