package show

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// logFlags choose what the log shows.
type logFlags struct {
	selection
	format                        output.Format
	follow, conversions, ignored  bool
	outcome, reason, conversionOf string
}

func newLog(env Env) *cobra.Command {
	var f logFlags
	cmd := &cobra.Command{
		Use:   "log ENDPOINT",
		Short: "Print what was received, and what became of it; or with --conversions what was recorded",
		Example: "  kubectl postback log shop --since 1h\n  kubectl postback log shop -f --ignored\n" +
			"  kubectl postback log shop --conversions --type sale -o csv > sales.csv",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.ask(cmd, args[0], func(ctx context.Context, r *reach.Receiver, endpoint string) error {
				return f.run(ctx, env, cmd, r, endpoint)
			})
		},
	}
	f.flags(cmd, true)
	set := cmd.Flags()
	set.BoolVarP(&f.follow, "follow", "f", false, "go on with what is received from now on")
	set.BoolVar(&f.conversions, "conversions", false, "the conversion log in place of the received one")
	set.BoolVar(&f.ignored, "ignored", false, "only what was ignored: short for --outcome ignored")
	set.StringVar(&f.outcome, "outcome", "", "only this outcome: recorded|duplicate|ignored|refused")
	set.StringVar(&f.reason, "reason", "", "only what was ignored or refused for this reason")
	set.StringVar(&f.conversionOf, "type", "", "only this conversion type")
	output.Flag(cmd, &f.format, output.Wide, output.JSON, output.YAML, output.CSV, output.Name)
	_ = cmd.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions(
		[]string{"recorded", "duplicate", "ignored", "refused"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (f *logFlags) run(ctx context.Context, env Env, cmd *cobra.Command, r *reach.Receiver, endpoint string) error {
	if err := f.check(); err != nil {
		return err
	}
	parameters, err := f.parameters(endpoint, env.Clock())
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"outcome": f.outcome, "reason": f.reason, "type": f.conversionOf} {
		if value != "" {
			parameters.Set(name, value)
		}
	}
	style := output.StyleOf(cmd, env.Clock())
	resource := map[bool]string{false: "postbacks.csv", true: "conversions.csv"}[f.conversions]
	switch {
	case f.format == output.CSV:
		return stream(ctx, cmd, r, resource, parameters, &f.selection)
	case f.conversions:
		rows, err := collect(pages(ctx, r.Conversions), parameters, f.limit)
		if err != nil {
			return err
		}
		return conversionTable(style).print(cmd, style, f.format, rows)
	case f.follow:
		return f.tail(ctx, cmd, style, r, endpoint, parameters)
	}
	rows, err := collect(pages(ctx, r.Postbacks), parameters, f.limit)
	if err != nil {
		return err
	}
	return postbackTable(style).print(cmd, style, f.format, rows)
}

// check returns what does not go together.
func (f *logFlags) check() error {
	switch {
	case f.ignored && f.outcome != "" && f.outcome != "ignored":
		return exit.WithUsage(errors.New("say either --ignored or --outcome"))
	case f.ignored:
		f.outcome = "ignored"
	}
	switch {
	case f.conversions && (f.follow || f.outcome != "" || f.reason != ""):
		return exit.WithUsage(errors.New("--conversions goes with neither -f, --outcome nor --reason: those are of the " +
			"received log"))
	case f.follow && (f.format == output.CSV || f.format == output.YAML || f.format == output.Wide || f.to != ""):
		return exit.WithUsage(errors.New("-f prints text, -o json (an object a line) or -o name, and has no --to"))
	}
	return nil
}

// pages returns the rows of a list, page after page.
func pages[T any](ctx context.Context, list func(context.Context, url.Values) (read.Page[T], error),
) func(url.Values) func(func(T, error) bool) {
	return func(v url.Values) func(func(T, error) bool) { return client.All(ctx, list, v) }
}

func postbackTable(style output.Style) table[read.Postback] {
	return table[read.Postback]{
		columns: []column[read.Postback]{
			{"TIME", false, func(p read.Postback) string { return style.Time(p.Time) }},
			{"ID", true, func(p read.Postback) string { return p.ID }},
			{"OUTCOME", false, func(p read.Postback) string { return p.Outcome }},
			{"REASON", false, func(p read.Postback) string { return output.Or(p.Reason) }},
			{"SUBID", false, func(p read.Postback) string { return output.Or(p.SubID) }},
			{"TYPE", false, func(p read.Postback) string { return output.Or(p.Type) }},
			{"KEY", true, func(p read.Postback) string { return p.KeyID }},
			{"FROM", false, func(p read.Postback) string { return p.IP }},
			{"METHOD", true, func(p read.Postback) string { return p.Method }},
			{"QUERY", false, func(p read.Postback) string { return said(p) }},
			{"WARNINGS", true, func(p read.Postback) string { return strings.Join(p.Warnings, ",") }},
		},
		id:      func(p read.Postback) string { return p.ID },
		outcome: func(p read.Postback) string { return p.Outcome },
		none:    "nothing was received that matches",
	}
}

// said is what a postback said, for a line.
func said(p read.Postback) string {
	switch {
	case p.Kind != "postback" && p.Kind != "client" && p.Query == "":
		return "(" + p.Kind + ")"
	case p.Body == "":
		return p.Query
	case p.Query == "":
		return p.Body
	}
	return p.Query + " + " + p.Body
}

func conversionTable(style output.Style) table[read.Conversion] {
	return table[read.Conversion]{
		columns: []column[read.Conversion]{
			{"TIME", false, func(c read.Conversion) string { return style.Time(c.CreatedAt) }},
			{"ID", true, func(c read.Conversion) string { return c.ID }},
			{"SUBID", false, func(c read.Conversion) string { return c.SubID }},
			{"TID", false, func(c read.Conversion) string { return output.Or(&c.TID) }},
			{"TYPE", false, func(c read.Conversion) string { return c.Type }},
			{"BEFORE", false, func(c read.Conversion) string { return output.Or(c.PreviousType) }},
			{"PAYOUT", false, payout},
			{"AS SENT", false, func(c read.Conversion) string { return c.OriginalPayout + " " + c.OriginalCurrency }},
			{"CAMPAIGN", false, func(c read.Conversion) string { return output.Or(c.Campaign) }},
			{"STATUS", false, func(c read.Conversion) string { return output.Or(c.OriginalStatus) }},
			{"VERSION", true, func(c read.Conversion) string { return fmt.Sprint(c.Version) }},
			{"WRITER", true, func(c read.Conversion) string { return c.Writer }},
			{"WARNINGS", true, func(c read.Conversion) string { return strings.Join(c.Warnings, ",") }},
		},
		id:      func(c read.Conversion) string { return c.ID },
		outcome: func(read.Conversion) string { return "" },
		none:    "nothing was recorded that matches",
	}
}

// payout is a conversion's amount in the currency of its endpoint.
func payout(c read.Conversion) string {
	if c.Payout == nil {
		return "waits for a rate"
	}
	return *c.Payout + " " + c.Currency
}

// tail prints what is received from now on, after the last rows that were.
func (f *logFlags) tail(ctx context.Context, cmd *cobra.Command, style output.Style, r *reach.Receiver, endpoint string,
	parameters url.Values) error {
	following := url.Values{"endpoint": {endpoint}, "follow": {"1"}, "filter": f.filters}
	for _, name := range []string{"outcome", "reason", "type", "subid", "tid"} {
		if value := parameters.Get(name); value != "" {
			following.Add("filter", name+" eq "+value)
		}
	}
	// Opened before the list is read, so that nothing is missing between the two.
	rows, err := r.Stream(ctx, "postbacks", following)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	seen := map[string]bool{}
	if f.limit > 0 {
		before, err := collect(pages(ctx, r.Postbacks), parameters, f.limit)
		if err != nil {
			return err
		}
		for i := len(before) - 1; i >= 0; i-- {
			seen[before[i].ID] = true
			if err := f.line(cmd, style, before[i]); err != nil {
				return err
			}
		}
	}
	lines := bufio.NewScanner(rows)
	lines.Buffer(nil, maxRow)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue // it only says that the receiver is alive
		}
		var p read.Postback
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return fmt.Errorf("reading the receiver's answer: %w", err)
		}
		if seen[p.ID] {
			continue
		}
		if err := f.line(cmd, style, p); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil // Ctrl-C is how this ends
	}
	return errors.New("the receiver has ended the log, perhaps to be replaced: start it again")
}

// maxRow bounds a row of a log, in bytes.
const maxRow = 1 << 20

// line prints one row of a log that goes on: its columns have a fixed width.
func (f *logFlags) line(cmd *cobra.Command, style output.Style, p read.Postback) error {
	switch f.format {
	case output.JSON:
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		return output.Write(cmd, string(text)+"\n")
	case output.Name:
		return output.Write(cmd, p.ID+"\n")
	}
	at := "-"
	if p.Time != nil {
		at = p.Time.UTC().Format("2006-01-02T15:04:05Z")
		if style.Terminal {
			at = p.Time.Local().Format("15:04:05")
		}
	}
	line := fmt.Sprintf("%s  %-9s  %-24s  %s  %s", at, p.Outcome, output.Or(p.Reason), p.IP, said(p))
	return output.Write(cmd, style.Outcome(p.Outcome, output.Printable(line))+"\n")
}
