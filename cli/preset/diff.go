package preset

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/cli/declared"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

func newDiff(g *group) *cobra.Command {
	var format output.Format
	var from declared.Source
	cmd := &cobra.Command{
		Use:   "diff [PRESET] -f FILE",
		Short: "Say what a preset knows and a declaration does not; exit code 3 if there is anything",
		Long: "Say what a preset knows and a declaration does not. Without PRESET it is the one that the declaration's " +
			"annotation\n" +
			presets.Annotation + " names. The exit code is 3 if there is anything, so that CI can ask.",
		Example:           "  kubectl postback preset diff -f shop.yaml",
		Args:              exit.Args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: g.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if from.File == "" {
				return exit.WithUsage(fmt.Errorf("which declaration? Name its file with -f"))
			}
			c, err := g.catalog()
			if err != nil {
				return err
			}
			declared, err := from.Read(cmd.InOrStdin())
			if err != nil {
				return err
			}
			id := ""
			if len(args) > 0 {
				e, err := g.entry(args[0])
				if err != nil {
					return err
				}
				id = e.ID
			}
			update, err := c.Update(declared.Spec, declared.Metadata.Annotations[presets.Annotation], id)
			if err != nil {
				return err
			}
			return printUpdate(cmd, format, update)
		},
	}
	from.Flags(cmd)
	output.Flag(cmd, &format, output.JSON, output.YAML)
	return cmd
}

func printUpdate(cmd *cobra.Command, format output.Format, u presets.Update) error {
	var err error
	if format == output.Text {
		err = output.Write(cmd, differences(u))
	} else {
		err = output.Data(cmd.OutOrStdout(), format, u)
	}
	if err != nil {
		return err
	}
	if len(u.Differences) > 0 {
		return exit.WithNotAsExpected(fmt.Errorf("the preset %s knows more: kubectl postback preset apply %s -f FILE", u.ID,
			u.ID))
	}
	return nil
}

// differences is an update as text for people.
func differences(u presets.Update) string {
	var lines []string
	if u.Declared > 0 && u.Declared != u.Known {
		lines = append(lines, fmt.Sprintf("declared by %s@%d, the catalog has %s@%d", u.ID, u.Declared, u.ID, u.Known))
	}
	for _, d := range u.Differences {
		sign := "+ "
		if d.Declared != "" {
			sign = "~ "
		}
		lines = append(lines, sign+sentence(d))
	}
	return output.Lines(lines)
}
