package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/money"
)

const (
	benchEndpoint = "shop/main"
	benchClicks   = 1_000_000
)

var benchRules = &conversion.Rules{
	Currency: "USD",
	Policies: config.Policies{
		UnknownClick: config.UnknownClickIgnore,
		Repeat:       config.RepeatOverwrite,
		Slot:         config.SlotTid,
		Transitions:  config.TransitionsAny,
	},
}

// BenchmarkLedger records new conversions of random clicks, out of a million, durably, with so many callers at once.
func BenchmarkLedger(b *testing.B) {
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	book := ledger.New(store, ledger.Options{})
	defer func() { _ = book.Close(b.Context()) }()
	loadClicks(b, book)
	stamps := ledger.NewStamper(time.Now)
	for _, clients := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { benchmarkPostbacks(b, book, stamps, clients) })
	}
}

func loadClicks(b *testing.B, book *ledger.Ledger) {
	b.Helper()
	began := time.Now()
	now := time.Now().UTC().Truncate(time.Microsecond)
	for first := 0; first < benchClicks; first += 10_000 {
		clicks := make([]conversion.Click, 10_000)
		for i := range clicks {
			clicks[i] = conversion.Click{
				Endpoint: benchEndpoint, SubID: benchSubID(first + i), Time: now, Campaign: "spring", IP: "203.0.113.7",
				UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
				Params: conversion.Params{{Name: "external_id", Value: "ext-81723"}, {Name: "keyword", Value: "red shoes"},
					{Name: "source", Value: "network"}, {Name: "sub_id_1", Value: "a"}, {Name: "sub_id_2", Value: "b"}},
			}
		}
		if _, err := book.AddClicks(b.Context(), clicks); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d clicks loaded in %v", benchClicks, time.Since(began))
}

// benchSubID is spread like a random id, not in the order of the clicks.
func benchSubID(i int) string {
	const odd = 0x9e3779b9 // coprime to a million
	return fmt.Sprintf("%08d%012x", i*odd%benchClicks, i)
}

func benchmarkPostbacks(b *testing.B, book *ledger.Ledger, stamps *ledger.Stamper, clients int) {
	var done atomic.Int64
	latencies := make([][]time.Duration, clients)
	cpu := cpuTime(b)
	finished := make(chan error, clients)
	b.ResetTimer()
	for client := range clients {
		go func() {
			random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
			var err error
			for done.Add(1) <= int64(b.N) && err == nil {
				began := time.Now()
				_, err = book.Postback(b.Context(), benchPostback(random, stamps))
				latencies[client] = append(latencies[client], time.Since(began))
			}
			finished <- err
		}()
	}
	for range clients {
		if err := <-finished; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "postbacks/s")
	b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

func benchPostback(random *rand.Rand, stamps *ledger.Stamper) ledger.Postback {
	stamp := stamps.Next()
	at, id, subid := time.UnixMicro(stamp).UTC(), uuid.Must(uuid.NewV7()), benchSubID(random.IntN(benchClicks))
	amount := decimal.New(int64(random.IntN(10000)), -2)
	tid := fmt.Sprint(random.Uint32())
	return ledger.Postback{
		Log: ledger.Received{
			ID: id, Endpoint: benchEndpoint, KeyID: "k1", At: at, Stamp: stamp, IP: "198.51.100.4", Method: "GET",
			Query: "subid=" + subid + "&status=sale&payout=" + amount.String() + "&currency=usd&tid=" + tid,
			SubID: subid, TID: tid, Type: "sale",
		},
		Intent: &conversion.Intent{
			Endpoint: benchEndpoint, SubID: subid, Slot: conversion.SlotKey{TID: tid}, Type: "sale", Status: "sale",
			Payout: &money.Amount{Original: amount, Currency: "USD", Converted: &amount,
				Rate: money.Rate{Value: decimal.NewFromInt(1)}},
			Received: at, ReceivedIP: "198.51.100.4", RequestID: id, Stamp: stamp, Rules: benchRules,
		},
	}
}

// cpuTime is what this process has used, user and system.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
