package propagation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/types"
)

// Receiver is one ready pod.
type Receiver struct {
	// ID changes whenever the pod may have started again.
	ID string
	// Address is its host and ops port.
	Address string
}

// Answer is what is known of one receiver.
type Answer struct {
	// Asked: it was asked at least once, with or without success.
	Asked bool
	// Revision that it served when it answered last; empty while it has not.
	Revision string
	// SpoolMissing is how many acknowledged postbacks its spool had lost when it started, as it said when it answered
	// last.
	SpoolMissing int64
	// Nudged is the revision that it was nudged to take up last, as far as is known.
	Nudged string
}

// Bounds of probing.
const (
	probeTimeout  = 2 * time.Second
	firstPause    = 200 * time.Millisecond
	longestPause  = 5 * time.Second
	maxAnswer     = 64 << 10
	probesAtATime = 32
)

// Prober asks receivers for the revision they serve until it is the wanted one.
type Prober struct {
	// Fleets hears of every fleet of which an answer has changed.
	Fleets *Trigger

	client *http.Client
	places *semaphore.Weighted

	mu      sync.Mutex
	ctx     context.Context // nil until Start
	fleets  map[types.NamespacedName]map[string]*probe
	running sync.WaitGroup
}

// probe is the conversation with one receiver.
type probe struct {
	receiver Receiver
	wanted   string
	answer   Answer
	stop     context.CancelFunc // nil while nobody asks
}

// NewProber returns a prober that reaches receivers through dial; nil means the network.
func NewProber(fleets *Trigger, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Prober {
	return &Prober{
		Fleets: fleets,
		client: &http.Client{
			Timeout:   probeTimeout,
			Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true, Proxy: nil},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
		places: semaphore.NewWeighted(probesAtATime),
		fleets: map[types.NamespacedName]map[string]*probe{},
	}
}

// Start lets probing begin, and ends it with the context.
func (p *Prober) Start(ctx context.Context) error {
	p.mu.Lock()
	p.ctx = ctx
	for fleet, probes := range p.fleets {
		for _, probe := range probes {
			p.ask(fleet, probe)
		}
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.running.Wait()
	return nil
}

// Watch says which receivers a fleet has now and which revision they should serve, and returns what is known of them.
func (p *Prober) Watch(fleet types.NamespacedName, wanted string, receivers []Receiver) map[string]Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, now := p.fleets[fleet], map[string]*probe{}
	known := map[string]Answer{}
	for _, receiver := range receivers {
		current := before[receiver.ID]
		if current == nil || current.receiver != receiver {
			current = &probe{receiver: receiver}
		}
		now[receiver.ID] = current
		if current.wanted != wanted {
			current.wanted = wanted
			p.ask(fleet, current)
		}
		known[receiver.ID] = current.answer
	}
	for id, probe := range before {
		if now[id] != probe && probe.stop != nil {
			probe.stop()
		}
	}
	if p.fleets[fleet] = now; len(now) == 0 {
		delete(p.fleets, fleet)
	}
	return known
}

// ask starts asking for what is wanted now. The caller holds the lock.
func (p *Prober) ask(fleet types.NamespacedName, probe *probe) {
	if probe.stop != nil {
		probe.stop()
		probe.stop = nil
	}
	if p.ctx == nil || probe.answer.Revision == probe.wanted {
		return
	}
	ctx, stop := context.WithCancel(p.ctx)
	probe.stop = stop
	p.running.Go(func() { p.converse(ctx, fleet, probe) })
}

// converse asks until the answer is the wanted one.
func (p *Prober) converse(ctx context.Context, fleet types.NamespacedName, probe *probe) {
	for pause := firstPause; ; pause = min(pause*2, longestPause) {
		if p.places.Acquire(ctx, 1) != nil {
			return
		}
		said, err := p.configz(ctx, probe.receiver.Address)
		p.places.Release(1)
		if ctx.Err() != nil || p.hear(fleet, probe, said, err) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Nudged notes that a receiver was nudged, so that it is not done again before the cache shows it.
func (p *Prober) Nudged(fleet types.NamespacedName, receiver, revision string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if probe := p.fleets[fleet][receiver]; probe != nil {
		probe.answer.Nudged = revision
	}
}

// hear notes an answer and reports whether it is the wanted one.
func (p *Prober) hear(fleet types.NamespacedName, probe *probe, said configz, err error) bool {
	p.mu.Lock()
	was := probe.answer
	probe.answer.Asked = true
	if err == nil {
		probe.answer.Revision, probe.answer.SpoolMissing = said.Revision, max(said.SpoolMissing, 0)
	}
	changed, done := probe.answer != was, err == nil && said.Revision == probe.wanted
	if done && probe.stop != nil {
		probe.stop()
		probe.stop = nil
	}
	p.mu.Unlock()
	if changed {
		p.Fleets.Send(fleet)
	}
	return done
}

// configz is what the operator reads of a receiver's answer.
type configz struct {
	Revision     string `json:"revision"`
	SpoolMissing int64  `json:"spool_missing"`
}

// configz asks one receiver.
func (p *Prober) configz(ctx context.Context, address string) (said configz, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/configz", http.NoBody)
	if err != nil {
		return said, err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return said, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return said, fmt.Errorf("/configz answers %d", response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&said); err != nil {
		return said, errors.New("/configz answers no JSON")
	}
	// Anything else could be anything.
	if len(said.Revision) != 16 {
		return said, errors.New("/configz names no revision")
	}
	if _, err := strconv.ParseUint(said.Revision, 16, 64); err != nil {
		return said, errors.New("/configz names no revision")
	}
	return said, nil
}
