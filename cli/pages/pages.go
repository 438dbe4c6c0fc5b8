// Package pages has the command `console`: it serves the console's web pages on this machine, over the receivers of an
// endpoint. Nothing is exposed on the cluster: requests go through the API server, with the rights of the kubeconfig.
package pages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/postback-dev/postback-operator/api/read/client"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/console"
)

const (
	// headerPatience bounds how long a browser sends a request's headers, stopPatience what is under way at the end.
	headerPatience = 10 * time.Second
	stopPatience   = 2 * time.Second
)

// command is one run.
type command struct {
	reach  *reach.Flags
	clock  func() time.Time
	port   int
	noOpen bool
	// open shows a URL in the browser of this machine.
	open func(url string) error
}

// New returns the command.
func New(flags *reach.Flags, clock func() time.Time) *cobra.Command {
	c := &command{reach: flags, clock: clock, open: openBrowser}
	cmd := &cobra.Command{
		Use:   "console ENDPOINT",
		Short: "Serve the web pages over an endpoint on this machine, and open them",
		Long: "Serve the web pages over an endpoint on 127.0.0.1, until Ctrl-C, and open them in the browser.\n" +
			"The pages ask the endpoint's receivers through the API server. The URL that is printed opens them once, for one " +
			"browser.",
		Example:           "  kubectl postback console shop\n  kubectl postback console shop --no-open --port 8090",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: flags.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reach.Explain(c.run(cmd, args[0]))
		},
	}
	cmd.Flags().IntVar(&c.port, "port", 0, "port on 127.0.0.1; 0 is any that is free")
	cmd.Flags().BoolVar(&c.noOpen, "no-open", false, "print the URL, and open no browser")
	return cmd
}

func (c *command) run(cmd *cobra.Command, argument string) error {
	if c.port < 0 || c.port > 65535 {
		return exit.WithUsage(errors.New("--port: must be 0 to 65535"))
	}
	if err := c.reach.Check(); err != nil {
		return err
	}
	endpoint, err := c.reach.Name(argument)
	if err != nil {
		return err
	}
	line := &line{open: func(ctx context.Context) (*reach.Receiver, error) { return c.receiver(ctx, endpoint) }}
	if _, err := line.current(cmd.Context()); err != nil {
		return err
	}
	defer line.close()
	options, err := c.options(cmd, endpoint, line)
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(cmd.Context(), "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)))
	if err != nil {
		return fmt.Errorf("--port: %w", err)
	}
	door := newDoor(listener.Addr().String(), console.New(options))
	opens := "The console of " + endpoint + ", until Ctrl-C. This opens it, once:\n\n  " + door.url() + "\n\n"
	if err := output.Write(cmd, opens); err != nil {
		return errors.Join(err, listener.Close())
	}
	if !c.noOpen {
		if err := c.open(door.url()); err != nil {
			// The URL is printed above.
			_ = output.Write(cmd, "No browser could be opened ("+err.Error()+"): open the URL yourself.\n")
		}
	}
	return serve(cmd.Context(), listener, door)
}

// receiver returns one that the pages can change something by, or only read where the fleet's Secret may not be read.
func (c *command) receiver(ctx context.Context, endpoint string) (*reach.Receiver, error) {
	receiver, err := c.reach.Changer(ctx, endpoint)
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return c.reach.Receiver(ctx, endpoint)
	}
	return receiver, err
}

// options are those of the console's pages.
func (c *command) options(cmd *cobra.Command, endpoint string, over http.RoundTripper) (console.Options, error) {
	o := console.Options{
		API:    client.New("http://receiver", "", over),
		Logger: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		Clock:  c.clock,
	}
	if c.reach.Direct() {
		return o, nil
	}
	cluster, err := c.reach.Cluster()
	if err != nil {
		return o, err
	}
	o.Actor = cluster.User(cmd.Context())
	o.Views = declaredViews{cluster: cluster, namespace: namespaceOf(endpoint)}
	return o, nil
}

// serve answers until the context ends.
func serve(ctx context.Context, listener net.Listener, pages http.Handler) error {
	server := &http.Server{Handler: pages, ReadHeaderTimeout: headerPatience}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		return cmp.Or(server.Close(), error(nil)) // A page that watches live does not end by itself.
	}
	return nil
}

// openBrowser shows a URL in the browser of this machine.
func openBrowser(url string) error {
	program := map[string][]string{
		"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"},
	}[runtime.GOOS]
	if program == nil {
		program = []string{"xdg-open"}
	}
	//nolint:gosec,noctx // The program is one of three, and outlives this one.
	opening := exec.Command(program[0], append(program[1:], url)...)
	if err := opening.Start(); err != nil {
		return err
	}
	go func() { _ = opening.Wait() }() // What it says is for nobody.
	return nil
}
