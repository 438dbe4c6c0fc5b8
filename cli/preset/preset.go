// Package preset has the commands that read the catalog of networks, trackers and traffic sources. They need no
// cluster.
package preset

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/cli/exit"
)

// group is what the commands share.
type group struct {
	// own is a folder with entries of one's own; empty: only the built-in ones.
	own string
}

// New returns the command `preset` with those below it.
func New() *cobra.Command {
	g := &group{}
	cmd := &cobra.Command{
		Use:   "preset",
		Short: "What is known of networks, trackers and traffic sources: macros, status words, quirks",
	}
	cmd.PersistentFlags().StringVar(&g.own, "presets", "", "folder with entries of your own, which join the built-in ones")
	cmd.AddCommand(newList(g), newShow(g), newURL(g), newApply(g), newDiff(g), newGuess(g))
	return cmd
}

// catalog returns the built-in catalog, with one's own entries if there are any.
func (g *group) catalog() (*presets.Catalog, error) {
	if g.own == "" {
		return presets.Builtin(), nil
	}
	if info, err := os.Stat(g.own); err != nil || !info.IsDir() {
		return nil, exit.WithUsage(fmt.Errorf("--presets %s: no such folder", g.own))
	}
	c, err := presets.Load(os.DirFS(g.own))
	if err != nil {
		return nil, fmt.Errorf("--presets %s: %w", g.own, err)
	}
	return c, nil
}

// entry returns one entry of the catalog. The error for an unknown one names those that are called alike.
func (g *group) entry(id string) (presets.Entry, error) {
	c, err := g.catalog()
	if err != nil {
		return presets.Entry{}, err
	}
	e, ok := c.Get(strings.ToLower(id))
	if ok {
		return e, nil
	}
	var alike []string
	for _, other := range c.List() {
		if strings.Contains(other.ID, strings.ToLower(id)) ||
			strings.Contains(strings.ToLower(other.Title), strings.ToLower(id)) {
			alike = append(alike, other.ID)
		}
	}
	hint := "`kubectl postback preset list` lists them"
	if len(alike) > 0 {
		hint = "did you mean " + strings.Join(alike, ", ") + "?"
	}
	return e, fmt.Errorf("no preset is called %q: %s", id, hint)
}

// complete offers the ids of entries for the first argument.
func (g *group) complete(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := g.catalog()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, e := range c.List() {
		ids = append(ids, e.ID+"\t"+e.Title)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
