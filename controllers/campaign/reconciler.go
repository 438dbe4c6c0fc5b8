// Package campaign reconciles Campaigns: it resolves and changes their tokens, writes their Secrets, and reports what
// the fleet of their endpoint says of them. What receivers serve is package fleet's.
//
// A reconcile observes (reads), decides (pure), writes through package apply and reports.
package campaign

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/random"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/served"
	"github.com/postback-dev/postback-operator/controllers/snippets"
)

// Reconciler reconciles campaigns.
type Reconciler struct {
	served.Tools
	failures served.Failures
}

// +kubebuilder:rbac:groups=postback.dev,resources=campaigns,verbs=list;watch
// +kubebuilder:rbac:groups=postback.dev,resources=campaigns/status,verbs=patch

// Reconcile brings one campaign to what it declares, as far as it isn't the fleet's to do.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	return served.Reconcile(ctx, &r.Tools, &r.failures, request.NamespacedName, &v1alpha1.Campaign{}, r.reconcile,
		r.say, func(campaign *v1alpha1.Campaign) int64 { return campaign.Status.ObservedGeneration })
}

func (r *Reconciler) reconcile(ctx context.Context, campaign *v1alpha1.Campaign) (ctrl.Result, error) {
	now := r.Now()
	s, d, err := served.Decide(&r.Tools, func(own client.Reader) (*scope, error) {
		return r.observe(ctx, own, campaign)
	}, func(s *scope) *credential.Decision {
		return credential.Campaign(campaign, &s.credentials, now, random.Source())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	o := outcome{now: now, keyring: d.Keyring, resolved: served.Resolved(d.Says)}
	if err := r.write(ctx, s, d, &o); err != nil {
		return ctrl.Result{}, err
	}
	o.verdict = r.Verdict(s.fleetName, campaign, o.keyring)
	wait, err := r.report(ctx, s, o)
	return served.Again(wait, d.Next, now), err
}

// write makes the campaign's Secrets. A Secret of somebody else that is in the way goes into the outcome.
func (r *Reconciler) write(ctx context.Context, s *scope, d *credential.Decision, o *outcome) error {
	campaign := s.campaign
	var generated *corev1ac.SecretApplyConfiguration
	if d.Generated != nil {
		generated = resources.TokenSecret(campaign, d.Generated)
	}
	taken, err := r.Record(ctx, campaign, d, "spec.token.secretRef", generated,
		func(ring []byte) *corev1ac.SecretApplyConfiguration {
			return resources.CampaignKeyringSecret(campaign, ring)
		})
	if err != nil {
		return err
	}
	if taken != nil {
		o.keyring, o.resolved = s.credentials.Keyring, *taken
		return nil
	}
	if s.fleet == nil {
		return nil
	}
	texts := snippets.Campaign(snippets.CampaignInput{
		Base:        resources.BaseURL(s.fleet),
		Alias:       campaign.LinkAlias(),
		Token:       d.Key,
		PostbackURL: string(s.urls[snippets.PostbackURLField]),
		ClientURL:   string(s.urls[snippets.ClientURLField]),
	})
	return r.Writer.Secret(ctx, campaign, resources.CampaignSnippetsSecret(campaign, texts))
}

// report writes the status, and tells of transitions in events. A status that is to stay as it is for now is looked at
// again after the returned time; 0 means that something will happen first.
func (r *Reconciler) report(ctx context.Context, s *scope, o outcome) (time.Duration, error) {
	next, wait, ok := report(s, o)
	if !ok {
		return wait, nil
	}
	return wait, r.Writer.CampaignStatus(ctx, s.campaign, next)
}

// say writes why nothing else can be said.
func (r *Reconciler) say(ctx context.Context, campaign *v1alpha1.Campaign,
	conditions func([]metav1.Condition) []metav1.Condition) error {
	next := campaign.Status
	next.ObservedGeneration = campaign.Generation
	next.Conditions = conditions(next.Conditions)
	return r.Writer.CampaignStatus(ctx, campaign, next)
}
