package show

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// statusRows bounds what is counted for a status: above it the counts are those of the latest rows.
const statusRows = 10_000

// state is what `status` says of an endpoint.
type state struct {
	Endpoint string       `json:"endpoint"`
	Declared *declaration `json:"declared"` // null with --server
	// Problem is why the receivers cannot be asked; the rest is empty then.
	Problem string `json:"problem,omitempty"`
	// Received counts outcomes since From.
	From     time.Time      `json:"from"`
	Received map[string]int `json:"received"`
	// Cut: there are more rows than were counted.
	Cut      bool            `json:"cut"`
	Last     *time.Time      `json:"last_postback"`
	Forwards map[string]int  `json:"forwards"`
	Unknown  []read.Status   `json:"unknown_statuses"`
	Failures map[string]int  `json:"failed_forwards"`
	Reasons  []reasonCounted `json:"reasons"`
}

type reasonCounted struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// declaration is what the cluster says of an endpoint.
type declaration struct {
	Ready     string    `json:"ready"`
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
	Currency  string    `json:"currency"`
	Fleet     string    `json:"fleet"`
	Confirmed int32     `json:"confirmed_replicas"`
	Replicas  int32     `json:"replicas"`
	Key       string    `json:"key"`
	KeySince  time.Time `json:"key_since"`
}

func newStatus(env Env) *cobra.Command {
	var format output.Format
	var all bool
	var since time.Duration
	cmd := &cobra.Command{
		Use:     "status [ENDPOINT]",
		Short:   "Say how endpoints are, and what needs you",
		Example: "  kubectl postback status\n  kubectl postback status -A\n  kubectl postback status shop --since 1h",
		Args:    exit.Args(cobra.MaximumNArgs(1)),

		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := env.Reach.Check(); err != nil {
				return err
			}
			if since <= 0 {
				return exit.WithUsage(errors.New("--since: must be positive"))
			}
			names, err := env.endpoints(cmd.Context(), args, all)
			if err != nil {
				return err
			}
			states := make([]state, 0, len(names))
			for _, name := range names {
				s, err := env.state(cmd.Context(), name, since)
				if err != nil {
					return err
				}
				states = append(states, s)
			}
			if format != output.Text {
				return output.Document(cmd.OutOrStdout(), format, list[state]{states})
			}
			return printStates(cmd, output.StyleOf(cmd, env.Clock()), states, since)
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "the endpoints of every namespace")
	cmd.Flags().DurationVar(&since, "since", 24*time.Hour, "how far back is counted")
	output.Flag(cmd, &format, output.JSON, output.YAML)
	return cmd
}

// endpoints are those that a command is about.
func (e Env) endpoints(ctx context.Context, args []string, all bool) ([]string, error) {
	switch {
	case len(args) > 0 && all:
		return nil, exit.WithUsage(errors.New("say either an endpoint or -A"))
	case len(args) > 0:
		name, err := e.Reach.Name(args[0])
		return []string{name}, err
	case e.Reach.Direct():
		return nil, exit.WithUsage(errors.New("with --server: say which endpoint"))
	}
	cluster, err := e.Reach.Cluster()
	if err != nil {
		return nil, err
	}
	namespace := ""
	if !all {
		if namespace, err = e.Reach.Namespace(); err != nil {
			return nil, err
		}
	}
	found, err := cluster.Endpoints(ctx, namespace)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range found {
		names = append(names, found[i].Namespace+"/"+found[i].Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there is no PostbackEndpoint in %s", cmp.Or(namespace, "any namespace"))
	}
	return names, nil
}

// state asks the cluster and a receiver. What a receiver cannot be asked is said in its place: the rest still helps.
func (e Env) state(ctx context.Context, endpoint string, since time.Duration) (state, error) {
	s := state{Endpoint: endpoint, From: e.Clock().Add(-since).UTC().Truncate(time.Second)}
	if !e.Reach.Direct() {
		cluster, err := e.Reach.Cluster()
		if err != nil {
			return s, err
		}
		if s.Declared, err = declarationOf(ctx, cluster, endpoint); err != nil {
			return s, err
		}
	}
	receiver, err := e.Reach.Receiver(ctx, endpoint)
	if err == nil {
		defer receiver.Close()
		err = s.count(ctx, receiver)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil || e.Reach.Direct():
		return s, reach.Explain(err)
	default:
		s.Problem = reach.Explain(err).Error()
	}
	return s, nil
}

func declarationOf(ctx context.Context, cluster *reach.Cluster, name string) (*declaration, error) {
	endpoint, err := cluster.Endpoint(ctx, name)
	if err != nil {
		return nil, err
	}
	fleetName := reach.FleetOf(endpoint)
	d := &declaration{Ready: "Unknown", Currency: endpoint.Spec.Currency, Fleet: fleetName.Name}
	if fleetName.Namespace != endpoint.Namespace {
		d.Fleet = fleetName.String()
	}
	if c := meta.FindStatusCondition(endpoint.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		d.Ready, d.Reason, d.Message = string(c.Status), c.Reason, c.Message
	}
	for _, key := range endpoint.Status.Keys {
		if key.State == v1alpha1.KeyActive {
			d.Key, d.KeySince = key.ID, key.Since.Time
		}
	}
	if fleet, err := cluster.Fleet(ctx, fleetName); err == nil { // who may not see the fleet sees the endpoint
		d.Confirmed, d.Replicas = fleet.Status.ConfirmedReplicas, fleet.Status.Replicas
	}
	return d, nil
}

// count asks a receiver what it has received.
func (s *state) count(ctx context.Context, r *reach.Receiver) error {
	from := url.Values{"endpoint": {s.Endpoint}, "from": {s.From.Format(time.RFC3339)}}
	s.Received, s.Forwards, s.Failures = map[string]int{}, map[string]int{}, map[string]int{}
	postbacks, err := collect(pages(ctx, r.Postbacks), clone(from), statusRows)
	if err != nil {
		return err
	}
	reasons := map[string]int{}
	for i, p := range postbacks {
		if i == 0 {
			s.Last = p.Time
		}
		s.Received[p.Outcome]++
		if p.Reason != nil {
			reasons[*p.Reason]++
		}
	}
	s.Cut = len(postbacks) == statusRows
	for reason, count := range reasons {
		s.Reasons = append(s.Reasons, reasonCounted{reason, count})
	}
	slices.SortFunc(s.Reasons, func(a, b reasonCounted) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Reason, b.Reason))
	})
	forwards, err := collect(pages(ctx, r.Forwards), clone(from), statusRows)
	if err != nil {
		return err
	}
	for _, f := range forwards {
		s.Forwards[f.State]++
		if f.State == "failed" {
			s.Failures[f.Rule+" ("+output.Or(f.Reason)+")"]++
		}
	}
	words, err := r.Statuses(ctx, from)
	if err != nil {
		return err
	}
	for _, word := range words.Items {
		if word.Type == nil {
			s.Unknown = append(s.Unknown, word)
		}
	}
	return nil
}

