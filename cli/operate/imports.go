package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

// maxText bounds a file of conversions, in bytes, as the receiver does.
const maxText = 16 << 20

// textOf reads a file of conversions; "-" is stdin.
func textOf(cmd *cobra.Command, path string) (string, error) {
	in := cmd.InOrStdin()
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // The user names it.
		if err != nil {
			return "", exit.WithUsage(err)
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxText+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxText:
		return "", exit.WithUsage(errors.New(path + " is longer than 16 MiB: import it in parts"))
	case len(text) == 0:
		return "", exit.WithUsage(errors.New(path + " is empty"))
	}
	return string(text), nil
}

func newImport(env Env) *cobra.Command {
	var q request
	var s2s forwards
	var asked read.NewOperation
	cmd := &cobra.Command{
		Use:   "import ENDPOINT FILE",
		Short: "Record the conversions of a file: CSV, with or without a header",
		Long: "Record the conversions of a file, - being stdin. Without a header its columns are subid,payout,tid,status.\n" +
			"Each line is judged as a postback. The dry run is printed first, and nothing is changed before you say yes.",
		Example:           "  kubectl postback import shop february.csv --note 'hold of February, paid'",
		Args:              exit.Args(cobra.ExactArgs(2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] == "-" && !q.yes && !q.dryRun {
				return exit.WithUsage(errors.New("stdin is the file, and nobody can be asked: add --yes or --dry-run"))
			}
			return q.run(env, cmd, args[0], func(endpoint string) (_ read.NewOperation, err error) {
				asked.Kind, asked.Endpoint, asked.Forwards = "import", endpoint, string(s2s)
				asked.Text, err = textOf(cmd, args[1])
				return asked, err
			})
		},
	}
	s2s.flag(cmd.Flags(), "they are not")
	cmd.Flags().BoolVar(&asked.Orphans, "orphans", false, "record lines whose click is not known, too")
	q.flags(cmd)
	return cmd
}

// same is the outcome of a line of a statement that says what is recorded.
const same = "duplicate"

func newReconcile(env Env) *cobra.Command {
	var q request
	var time period
	var asked read.NewOperation
	cmd := &cobra.Command{
		Use:   "reconcile ENDPOINT FILE",
		Short: "Compare a network's statement with what is recorded; exit code 3 if they differ",
		Long: "Compare a network's statement, in the form of an import, with what is recorded. Nothing is changed. " +
			"Rows say what an\n" +
			"import would record or change; conversions of the time that the statement lacks are missing.",
		Example: "  kubectl postback reconcile shop november.csv --from 2026-11-01 --to 2026-12-01 " +
			"--note 'statement 11'",
		Args:              exit.Args(cobra.ExactArgs(2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			q.dryRun = true
			if err := q.check(env, cmd); err != nil {
				return err
			}
			return env.open(cmd, args[0], q.actor, q.format, func(ctx context.Context, w *work) (err error) {
				asked.Kind, asked.Endpoint = "reconcile", w.endpoint
				if asked.From, asked.To, err = time.bounded(env.Clock()); err != nil {
					return err
				}
				if asked.Text, err = textOf(cmd, args[1]); err != nil {
					return err
				}
				op, err := q.compare(ctx, w, asked)
				if err != nil {
					return err
				}
				return verdict(w, op)
			})
		},
	}
	time.flags(cmd.Flags(), "conversions recorded")
	q.who.flags(cmd)
	for _, needless := range []string{"yes", "dry-run"} { // Nothing is changed.
		_ = cmd.Flags().MarkHidden(needless)
	}
	q.shown(cmd)
	return cmd
}

// compare makes the dry run and prints the rows that differ.
func (q *request) compare(ctx context.Context, w *work, asked read.NewOperation) (read.Operation, error) {
	rows := q.rows
	q.rows = 0
	op, err := q.try(ctx, w, asked)
	if err != nil || q.format != output.Text {
		return op, err
	}
	for _, outcome := range sortedOutcomes(op.Outcomes) {
		shown, err := w.rowsOf(ctx, op.ID, outcome, min(max(rows, 1), op.Outcomes[outcome]))
		if err != nil {
			return op, err
		}
		text := fmt.Sprintf("\n%d %s\n", op.Outcomes[outcome], outcome)
		if rows > 0 {
			text += tableOf(shown)
		}
		if err := output.Write(w.cmd, text); err != nil {
			return op, err
		}
	}
	return op, nil
}

// verdict says whether the statement is what is recorded.
func verdict(w *work, op read.Operation) error {
	differ := sortedOutcomes(op.Outcomes)
	if len(differ) == 0 {
		return nil
	}
	if err := w.hint(op); err != nil {
		return err
	}
	return exit.WithNotAsExpected(errors.New("the statement differs: " + strings.Join(differ, ", ")))
}
