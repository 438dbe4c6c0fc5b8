package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/flood"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// fault disturbs something and returns when that is over.
type fault struct {
	name string
	run  func(f *field, random *rand.Rand) error
}

var faults = []fault{
	{"database killed", func(f *field, random *rand.Rand) error {
		return f.outage(random, f.server.Kill, func() error { return f.server.Start(f.Context()) })
	}},
	{"database paused", func(f *field, random *rand.Rand) error {
		pause := within(random, 3*time.Second)
		if f.faults["database paused"] == 0 {
			pause = *longest
		}
		return f.pause(pause)
	}},
	{"database restarted", func(f *field, _ *rand.Rand) error { return f.server.Restart(f.Context()) }},
	{"connections cut", func(f *field, random *rand.Rand) error {
		for range 1 + random.IntN(10) {
			f.receivers[random.IntN(receivers)].proxy.cut()
			time.Sleep(within(random, 300*time.Millisecond))
		}
		return nil
	}},
	{"receiver killed", func(f *field, random *rand.Rand) error {
		return f.bounce(f.receivers[random.IntN(receivers)], within(random, time.Second))
	}},
	{"receiver flooded", func(f *field, random *rand.Rand) error {
		return f.flood(random, func() error {
			time.Sleep(within(random, 3*time.Second))
			return nil
		})
	}},
	{"receiver flooded while the database is away", func(f *field, random *rand.Rand) error {
		return f.flood(random, func() error {
			return f.outage(random, f.server.Kill, func() error { return f.server.Start(f.Context()) })
		})
	}},
	{"receiver with a spool killed while the database is away", func(f *field, random *rand.Rand) error {
		var bounced error
		return f.outage(random, f.server.Kill, func() error {
			bounced = f.bounce(f.receivers[random.IntN(receivers-1)], 0)
			if err := f.server.Start(f.Context()); err != nil {
				return err
			}
			return bounced
		})
	}},
}

func within(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

// pause stops the database's processes for so long. It fails if anybody else continues one of them: a pause that was
// cut short proves less than the run says.
func (f *field) pause(d time.Duration) error {
	if err := f.server.Pause(); err != nil {
		return err
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		paused, err := f.server.Paused()
		if err != nil {
			return err
		}
		if paused {
			break
		}
		if time.Now().After(deadline) {
			return errors.New("the database's processes do not stop")
		}
	}
	for began := time.Now(); time.Since(began) < d; time.Sleep(100 * time.Millisecond) {
		paused, err := f.server.Paused()
		if err != nil {
			return err
		}
		if !paused {
			return fmt.Errorf("somebody ended the pause after %s of %s", time.Since(began), d)
		}
	}
	f.Logf("the database was paused for %s", d.Round(time.Millisecond))
	return f.server.Continue()
}

// flood sends a receiver more connections than it may have, with visits to another endpoint and with requests that do
// not end, from a second before do to its end.
func (f *field) flood(random *rand.Rand, do func() error) error {
	r := f.receivers[random.IntN(receivers)]
	ctx, stop := context.WithCancel(f.Context())
	var flooding sync.WaitGroup
	flooding.Go(func() {
		got := flood.Run(ctx, flood.Options{
			Addr: r.options.Addr, Path: link, Visitors: 200, Held: 100,
			From: func(i int) net.IP { return net.IPv4(127, 0, 1, byte(1+i%40)) },
		})
		f.visits.Answered += got.Answered
		f.visits.Refused += got.Refused
		f.visits.Closed += got.Closed
	})
	time.Sleep(time.Second)
	err := do()
	stop()
	flooding.Wait()
	return err
}

// outage keeps the database away for a moment that is sometimes longer than the patience and sometimes not.
func (f *field) outage(random *rand.Rand, begin, end func() error) error {
	if err := begin(); err != nil {
		return err
	}
	time.Sleep(within(random, 3*time.Second))
	return end()
}

// bounce kills a receiver and starts it again in the same place. One that has no spool does not start before it has its
// database.
func (f *field) bounce(r *receiver, after time.Duration) error {
	r.process.Kill()
	time.Sleep(after)
	var err error
	for range 20 {
		if r.process, err = receivertest.Start(f.Context(), r.options); err == nil {
			return nil
		}
	}
	return err
}

// disturb runs all faults in random order, again and again until the time is up, with calm between them.
func (f *field) disturb(ctx context.Context, random *rand.Rand) {
	over := time.Now().Add(*duration)
	for first := true; first || time.Now().Before(over); first = false {
		for _, i := range random.Perm(len(faults)) {
			if !first && time.Now().After(over) || ctx.Err() != nil {
				break
			}
			time.Sleep(500*time.Millisecond + within(random, time.Second))
			if err := faults[i].run(f, random); err != nil {
				f.Fatalf("%s: %v", faults[i].name, err)
			}
			f.faults[faults[i].name]++
		}
	}
	time.Sleep(time.Second)
	f.Logf("faults: %v; visits of the floods: %+v", f.faults, f.visits)
	if f.visits.Answered < 100 || f.visits.Closed == 0 {
		f.Errorf("visits of the floods: %+v: too few to prove anything", f.visits)
	}
}

// awaitDrained returns when every spool is empty.
func (f *field) awaitDrained() {
	f.Helper()
	began, deadline := time.Now(), time.Now().Add(2*time.Minute+*duration)
	var waiting sync.WaitGroup
	for i, r := range f.receivers {
		if !r.spools {
			continue
		}
		waiting.Go(func() {
			var metrics bytes.Buffer
			for time.Now().Before(deadline) {
				metrics.Reset()
				err := r.process.Get(f.Context(), "/metrics", &metrics)
				if err == nil && strings.Contains(metrics.String(), "\npostback_spool_postbacks 0\n") {
					if !strings.Contains(metrics.String(), "\npostback_spool_dead 0\n") {
						f.Errorf("receiver %d has dead postbacks:\n%s", i, r.process.Log())
					}
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			f.Errorf("the spool of receiver %d is not emptied:\n%s", i, r.process.Log())
		})
	}
	waiting.Wait()
	f.Logf("spools empty %s after the last request", time.Since(began).Round(time.Millisecond))
}
