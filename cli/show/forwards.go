package show

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// newForwards returns `forwards ENDPOINT`, which lists, with `list` as its full name and `resend` below it.
func newForwards(env Env) *cobra.Command {
	cmd := newForwardList(env, "forwards ENDPOINT")
	cmd.Example = "  kubectl postback forwards shop --failed\n  kubectl postback forwards resend shop ID"
	cmd.AddCommand(newForwardList(env, "list ENDPOINT"), env.Resend)
	return cmd
}

func newForwardList(env Env, use string) *cobra.Command {
	var s selection
	var format output.Format
	var failed bool
	var state, rule string
	cmd := &cobra.Command{
		Use:               use,
		Short:             "Print S2S postbacks, and what became of them",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if failed && state != "" && state != "failed" {
				return exit.WithUsage(errors.New("say either --failed or --state"))
			}
			if failed {
				state = "failed"
			}
			return env.ask(cmd, args[0], func(ctx context.Context, r *reach.Receiver, endpoint string) error {
				parameters, err := s.parameters(endpoint, env.Clock())
				if err != nil {
					return err
				}
				for name, value := range map[string]string{"state": state, "rule": rule} {
					if value != "" {
						parameters.Set(name, value)
					}
				}
				if format == output.CSV {
					return stream(ctx, cmd, r, "forwards.csv", parameters, &s)
				}
				rows, err := collect(pages(ctx, r.Forwards), parameters, s.limit)
				if err != nil {
					return err
				}
				style := output.StyleOf(cmd, env.Clock())
				return forwardTable(style).print(cmd, style, format, rows)
			})
		},
	}
	s.flags(cmd, true)
	cmd.Flags().BoolVar(&failed, "failed", false, "only those that were given up: short for --state failed")
	cmd.Flags().StringVar(&state, "state", "", "only in this state: waiting|delivered|failed")
	cmd.Flags().StringVar(&rule, "rule", "", "only of this forward of the endpoint")
	output.Flag(cmd, &format, output.Wide, output.JSON, output.YAML, output.CSV, output.Name)
	return cmd
}

func forwardTable(style output.Style) table[read.Forward] {
	return table[read.Forward]{
		columns: []column[read.Forward]{
			{"CREATED", false, func(f read.Forward) string { return style.Time(f.CreatedAt) }},
			{"ID", false, func(f read.Forward) string { return f.ID }},
			{"RULE", false, func(f read.Forward) string { return f.Rule }},
			{"STATE", false, func(f read.Forward) string { return f.State }},
			{"TRIES", false, func(f read.Forward) string { return fmt.Sprint(f.Tries) }},
			{"LAST ANSWER", false, lastAnswer},
			{"NEXT", true, func(f read.Forward) string { return style.Time(f.DueAt) }},
			{"SUBID", false, func(f read.Forward) string { return f.SubID }},
			{"TID", true, func(f read.Forward) string { return output.Or(&f.TID) }},
			{"TYPE", false, func(f read.Forward) string { return f.Type }},
			{"HOST", false, func(f read.Forward) string { return f.Host }},
		},
		id:      func(f read.Forward) string { return f.ID },
		outcome: func(f read.Forward) string { return f.State },
		none:    "there are no S2S postbacks that match",
	}
}

// lastAnswer is what the last attempt was answered, or why it was not.
func lastAnswer(f read.Forward) string {
	if len(f.Attempts) == 0 {
		return "-"
	}
	last := f.Attempts[len(f.Attempts)-1]
	if last.Status != nil {
		return fmt.Sprint(*last.Status)
	}
	return output.Or(last.Error)
}
