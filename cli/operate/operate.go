// Package operate has the commands that change what was recorded, by operations of a receiver. Each is tried first: the
// dry run is printed, somebody says yes, and only then anything is changed, if the dry run still holds.
//
// run.go is that walk, watch.go waits for an operation, print.go says what became of it. The other files have the
// commands. Lists of operations only read: they are in cli/show.
package operate

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/read/client"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// Env is what the commands need.
type Env struct {
	Reach *reach.Flags
	Clock func() time.Time
}

// New returns the commands that stand by themselves.
func New(env Env) []*cobra.Command {
	return []*cobra.Command{
		newReplay(env), newImport(env), newReconcile(env), newErase(env), newCosts(env), newCorrect(env), newAdjust(env),
	}
}

// Resend returns `resend`, for below `forwards`.
func Resend(env Env) *cobra.Command { return newResend(env) }

// Operations returns what stands below `operations` beside its lists.
func Operations(env Env) []*cobra.Command {
	return []*cobra.Command{newShow(env), newWatch(env), newRun(env), newCancel(env)}
}

// work is one run of a command.
type work struct {
	Env
	cmd      *cobra.Command
	receiver *reach.Receiver
	who      client.Who
	endpoint string
	style    output.Style
	format   output.Format
}

// who are the flags that say for whom something is changed, and why.
type who struct {
	note, actor string
	yes, dryRun bool
}

func (w *who) flags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringVar(&w.note, "note", "", "why, in at most 500 characters: it stays in the log; mandatory")
	set.StringVar(&w.actor, "actor", "", "with --server: your name for the log; on a cluster the API server says it")
	set.BoolVar(&w.yes, "yes", false, "do not ask before anything is changed")
	set.BoolVar(&w.dryRun, "dry-run", false, "say what would become of it, and change nothing")
}

// check returns what is wrong with the flags, before anybody is asked for anything.
func (w *who) check(env Env, cmd *cobra.Command) error {
	if w.note == "" {
		return exit.WithUsage(errors.New("--note is missing: say why, it stays in the log"))
	}
	if w.actor != "" && !env.Reach.Direct() {
		return exit.WithUsage(errors.New("--actor is for --server; on a cluster the API server says who you are"))
	}
	if !w.yes && !w.dryRun {
		return output.CanConfirm(cmd)
	}
	return nil
}

// open reaches a receiver of the endpoint, and has do go on with it. What goes wrong is said for people.
func (e Env) open(cmd *cobra.Command, argument, actor string, format output.Format,
	do func(ctx context.Context, w *work) error) error {
	return e.with(cmd, argument, actor, format, e.Reach.Changer, do)
}

// read is open for who changes nothing.
func (e Env) read(cmd *cobra.Command, argument string, format output.Format,
	do func(ctx context.Context, w *work) error) error {
	return e.with(cmd, argument, "", format, e.Reach.Receiver, do)
}

func (e Env) with(cmd *cobra.Command, argument, actor string, format output.Format,
	reached func(context.Context, string) (*reach.Receiver, error), do func(ctx context.Context, w *work) error) error {
	if err := e.Reach.Check(); err != nil {
		return err
	}
	endpoint, err := e.Reach.Name(argument)
	if err != nil {
		return err
	}
	receiver, err := reached(cmd.Context(), endpoint)
	if err != nil {
		return err
	}
	defer receiver.Close()
	if actor == "" {
		if actor, err = e.Reach.Actor(cmd.Context()); err != nil {
			return err
		}
	}
	return reach.Explain(do(cmd.Context(), &work{
		Env:      e,
		cmd:      cmd,
		receiver: receiver,
		who:      client.Who{Actor: actor},
		endpoint: endpoint,
		style:    output.StyleOf(cmd, e.Clock()),
		format:   format,
	}))
}
