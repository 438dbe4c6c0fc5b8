// Package check has the command `check`: whether a cluster can run the product, whether it does, and what to do where
// it does not.
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// minMinor is the oldest minor version of Kubernetes 1 that the kinds' validation rules work on.
const minMinor = 29

// finding is a line of the answer.
type finding struct {
	Check string `json:"check"`
	// State is ok, warning or failed.
	State  string `json:"state"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"`
}

// checker gathers findings.
type checker struct {
	cluster   *reach.Cluster
	namespace string
	findings  []finding
}

func (c *checker) add(name, state, found, advice string) {
	c.findings = append(c.findings, finding{name, state, found, advice})
}

// New returns the command.
func New(flags *reach.Flags) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a cluster, an installation and what you may do, and say what to do about each fault",
		Long: "Check a cluster, an installation and what you may do in the namespace, and say what to do about each " +
			"fault.\n" +
			"It only reads. Exit code 1 means that something has failed; warnings are no failure.",
		Example: "  kubectl postback check\n  kubectl postback check -n shop -o json",
		Args:    exit.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.Check(); err != nil {
				return err
			}
			cluster, err := flags.Cluster()
			if err != nil {
				return err
			}
			c := &checker{cluster: cluster}
			if c.namespace, err = flags.Namespace(); err != nil {
				return err
			}
			c.run(cmd.Context())
			return c.print(cmd, format)
		},
	}
	output.Flag(cmd, &format, output.JSON, output.YAML)
	return cmd
}

func (c *checker) run(ctx context.Context) {
	if !c.version() {
		return // nothing else can be asked
	}
	if !c.kinds(ctx) {
		return
	}
	c.operator(ctx)
	c.permissions(ctx)
	c.fleets(ctx)
	c.endpoints(ctx)
}

// version looks at the API server.
func (c *checker) version() bool {
	version, err := c.cluster.Core.Discovery().ServerVersion()
	if err != nil {
		c.add("cluster", "failed", fmt.Sprintf("context %q does not answer", c.cluster.Context),
			"choose another --context, or look at the kubeconfig")
		return false
	}
	minor := 0
	_, _ = fmt.Sscanf(version.Minor, "%d", &minor) // "29+" at some providers
	if version.Major == "1" && minor < minMinor {
		c.add("cluster", "failed", "Kubernetes "+version.GitVersion, fmt.Sprintf("upgrade it to 1.%d at least", minMinor))
		return true
	}
	c.add("cluster", "ok", fmt.Sprintf("Kubernetes %s, context %q", version.GitVersion, c.cluster.Context), "")
	return true
}

// kinds looks whether the cluster knows the kinds.
func (c *checker) kinds(context.Context) bool {
	known, err := c.cluster.Core.Discovery().ServerResourcesForGroupVersion(v1alpha1.GroupVersion.String())
	if apierrors.IsNotFound(err) {
		c.add("kinds", "failed", "the cluster knows none of postback.dev", "install the operator: docs/install.md")
		return false
	}
	if err != nil {
		c.add("kinds", "failed", "cannot be asked: "+oneLine(err), "ask again, or log in again")
		return false
	}
	missing := map[string]bool{
		v1alpha1.KindPostbackEndpoint: true, v1alpha1.KindReceiverFleet: true, v1alpha1.KindCampaign: true,
	}
	for _, r := range known.APIResources {
		delete(missing, r.Kind)
	}
	if len(missing) > 0 {
		c.add("kinds", "failed", fmt.Sprintf("%d of the three kinds are missing", len(missing)),
			"apply the CRDs of the version that you run: docs/upgrade.md")
		return false
	}
	c.add("kinds", "ok", "PostbackEndpoint, ReceiverFleet and Campaign", "")
	return true
}

// operator looks for the operator's Deployments, as far as the user may see them.
func (c *checker) operator(ctx context.Context) {
	list, err := c.cluster.Core.AppsV1().Deployments("").List(ctx, metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/name=postback-operator",
	})
	switch {
	case apierrors.IsForbidden(err):
		c.add("operator", "warning", "you may not see Deployments of every namespace", "ask who installed it")
	case err != nil:
		c.add("operator", "warning", "cannot be asked: "+oneLine(err), "ask again")
	case len(list.Items) == 0:
		c.add("operator", "failed", "no Deployment with the label app.kubernetes.io/name=postback-operator",
			"install the operator: docs/install.md")
	default:
		for _, d := range list.Items {
			name := d.Namespace + "/" + d.Name
			if d.Status.AvailableReplicas == 0 {
				c.add("operator", "failed", name+" is not available",
					"kubectl describe deployment -n "+d.Namespace+" "+d.Name)
				continue
			}
			image := ""
			if len(d.Spec.Template.Spec.Containers) > 0 {
				image = d.Spec.Template.Spec.Containers[0].Image
			}
			c.add("operator", "ok", fmt.Sprintf("%s is available, image %s", name, image), "")
		}
	}
}

