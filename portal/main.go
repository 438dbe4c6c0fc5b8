// Command postback-console serves the consoles of a cluster's endpoints to people without a kubeconfig.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // Images have no zones of their own.

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/portal/gate"
)

// version is set by the linker.
var version = "dev"

const (
	// headerPatience bounds how long a browser sends a request's headers, bodyPatience how long the whole request.
	headerPatience = 10 * time.Second
	bodyPatience   = 2 * time.Minute
	// stopPatience bounds what is under way at the end.
	stopPatience = 10 * time.Second
	// minSecret is how long the secret of a proxy is at least, in bytes.
	minSecret = 16
)

// options are the flags.
type options struct {
	listen, auth, secretFile string
	hosts                    []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "postback-console:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("postback-console", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.listen, "listen", ":8080", "address to listen on")
	flags.StringVar(&o.auth, "auth", "token", "how visitors are known: token, or proxy")
	flags.StringVar(&o.secretFile, "proxy-secret-file", "", "file with the secret by which the proxy is believed")
	flags.Func("host", "name under which the console answers; repeatable", func(name string) error {
		o.hosts = append(o.hosts, name)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q stands without a flag", flags.Arg(0))
	case len(o.hosts) == 0:
		return o, errors.New("--host: name the host under which the console answers")
	case o.auth != "token" && o.auth != "proxy":
		return o, errors.New("--auth: must be token or proxy")
	case (o.auth == "proxy") != (o.secretFile != ""):
		return o, errors.New("--proxy-secret-file: goes with --auth=proxy, and --auth=proxy with it")
	}
	return o, nil
}

// secret reads the proxy's secret; "" without a proxy.
func (o options) secret() (string, error) {
	if o.auth != "proxy" {
		return "", nil
	}
	text, err := os.ReadFile(o.secretFile)
	if err != nil {
		return "", fmt.Errorf("reading the secret of the proxy: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < minSecret {
		return "", fmt.Errorf("--proxy-secret-file: the secret must have at least %d bytes", minSecret)
	}
	return secret, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 1 && args[0] == "version" {
		_, err := fmt.Fprintln(out, version)
		return err
	}
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	secret, err := o.secret()
	if err != nil {
		return err
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	cluster := &reach.Cluster{Context: "in-cluster"}
	if cluster.Core, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	if cluster.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(out, nil))
	pages := gate.New(gate.Options{
		Cluster:     cluster,
		Hosts:       o.hosts,
		ProxySecret: secret,
		Logger:      logger,
		Clock:       time.Now,
	})
	logger.Info("Serving the console", "listen", o.listen, "auth", o.auth, "hosts", o.hosts)
	return serve(ctx, &http.Server{
		Addr: o.listen, Handler: pages, ReadHeaderTimeout: headerPatience, ReadTimeout: bodyPatience,
	})
}

// serve answers until the context ends.
func serve(ctx context.Context, server *http.Server) error {
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if server.Shutdown(stopping) != nil {
		return server.Close() // A page that watches live does not end by itself.
	}
	return nil
}
