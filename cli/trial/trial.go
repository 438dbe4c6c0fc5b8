// Package trial has the command `test`: it does by hand what a network does, a test click and a postback, and follows
// both through the log to the S2S postbacks. send.go sends them, follow.go finds out what became of them.
package trial

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/offline"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// trial is one run.
type trial struct {
	reach      *reach.Flags
	clock      func() time.Time
	files      reach.Files
	subid      string
	query      string
	expected   string
	wait       time.Duration
	throughPod bool

	cmd         *cobra.Command
	style       output.Style
	receiver    *reach.Receiver
	credentials reach.Credentials
	public      http.RoundTripper
	endpoint    string
}

// New returns the command.
func New(flags *reach.Flags, clock func() time.Time) *cobra.Command {
	t := &trial{reach: flags, clock: clock}
	cmd := &cobra.Command{
		Use:   "test ENDPOINT",
		Short: "Send a click and a postback, and follow them through the log to the S2S postbacks",
		Long: "Send a click and a postback, and follow them through the log to the S2S postbacks, with the time of " +
			"each hop.\n" +
			"The click is a test: neither it nor its conversion is in any sum, only S2S rules with sendTests send anything,\n" +
			"and after a week both are removed. A network's own test button sends a made-up subid: give it by --subid, and\n" +
			"it becomes a test click, for which the button's postbacks are tests from then on.\n" +
			"With --expect, exit code 3 means that something else came of it.",
		Example: "  kubectl postback test shop\n" +
			"  kubectl postback test shop --query 'status=approved&payout=12,5&currency=eur' --expect recorded,sale,13.75",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: flags.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			t.cmd, t.style = cmd, output.StyleOf(cmd, clock())
			return reach.Explain(t.run(cmd.Context(), args[0]))
		},
	}
	t.files.Add(cmd.Flags())
	set := cmd.Flags()
	set.StringVar(&t.query, "query", "status=sale&payout=1", "what the postback says besides subid")
	set.StringVar(&t.subid, "subid", "", "of the test click, which is made if there is none")
	set.StringVar(&t.expected, "expect", "", "what has to come of it: outcome,type,payout or outcome,reason")
	set.DurationVar(&t.wait, "wait", 10*time.Second, "how long the log and S2S postbacks are waited for")
	set.BoolVar(&t.throughPod, "through-pod", false,
		"send to a pod by a port-forward, and not to the public URL; so it is done where only the cluster reaches that")
	return cmd
}

func (t *trial) run(ctx context.Context, argument string) error {
	var expected *offline.Expectation
	if t.expected != "" {
		e, err := offline.ParseExpectation(t.expected)
		if err != nil {
			return exit.WithUsage(fmt.Errorf("--expect: %w", err))
		}
		expected = &e
	}
	if err := t.reach.Check(); err != nil {
		return err
	}
	var err error
	if t.endpoint, err = t.reach.Name(argument); err != nil {
		return err
	}
	if t.credentials, err = t.reach.Credentials(ctx, t.endpoint, &t.files); err != nil {
		return err
	}
	if t.receiver, err = t.reach.Receiver(ctx, t.endpoint); err != nil {
		return err
	}
	defer t.receiver.Close()
	t.public = http.DefaultTransport
	if t.throughPod || t.credentials.InCluster {
		if t.public = t.receiver.Public; t.public == nil {
			return exit.WithUsage(errors.New("--through-pod needs a cluster: leave out --server"))
		}
	}
	if err := t.click(ctx); err != nil {
		return err
	}
	reply, err := t.postback(ctx)
	if err != nil {
		return err
	}
	row, err := t.logged(ctx, reply)
	if err != nil {
		return err
	}
	return t.judge(ctx, row, expected)
}

// say prints a hop and how long it took.
func (t *trial) say(mark output.Mark, hop string, took time.Duration, format string, args ...any) {
	line := fmt.Sprintf("%-10s ", hop)
	if took >= 0 {
		line += fmt.Sprintf("%7s  ", fmt.Sprintf("%d ms", took.Milliseconds()))
	} else {
		line += strings.Repeat(" ", 9)
	}
	line = output.Printable(line + fmt.Sprintf(format, args...))
	_ = output.Write(t.cmd, t.style.Mark(mark)+" "+strings.TrimRight(line, " ")+"\n") // the next hop finds out
}

// noTime is in place of a time where nothing was waited for.
const noTime = time.Duration(-1)
