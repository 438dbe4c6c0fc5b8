// Command receiver measures the real receiver over loopback, on one store or both, and verifies the store's rows
// against the acknowledgements. Its baselines run on the same machine in the same run: an HTTP handler that does
// nothing and, for PostgreSQL, pgbench. The load generator, the receiver and the database share the processors.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/hack/perf/load"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

type options struct {
	stores      []string
	clicks      int
	connections []int
	measureFor  time.Duration
	only        string
	grow        int
	baseline    bool
	against     string
}

func main() {
	var o options
	stores := flag.String("store", "sqlite", "comma-separated `stores` to measure: sqlite, postgres")
	connections := flag.String("connections", "1,16,64,256",
		"comma-separated `numbers` of connections for new conversions")
	flag.IntVar(&o.clicks, "clicks", 1_000_000, "`number` of clicks in the store")
	flag.DurationVar(&o.measureFor, "for", 10*time.Second, "`duration` of each measurement")
	flag.StringVar(&o.only, "only", "", "measure only the scenarios whose name contains this `text`")
	flag.IntVar(&o.grow, "grow", 0, "in the end fill the store up to this `number` of clicks and measure new "+
		"conversions again")
	flag.BoolVar(&o.baseline, "baseline", true, "measure the store's own tools as well")
	flag.StringVar(&o.against, "against", "",
		"measure nothing but new conversions on PostgreSQL, alternately with this other receiver `program`")
	noop := flag.String("noop", "", "serve the handler that does nothing on this `address` (used by this program itself)")
	flag.Parse()
	if *noop != "" {
		serveNoop(*noop)
		return
	}
	o.stores = strings.Split(*stores, ",")
	for text := range strings.SplitSeq(*connections, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			fmt.Fprintf(os.Stderr, "receiver: -connections %q: write numbers like 1,16,64\n", *connections)
			os.Exit(2)
		}
		o.connections = append(o.connections, n)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "receiver:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options, w io.Writer) error {
	dir, err := os.MkdirTemp("", "postback-perf-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program, err := receivertest.Build(ctx, dir)
	if err != nil {
		return err
	}
	if o.against != "" {
		return measureAgainst(ctx, o, program, w, dir)
	}
	out := newReport(w)
	if err := measureNoop(ctx, o, out); err != nil {
		return err
	}
	for _, name := range o.stores {
		open, known := stores[name]
		if !known {
			return fmt.Errorf("-store %q: write sqlite, postgres, or both with a comma", name)
		}
		s, err := open(ctx, dir)
		if err != nil {
			return err
		}
		err = measureStore(ctx, o, s, program, dir, out)
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	out.printGoals()
	return nil
}

// measureNoop is the ceiling that HTTP itself sets here: the same load on a handler that answers at once.
func measureNoop(ctx context.Context, o options, out *report) error {
	addr, err := receivertest.FreeAddr()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server := exec.CommandContext(ctx, self, "-noop", addr)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, connections := range o.connections {
		before, err := receivertest.CPU(server.Process.Pid)
		if err != nil {
			return err
		}
		summary, err := load.Run(ctx, load.Options{
			Addr: addr, Connections: connections, For: min(o.measureFor, 5*time.Second),
			Path: func(i int) string { return newConversion(0, i, 1_000_000) },
		})
		if err != nil {
			return err
		}
		after, err := receivertest.CPU(server.Process.Pid)
		if err != nil {
			return err
		}
		out.add(rowOf("none", "no-op HTTP handler", connections, summary, cpu{receiver: after - before}))
	}
	return nil
}

func serveNoop(addr string) {
	server := http.Server{Addr: addr, ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, "Success")
		})}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "receiver:", err)
		os.Exit(1)
	}
}
