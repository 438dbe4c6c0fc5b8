package show

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/preset"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// plainQuery is the query for a network of which nothing is known.
const plainQuery = "?subid={subid}&status={status}&payout={payout}"

func newURL(env Env) *cobra.Command {
	var files reach.Files
	var network string
	var client bool
	cmd := &cobra.Command{
		Use:   "url ENDPOINT",
		Short: "Print the postback URL to paste at the network, with its macros",
		Long: "Print the postback URL to paste at the network, with the network's macros. It has the key in it: who knows " +
			"it can\nreport conversions. Only the URL goes to stdout, so that it can be piped; what else there is to do is " +
			"written to stderr.",
		Example: "  kubectl postback url shop --network affise\n" +
			"  kubectl postback url shop --server http://127.0.0.1:8081 --secrets .run/config/secrets.yaml",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := env.Reach.Check(); err != nil {
				return err
			}
			endpoint, err := env.Reach.Name(args[0])
			if err != nil {
				return err
			}
			credentials, err := env.Reach.Credentials(cmd.Context(), endpoint, &files)
			if err != nil {
				return err
			}
			base := credentials.URL
			if client {
				var ok bool
				if base, ok = credentials.ClientURL(); !ok {
					return fmt.Errorf("%s has no client key: declare spec.browser", endpoint)
				}
			}
			if credentials.InCluster {
				if err := output.Notes(cmd, "! only the cluster reaches this host: declare spec.host of the fleet\n"); err != nil {
					return err
				}
			}
			if network != "" {
				return preset.PrintURL(cmd, network, base)
			}
			if err := output.Write(cmd, base+plainQuery+"\n"); err != nil || client {
				return err
			}
			return output.Notes(cmd, "replace {…} by the network's macros, or name it: --network, of those in `kubectl "+
				"postback preset list`\n")
		},
	}
	files.Add(cmd.Flags())
	cmd.Flags().StringVar(&network, "network", "", "preset of the network, whose macros are written")
	cmd.Flags().BoolVar(&client, "client", false, "the URL for pages, with the client key")
	_ = cmd.RegisterFlagCompletionFunc("network", preset.Complete)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if client && network != "" {
			return exit.WithUsage(errors.New("--client is for pages of your own, --network for networks"))
		}
		network = strings.ToLower(network)
		return nil
	}
	return cmd
}
