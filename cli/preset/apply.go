package preset

import (
	"fmt"
	"reflect"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/cli/declared"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

// patch is a part of a PostbackEndpoint's manifest.
type patch struct {
	Metadata struct {
		Annotations map[string]string `yaml:"annotations" json:"annotations"`
	} `yaml:"metadata" json:"metadata"`
	Spec presets.Fragment `yaml:"spec,omitempty" json:"spec,omitzero"`
}

func newApply(g *group) *cobra.Command {
	var format output.Format
	var from declared.Source
	var accept bool
	cmd := &cobra.Command{
		Use:   "apply PRESET [-f FILE]",
		Short: "Print what to write into an endpoint's declaration for a preset",
		Long: "Print what to write into an endpoint's declaration for a preset, as a patch to commit or to give to " +
			"kubectl patch\n" +
			"--type merge. Nothing is changed. With -f the declaration is read, so that lists contain what it says " +
			"already, and\n" +
			"what it says otherwise stays. Facts that nobody could read on the network's own page are only proposed, in " +
			"comments.",
		Example: "  kubectl postback preset apply affise\n" +
			"  kubectl postback preset apply impact -f shop.yaml --accept-proposed",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: g.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := g.entry(args[0])
			if err != nil {
				return err
			}
			declared, err := from.Read(cmd.InOrStdin())
			if err != nil {
				return err
			}
			change := presets.Apply(declared.Spec, e, accept)
			if format == output.JSON {
				return output.Data(cmd.OutOrStdout(), format, change)
			}
			return printPatch(cmd, e, change)
		},
	}
	from.Flags(cmd)
	cmd.Flags().BoolVar(&accept, "accept-proposed", false, "also write facts that are only proposed")
	output.Flag(cmd, &format, output.JSON, output.YAML)
	return cmd
}

func printPatch(cmd *cobra.Command, e presets.Entry, change presets.Change) error {
	var p patch
	p.Metadata.Annotations = map[string]string{presets.Annotation: change.Annotation}
	p.Spec = change.Spec
	if err := output.Data(cmd.OutOrStdout(), output.YAML, p); err != nil {
		return err
	}
	return output.Write(cmd, comments(e, change))
}

// comments follow the patch as comments of YAML.
func comments(e presets.Entry, change presets.Change) string {
	var lines []string
	sample := e.Forward != nil && e.Forward.Sample != ""
	if reflect.ValueOf(change.Spec).IsZero() && len(change.Proposed) == 0 && !sample {
		lines = append(lines, "# nothing else is needed")
	}
	for _, d := range change.Proposed {
		lines = append(lines, "# not written: "+sentence(d))
	}
	if sample {
		lines = append(lines, "# the forward, with its Secret and campaign: "+e.Forward.Sample)
	}
	if e.Needs != "" {
		lines = append(lines, "# to do: "+e.Needs)
	}
	return output.Lines(lines)
}

// sentence is a difference in one line.
func sentence(d presets.Difference) string {
	text := fmt.Sprintf("%s: %s (%s)", d.Field, d.Value, d.Confidence)
	if d.Declared != "" {
		text += ", the declaration says " + d.Declared
	}
	return text
}
