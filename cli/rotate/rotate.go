// Package rotate has the commands that change an endpoint's key: they print the patch to commit, and apply it only when
// asked to, because what git owns a GitOps controller would put back.
package rotate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// lookEvery is how often the cluster is asked whether a change has arrived.
const lookEvery = time.Second

// change is what the commands share.
type change struct {
	reach            *reach.Flags
	write, yes, wait bool
	timeout          time.Duration
}

func (c *change) flags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.BoolVar(&c.write, "write", false, "apply the patch to the cluster, in place of printing it")
	set.BoolVar(&c.yes, "yes", false, "do not ask before writing")
	set.BoolVar(&c.wait, "wait", false, "with --write: wait until every ready receiver confirmed it")
	set.DurationVar(&c.timeout, "wait-for", 2*time.Minute, "how long to wait at most")
}

// New returns the command `rotate`.
func New(flags *reach.Flags) *cobra.Command {
	c := &change{reach: flags}
	var overlap string
	cmd := &cobra.Command{
		Use:   "rotate ENDPOINT",
		Short: "Print the patch that gives an endpoint its next key, or apply it",
		Long: "Print the patch that gives an endpoint its next key, for git or for kubectl patch. The former key " +
			"stays valid " +
			"for the\noverlap. --write applies it: not where Argo CD or Flux would put the former state back.",
		Example: "  kubectl postback rotate shop --overlap 48h\n  kubectl postback rotate shop --write --wait",
		Args:    exit.Args(cobra.ExactArgs(1)),

		ValidArgsFunction: flags.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd, args[0], func(endpoint *v1alpha1.PostbackEndpoint) (keyPatch, error) {
				key := endpoint.Spec.Key
				if key.SecretRef != nil {
					return keyPatch{}, fmt.Errorf("the key of %s is in your Secret %s: write another value there, see "+
						"docs/rotation.md", endpoint.Name, key.SecretRef.Name)
				}
				if overlap != "" {
					if d, err := time.ParseDuration(overlap); err != nil || d < 0 {
						return keyPatch{}, exit.WithUsage(errors.New("--overlap: write a duration, such as 48h"))
					}
				}
				return keyPatch{Revision: max(key.Revision, 1) + 1, Overlap: overlap}, nil
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVar(&overlap, "overlap", "", "how long the former key stays valid; without it what is declared")
	return cmd
}

// NewRevoke returns the command `revoke`.
func NewRevoke(flags *reach.Flags) *cobra.Command {
	c := &change{reach: flags}
	cmd := &cobra.Command{
		Use:   "revoke ENDPOINT KEY-ID...",
		Short: "Print the patch that has keys of an endpoint refused at once, or apply it",
		Long: "Print the patch that has keys of an endpoint refused at once, by their ids, which `kubectl postback " +
			"status` and " +
			"the log\nshow. Before the active key is revoked it needs a successor: rotate first.",
		Example:           "  kubectl postback revoke shop sav6rwjceurb --write --wait",
		Args:              exit.Args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: flags.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd, args[0], func(endpoint *v1alpha1.PostbackEndpoint) (keyPatch, error) {
				return revoking(endpoint, args[1:])
			})
		},
	}
	c.flags(cmd)
	return cmd
}

// revoking adds ids to those that are revoked: a patch replaces the list.
func revoking(endpoint *v1alpha1.PostbackEndpoint, ids []string) (keyPatch, error) {
	revoked := slices.Clone(endpoint.Spec.Key.Revoked)
	for _, id := range ids {
		i := slices.IndexFunc(endpoint.Status.Keys, func(k v1alpha1.KeyStatus) bool { return k.ID == id })
		switch {
		case i < 0:
			return keyPatch{}, fmt.Errorf("%s has no key %q: `kubectl get pbe %s -o yaml` lists status.keys", endpoint.Name, id,
				endpoint.Name)
		case endpoint.Status.Keys[i].State == v1alpha1.KeyActive:
			return keyPatch{}, fmt.Errorf("%s is the active key: rotate first, so that there is another", id)
		case !slices.Contains(revoked, id):
			revoked = append(revoked, id)
		}
	}
	return keyPatch{Revoked: revoked}, nil
}

