package operate

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

func newShow(env Env) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:               "show ENDPOINT OPERATION",
		Short:             "Print one operation",
		Args:              exit.Args(cobra.ExactArgs(2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.read(cmd, args[0], format, func(ctx context.Context, w *work) error {
				op, err := w.receiver.Operation(ctx, args[1])
				if err != nil {
					return err
				}
				return w.tell(ctx, op, 0)
			})
		},
	}
	output.Flag(cmd, &format, output.JSON, output.YAML, output.Name)
	return cmd
}

func newWatch(env Env) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:               "watch ENDPOINT OPERATION",
		Short:             "Wait until an operation has ended, and print it",
		Args:              exit.Args(cobra.ExactArgs(2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.read(cmd, args[0], format, func(ctx context.Context, w *work) error {
				op, err := w.receiver.Operation(ctx, args[1])
				if err == nil {
					op, err = w.watch(ctx, op)
				}
				if err != nil {
					return err
				}
				return w.tell(ctx, op, 0)
			})
		},
	}
	output.Flag(cmd, &format, output.JSON, output.YAML, output.Name)
	return cmd
}

func newRun(env Env) *cobra.Command {
	var q request
	cmd := &cobra.Command{
		Use:   "run ENDPOINT OPERATION",
		Short: "Do what a dry run has told, if all of its rows still come out so",
		Args:  exit.Args(cobra.ExactArgs(2)),

		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.open(cmd, args[0], "", q.format, func(ctx context.Context, w *work) error {
				op, err := w.receiver.Operation(ctx, args[1])
				if err != nil {
					return err
				}
				if q.format == output.Text {
					if err := w.tell(ctx, op, q.rows); err != nil {
						return err
					}
				}
				return q.decide(ctx, w, op)
			})
		},
	}
	cmd.Flags().BoolVar(&q.yes, "yes", false, "do not ask before anything is changed")
	q.shown(cmd)
	return cmd
}

func newCancel(env Env) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:               "cancel ENDPOINT OPERATION",
		Short:             "End an operation before its time; what it has changed stays",
		Args:              exit.Args(cobra.ExactArgs(2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.open(cmd, args[0], "", format, func(ctx context.Context, w *work) error {
				op, err := w.receiver.CancelOperation(ctx, args[1])
				if err != nil {
					return err
				}
				return w.tell(ctx, op, 0)
			})
		},
	}
	output.Flag(cmd, &format, output.JSON, output.YAML, output.Name)
	return cmd
}
