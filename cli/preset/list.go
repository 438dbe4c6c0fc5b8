package preset

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

func newList(g *group) *cobra.Command {
	var format output.Format
	var kind string
	cmd := &cobra.Command{
		Use:     "list [TEXT]",
		Short:   "List the presets, or those whose name contains a text",
		Example: "  kubectl postback preset list\n  kubectl postback preset list --kind network -o wide",
		Args:    exit.Args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.catalog()
			if err != nil {
				return err
			}
			text := strings.ToLower(strings.Join(args, ""))
			found := []presets.Entry{}
			for _, e := range c.List() {
				named := strings.Contains(e.ID, text) || strings.Contains(strings.ToLower(e.Title), text)
				if named && (kind == "" || strings.EqualFold(string(e.Kind), kind)) {
					found = append(found, e)
				}
			}
			return printList(cmd, format, found)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "only this kind: platform|network|tracker|source")
	output.Flag(cmd, &format, output.Wide, output.JSON, output.YAML, output.Name)
	return cmd
}

func printList(cmd *cobra.Command, format output.Format, found []presets.Entry) error {
	switch format {
	case output.JSON, output.YAML:
		return output.Data(cmd.OutOrStdout(), format, found)
	case output.Name:
		var ids []string
		for _, e := range found {
			ids = append(ids, e.ID)
		}
		return output.Write(cmd, output.Lines(ids))
	}
	heading := []string{"PRESET", "KIND", "STATE", "TITLE"}
	if format == output.Wide {
		heading = append(heading, "PLATFORM", "REVISION", "URLS", "NEEDS")
	}
	var rows [][]string
	for _, e := range found {
		row := []string{e.ID, string(e.Kind), string(e.State), e.Title}
		if format == output.Wide {
			row = append(row, cmp.Or(e.Family, "-"), fmt.Sprint(e.Revision), fmt.Sprint(urlCount(e)), e.Needs)
		}
		rows = append(rows, row)
	}
	return output.Write(cmd, output.Table(heading, rows))
}

// urlCount is how many URLs have to be pasted at the sender.
func urlCount(e presets.Entry) int {
	urls, err := presets.URL(e, placeholder)
	if err != nil {
		return 0
	}
	return len(urls)
}
