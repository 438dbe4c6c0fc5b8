package flood

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

const (
	// visitPath is the campaign link of the tenant who is flooded.
	visitPath    = "/flooded?utm_source=flood&keyword=running+shoes"
	floodedKey   = "key-of-the-flooded-tenant"
	floodedToken = "token-of-the-flooded-tenant"
	// most is what a receiver may take of its 256 MiB.
	most = 200 << 20
	// pause is between the visits of a connection: the test, too, needs some of the processor.
	pause = 50 * time.Millisecond
	// patience bounds what has no bound of its own; nothing here comes near it.
	patience = 30 * time.Second
)

// program is the built receiver.
var program string

func TestMain(m *testing.M) {
	if addr := os.Getenv(tenantAddr); addr != "" {
		if err := sendAsTenant(context.Background(), addr, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(receivertest.WithProgram(func(built string) int {
		program = built
		return m.Run()
	}))
}

// siege is a receiver in 256 MiB that is flooded.
type siege struct {
	*testing.T
	*receivertest.Process
}

func newSiege(t *testing.T, args ...string) *siege {
	t.Helper()
	s := begin(t, confined(t, program), args...)
	s.knowsItsMemory()
	return s
}

// knowsItsMemory checks that the heap is kept within nine tenths of the container.
func (s *siege) knowsItsMemory() {
	s.Helper()
	if limit := int64(s.metric("go_gc_gomemlimit_bytes")); limit != memoryLimit/10*9 && limit != memoryLimit*9/10 {
		s.Errorf("the heap is limited to %d bytes, want nine tenths of %d", limit, memoryLimit)
	}
}

func begin(t *testing.T, program string, args ...string) *siege {
	t.Helper()
	dir := t.TempDir()
	flooded := receivertest.Endpoint()
	flooded.Name, flooded.ClickTokens = "flooded", []config.Key{{ID: "c1", SHA256: config.Digest(floodedToken)}}
	flooded.Keys = []config.Key{{ID: "k1", SHA256: config.Digest(floodedKey)}}
	flooded.Campaigns = []config.Campaign{{Name: "flooded", Alias: "flooded",
		OfferURL: "https://offer.example/?click={subid}"}}
	if err := receivertest.WriteConfig(dir, receivertest.Fleet(), receivertest.Endpoint(), flooded); err != nil {
		t.Fatal(err)
	}
	p, err := receivertest.Start(t.Context(), receivertest.Options{
		Program: program, Config: dir, Store: "sqlite://" + filepath.Join(t.TempDir(), "store.db"), Args: args,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	s := &siege{T: t, Process: p}
	if err := p.AddClicks(t.Context(), postbacks, func(i int) string { return fmt.Sprint("c", i) }); err != nil {
		t.Fatal(err)
	}
	return s
}

// source is the i-th attacker's address: forty of them, so that no limit of one address helps.
func source(i int) string { return fmt.Sprintf("127.0.1.%d", 1+i%40) }

func dialFrom(ctx context.Context, from, to string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return dialer.DialContext(ctx, "tcp", to)
}

// besiege runs n attackers until the other tenant has sent its postbacks, and none was refused.
func (s *siege) besiege(n int, attack func(ctx context.Context, i int)) {
	s.Helper()
	ctx, stop := context.WithCancel(s.Context())
	var attackers sync.WaitGroup
	for i := range n {
		attackers.Go(func() { attack(ctx, i) })
	}
	s.tenant()
	stop()
	attackers.Wait()
	// The flood has the same processors as the receiver and the tenant.
	const took250 = `postback_request_duration_seconds_bucket{le="0.25"}`
	s.Logf("by its own clock the receiver answered %.0f of %.0f postbacks within 250 ms", s.metric(took250),
		s.metric("postback_request_duration_seconds_count"))
	s.Logf("a commit of %.0f operations took %.0f ms on average", s.mean("postback_ledger_batch_size"),
		1000*s.mean("postback_ledger_commit_seconds"))
}

// mean returns the average of a histogram among the metrics.
func (s *siege) mean(name string) float64 {
	s.Helper()
	return s.metric(name+"_sum") / s.metric(name+"_count")
}

// metric returns a metric without labels.
func (s *siege) metric(name string) float64 {
	s.Helper()
	var text bytes.Buffer
	if err := s.Get(s.Context(), "/metrics", &text); err != nil {
		s.Fatal(err)
	}
	_, after, _ := strings.Cut(text.String(), "\n"+name+" ")
	line, _, _ := strings.Cut(after, "\n")
	value, err := strconv.ParseFloat(line, 64)
	if err != nil {
		s.Fatalf("%s is %q", name, line)
	}
	return value
}

// lives checks that the receiver still runs, and never took more memory than it may.
func (s *siege) lives() {
	s.Helper()
	if err := s.Get(s.Context(), "/livez", nil); err != nil {
		s.Errorf("%v\n%s", err, s.Log())
	}
	peak, err := s.PeakMemory()
	if err != nil || peak > most {
		s.Errorf("it took %d MiB, want %d at most: %v", peak>>20, most>>20, err)
	}
	s.Logf("it took %d MiB", peak>>20)
}

// TestConnections: 2,500 connections, each with visits one after the other.
func TestConnections(t *testing.T) {
	s := newSiege(t)
	var answered atomic.Int64
	s.besiege(2500, func(ctx context.Context, i int) {
		for ctx.Err() == nil {
			answered.Add(s.visits(ctx, source(i)))
		}
	})
	t.Logf("%d visits were answered", answered.Load())
	s.lives()
}

// visits sends visits on one connection until it is closed, and returns how many were answered.
func (s *siege) visits(ctx context.Context, from string) (answered int64) {
	conn, err := dialFrom(ctx, from, s.Addr)
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		return 0
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	reader := bufio.NewReader(conn)
	for {
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: flood\r\n\r\n", visitPath); err != nil {
			return answered
		}
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			return answered
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		answered++
		time.Sleep(pause)
	}
}

// TestIdleConnections: more connections than there may be, from everywhere, each of which has sent one request.
func TestIdleConnections(t *testing.T) {
	s := newSiege(t)
	for i := range 2000 {
		conn, err := dialFrom(t.Context(), source(i), s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := fmt.Fprint(conn, "GET /nothing HTTP/1.1\r\nHost: flood\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	s.besiege(0, nil)
	s.lives()
}

// TestDescriptors: a process that may open few files answers its probes, and postbacks, under more connections than
// that.
func TestDescriptors(t *testing.T) {
	s := begin(t, script(t, program, "ulimit -n 100"))
	for i := range 200 {
		conn, err := dialFrom(t.Context(), source(i), s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
	}
	s.besiege(1, func(ctx context.Context, _ int) {
		for ctx.Err() == nil {
			if err := s.Get(t.Context(), "/livez", nil); err != nil {
				t.Error(err)
			}
			time.Sleep(pause)
		}
	})
	s.lives()
}
