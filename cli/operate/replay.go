package operate

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
)

// period are the flags of a time.
type period struct {
	since    time.Duration
	from, to string
}

func (p *period) flags(set *pflag.FlagSet, what string) {
	set.DurationVar(&p.since, "since", 0, "only "+what+" in the last 30m, 24h, …")
	set.StringVar(&p.from, "from", "", "only "+what+" from this moment on: RFC 3339, or a date in UTC")
	set.StringVar(&p.to, "to", "", "only "+what+" before this moment")
}

// bounds returns the time as the API takes it.
func (p *period) bounds(now time.Time) (from, to string, err error) {
	switch {
	case p.since < 0:
		return "", "", exit.WithUsage(errors.New("--since: must not be negative"))
	case p.since > 0 && p.from != "":
		return "", "", exit.WithUsage(errors.New("say either --since or --from"))
	case p.since > 0:
		return now.Add(-p.since).UTC().Format(time.RFC3339), p.to, nil
	}
	return p.from, p.to, nil
}

// bounded is bounds with an end, which is the present if nobody says.
func (p *period) bounded(now time.Time) (from, to string, err error) {
	if from, to, err = p.bounds(now); err == nil && to == "" {
		to = now.Add(time.Second).UTC().Format(time.RFC3339) // What this second has is in it.
	}
	return from, to, err
}

// forwards is whether S2S postbacks are sent for what changes.
type forwards string

func (f *forwards) flag(set *pflag.FlagSet, otherwise string) {
	set.StringVar((*string)(f), "forwards", "", "send|skip: whether S2S postbacks are sent for what changes; without it "+
		otherwise)
}

func newReplay(env Env) *cobra.Command {
	var q request
	var time period
	var s2s forwards
	var asked read.NewOperation
	cmd := &cobra.Command{
		Use:   "replay ENDPOINT",
		Short: "Judge again what was ignored, by the endpoint's present configuration",
		Long: "Judge again what was ignored, by the endpoint's present configuration: after training was mended, or clicks " +
			"came\nlate. The dry run is printed first, and nothing is changed before you say yes.",
		Example: "  kubectl postback replay shop --reason status_unknown --status approve --since 24h " +
			"--note 'trained approve'\n" +
			"  kubectl postback replay shop --note 'trained approve' --dry-run",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return q.run(env, cmd, args[0], func(endpoint string) (read.NewOperation, error) {
				asked.Kind, asked.Endpoint, asked.Forwards = "replay", endpoint, string(s2s)
				var err error
				asked.From, asked.To, err = time.bounds(env.Clock())
				return asked, err
			})
		},
	}
	set := cmd.Flags()
	time.flags(set, "what was received")
	s2s.flag(set, "they are")
	set.StringVar(&asked.Outcome, "outcome", "", "only this outcome, such as ignored")
	set.StringVar(&asked.Reason, "reason", "", "only what was ignored or refused for this reason")
	set.StringVar(&asked.Status, "status", "", "only this status word of the network")
	set.StringSliceVar(&asked.IDs, "id", nil, "only these rows of the log; may be given several times")
	set.BoolVar(&asked.IncludeRefused, "include-refused", false, "refused postbacks too")
	set.BoolVar(&asked.IncludeRecorded, "include-recorded", false, "recorded ones too; not where payouts add up")
	q.flags(cmd)
	return cmd
}

func newResend(env Env) *cobra.Command {
	var q request
	var time period
	var all bool
	var asked read.NewOperation
	cmd := &cobra.Command{
		Use:   "resend ENDPOINT [ID...]",
		Short: "Have failed S2S postbacks sent again: by their ids, or all that match",
		Example: "  kubectl postback forwards resend shop ID --note 'their host is back'\n" +
			"  kubectl postback forwards resend shop --rule facebook --failure status_503 --since 24h " +
			"--note 'their host is back'",
		Args:              exit.Args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			asked.IDs = args[1:]
			if len(asked.IDs) == 0 && !all && asked.Rule == "" && asked.Failure == "" && time == (period{}) {
				return exit.WithUsage(errors.New("say which: ids, --rule, --failure, a time, or --all"))
			}
			return q.run(env, cmd, args[0], func(endpoint string) (read.NewOperation, error) {
				asked.Kind, asked.Endpoint = "resend", endpoint
				var err error
				asked.From, asked.To, err = time.bounds(env.Clock())
				return asked, err
			})
		},
	}
	set := cmd.Flags()
	time.flags(set, "those written")
	set.BoolVar(&all, "all", false, "all that were given up")
	set.StringVar(&asked.Rule, "rule", "", "only those of this forward")
	set.StringVar(&asked.Failure, "failure", "", "only those that failed for this reason, such as status_404 or timeout")
	set.IntVar(&asked.PerSecond, "per-second", 0, "how many a second, 1 to 500; without it 50")
	q.flags(cmd)
	return cmd
}

func newErase(env Env) *cobra.Command {
	var q request
	var everywhere bool
	var asked read.NewOperation
	cmd := &cobra.Command{
		Use:   "erase ENDPOINT (--subid SUBID | --ip ADDRESS | --parameter NAME --value VALUE)",
		Short: "Forget what is known of a person: addresses, user agents, queries, bodies and parameters",
		Long: "Forget what is known of a person: addresses, user agents, queries, bodies and parameters of the clicks that " +
			"match,\nand of their conversions and postbacks. Amounts, types, times and subids stay. It cannot be undone.",
		Example: "  kubectl postback erase shop --parameter external_id --value mail@example.com --note 'request 17'\n" +
			"  kubectl postback erase shop --ip 203.0.113.7 --all-endpoints --note 'request 18' --dry-run",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return q.run(env, cmd, args[0], func(endpoint string) (read.NewOperation, error) {
				asked.Kind = "erase"
				if !everywhere {
					asked.Endpoint = endpoint
				}
				return asked, nil
			})
		},
	}
	set := cmd.Flags()
	set.StringVar(&asked.SubID, "subid", "", "the click of this subid")
	set.StringVar(&asked.IP, "ip", "", "clicks with this address")
	set.StringVar(&asked.Parameter, "parameter", "", "clicks with --value in this parameter, such as external_id")
	set.StringVar(&asked.Value, "value", "", "see --parameter")
	set.BoolVar(&everywhere, "all-endpoints", false, "of all endpoints of the fleet")
	q.flags(cmd)
	return cmd
}
