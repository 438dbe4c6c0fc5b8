package operate

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
)

// sortedOutcomes are those of rows that differ from what is recorded.
func sortedOutcomes(outcomes map[string]int) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(outcomes)), func(outcome string) bool { return outcome == same })
}

func newCosts(env Env) *cobra.Command {
	var q request
	var time period
	var cost read.Cost
	var params []string
	cmd := &cobra.Command{
		Use:   "costs ENDPOINT --amount AMOUNT (--since DURATION | --from TIME --to TIME)",
		Short: "Spread an amount evenly over the clicks of a time, in place of what they have cost",
		Example: "  kubectl postback costs shop --campaign spring --amount 120.50 --from 2026-11-01 --to 2026-11-02 " +
			"--note 'bill 7'\n" +
			"  kubectl postback costs shop --param sub_id_6=ad1 --amount 9 --currency EUR --since 24h --note 'bill 8' --dry-run",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cost.Amount == "" {
				return exit.WithUsage(errors.New("--amount is missing: a number such as 12.50"))
			}
			return q.run(env, cmd, args[0], func(endpoint string) (asked read.NewOperation, err error) {
				if cost.From, cost.To, err = time.bounded(env.Clock()); err != nil {
					return asked, err
				}
				if cost.Params, err = paramsOf(params); err != nil {
					return asked, err
				}
				return read.NewOperation{Kind: "costs", Endpoint: endpoint, Costs: []read.Cost{cost}}, nil
			})
		},
	}
	set := cmd.Flags()
	time.flags(set, "clicks")
	set.StringVar(&cost.Amount, "amount", "", "what the clicks have cost together; mandatory")
	set.StringVar(&cost.Currency, "currency", "", "of the amount; without it the endpoint's")
	set.StringSliceVar(&cost.Campaigns, "campaign", nil, "only clicks of this campaign; may be given several times")
	set.StringArrayVar(&params, "param", nil, "only clicks with this `NAME=VALUE`; may be given several times")
	set.BoolVar(&cost.Unique, "unique", false, "only clicks that are the first of their visitor")
	q.flags(cmd)
	return cmd
}

// paramsOf reads NAME=VALUE: several values of a name are alternatives.
func paramsOf(given []string) (map[string][]string, error) {
	if len(given) == 0 {
		return nil, nil
	}
	params := map[string][]string{}
	for _, text := range given {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, exit.WithUsage(errors.New("--param: write NAME=VALUE, such as sub_id_1=ad1"))
		}
		params[name] = append(params[name], value)
	}
	return params, nil
}
