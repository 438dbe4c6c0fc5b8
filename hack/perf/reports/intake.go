package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postback-dev/postback-operator/hack/perf/load"
)

// connections of those who send as fast as they can, and of those who send at a rate.
const (
	fastest = 256
	steady  = 64
)

// measureFold lets changes pile up behind postbacks that come as fast as they can, and adds them to the sums
// afterwards.
func measureFold(ctx context.Context, b *bench) (err error) {
	if err := errors.Join(b.start(ctx), b.addVisits(ctx)); err != nil {
		return err
	}
	store, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	release, err := holdFolding(ctx, store)
	if err != nil {
		return err
	}
	if _, err := foldAll(ctx, store.FoldReports); err != nil {
		return err
	}
	summary, err := b.send(ctx, load.Options{Connections: fastest, For: b.measureFor})
	if err != nil {
		return err
	}
	took, err := foldAll(ctx, store.FoldReports)
	if err != nil {
		return err
	}
	folded := float64(len(summary.Latencies)) / took.Seconds()
	b.ratio("changes of postbacks added to the sums", folded, summary.PerSecond())
	if b.rebuilt > 0 {
		b.ratio("conversions added up by a rebuild", b.rebuilt, summary.PerSecond())
	}
	return release()
}

func (b *bench) ratio(what string, speed, intake float64) {
	const least = 3
	b.out.add(row{
		store: b.name, what: fmt.Sprintf("%s, while postbacks come %.0f a second", what, intake),
		measured: fmt.Sprintf("%.0f a second, %.1f ×", speed, speed/intake),
		goal:     fmt.Sprintf("at least %d ×", least), met: speed >= least*intake,
	})
}

// foldAll adds everything that there is.
func foldAll(ctx context.Context, fold func(context.Context) (int, error)) (time.Duration, error) {
	start := time.Now()
	for {
		n, err := fold(ctx)
		if err != nil || n == 0 {
			return time.Since(start), err
		}
	}
}

// send runs postbacks that each make a conversion.
func (b *bench) send(ctx context.Context, o load.Options) (*load.Summary, error) {
	o.Addr, o.Path = b.receiver.Addr, b.newConversion
	b.turns++
	return send(ctx, o)
}

// measureLoad compares the latency of postbacks at a steady rate with and without somebody who makes reports all the
// time, alternately.
func measureLoad(ctx context.Context, b *bench) error {
	if err := errors.Join(b.start(ctx), b.addVisits(ctx)); err != nil {
		return err
	}
	const mostTimes = 1.3
	o := load.Options{Connections: steady, For: b.measureFor, PerSecond: b.rate}
	if _, err := b.send(ctx, o); err != nil { // warms up
		return err
	}
	var alone, beside []time.Duration
	reports := 0
	for range b.rounds {
		summary, err := b.send(ctx, o)
		if err != nil {
			return err
		}
		alone = append(alone, summary.Quantile(0.99))
		stop := b.makeReports(ctx, b.query("day,campaign", days), b.query("sub_id_1", b.freeDays()))
		summary, err = b.send(ctx, o)
		made, failed := stop()
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		reports += made
		beside = append(beside, summary.Quantile(0.99))
	}
	quiet, loaded := median(alone), median(beside)
	times := float64(loaded) / float64(quiet)
	b.out.add(row{
		store: b.name,
		what: fmt.Sprintf("99th percentile of %.0f postbacks a second, alone and while two make reports without "+
			"a pause, %d in all", b.rate, reports),
		measured: fmt.Sprintf("%s and %s, %.2f ×", inMilliseconds(quiet), inMilliseconds(loaded), times),
		goal:     fmt.Sprintf("at most %.1f ×", mostTimes), met: times <= mostTimes,
	})
	return b.stop()
}

func median(times []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(times))[len(times)/2]
}

// makeReports makes each report again and again until the function is called that it returns, which says how many there
// were.
func (b *bench) makeReports(ctx context.Context, queries ...url.Values) (stop func() (made int, err error)) {
	ended := make(chan struct{})
	var group errgroup.Group
	var count atomic.Int64
	for _, query := range queries {
		group.Go(func() error {
			for {
				select {
				case <-ended:
					return nil
				default:
				}
				if _, err := b.report(ctx, query); err != nil {
					return err
				}
				count.Add(1)
			}
		})
	}
	return func() (int, error) {
		close(ended)
		err := group.Wait()
		return int(count.Load()), err
	}
}
