// Command run serves the sample endpoint on this machine, without a cluster: the same manifest, rendered offline, and
// the real receiver on its embedded store. `make run` builds the programs that it starts.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/template"
	"time"

	"sigs.k8s.io/yaml"
)

const (
	samples  = "config/samples"
	stateDir = ".run"
	fleet    = "default.shop"
	listen   = "127.0.0.1:8080"
	ops      = "127.0.0.1:8081"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	config := filepath.Join(stateDir, "config")
	if err := command(ctx, "bin/manager", "render", "-f", samples, "-o", config).Run(); err != nil {
		return fmt.Errorf("rendering %s: %w", samples, err)
	}
	credentials, err := readCredentials(filepath.Join(config, "secrets.yaml"), "shop-key")
	if err != nil {
		return err
	}
	store, err := filepath.Abs(filepath.Join(stateDir, "postback.db"))
	if err != nil {
		return err
	}
	receiver := command(ctx, "bin/receiver", "--config", filepath.Join(config, fleet),
		"--listen", listen, "--ops-listen", ops, "--store", "sqlite://"+store, "--drain", "0s", "--console",
		"--console-views", filepath.Join(stateDir, "views.json"))
	// In a process group of its own it is spared the terminal's Ctrl-C, and is asked to stop just once.
	receiver.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	receiver.Cancel = func() error { return receiver.Process.Signal(syscall.SIGTERM) }
	receiver.WaitDelay = 30 * time.Second
	if err := receiver.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- receiver.Wait() }()

	if err := introduce(ctx, credentials, ended); err != nil {
		stop()
		return errors.Join(err, <-ended)
	}
	err = <-ended
	if ctx.Err() != nil && receiver.ProcessState.Success() {
		fmt.Println("Stopped. The next `make run` finds everything again in", stateDir+"/")
		return nil
	}
	return err
}

func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

type credentials struct{ Key, ClickToken string }

// readCredentials finds the Secret of the given name among the documents that rendering generated.
func readCredentials(path, name string) (credentials, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return credentials{}, err
	}
	for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var secret struct {
			Metadata   struct{ Name string }
			Data       map[string][]byte
			StringData map[string]string
		}
		if err := yaml.Unmarshal(document, &secret); err != nil {
			return credentials{}, fmt.Errorf("reading %s: %w", path, err)
		}
		if secret.Metadata.Name != name {
			continue
		}
		value := func(key string) string { return string(secret.Data[key]) + secret.StringData[key] }
		return credentials{Key: value("key"), ClickToken: value("clickToken")}, nil
	}
	return credentials{}, fmt.Errorf("%s holds no Secret %s", path, name)
}

// introduce waits for the receiver, records the demo click and prints what to try.
func introduce(ctx context.Context, c credentials, ended chan error) error {
	for {
		select {
		case err := <-ended:
			ended <- nil
			if err == nil && ctx.Err() == nil {
				err = errors.New("it ended")
			}
			return fmt.Errorf("starting the receiver: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
		if _, err := request(ctx, http.MethodGet, "http://"+ops+"/readyz", "", ""); err == nil {
			break
		}
	}
	click := `{"subid":"demo1","campaign":"spring","keyword":"shoes","cost":"0.05"}`
	answer, err := request(ctx, http.MethodPost, "http://"+listen+"/clicks", c.ClickToken, click)
	if err != nil {
		return fmt.Errorf("recording the demo click: %w", err)
	}
	return introduction.Execute(os.Stdout, map[string]string{
		"Click": string(bytes.TrimSpace(answer)), "Key": c.Key, "Listen": listen, "Ops": ops,
	})
}

func request(ctx context.Context, method, url, token, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(answer))
	}
	return answer, err
}

var introduction = template.Must(template.New("").Parse(`
The demo click demo1 is recorded: {{.Click}}

The postback URL for the affiliate network:

  http://{{.Listen}}/{{.Key}}/postback?subid={subid}&status={status}&payout={payout}

Try it in another terminal:

  P=http://{{.Listen}}/{{.Key}}/postback
  curl -i "$P?subid=demo1&status=lead&payout=10"                    # a lead
  curl -i "$P?subid=demo1&status=sale&payout=12.5&currency=eur"     # it becomes a sale, converted from EUR
  curl -i "$P?subid=demo1&status=sale&payout=12.5&currency=eur"     # the same again: a duplicate
  curl -i "$P?clickid=demo1&status=approved&tid=2&payout=7"         # an alias and a trained status: another sale
  curl -ig "$P?subid={subacc4}&status=sale"                         # ignored: the network did not fill its macro in
  curl -i "http://{{.Listen}}/spring?gclid=g1&utm_term=shoes"   # a campaign link: records a click, leads to the offer

See what became of them in a browser: http://{{.Ops}}/console/

Or read it:

  curl -s "http://{{.Ops}}/api/v1/conversions?subid=demo1"          # the conversion log
  curl -s "http://{{.Ops}}/api/v1/postbacks?limit=10"               # everything that was received
  curl -s "http://{{.Ops}}/configz"                                 # what the receiver serves

Ctrl-C stops it.
`))
