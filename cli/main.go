// Command kubectl-postback is the plugin for people: `kubectl postback …`. What it can do so far needs no cluster.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/postback-dev/postback-operator/cli/command"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := command.Run(ctx, version, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
