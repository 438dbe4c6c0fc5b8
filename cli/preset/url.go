package preset

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

// placeholder stands for the postback URL of an endpoint that was not given.
const placeholder = "https://HOST/KEY/postback"

func newURL(g *group) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "url PRESET [POSTBACK-URL]",
		Short: "Print what to paste at the network: your postback URL with the network's macros",
		Long: "Print what to paste at the network: your postback URL, up to the question mark, with the network's macros.\n" +
			"There is one URL for each event where no macro carries the status. What else there is to do is written to stderr.",
		Example:           "  kubectl postback preset url adcombo https://pb.example.com/KEY/postback",
		Args:              exit.Args(cobra.RangeArgs(1, 2)),
		ValidArgsFunction: g.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := g.entry(args[0])
			if err != nil {
				return err
			}
			base := placeholder
			if len(args) > 1 {
				base = args[1]
			}
			urls, err := presets.URL(e, base)
			if err != nil {
				return err
			}
			return printURLs(cmd, format, e, urls)
		},
	}
	output.Flag(cmd, &format, output.JSON, output.YAML, output.Name)
	return cmd
}

func printURLs(cmd *cobra.Command, format output.Format, e presets.Entry, urls []presets.PostbackURL) error {
	if format == output.JSON || format == output.YAML {
		return output.Data(cmd.OutOrStdout(), format, urls)
	}
	var alone []string
	var rows [][]string
	for _, u := range urls {
		alone = append(alone, u.URL)
		rows = append(rows, []string{u.Event, u.Type, u.URL})
	}
	text := output.Table([]string{"EVENT", "TYPE", "URL"}, rows)
	if format == output.Name || len(urls) == 1 && urls[0].Event == "" {
		text = output.Lines(alone)
	}
	if err := output.Write(cmd, text); err != nil {
		return err
	}
	return output.Notes(cmd, notes(e))
}

// unsureMacros lists the macros of the URL that only somebody else's page has, or that pages disagree on.
func unsureMacros(e presets.Entry) string {
	var unsure []string
	for _, name := range slices.Sorted(maps.Keys(e.Postback)) {
		if c := e.Postback[name].Confidence; c == presets.SecondHand || c == presets.Conflicted {
			unsure = append(unsure, e.Postback[name].Macro)
		}
	}
	return strings.Join(unsure, " ")
}

// notes is what else there is to know.
func notes(e presets.Entry) string {
	lines := []string{
		"offer link: " + cmp.Or(e.Offer.Parameter, "add the parameter that comes back as "+e.Postback["subid"].Macro),
	}
	if e.Needs != "" {
		lines = append(lines, "to do: "+e.Needs)
	}
	if unsure := unsureMacros(e); unsure != "" {
		lines = append(lines, "not read on the owner's own page: "+unsure)
	}
	for _, q := range e.Quirks {
		lines = append(lines, "! "+q.Text().En)
	}
	if len(e.Statuses) > 0 || len(e.Aliases) > 0 || e.Sender.Expects != "" || e.Slot != "" {
		lines = append(lines, "what the endpoint has to declare: kubectl postback preset apply "+e.ID)
	}
	return output.Lines(lines)
}

// PrintURL prints a postback URL with the macros of a preset of the built-in catalog, and to stderr what else there is
// to do.
func PrintURL(cmd *cobra.Command, id, base string) error {
	e, err := (&group{}).entry(id)
	if err != nil {
		return err
	}
	urls, err := presets.URL(e, base)
	if err != nil {
		return err
	}
	return printURLs(cmd, output.Text, e, urls)
}

// Complete offers the ids of the built-in catalog for a flag.
func Complete(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return (&group{}).complete(cmd, nil, typed)
}
