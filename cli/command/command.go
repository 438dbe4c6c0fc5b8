// Package command puts the commands of kubectl-postback together. Each group of commands is a package of its own beside
// it.
package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/cli/backup"
	"github.com/postback-dev/postback-operator/cli/check"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/operate"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/pages"
	"github.com/postback-dev/postback-operator/cli/preset"
	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/cli/rotate"
	"github.com/postback-dev/postback-operator/cli/show"
	"github.com/postback-dev/postback-operator/cli/trial"
)

// Run runs a command line, without the program's name, and returns its exit code. Errors are written to stderr.
func Run(ctx context.Context, version string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(version)
	root.SetArgs(append([]string{}, args...)) // nil would mean those of the process
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		lines := strings.Split(err.Error(), "\n")
		for i := range lines {
			lines[i] = output.Printable(lines[i])
		}
		_, _ = fmt.Fprintln(stderr, "error:", strings.Join(lines, "\n")) // there is nowhere else to say it
	}
	return exit.Code(err)
}

func newRoot(version string) *cobra.Command {
	root := &cobra.Command{
		Use:           "kubectl-postback",
		Short:         "Work with postback endpoints, and with what is known of networks",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl postback"},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          helpOrUnknown,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit.WithUsage(err) })
	group := preset.New()
	group.Args, group.RunE = cobra.ArbitraryArgs, helpOrUnknown
	root.AddCommand(group, newVersion(version))
	flags := reach.New()
	changing := operate.Env{Reach: flags, Clock: time.Now}
	reaching := show.New(show.Env{
		Reach: flags, Clock: time.Now, Resend: operate.Resend(changing), Operations: operate.Operations(changing),
	})
	reaching = append(reaching, operate.New(changing)...)
	reaching = append(reaching, trial.New(flags, time.Now), rotate.New(flags), rotate.NewRevoke(flags),
		check.New(flags), pages.New(flags, time.Now), backup.New(flags))
	for _, cmd := range reaching {
		for _, reaching := range append(cmd.Commands(), cmd) {
			flags.Add(reaching.Flags())
		}
		root.AddCommand(cmd)
	}
	return root
}

// helpOrUnknown is what a command with commands below it does by itself.
func helpOrUnknown(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	path := cmd.CommandPath()
	return exit.WithUsage(fmt.Errorf("%s has no command %q; %s --help lists them", path, args[0], path))
}

func newVersion(version string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  exit.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return output.Write(cmd, version+"\n")
		},
	}
}
