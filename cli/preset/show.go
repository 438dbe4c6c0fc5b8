package preset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

func newShow(g *group) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:               "show PRESET",
		Short:             "Show what a preset knows, how sure it is, and where that was read",
		Example:           "  kubectl postback preset show affise\n  kubectl postback preset show affise -o yaml",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: g.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := g.entry(args[0])
			if err != nil {
				return err
			}
			switch format {
			case output.JSON, output.YAML:
				return output.Data(cmd.OutOrStdout(), format, e)
			case output.Name:
				return output.Write(cmd, e.ID+"\n")
			}
			return output.Write(cmd, describe(e))
		},
	}
	output.Flag(cmd, &format, output.JSON, output.YAML, output.Name)
	return cmd
}

// describe is an entry as text for people.
func describe(e presets.Entry) string {
	var b strings.Builder
	title := fmt.Sprintf("%s  %s  %s  %s", e.Title, e.AnnotationValue(), e.Kind, e.State)
	if e.Family != "" {
		title += "  on " + e.Family
	}
	fmt.Fprintln(&b, title)
	if e.Needs != "" {
		fmt.Fprintln(&b, "  to do:", e.Needs)
	}
	fmt.Fprintln(&b)
	b.WriteString(output.Table([]string{"FACT", "IS", "", "CONFIDENCE"}, facts(e)))
	for _, q := range e.Quirks {
		fmt.Fprintf(&b, "\n! %s\n  %s\n", q.Text().En, q.Text().Ru)
	}
	for _, c := range e.Conflicts {
		fmt.Fprintf(&b, "\nsources disagree on %s:\n  - %s\n", c.Fact, strings.Join(c.Readings, "\n  - "))
	}
	fmt.Fprintln(&b)
	var rows [][]string
	for _, s := range e.Sources {
		rows = append(rows, []string{s.Read, string(s.Kind), s.URL})
	}
	b.WriteString(output.Table([]string{"READ", "SOURCE", "ADDRESS"}, rows))
	return b.String()
}

// facts are the rows of everything that an entry says.
func facts(e presets.Entry) [][]string {
	var rows [][]string
	add := func(name, is, note string, confidence presets.Confidence) {
		rows = append(rows, []string{name, is, note, string(confidence)})
	}
	if e.Offer.Parameter != "" {
		add("offer link", e.Offer.Parameter, "", e.Offer.Confidence)
	}
	if e.Click != nil {
		add("campaign link", "external_id="+e.Click.Macro, "", e.Click.Confidence)
	}
	for _, facts := range []map[string]presets.Fact{e.Postback, e.Extra} {
		for _, name := range slices.Sorted(maps.Keys(facts)) {
			f := facts[name]
			per := ""
			if f.Per != "" {
				per = "one for each " + strings.ToLower(string(f.Per))
			}
			add(name, f.Macro+f.Value, per, f.Confidence)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Aliases)) {
		add(name, strings.Join(e.Aliases[name].Names, ", "), "alias", e.Aliases[name].Confidence)
	}
	for _, s := range e.Statuses {
		add("status "+s.Word, s.Type, s.Meaning, s.Confidence)
	}
	for _, event := range e.Events {
		add("event "+event.Name, event.Type, "", event.Confidence)
	}
	if e.Slot != "" {
		add("slot policy", e.Slot, "", presets.Documented)
	}
	if e.Forward != nil {
		add("forward", e.Forward.URL+e.Forward.Sample, "", e.Forward.Confidence)
	}
	for _, sent := range [][2]string{
		{"methods", strings.Join(e.Sender.Methods, ", ")},
		{"comes from", strings.Join(e.Sender.Addresses, ", ")},
		{"retries", e.Sender.Retries},
		{"reply wanted", e.Sender.Expects},
	} {
		if sent[1] != "" {
			add(sent[0], sent[1], "", presets.Documented)
		}
	}
	return rows
}