// permissions asks what the user may do in the namespace.
func (c *checker) permissions(ctx context.Context) {
	for _, need := range []struct{ group, resource, sub, verb, role, command string }{
		{"postback.dev", "postbackendpoints", "", "get", "view", "status"},
		{"", "pods", "", "list", "view", "log"},
		{"", "pods", "portforward", "create", "postback-operator-reader", "log"},
		{"", "secrets", "", "get", "postback-operator-corrector", "url and test"},
		{"postback.dev", "postbackendpoints", "", "patch", "postback-operator-owner", "rotate --write"},
	} {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: c.namespace, Group: need.group, Resource: need.resource, Subresource: need.sub, Verb: need.verb,
			},
		}}
		what := need.verb + " " + strings.TrimSuffix(need.resource+"/"+need.sub, "/")
		answer, err := c.cluster.Core.AuthorizationV1().SelfSubjectAccessReviews().
			Create(ctx, review, metav1.CreateOptions{})
		switch {
		case err != nil:
			c.add("you may", "warning", what+": cannot be asked", "ask again")
		case answer.Status.Allowed:
			c.add("you may", "ok", what+" in "+c.namespace, "")
		default:
			c.add("you may", "warning", "not "+what+" in "+c.namespace+", which "+need.command+" needs",
				"ask for the role "+need.role)
		}
	}
}

// fleets looks at the fleets of the namespace and their pods.
func (c *checker) fleets(ctx context.Context) {
	list, err := c.cluster.Fleets(ctx, c.namespace)
	if err != nil {
		c.add("fleet", "warning", oneLine(err), "kubectl auth can-i list receiverfleets")
		return
	}
	for i := range list {
		fleet := &list[i]
		state, found, advice := condition(fleet.Status.Conditions, "rfl", fleet.Namespace, fleet.Name)
		if state == "ok" {
			found = fmt.Sprintf("ready, %d of %d receivers confirmed the configuration", fleet.Status.ConfirmedReplicas,
				fleet.Status.Replicas)
		}
		c.add("fleet", state, fleet.Namespace+"/"+fleet.Name+": "+found, advice)
		if fleet.Spec.Host == "" {
			c.add("fleet", "warning", fleet.Namespace+"/"+fleet.Name+" has no host: networks cannot reach "+
				resources.BaseURL(fleet), "declare spec.host, and an ingress or a gateway: docs/endpoint.md")
		}
	}
}

// endpoints looks at the endpoints of the namespace.
func (c *checker) endpoints(ctx context.Context) {
	list, err := c.cluster.Endpoints(ctx, c.namespace)
	if err != nil {
		c.add("endpoint", "warning", oneLine(err), "kubectl auth can-i list postbackendpoints")
		return
	}
	if len(list) == 0 {
		c.add("endpoint", "warning", "there is none in "+c.namespace, "kubectl apply -f config/samples/shop.yaml")
	}
	for i := range list {
		endpoint := &list[i]
		state, found, advice := condition(endpoint.Status.Conditions, "pbe", endpoint.Namespace, endpoint.Name)
		c.add("endpoint", state, endpoint.Namespace+"/"+endpoint.Name+": "+found, advice)
	}
}

// condition says whether an object is ready, and what to do when it is not.
func condition(conditions []metav1.Condition, kind, namespace, name string) (state, found, advice string) {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	describe := fmt.Sprintf("kubectl describe %s -n %s %s", kind, namespace, name)
	switch {
	case ready == nil:
		return "failed", "has no status: the operator does not see it", "look at the operator's log and --watch-namespaces"
	case ready.Status == metav1.ConditionTrue:
		return "ok", "ready", ""
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling):
		return "warning", cmp.Or(ready.Reason, "not ready yet") + ": " + ready.Message, "wait, or " + describe
	}
	return "failed", ready.Reason + ": " + ready.Message, describe + "; docs/conditions.md"
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func (c *checker) print(cmd *cobra.Command, format output.Format) error {
	failed := 0
	style := output.StyleOf(cmd, time.Time{})
	var b strings.Builder
	for _, f := range c.findings {
		mark := map[string]output.Mark{"ok": output.Good, "warning": output.Warning, "failed": output.Bad}[f.State]
		if f.State == "failed" {
			failed++
		}
		line := fmt.Sprintf("%-10s %s", f.Check, f.Found)
		if f.Advice != "" {
			line += "; " + f.Advice
		}
		b.WriteString(style.Mark(mark) + " " + output.Printable(line) + "\n")
	}
	var err error
	if format == output.Text {
		err = output.Write(cmd, b.String())
	} else {
		err = output.Document(cmd.OutOrStdout(), format, map[string]any{"items": c.findings})
	}
	if err == nil && failed > 0 {
		err = errors.New("something has failed: see above")
	}
	return err
}