// keyPatch is what changes of spec.key.
type keyPatch struct {
	Revision int64    `json:"revision,omitempty"`
	Overlap  string   `json:"overlap,omitempty"`
	Revoked  []string `json:"revoked,omitempty"`
}

// document is the patch with the kind and name that kubectl patch does not need and people do.
type document struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   map[string]string `json:"metadata"`
	Spec       map[string]any    `json:"spec"`
}

func (c *change) run(cmd *cobra.Command, argument string,
	next func(*v1alpha1.PostbackEndpoint) (keyPatch, error)) error {
	if (c.yes || c.wait) && !c.write {
		return exit.WithUsage(errors.New("--yes and --wait are for --write"))
	}
	if err := c.reach.Check(); err != nil {
		return err
	}
	cluster, err := c.reach.Cluster()
	if err != nil {
		return err
	}
	name, err := c.reach.Name(argument)
	if err != nil {
		return err
	}
	endpoint, err := cluster.Endpoint(cmd.Context(), name)
	if err != nil {
		return err
	}
	key, err := next(endpoint)
	if err != nil {
		return err
	}
	patch := document{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindPostbackEndpoint,
		Metadata: map[string]string{"namespace": endpoint.Namespace, "name": endpoint.Name},
		Spec:     map[string]any{"key": key},
	}
	if !c.write {
		return output.Document(cmd.OutOrStdout(), output.YAML, patch)
	}
	if err := c.confirm(cmd, patch); err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"spec": patch.Spec})
	if err != nil {
		return err
	}
	changed, err := cluster.Patch(cmd.Context(), name, text)
	if err != nil {
		return err
	}
	if err := output.Write(cmd, name+" is changed\n"); err != nil || !c.wait {
		return err
	}
	return c.confirmed(cmd, cluster, name, changed.Generation)
}

// confirm shows the patch and asks before anything is written.
func (c *change) confirm(cmd *cobra.Command, patch document) error {
	if c.yes {
		return nil
	}
	if output.IsTerminal(cmd.InOrStdin()) {
		if err := output.Document(cmd.ErrOrStderr(), output.YAML, patch); err != nil {
			return err
		}
	}
	return output.Confirm(cmd, "Write it?")
}

// confirmed waits until the endpoint is ready for the generation, which it is only when every ready receiver said that
// it serves it, and prints its keys.
func (c *change) confirmed(cmd *cobra.Command, cluster *reach.Cluster, name string, generation int64) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), c.timeout)
	defer cancel()
	for {
		endpoint, err := cluster.Endpoint(ctx, name)
		switch {
		case err == nil && serves(endpoint, generation):
			return printKeys(cmd, endpoint)
		case err != nil && ctx.Err() == nil:
			return err
		}
		select {
		case <-ctx.Done():
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			return fmt.Errorf("not every receiver has confirmed it within %s: `kubectl postback status %s` says more; the "+
				"change stays", c.timeout, name)
		case <-time.After(lookEvery):
		}
	}
}

func serves(endpoint *v1alpha1.PostbackEndpoint, generation int64) bool {
	ready := meta.FindStatusCondition(endpoint.Status.Conditions, v1alpha1.ConditionReady)
	return endpoint.Status.ObservedGeneration >= generation && ready != nil && ready.Status == metav1.ConditionTrue &&
		ready.ObservedGeneration >= generation
}

func printKeys(cmd *cobra.Command, endpoint *v1alpha1.PostbackEndpoint) error {
	var rows [][]string
	for _, key := range endpoint.Status.Keys {
		until := "-"
		if key.RetireAt != nil {
			until = key.RetireAt.UTC().Format(time.RFC3339)
		}
		rows = append(rows, []string{key.ID, string(key.State), key.Since.UTC().Format(time.RFC3339), until})
	}
	text := "every ready receiver confirmed it\n" + output.Table([]string{"KEY", "STATE", "SINCE", "RETIRES"}, rows)
	return output.Write(cmd, text)
}
