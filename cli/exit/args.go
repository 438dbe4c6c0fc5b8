package exit

import "github.com/spf13/cobra"

// Args makes what is wrong with a command's arguments an error of the command line.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return WithUsage(check(cmd, args)) }
}
