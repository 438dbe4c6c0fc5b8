package show

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

func newClicks(env Env) *cobra.Command {
	var s selection
	var format output.Format
	var campaign string
	cmd := &cobra.Command{
		Use:   "clicks ENDPOINT",
		Short: "Print clicks, or with --subid one click and its conversions",
		Long: "Print clicks, or with --subid one click and its conversions. Clicks come in the order of the store's keys: " +
			"no index\nby time is kept of them.",
		Example:           "  kubectl postback clicks shop --campaign spring\n  kubectl postback clicks shop --subid c1",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.ask(cmd, args[0], func(ctx context.Context, r *reach.Receiver, endpoint string) error {
				style := output.StyleOf(cmd, env.Clock())
				if s.subid != "" {
					return oneClick(ctx, cmd, style, format, r, endpoint, s.subid)
				}
				parameters, err := s.parameters(endpoint, env.Clock())
				if err != nil {
					return err
				}
				if campaign != "" {
					parameters.Add("filter", "campaign eq "+campaign)
				}
				if format == output.CSV {
					return stream(ctx, cmd, r, "clicks.csv", parameters, &s)
				}
				rows, err := collect(pages(ctx, r.Clicks), parameters, s.limit)
				if err != nil {
					return err
				}
				return clickTable(style).print(cmd, style, format, rows)
			})
		},
	}
	s.flags(cmd, false)
	cmd.Flags().StringVar(&campaign, "campaign", "", "only of this campaign")
	output.Flag(cmd, &format, output.Wide, output.JSON, output.YAML, output.CSV, output.Name)
	return cmd
}

func clickTable(style output.Style) table[read.Click] {
	return table[read.Click]{
		columns: []column[read.Click]{
			{"SUBID", false, func(c read.Click) string { return c.SubID }},
			{"TIME", false, func(c read.Click) string { return style.Time(c.Time) }},
			{"CAMPAIGN", false, func(c read.Click) string { return output.Or(c.Campaign) }},
			{"COST", false, func(c read.Click) string { return output.Or(c.Cost) }},
			{"IP", true, func(c read.Click) string { return output.Or(c.IP) }},
			{"FIELDS", false, func(c read.Click) string { return fields(c.Params) }},
			{"USER AGENT", true, func(c read.Click) string { return output.Or(c.UserAgent) }},
		},
		id:      func(c read.Click) string { return c.SubID },
		outcome: func(read.Click) string { return "" },
		none:    "there are no clicks that match",
	}
}

// fields writes parameters on a line.
func fields(params map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		all = append(all, name+"="+params[name])
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, " ")
}

func oneClick(ctx context.Context, cmd *cobra.Command, style output.Style, format output.Format, r *reach.Receiver,
	endpoint, subid string) error {
	click, err := r.Click(ctx, endpoint, subid)
	if err != nil {
		return err
	}
	switch format {
	case output.JSON, output.YAML:
		return output.Document(cmd.OutOrStdout(), format, click)
	case output.CSV:
		return stream(ctx, cmd, r, "clicks.csv", map[string][]string{
			"endpoint": {endpoint}, "filter": {"subid eq " + subid}}, &selection{})
	}
	if err := clickTable(style).print(cmd, style, format, []read.Click{click.Click}); err != nil || format == output.Name {
		return err
	}
	if err := output.Write(cmd, "\n"); err != nil {
		return err
	}
	return conversionTable(style).print(cmd, style, format, click.Conversions)
}
