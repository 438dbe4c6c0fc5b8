package postgres_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

var benchClicks = flag.Int("clicks", 50_000, "clicks that the benchmark's conversions choose from")

// BenchmarkLedger measures new conversions of random clicks through the ledger's lanes: one iteration is one durable
// postback with its rows in the received log and the outbox. It reports the processor time of receiver and server.
func BenchmarkLedger(b *testing.B) {
	server, err := pgtest.New(b.Context(), map[string]string{"shared_buffers": "1GB", "max_wal_size": "16GB"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Stop() })
	dsn := server.NewDatabase(b)
	loadClicks(b, dsn, *benchClicks)
	for _, mode := range []string{"cache_describe", "cache_statement"} {
		for _, clients := range []int{1, 64, 256} {
			b.Run(fmt.Sprintf("%s/clients=%d", mode, clients), func(b *testing.B) {
				benchmarkClients(b, server, dsn+"&default_query_exec_mode="+mode, clients)
			})
		}
	}
}

func benchmarkClients(b *testing.B, server *pgtest.Server, dsn string, clients int) {
	store, book := openLedger(b, dsn)
	defer closeLedger(b, store, book)
	receiverBefore, serverBefore := cpuTimes(b, server)
	var left, failed atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for range clients {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				subid := fmt.Sprintf("click-%d", rand.IntN(*benchClicks))
				result, err := book.Postback(b.Context(), newPostback(subid, uuid.NewString(), "sale", "12.50"))
				if err != nil || result.Outcome != conversion.Recorded {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	if n := failed.Load(); n > 0 {
		b.Fatalf("%d of %d postbacks were not recorded", n, b.N)
	}
	receiver, database := cpuTimes(b, server)
	b.ReportMetric(float64((receiver-receiverBefore).Microseconds())/float64(b.N), "receiver-µs/op")
	b.ReportMetric(float64((database-serverBefore).Microseconds())/float64(b.N), "database-µs/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

// cpuTimes returns the processor time of this process and of the server.
func cpuTimes(b *testing.B, server *pgtest.Server) (receiver, database time.Duration) {
	b.Helper()
	database, err := server.CPU()
	if err != nil {
		b.Fatal(err)
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	return time.Duration(own.Utime.Nano() + own.Stime.Nano()), database
}

func loadClicks(b *testing.B, dsn string, n int) {
	b.Helper()
	store, book := openLedger(b, dsn)
	defer closeLedger(b, store, book)
	const chunk = 2000
	now := time.Now()
	for start := 0; start < n; start += chunk {
		clicks := make([]conversion.Click, min(chunk, n-start))
		for i := range clicks {
			clicks[i] = conversion.Click{
				Endpoint: testEndpoint, SubID: fmt.Sprintf("click-%d", start+i), Time: now, Campaign: "17", IP: "203.0.113.7",
				UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
				Params: conversion.Params{
					{Name: "creative_id", Value: "8812"}, {Name: "external_id", Value: uuid.NewString()},
					{Name: "keyword", Value: "buy shoes online"}, {Name: "source", Value: "news.example"},
					{Name: "sub_id_1", Value: "a1"},
				},
			}
		}
		if _, err := book.AddClicks(b.Context(), clicks); err != nil {
			b.Fatal(err)
		}
	}
}
