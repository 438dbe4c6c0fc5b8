package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// process is the operator under measurement.
type process struct {
	command *exec.Cmd
	folder  string
	metrics string
}

func start(ctx context.Context, manager string, kubeconfig []byte) (*process, error) {
	folder, err := os.MkdirTemp("", "perf-operator-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	free, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, manager, "run", "--receiver-image", "registry.example/receiver:v1",
		"--metrics-listen", address, "--metrics-open", "--probe-listen", "0", "--log-level", "warn")
	command.Env = append(os.Environ(), "KUBECONFIG="+file)
	command.Stderr = os.Stderr
	p := &process{command: command, folder: folder, metrics: "http://" + address + "/metrics"}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting the operator: %w", err)
	}
	return p, until(ctx, time.Minute, func() (bool, error) {
		_, err := p.scrape(ctx)
		return err == nil, nil
	})
}

func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	_ = p.command.Wait()
	_ = os.RemoveAll(p.folder)
}

// residentMB is the memory of the process as Linux counts it, and the most that it ever was.
func (p *process) residentMB() (now, most float64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "VmRSS:" && fields[0] != "VmHWM:" {
			continue
		}
		kilobytes, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return 0, 0, err
		}
		if fields[0] == "VmRSS:" {
			now = kilobytes / 1024
		} else {
			most = kilobytes / 1024
		}
	}
	return now, most, nil
}

// load is the machine's, of the last minute.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(data), " ")
	return minute
}

func (p *process) scrape(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.metrics, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(response.Body)
}

// writes is how many requests that are no reads the operator made, events aside.
func (p *process) writes(ctx context.Context) (float64, error) {
	families, err := p.scrape(ctx)
	if err != nil {
		return 0, err
	}
	var sum float64
	for _, m := range families["rest_client_requests_total"].GetMetric() {
		switch label(m, "method") {
		case http.MethodGet:
		case http.MethodPost: // only events are created: everything else is applied
		default:
			sum += m.GetCounter().GetValue()
		}
	}
	return sum, nil
}

// heapMB is what the garbage collector keeps.
func (p *process) heapMB(ctx context.Context) (float64, error) {
	families, err := p.scrape(ctx)
	if err != nil {
		return 0, err
	}
	return families["go_memstats_heap_inuse_bytes"].GetMetric()[0].GetGauge().GetValue() / (1 << 20), nil
}

// reconcileTimes returns upper bounds of the median and the 99th percentile of a controller's reconciles.
func (p *process) reconcileTimes(ctx context.Context, controller string) (p50, p99 time.Duration, err error) {
	families, err := p.scrape(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, m := range families["controller_runtime_reconcile_time_seconds"].GetMetric() {
		if label(m, "controller") == controller {
			return quantile(m.GetHistogram(), 0.5), quantile(m.GetHistogram(), 0.99), nil
		}
	}
	return 0, 0, fmt.Errorf("no reconcile times of %s", controller)
}

func quantile(h *dto.Histogram, q float64) time.Duration {
	for _, bucket := range h.GetBucket() {
		if float64(bucket.GetCumulativeCount()) >= q*float64(h.GetSampleCount()) {
			return time.Duration(bucket.GetUpperBound() * float64(time.Second))
		}
	}
	return time.Duration(prometheus.DefBuckets[len(prometheus.DefBuckets)-1]) * time.Second
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
