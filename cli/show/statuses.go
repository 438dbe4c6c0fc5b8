package show

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/api/presets"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/declared"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	catalog "github.com/postback-dev/postback-operator/cli/preset"
	"github.com/postback-dev/postback-operator/cli/reach"
)

func newStatuses(env Env) *cobra.Command {
	var format output.Format
	var from declared.Source
	var since time.Duration
	var preset string
	cmd := &cobra.Command{
		Use:   "statuses ENDPOINT",
		Short: "Print status words that no training knows, and what they probably mean",
		Long: "Print status words that no training knows, and what they probably mean. -o patch prints the training that " +
			"knows them,\nwith the lists of the declaration as it is on the cluster, or in the file of -f.",
		Example:           "  kubectl postback statuses shop\n  kubectl postback statuses shop -o patch",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.ask(cmd, args[0], func(ctx context.Context, r *reach.Receiver, endpoint string) error {
				declaration, err := env.declaration(ctx, cmd, &from, endpoint, format == output.Patch)
				if err != nil {
					return err
				}
				parameters := url.Values{
					"endpoint": {endpoint}, "from": {env.Clock().Add(-since).UTC().Format(time.RFC3339)},
				}
				annotated, _, _ := presets.ParseAnnotation(declaration.Metadata.Annotations[presets.Annotation])
				if preset = cmp.Or(preset, annotated); preset != "" {
					parameters.Set("preset", preset)
				}
				words, err := r.Statuses(ctx, parameters)
				if err != nil {
					return err
				}
				return printStatuses(cmd, output.StyleOf(cmd, env.Clock()), format, words, declaration)
			})
		},
	}
	from.Flags(cmd)
	cmd.Flags().DurationVar(&since, "since", 7*24*time.Hour, "how far back, such as 24h")
	cmd.Flags().StringVar(&preset, "preset", "", "preset of the network; without it the one that the endpoint names")
	_ = cmd.RegisterFlagCompletionFunc("preset", catalog.Complete)
	output.Flag(cmd, &format, output.JSON, output.YAML, output.Name, output.Patch)
	return cmd
}

// declaration returns the endpoint's declaration: of the file, of the cluster, or an empty one. needed: an empty one is
// not enough.
func (e Env) declaration(ctx context.Context, cmd *cobra.Command, from *declared.Source, endpoint string, needed bool,
) (declared.Endpoint, error) {
	switch {
	case from.File != "":
		return from.Read(cmd.InOrStdin())
	case !e.Reach.Direct():
		cluster, err := e.Reach.Cluster()
		if err != nil {
			return declared.Endpoint{}, err
		}
		object, err := cluster.Endpoint(ctx, endpoint)
		if err != nil {
			return declared.Endpoint{}, err
		}
		return declared.Of(object)
	case needed:
		return declared.Endpoint{}, exit.WithUsage(errors.New("-o patch with --server needs the declaration: -f FILE"))
	}
	return declared.Endpoint{}, nil
}

func printStatuses(cmd *cobra.Command, style output.Style, format output.Format, words read.Statuses,
	declaration declared.Endpoint) error {
	switch format {
	case output.JSON, output.YAML:
		return output.Document(cmd.OutOrStdout(), format, words)
	case output.Name:
		var names []string
		for _, word := range words.Items {
			names = append(names, output.Printable(word.Word))
		}
		return output.Write(cmd, output.Lines(names))
	case output.Patch:
		text, err := trainingPatch(words, declaration.Spec.Training)
		if err != nil {
			return err
		}
		return output.Write(cmd, text)
	}
	if len(words.Items) == 0 {
		return output.Notes(cmd, "every status word that was received is known\n")
	}
	var rows [][]string
	for _, word := range words.Items {
		rows = append(rows, []string{
			word.Word, fmt.Sprint(word.Count), style.Time(word.First), style.Time(word.Last), output.Or(word.Type),
			output.Or(word.Proposal.Type), word.Proposal.Reason,
		})
	}
	heading := []string{"WORD", "COUNT", "FIRST", "LAST", "NOW", "PROPOSAL", "BECAUSE"}
	if err := output.Write(cmd, output.Table(heading, rows)); err != nil {
		return err
	}
	if words.Others > 0 {
		return output.Notes(cmd, fmt.Sprintf("and %d postbacks with further words\n", words.Others))
	}
	return nil
}

// trainingPatch is the change of a declaration that trains the words. Lists are complete, in the declaration's order:
// a patch replaces them. What only somebody else's page says, and what nothing is known of, is left to people.
func trainingPatch(words read.Statuses, training []presets.TrainingRule) (string, error) {
	rules := slices.Clone(training)
	var notes, open []string
	for _, word := range words.Items {
		shown := output.Printable(fmt.Sprintf("%q", word.Word))
		switch proposed := word.Proposal; {
		case word.Type != nil: // a policy, or a training that came later, gives it a type
		case proposed.Type == nil || proposed.Confidence != nil && *proposed.Confidence != string(presets.Documented) &&
			*proposed.Confidence != string(presets.Inherited):
			open = append(open, fmt.Sprintf("# not written: %d × %s: %s", word.Count, shown, proposed.Reason))
		default:
			rules = train(rules, *proposed.Type, word.Word)
			notes = append(notes, fmt.Sprintf("# %d × %s: %s, because %s", word.Count, shown, *proposed.Type,
				proposed.Reason))
		}
	}
	if len(notes) == 0 {
		return output.Lines(append(open, "# nothing to train by what is known")), nil
	}
	var patch struct {
		Spec struct {
			Training []presets.TrainingRule `yaml:"training"`
		} `yaml:"spec"`
	}
	patch.Spec.Training = rules
	var text strings.Builder
	if err := output.Data(&text, output.YAML, patch); err != nil {
		return "", err
	}
	return output.Lines(append(notes, open...)) + text.String(), nil
}

// train adds a word to the list of a type.
func train(rules []presets.TrainingRule, conversionType, word string) []presets.TrainingRule {
	for i, rule := range rules {
		if rule.Type == conversionType {
			rules[i].Statuses = append(slices.Clone(rule.Statuses), word)
			return rules
		}
	}
	return append(rules, presets.TrainingRule{Type: conversionType, Statuses: []string{word}})
}