func clone(v url.Values) url.Values {
	copied := url.Values{}
	for name, values := range v {
		copied[name] = slices.Clone(values)
	}
	return copied
}

func printStates(cmd *cobra.Command, style output.Style, states []state, since time.Duration) error {
	var b strings.Builder
	for i, s := range states {
		if i > 0 {
			b.WriteString("\n")
		}
		s.write(&b, style, since)
	}
	return output.Write(cmd, b.String())
}

// write writes an endpoint as lines: how it is, what was counted, and what needs somebody.
func (s *state) write(b *strings.Builder, style output.Style, since time.Duration) {
	say := func(format string, args ...any) { b.WriteString(output.Printable(fmt.Sprintf(format, args...)) + "\n") }
	argument := strings.TrimPrefix(s.Endpoint, "default/")
	line := s.Endpoint
	if d := s.Declared; d != nil {
		ready := map[string]string{"True": "Ready", "False": "NotReady"}[d.Ready]
		line += fmt.Sprintf("  %s  %s  fleet %s (%d/%d)", cmp.Or(ready, "Unknown"), d.Currency, d.Fleet, d.Confirmed,
			d.Replicas)
		if d.Key != "" {
			line += "  key " + d.Key + " since " + style.Time(&d.KeySince)
		}
	}
	if s.Last != nil {
		line += "  last postback " + style.Time(s.Last)
	}
	say("%s", line)
	if s.Declared != nil && s.Declared.Ready != "True" {
		b.WriteString("  " + style.Mark(output.Bad) + " ")
		say("%s: %s", s.Declared.Reason, s.Declared.Message)
	}
	if s.Problem != "" {
		b.WriteString("  " + style.Mark(output.Bad) + " ")
		say("%s", s.Problem)
		return
	}
	total := 0
	for _, count := range s.Received {
		total += count
	}
	at := output.Span(since)
	if s.Cut {
		at += fmt.Sprintf(", the latest %d", statusRows)
	}
	say("  %s: received %d · recorded %d · duplicate %d · ignored %d · refused %d   "+
		"S2S: %d delivered · %d waiting · %d failed", at, total, s.Received["recorded"], s.Received["duplicate"],
		s.Received["ignored"], s.Received["refused"],
		s.Forwards["delivered"], s.Forwards["waiting"], s.Forwards["failed"])
	need := func(command, format string, args ...any) {
		b.WriteString("  " + style.Mark(output.Warning) + " ")
		say("%-60s kubectl postback %s", fmt.Sprintf(format, args...), command)
	}
	for _, word := range s.Unknown {
		need("statuses "+argument, "%d × status %q has no training", word.Count, word.Word)
	}
	for _, reason := range s.Reasons {
		if reason.Reason != "status_unknown" {
			need("log "+argument+" --reason "+reason.Reason, "%d × %s", reason.Count, reason.Reason)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(s.Failures)) {
		need("forwards "+argument+" --failed", "%d × S2S rule %s failed", s.Failures[rule], rule)
	}
}
