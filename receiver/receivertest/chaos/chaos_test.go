// Package chaos is the fault run: real receivers on one real PostgreSQL under load, while the database is killed and
// paused, connections are cut, and receivers are killed, all at random. In the end whatever was acknowledged must be
// recorded once.
package chaos

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/hack/perf/flood"
	"github.com/postback-dev/postback-operator/hack/perf/load"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

var (
	duration = flag.Duration("duration", 20*time.Second, "how long there are faults")
	longest  = flag.Duration("pause", 5*time.Second, "how long the database is paused once; other pauses are short")
	seed     = flag.Uint64("seed", 0, "seed of the faults; 0 = a new one")
)

const (
	// receivers are so many, of which the last one has no spool.
	receivers = 4
	// senders of each receiver.
	senders = 16
	clicks  = 200
	// sums is how many clicks of the endpoint whose payouts add up there are; they are orphans.
	sums   = 20
	sumKey = "sum-key-8sk3b2vx"
	// link is of a campaign of an endpoint that is flooded.
	link = "/flooded?keyword=shoes"
)

func TestNothingAcknowledgedIsLostOrRecordedTwice(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d", *seed)
	f := newField(t)
	defer f.proxies()
	auditJournal := f.followJournal()
	acks := f.load(func(ctx context.Context) { f.disturb(ctx, rand.New(rand.NewPCG(*seed, 0))) })
	f.awaitDrained()
	auditJournal(f.audit(acks))
	for _, r := range f.receivers {
		if err := r.process.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// field is where it happens.
type field struct {
	*testing.T
	server    *pgtest.Server
	dsn       string
	receivers []*receiver
	// faults counts what was done, by name.
	faults map[string]int
	// visits is what became of those that flooded receivers.
	visits flood.Summary
}

// receiver is one that is killed and started again in the same place.
type receiver struct {
	options receivertest.Options
	process *receivertest.Process
	proxy   *proxy
	spools  bool
}

func newField(t *testing.T) *field {
	ctx, dir := t.Context(), t.TempDir()
	program, err := receivertest.Build(ctx, dir)
	must(t, err)
	adding := receivertest.Endpoint()
	adding.Name, adding.ClickTokens = "sum", nil
	adding.Keys = []config.Key{{ID: "k2", SHA256: config.Digest(sumKey)}}
	adding.Policies.Repeat, adding.Policies.UnknownClick = config.RepeatAdd, config.UnknownClickRecord
	flooded := receivertest.Endpoint()
	flooded.Name, flooded.ClickTokens = "flooded", nil
	flooded.Keys = []config.Key{{ID: "k3", SHA256: config.Digest("flooded-key-5tq8m1za")}}
	flooded.Campaigns = []config.Campaign{{Name: "flooded", Alias: "flooded",
		OfferURL: "https://offer.example/?click={subid}"}}
	must(t, receivertest.WriteConfig(dir, receivertest.Fleet(), receivertest.Endpoint(), adding, flooded))

	f := &field{T: t, server: pgtest.Start(t, nil), faults: map[string]int{}}
	f.dsn = f.server.NewDatabase(t)
	for i := range receivers {
		f.receivers = append(f.receivers, f.newReceiver(program, dir, i < receivers-1))
	}
	must(t, f.receivers[0].process.AddClicks(ctx, clicks, func(i int) string { return fmt.Sprintf("click-%d", i) }))
	return f
}

func (f *field) newReceiver(program, dir string, spools bool) *receiver {
	f.Helper()
	target, err := url.Parse(f.dsn)
	must(f.T, err)
	r := &receiver{spools: spools}
	r.proxy, err = startProxy(net.JoinHostPort("127.0.0.1", strconv.Itoa(f.server.Port)))
	must(f.T, err)
	target.Host = r.proxy.Addr().String()
	r.options = receivertest.Options{Program: program, Config: dir, Store: target.String(),
		Args: []string{"--max-connections", "200"}}
	if spools {
		r.options.Args = append(r.options.Args, "--spool-dir", f.TempDir(), "--patience", "300ms")
	}
	for _, addr := range []*string{&r.options.Addr, &r.options.OpsAddr} {
		*addr, err = receivertest.FreeAddr()
		must(f.T, err)
	}
	r.process, err = receivertest.Start(f.Context(), r.options)
	must(f.T, err)
	return r
}

func (f *field) proxies() {
	for _, r := range f.receivers {
		r.proxy.stop()
	}
}

// acks are the numbers of the requests that were acknowledged, and how; sent is above all of them. Request n has the
// unique parameter n=n, which is above 0.
type acks struct {
	sync.Mutex
	outcomes map[int]string
	sent     int
	answers  map[string]int
}

// load sends from all sides until the faults are over.
func (f *field) load(faults func(context.Context)) *acks {
	ctx, end := context.WithCancel(f.Context())
	a := &acks{outcomes: map[int]string{}, answers: map[string]int{}}
	var sending sync.WaitGroup
	for side, r := range f.receivers {
		sending.Go(func() {
			number := func(i int) int { return 1 + i*receivers + side }
			summary, err := load.Run(ctx, load.Options{
				Addr: r.options.Addr, Connections: senders, For: *duration + *longest + time.Hour, Reconnect: true,
				Path: func(i int) string { return path(number(i)) },
				OnReply: func(i int, reply load.Reply, err error) {
					a.note(number(i), reply, err)
				},
			})
			if err != nil {
				f.Error(err)
				return
			}
			a.count(summary)
		})
	}
	faults(ctx)
	end()
	sending.Wait()
	return a
}

// path returns what request n asks for: a sale of its own, or to add 1 to the payout of a click.
func path(n int) string {
	if n%3 == 0 {
		return fmt.Sprintf("/%s/postback?subid=sum-%d&status=sale&payout=1&n=%d", sumKey, n/3%sums, n)
	}
	return fmt.Sprintf("/%s/postback?subid=click-%d&status=sale&payout=1&tid=%d&n=%d", receivertest.Key, n%clicks, n, n)
}

func (a *acks) note(n int, reply load.Reply, err error) {
	a.Lock()
	defer a.Unlock()
	a.sent = max(a.sent, n+1)
	if err == nil && reply.Status == 200 {
		a.outcomes[n] = reply.Outcome
	}
}

func (a *acks) count(s *load.Summary) {
	a.Lock()
	defer a.Unlock()
	for answer, n := range s.Outcomes {
		a.answers[answer] += n
	}
	a.answers["no answer"] += s.Errors
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
