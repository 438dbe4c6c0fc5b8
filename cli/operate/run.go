package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/output"
)

// The states of an operation.
const (
	running   = "running"
	tried     = "dry_run_done"
	failed    = "failed"
	cancelled = "cancelled"
)

// request are the flags of commands that ask for an operation.
type request struct {
	who
	rows   int
	format output.Format
}

func (q *request) flags(cmd *cobra.Command) {
	q.who.flags(cmd)
	q.shown(cmd)
}

// shown adds the flags that say what is printed.
func (q *request) shown(cmd *cobra.Command) {
	cmd.Flags().IntVar(&q.rows, "rows", 10, "how many rows of the dry run are printed")
	output.Flag(cmd, &q.format, output.JSON, output.YAML, output.Name)
}

// run asks for an operation: the dry run, the question, and the real one.
func (q *request) run(env Env, cmd *cobra.Command, argument string,
	ask func(endpoint string) (read.NewOperation, error)) error {
	if err := q.check(env, cmd); err != nil {
		return err
	}
	return env.open(cmd, argument, q.actor, q.format, func(ctx context.Context, w *work) error {
		asked, err := ask(w.endpoint)
		if err != nil {
			return err
		}
		op, err := q.try(ctx, w, asked)
		if err != nil {
			return err
		}
		if q.dryRun {
			return w.hint(op)
		}
		return q.decide(ctx, w, op)
	})
}

// try makes the dry run and prints it.
func (q *request) try(ctx context.Context, w *work, asked read.NewOperation) (read.Operation, error) {
	asked.DryRun, asked.Note = true, q.note
	op, err := w.receiver.Operate(ctx, w.who, asked)
	if err != nil {
		return op, err
	}
	if op, err = w.watch(ctx, op); err != nil {
		return op, err
	}
	if q.format != output.Text && !q.dryRun {
		return op, nil // The real one is printed.
	}
	return op, w.tell(ctx, op, q.rows)
}

// decide asks whether a dry run is to be run, and runs it.
func (q *request) decide(ctx context.Context, w *work, op read.Operation) error {
	if op.Total != nil && *op.Total == 0 {
		if q.format != output.Text {
			return w.tell(ctx, op, 0)
		}
		return output.Notes(w.cmd, "nothing matches, and nothing is changed\n")
	}
	if !q.yes {
		if err := output.Confirm(w.cmd, "Run it?"); err != nil {
			return errors.Join(err, w.hint(op))
		}
	}
	return w.start(ctx, op.ID)
}

// start runs a dry run and prints what came of it. Where it does not hold any more, the differences are printed.
func (w *work) start(ctx context.Context, id string) error {
	op, err := w.receiver.RunOperation(ctx, id)
	if err != nil {
		return w.differences(err)
	}
	if op, err = w.watch(ctx, op); err != nil {
		return err
	}
	return w.tell(ctx, op, 0)
}

// hint says how a dry run is run later.
func (w *work) hint(op read.Operation) error {
	return output.Notes(w.cmd, "nothing is changed; this does it: kubectl postback operations run "+w.endpoint+" "+op.ID+
		"\n")
}

// differences makes the refusal to run a dry run one for people: a table of what has changed, and an error.
func (w *work) differences(err error) error {
	var failure *client.Failure
	var differ read.OperationDifferences
	if !errors.As(err, &failure) || failure.Status != http.StatusConflict ||
		json.Unmarshal(failure.Body, &differ) != nil || len(differ.Differences) == 0 {
		return err
	}
	rows := make([][]string, len(differ.Differences))
	for i, d := range differ.Differences {
		rows[i] = []string{
			strconv.Itoa(d.Then.Number), output.Or(d.Then.SubID), became(d.Then), became(d.Now),
		}
	}
	table := output.Table([]string{"ROW", "SUBID", "THE DRY RUN SAID", "NOW"}, rows)
	if err := output.Notes(w.cmd, table); err != nil {
		return err
	}
	return fmt.Errorf("%d rows would come out otherwise than the dry run said: nothing is changed, ask again",
		differ.Total)
}

// rowsOf reads the first rows of an operation.
func (w *work) rowsOf(ctx context.Context, id, outcome string, limit int) ([]read.OperationRow, error) {
	parameters := url.Values{"limit": {strconv.Itoa(limit)}}
	if outcome != "" {
		parameters.Set("outcome", outcome)
	}
	page, err := w.receiver.OperationRows(ctx, id, parameters)
	return page.Items, err
}
