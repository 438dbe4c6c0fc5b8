// Package campaign reconciles Campaigns: it resolves and changes their tokens, writes their Secrets, and reports what the
// fleet of their endpoint says of them. What receivers serve is package fleet's.
//
// A reconcile observes (reads), decides (pure), writes through package apply and reports.
package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/apply"
	"github.com/postback-dev/postback-operator/controllers/credentials"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/snippets"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// Reconciler reconciles campaigns.
type Reconciler struct {
	Writer *apply.Writer
	// Cache holds declarations and what the operator made; Live asks the API server.
	Cache, Live client.Reader
	// Secrets are those of users.
	Secrets *lookup.Secrets
	Board   *propagation.Board
	Events  events.EventRecorder
	Now     func() time.Time
}

// +kubebuilder:rbac:groups=postback.dev,resources=campaigns,verbs=list;watch
// +kubebuilder:rbac:groups=postback.dev,resources=campaigns/status,verbs=patch

// Reconcile brings one campaign to what it declares, as far as it isn't the fleet's to do.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var campaign v1alpha1.Campaign
	if err := r.Cache.Get(ctx, request.NamespacedName, &campaign); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if campaign.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	result, err := r.reconcile(ctx, &campaign)
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return ctrl.Result{}, nil
	}
	return result, err
}

func (r *Reconciler) reconcile(ctx context.Context, campaign *v1alpha1.Campaign) (ctrl.Result, error) {
	observe := observer{cache: r.Cache, own: r.Cache, secrets: r.Secrets}
	s, err := observe.observe(ctx, campaign)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := r.Now()
	from := given{now: now, newToken: credentials.NewKey, newID: credentials.NewID}
	p := decide(s, from)
	if p.changes(s) {
		// The cache may lag behind the operator's own last write, and a token must not be made twice.
		observe.own = r.Live
		if s, err = observe.observe(ctx, campaign); err != nil {
			return ctrl.Result{}, err
		}
		p = decide(s, from)
	}
	o := outcome{now: now, ring: p.ring, resolved: p.resolved}
	if err := r.write(ctx, s, p, &o); err != nil {
		return ctrl.Result{}, err
	}
	if verdict, found := r.Board.Verdict(s.fleetName, client.ObjectKeyFromObject(campaign)); found && verdict.Input == propagation.Input(campaign.Generation, p.ringData) {
		o.verdict = &verdict
	}
	wait, err := r.report(ctx, s, o)
	if err != nil {
		return ctrl.Result{}, err
	}
	if boundary := max(p.next.Sub(now), time.Second); !p.next.IsZero() && (wait == 0 || boundary < wait) {
		wait = boundary
	}
	return ctrl.Result{RequeueAfter: wait}, nil
}

// write makes the campaign's Secrets, in an order in which a token is on record before anything speaks of it. A Secret of
// somebody else that stands in the way goes into the outcome.
func (r *Reconciler) write(ctx context.Context, s *scope, p *plan, o *outcome) error {
	if g := p.generated; g != nil {
		if g.fresh {
			logf.FromContext(ctx).Info("Writing a generated token", "revision", g.revision)
		}
		err := r.Writer.Secret(ctx, s.campaign, resources.TokenSecret(s.campaign, g.revision, g.token))
		if taken := new(apply.TakenError); errors.As(err, &taken) {
			o.ring = s.ring
			p.ringData = s.ringData
			o.resolved = status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid,
				fmt.Sprintf("Secret %s exists and is not the operator's: name it in spec.token.secretRef, or delete it.", taken.Name))
			return nil
		}
		if err != nil {
			return err
		}
	}
	if p.ringData != nil {
		if err := r.Writer.Secret(ctx, s.campaign, resources.CampaignKeyringSecret(s.campaign, p.ringData)); err != nil {
			return err
		}
	}
	if s.fleet == nil {
		return nil
	}
	texts := snippets.Campaign(snippets.CampaignInput{
		Base: resources.BaseURL(s.fleet), Alias: s.campaign.LinkAlias(), Token: p.token,
		PostbackURL: string(s.urls[snippets.PostbackURLField]), ClientURL: string(s.urls[snippets.ClientURLField]),
	})
	return r.Writer.Secret(ctx, s.campaign, resources.CampaignSnippetsSecret(s.campaign, texts))
}

// report writes the status, and tells of transitions in events. A status that is to stay as it is for now is looked at again
// after the returned time; 0 means that something will happen first.
func (r *Reconciler) report(ctx context.Context, s *scope, o outcome) (time.Duration, error) {
	next, wait, ok := report(s, o)
	if !ok {
		return wait, nil
	}
	before := s.campaign.Status.Conditions
	written, err := r.Writer.CampaignStatus(ctx, s.campaign, next)
	if err != nil || !written {
		return 0, client.IgnoreNotFound(err)
	}
	status.Announce(r.Events, s.campaign, before, next.Conditions)
	return 0, nil
}
