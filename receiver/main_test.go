package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// program is the built receiver.
var program string

func TestMain(m *testing.M) {
	os.Exit(receivertest.WithProgram(func(built string) int {
		program = built
		return m.Run()
	}))
}

func writeConfig(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := receivertest.WriteConfig(dir, receivertest.Fleet(), receivertest.Endpoint()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// finish runs the program until it ends by itself.
func finish(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, append(os.Environ(), env...)
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestAStartThatFailsSaysWhyInOneLine(t *testing.T) {
	dir, good := t.TempDir(), writeConfig(t)
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	store := "sqlite://" + filepath.Join(dir, "store.db")
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, config.ManifestFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	textFile := file("text", strings.Repeat("no database\n", 100))
	const free = "127.0.0.1:0"
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"an unknown flag", []string{"--nonsense"}, 2, "-nonsense"},
		{"an argument", []string{"--config", good, "--store", store, "now"}, 2, `"now"`},
		{"no configuration", []string{"--store", store}, 2, "--config is missing"},
		{"no store", []string{"--config", good}, 2, "--store is missing"},
		{"a hold that is no duration", []string{"--hold", "soon"}, 2, "-hold"},
		{"no hold", []string{"--config", good, "--store", store, "--hold", "0s"}, 2, "--hold"},
		{"a negative drain", []string{"--config", good, "--store", store, "--drain", "-1s"}, 2, "--drain"},
		{"a log format that does not exist", []string{"--config", good, "--store", store, "--log-format", "xml"}, 2,
			"--log-format"},
		{"a certificate without its key", []string{"--config", good, "--store", store, "--tls-cert-file", "x"}, 2,
			"--tls-key-file"},
		{"a configuration directory that does not exist", []string{"--config", filepath.Join(dir, "none"), "--store", store},
			1, "no such file"},
		{"a configuration that is wrong", []string{"--config", broken, "--store", store}, 1, config.ManifestFile},
		{"a store of no known kind", []string{"--config", good, "--store", "mysql://user:s3cret@host/db"}, 1, "sqlite:///"},
		{"a relative store", []string{"--config", good, "--store", "sqlite://store.db"}, 1, "sqlite:///"},
		{"a store that cannot be written", []string{"--config", good, "--store", "sqlite:///proc/none/store.db"}, 1,
			"/proc/none"},
		{"a store that is something else", []string{"--config", good, "--store", "sqlite://" + textFile}, 1, "store"},
		{"a token file that does not exist", []string{"--config", good, "--store", store, "--ops-token-file",
			filepath.Join(dir, "none")}, 1, "no such file"},
		{"an empty token file", []string{"--config", good, "--store", store, "--ops-token-file", file("token", "\n")}, 1,
			"empty"},
		{"a port in use", []string{"--config", good, "--store", store, "--ops-listen", free, "--listen",
			taken.Addr().String()}, 1, "address already in use"},
		{"an ops port in use", []string{"--config", good, "--store", store, "--listen", free, "--ops-listen",
			taken.Addr().String()}, 1, "address already in use"},
		{"a certificate that does not exist", []string{"--config", good, "--store", store, "--ops-listen", free, "--listen",
			free,
			"--tls-cert-file", filepath.Join(dir, "none"), "--tls-key-file", filepath.Join(dir, "none")}, 1, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := finish(t, nil, test.args...)
			if code != test.code || stdout != "" || !strings.HasPrefix(stderr, "receiver: ") ||
				!strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d, want %d with %q:\n%s%s", code, test.code, test.want, stdout, stderr)
			}
			if strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "s3cret") {
				t.Errorf("not one line without a secret:\n%s", stderr)
			}
		})
	}
	text, err := os.ReadFile(textFile)
	if err != nil || !strings.HasPrefix(string(text), "no database") {
		t.Errorf("the file that is no store was changed: %.40q, %v", text, err)
	}
}

