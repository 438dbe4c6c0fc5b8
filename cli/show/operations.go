package show

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// newOperations returns `operations ENDPOINT`, which lists, with `list` as its full name and what is below it.
func newOperations(env Env) *cobra.Command {
	cmd := newOperationList(env, "operations ENDPOINT")
	cmd.Example = "  kubectl postback operations shop\n  kubectl postback operations rows shop OPERATION --outcome ignored"
	cmd.AddCommand(newOperationList(env, "list ENDPOINT"), newOperationRows(env))
	cmd.AddCommand(env.Operations...)
	return cmd
}

func newOperationList(env Env, use string) *cobra.Command {
	var format output.Format
	var kind, state string
	var limit int
	cmd := &cobra.Command{
		Use:               use,
		Short:             "Print operations: replays, imports and other changes of many rows",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.ask(cmd, args[0], func(ctx context.Context, r *reach.Receiver, endpoint string) error {
				parameters := url.Values{"endpoint": {endpoint}}
				for name, value := range map[string]string{"kind": kind, "state": state} {
					if value != "" {
						parameters.Set(name, value)
					}
				}
				rows, err := collect(pages(ctx, r.Operations), parameters, limit)
				if err != nil {
					return err
				}
				style := output.StyleOf(cmd, env.Clock())
				return operationTable(style).print(cmd, style, format, rows)
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "only this kind: replay|import|reconcile|resend|erase|costs")
	cmd.Flags().StringVar(&state, "state", "", "only in this state: running|dry_run_done|done|cancelled|failed")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many, the latest; 0 is all")
	output.Flag(cmd, &format, output.Wide, output.JSON, output.YAML, output.Name)
	return cmd
}

func operationTable(style output.Style) table[read.Operation] {
	return table[read.Operation]{
		columns: []column[read.Operation]{
			{"CREATED", false, func(o read.Operation) string { return style.Time(o.CreatedAt) }},
			{"ID", false, func(o read.Operation) string { return o.ID }},
			{"KIND", false, func(o read.Operation) string { return o.Kind }},
			{"STATE", false, func(o read.Operation) string { return o.State }},
			{"ROWS", false, func(o read.Operation) string { return done(o) }},
			{"ACTOR", false, func(o read.Operation) string { return output.Or(o.Actor) }},
			{"ENDED", true, func(o read.Operation) string { return style.Time(o.EndedAt) }},
			{"NOTE", false, func(o read.Operation) string { return output.Or(o.Note) }},
		},
		id:      func(o read.Operation) string { return o.ID },
		outcome: func(o read.Operation) string { return o.State },
		none:    "there are no operations that match",
	}
}

// done is how many rows of an operation are done.
func done(o read.Operation) string {
	if o.Total == nil {
		return "-"
	}
	return fmt.Sprintf("%d/%d", o.Done, *o.Total)
}

func newOperationRows(env Env) *cobra.Command {
	var s selection
	var format output.Format
	var outcome string
	cmd := &cobra.Command{
		Use:               "rows ENDPOINT OPERATION",
		Short:             "Print the rows of an operation, and what became of each",
		Args:              exit.Args(cobra.ExactArgs(2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.ask(cmd, args[0], func(ctx context.Context, r *reach.Receiver, _ string) error {
				parameters := url.Values{}
				if outcome != "" {
					parameters.Set("outcome", outcome)
				}
				if format == output.CSV {
					return stream(ctx, cmd, r, "operations/"+url.PathEscape(args[1])+"/rows.csv", parameters, &s)
				}
				of := func(ctx context.Context, v url.Values) (read.Page[read.OperationRow], error) {
					return r.OperationRows(ctx, args[1], v)
				}
				rows, err := collect(pages(ctx, of), parameters, s.limit)
				if err != nil {
					return err
				}
				return rowTable.print(cmd, output.StyleOf(cmd, env.Clock()), format, rows)
			})
		},
	}
	cmd.Flags().StringVar(&outcome, "outcome", "", "only this outcome, such as recorded or ignored")
	cmd.Flags().IntVar(&s.limit, "limit", 20, "how many rows, the first ones; 0 is all")
	cmd.Flags().BoolVar(&s.separate, "semicolon", false, "-o csv for Excel: cells parted by semicolons, and a BOM")
	output.Flag(cmd, &format, output.Wide, output.JSON, output.YAML, output.CSV, output.Name)
	return cmd
}

var rowTable = table[read.OperationRow]{
	columns: []column[read.OperationRow]{
		{"ROW", false, func(r read.OperationRow) string { return strconv.Itoa(r.Number) }},
		{"SUBID", false, func(r read.OperationRow) string { return output.Or(r.SubID) }},
		{"TID", false, func(r read.OperationRow) string { return output.Or(&r.TID) }},
		{"OUTCOME", false, func(r read.OperationRow) string { return output.Or(r.Outcome) }},
		{"REASON", false, func(r read.OperationRow) string { return output.Or(r.Reason) }},
		{"BEFORE", false, func(r read.OperationRow) string { return output.Or(r.PreviousType) }},
		{"TYPE", false, func(r read.OperationRow) string { return output.Or(r.Type) }},
		{"PAYOUT", false, func(r read.OperationRow) string { return output.Or(r.Payout) }},
		{"INPUT", true, func(r read.OperationRow) string { return output.Or(r.Input) }},
		{"CONVERSION", true, func(r read.OperationRow) string { return output.Or(r.ConversionID) }},
		{"ORIGIN", true, func(r read.OperationRow) string { return output.Or(r.Origin) }},
	},
	id:        func(r read.OperationRow) string { return strconv.Itoa(r.Number) },
	outcome:   func(r read.OperationRow) string { return output.Or(r.Outcome) },
	none:      "there are no rows that match",
	ascending: true,
}
