// Package receivertest builds and runs the real receiver, as a process of its own, for tests and measurements.
package receivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Build compiles the receiver into dir and returns the program's path.
func Build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "receiver")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program,
		"github.com/postback-dev/postback-operator/receiver")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the receiver: %w\n%s", err, out)
	}
	return program, nil
}

// WithProgram builds the receiver, calls run with its path, and removes it again: for a TestMain. It returns the exit
// code.
func WithProgram(run func(program string) int) int {
	dir, err := os.MkdirTemp("", "receiver")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program, err := Build(context.Background(), dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run(program)
}

// Options of a receiver process.
type Options struct {
	// Program is what [Build] returned.
	Program string
	// Config is the directory that [WriteConfig] wrote.
	Config string
	// Store is the store's URL.
	Store string
	// Args are further flags.
	Args []string
	// Addr and OpsAddr are chosen if empty.
	Addr, OpsAddr string
}

// Process is a running receiver.
type Process struct {
	Addr, OpsAddr string

	cmd   *exec.Cmd
	log   *tail
	ended chan struct{}
	err   error
}

// Start starts a receiver and returns when it is ready. The process is killed when ctx is done.
func Start(ctx context.Context, o Options) (*Process, error) {
	p, err := Launch(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := p.awaitReady(ctx); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// Launch is Start for a receiver that may never be ready: it returns at once.
func Launch(ctx context.Context, o Options) (*Process, error) {
	for _, addr := range []*string{&o.Addr, &o.OpsAddr} {
		if *addr != "" {
			continue
		}
		free, err := FreeAddr()
		if err != nil {
			return nil, err
		}
		*addr = free
	}
	args := append([]string{"--config", o.Config, "--listen", o.Addr, "--ops-listen", o.OpsAddr,
		"--store", o.Store, "--drain", "0s"}, o.Args...)
	p := &Process{Addr: o.Addr, OpsAddr: o.OpsAddr, log: &tail{}, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, o.Program, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *Process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		select {
		case <-p.ended:
			return fmt.Errorf("the receiver ended before it was ready: %w\n%s", p.err, p.log)
		case <-ctx.Done():
			return fmt.Errorf("the receiver is not ready: %w\n%s", ctx.Err(), p.log)
		case <-time.After(20 * time.Millisecond):
		}
		if err := p.Get(ctx, "/readyz", nil); err == nil {
			return nil
		}
	}
}

// Kill ends the process with SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Stop asks the process to end and returns an error unless it exits with 0.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.ended
	if p.err != nil {
		return fmt.Errorf("stopping the receiver: %w\n%s", p.err, p.log)
	}
	return nil
}

// Log returns the last of what the process has printed.
func (p *Process) Log() string { return p.log.String() }

// Get reads path from the ops port into out, which may be a *bytes.Buffer or nil. An answer other than 200 is an error.
func (p *Process) Get(ctx context.Context, path string, out *bytes.Buffer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.OpsAddr+path, nil)
	if err != nil {
		return err
	}
	return exchange(req, out)
}

func exchange(req *http.Request, out *bytes.Buffer) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil {
		out = &bytes.Buffer{}
	}
	if _, err := io.Copy(out, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

// CPU is the processor time that the process has used.
func (p *Process) CPU() (time.Duration, error) { return CPU(p.cmd.Process.Pid) }

// CPU is the processor time that a process has used, its ended and awaited children not counted.
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the command, may hold spaces; it ends with the last parenthesis.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// Memory is the memory in bytes that the process holds for itself: RssAnon, which leaves the page cache out.
func (p *Process) Memory() (int64, error) { return p.status("RssAnon") }

// PeakMemory is the most memory in bytes that the process has ever had resident: VmHWM.
func (p *Process) PeakMemory() (int64, error) { return p.status("VmHWM") }

// status reads a size, in bytes, from the process's status.
func (p *Process) status(field string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no %s in the process's status", field)
}

// FreeAddr returns a loopback address with a port that nobody listens on now.
func FreeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// tail keeps the last 64 KiB that were written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if excess := len(t.text) - 64<<10; excess > 0 {
		t.text = append(t.text[:0], t.text[excess:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