func TestHelpAndVersion(t *testing.T) {
	code, stdout, stderr := finish(t, []string{storeVariable + "=postgres://user:s3cret@host/db"}, "--help")
	if code != 0 || stderr != "" || !strings.Contains(stdout, "--retention-received DURATION") ||
		strings.Contains(stdout, "s3cret") {
		t.Errorf("--help: exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := finish(t, nil, "--version"); code != 0 || strings.TrimSpace(stdout) != "dev" {
		t.Errorf("--version: exit code %d, %q", code, stdout)
	}
}

func TestAStoreHasOneReceiver(t *testing.T) {
	dir, store := writeConfig(t), "sqlite://"+filepath.Join(t.TempDir(), "store.db")
	p, err := receivertest.Start(t.Context(), receivertest.Options{Program: program, Config: dir, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	code, _, stderr := finish(t, nil, "--config", dir, "--store", store, "--listen", "127.0.0.1:0", "--ops-listen",
		"127.0.0.1:0")
	if code != 1 || !strings.Contains(stderr, "in use") {
		t.Errorf("a second receiver: exit code %d\n%s", code, stderr)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestTheStoreComesFromTheEnvironmentAndIsFoundAgain(t *testing.T) {
	dir, store := writeConfig(t), "sqlite://"+filepath.Join(t.TempDir(), "store.db")
	t.Setenv(storeVariable, store)
	for _, want := range []string{"recorded", "duplicate"} {
		p, err := receivertest.Start(t.Context(), receivertest.Options{Program: program, Config: dir, Store: ""})
		if err != nil {
			t.Fatal(err)
		}
		if want == "recorded" {
			if err := p.AddClicks(t.Context(), 1, func(int) string { return "c1" }); err != nil {
				t.Fatal(err)
			}
		}
		if got := outcome(t, p); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if log := p.Log(); strings.Contains(log, receivertest.Key) || strings.Contains(log, receivertest.ClickToken) {
			t.Errorf("the log has a key:\n%s", log)
		}
	}
}

// outcome sends a sale and returns what became of it.
func outcome(t *testing.T, p *receivertest.Process) string {
	t.Helper()
	url := "http://" + p.Addr + "/" + receivertest.Key + "/postback?subid=c1&status=sale&payout=1"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.Header.Get("X-Postback-Outcome")
}

// A request whose body is still coming is under way: SIGTERM must not cut it off.
func TestSIGTERMFinishesARequestUnderWay(t *testing.T) {
	p, err := receivertest.Start(t.Context(), receivertest.Options{
		Program: program, Config: writeConfig(t), Store: "sqlite://" + filepath.Join(t.TempDir(), "store.db"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AddClicks(t.Context(), 1, func(int) string { return "c1" }); err != nil {
		t.Fatal(err)
	}
	body, writer := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.Addr+"/"+receivertest.Key+"/postback",
		body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	answered := make(chan error, 1)
	var got string
	go func() {
		resp, err := client.Do(req)
		if err == nil {
			got = resp.Header.Get("X-Postback-Outcome")
			err = resp.Body.Close()
		}
		answered <- err
	}()
	// The pipe is read only when the receiver has asked for the body: the handler is at work.
	if _, err := writer.Write([]byte("subid=c1&")); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop() }()
	awaitRefused(t, p.Addr)
	if _, err := writer.Write([]byte("status=sale")); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil || got != "recorded" {
		t.Errorf("the request under way: %q, %v", got, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// awaitRefused returns when the port takes no connections any more.
func awaitRefused(t *testing.T, addr string) {
	t.Helper()
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			return // Refused, or reset in the moment of closing.
		}
		_ = conn.Close()
		if t.Context().Err() != nil {
			t.Fatal("the port stays open")
		}
	}
}

func TestWhileItDrainsItIsNotReadyButServes(t *testing.T) {
	p, err := receivertest.Start(t.Context(), receivertest.Options{
		Program: program, Config: writeConfig(t), Store: "sqlite://" + filepath.Join(t.TempDir(), "store.db"),
		Args: []string{"--drain", "1h"},
	})
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop() }()
	for p.Get(t.Context(), "/readyz", nil) == nil {
		if t.Context().Err() != nil {
			t.Fatal("it stays ready")
		}
	}
	if got := outcome(t, p); got != "ignored; reason=click_not_found" {
		t.Errorf("while draining: %q", got)
	}
	for {
		go func() { _ = p.Stop() }() // A second signal ends it at once, unless it comes together with the first.
		select {
		case err := <-stopped:
			if err == nil || !strings.Contains(p.Log(), "second signal") {
				t.Errorf("after the second signal: %v\n%s", err, p.Log())
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}
