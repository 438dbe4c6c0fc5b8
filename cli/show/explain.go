package show

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/declared"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/offline"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// explainFlags are what is said of the postback besides its query.
type explainFlags struct {
	format  output.Format
	from    declared.Source
	cases   string
	said    map[string]*string
	trusted bool
	all     bool
}

func newExplain(env Env) *cobra.Command {
	f := explainFlags{said: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "explain ENDPOINT QUERY | explain -f FILE (QUERY | --cases FILE)",
		Short: "Say what would become of a postback, step by step, and record nothing",
		Long: "Say what would become of a postback, step by step, and record nothing. QUERY is a query or a whole postback " +
			"URL.\n\n" +
			"With -f no receiver is asked: the declaration is rendered as the operator would, and judged by the code of the\n" +
			"receivers. Every subid has a click. --cases reads a line for each postback, a query and what is expected:\n\n" +
			"  subid=c1&status=approved&payout=10   => recorded,sale,10\n" +
			"  subid=c1&status=approve              => ignored,status_unknown\n\n" +
			"Lines that begin with # are comments, and what a line records counts for those after it. Exit code 3 means that\n" +
			"something is not as expected.",
		Example: "  kubectl postback explain shop 'subid=c1&status=approved&payout=12,5&currency=eur'\n" +
			"  kubectl postback explain -f shop.yaml --cases cases.txt",
		Args:              exit.Args(cobra.MaximumNArgs(2)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.from.File != "" {
				return f.offline(cmd, env, args)
			}
			if len(args) != 2 || f.cases != "" {
				return exit.WithUsage(errors.New("say an endpoint and a query, or a declaration by -f"))
			}
			return env.ask(cmd, args[0], func(ctx context.Context, r *reach.Receiver, endpoint string) error {
				explained, err := r.Explain(ctx, f.question(endpoint, args[1]))
				if err != nil {
					return err
				}
				return f.print(cmd, env, explained)
			})
		},
	}
	f.from.Flags(cmd)
	cmd.Flags().StringVar(&f.cases, "cases", "", "with -f: file with postbacks and what is expected of them; - is stdin")
	for name, usage := range map[string]string{
		"method":       "the postback's method; POST if there is a body",
		"content-type": "the Content-Type of its body",
		"body":         "its body",
		"ip":           "who sends it; without it the address counts as allowed",
		"origin":       "the origin of the page that sends it",
		"at":           "when it arrives; now without it",
	} {
		f.said[name] = cmd.Flags().String(name, "", usage)
	}
	cmd.Flags().BoolVar(&f.trusted, "skip-access", false, "whether the sender may send is not asked")
	cmd.Flags().BoolVar(&f.all, "all", false, "also print steps that change nothing")
	output.Flag(cmd, &f.format, output.JSON, output.YAML)
	return cmd
}

// question returns the parameters of the API for a query or a URL.
func (f *explainFlags) question(endpoint, query string) url.Values {
	q := url.Values{}
	if strings.HasPrefix(query, "http://") || strings.HasPrefix(query, "https://") {
		q.Set("url", query)
	} else {
		q.Set("endpoint", endpoint)
		q.Set("query", query)
	}
	for name, value := range f.said {
		if *value != "" {
			q.Set(strings.ReplaceAll(name, "-", "_"), *value)
		}
	}
	if f.trusted {
		q.Set("access", "skip")
	}
	return q
}

func (f *explainFlags) print(cmd *cobra.Command, env Env, e read.Explanation) error {
	if f.format != output.Text {
		return output.Document(cmd.OutOrStdout(), f.format, e)
	}
	return output.Write(cmd, explanation(output.StyleOf(cmd, env.Clock()), e, f.all))
}

// explanation writes each step on a line: how it went, what it is about, and what it came to.
func explanation(style output.Style, e read.Explanation, all bool) string {
	var b strings.Builder
	for _, step := range e.Steps {
		quiet := step.Step == "access" || step.Step == "parameter"
		if quiet && !all && step.Verdict == "ok" && len(step.Warnings) == 0 && step.By == nil {
			continue
		}
		b.WriteString(style.Mark(markOf(step)) + " " + output.Printable(stepLine(step)) + "\n")
	}
	outcome := output.Or(e.Outcome)
	if e.Reason != nil {
		outcome += " " + *e.Reason
	}
	line := fmt.Sprintf("%-10s %s; the answer is %d %s. Nothing was recorded.", "outcome", outcome, e.Reply.Status,
		strings.TrimSpace(e.Reply.Body))
	b.WriteString(style.Mark(output.Note) + " " + output.Printable(line) + "\n")
	return b.String()
}

func markOf(step read.ExplainStep) output.Mark {
	switch {
	case step.Verdict == "stop":
		return output.Bad
	case len(step.Warnings) > 0:
		return output.Warning
	case step.Verdict == "skip" || step.Step == "s2s":
		return output.Note
	}
	return output.Good
}

func stepLine(step read.ExplainStep) string {
	name := step.Step
	if step.About != nil {
		name += " " + *step.About
	}
	line := fmt.Sprintf("%-10s", name)
	add := func(before string, text *string) {
		if text != nil && *text != "" {
			line += before + *text
		}
	}
	if step.Value != nil && (step.Step == "status" || step.Step == "payout" || step.Step == "cost") {
		line += fmt.Sprintf(" %q", *step.Value)
	} else {
		add(" ", step.Value)
	}
	if step.Result != nil && (step.Value == nil || *step.Result != *step.Value) {
		add(" → ", step.Result)
	}
	if step.By != nil {
		line += " (" + *step.By + ")"
	}
	add("  ", step.Reason)
	if len(step.Warnings) > 0 {
		line += "  ! " + strings.Join(step.Warnings, ", ")
	}
	add("  ", step.Note)
	return line
}

// offline judges by a declaration.
func (f *explainFlags) offline(cmd *cobra.Command, env Env, args []string) error {
	if (len(args) == 1) == (f.cases != "") || len(args) > 1 {
		return exit.WithUsage(errors.New("with -f: say a query or --cases FILE"))
	}
	judge, err := offline.New(cmd.Context(), f.from, cmd.InOrStdin(), env.Clock())
	if err != nil {
		return err
	}
	if f.cases == "" {
		explained, err := judge.Explain(cmd.Context(), f.question(judge.Endpoint, args[0]))
		if err != nil {
			return reach.Explain(err)
		}
		return f.print(cmd, env, explained)
	}
	cases, err := offline.ReadCases(f.cases, cmd.InOrStdin())
	if err != nil {
		return err
	}
	style, failed := output.StyleOf(cmd, env.Clock()), 0
	for _, c := range cases {
		explained, err := judge.Explain(cmd.Context(), f.question(judge.Endpoint, c.Query))
		if err != nil {
			return fmt.Errorf("line %d: %w", c.Line, reach.Explain(err))
		}
		mark, line := output.Good, fmt.Sprintf("line %d: %s: %s", c.Line, c.Query, offline.Came(explained))
		if difference := c.Check(explained); difference != "" {
			failed++
			mark, line = output.Bad, line+", expected "+difference
		}
		if err := output.Write(cmd, style.Mark(mark)+" "+output.Printable(line)+"\n"); err != nil {
			return err
		}
	}
	if failed > 0 {
		return exit.WithNotAsExpected(fmt.Errorf("%d of %d are not as expected", failed, len(cases)))
	}
	return nil
}
