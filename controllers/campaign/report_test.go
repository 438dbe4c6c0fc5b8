package campaign

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/status"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newScope() *scope {
	campaign := &v1alpha1.Campaign{}
	campaign.Namespace, campaign.Name, campaign.Generation = "ads", "summer", 3
	campaign.Spec.EndpointRef.Name, campaign.Spec.OfferURL = "shop", "https://offer.example/?s={subid}"
	return &scope{campaign: campaign, own: true}
}

func TestWhatACampaignSays(t *testing.T) {
	there := status.True(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonResolved, "there")
	missing := status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretNotFound, "missing")
	served := propagation.Verdict{Accepted: true, Revision: "r", Available: true, Confirmed: true}
	with := func(edit func(*propagation.Verdict)) *propagation.Verdict {
		v := served
		edit(&v)
		return &v
	}
	for name, c := range map[string]struct {
		outcome outcome
		edit    func(*scope)
		want    [4]string // Accepted, KeyResolved, Programmed, Ready
		state   kstatuscheck.State
	}{
		"served by every receiver": {outcome{resolved: there, verdict: &served}, nil,
			[4]string{"True Accepted", "True Resolved", "True Programmed", "True Ready"}, kstatuscheck.Current},
		"its offer gets no subid": {outcome{resolved: there, verdict: &served},
			func(s *scope) { s.campaign.Spec.OfferURL = "https://offer.example/" },
			[4]string{"True OfferWithoutSubid", "True Resolved", "True Programmed", "True Ready"}, kstatuscheck.Current},
		"not looked at by the fleet": {outcome{resolved: there}, nil,
			[4]string{"Unknown Progressing", "True Resolved", "False Progressing", "False Progressing"},
			kstatuscheck.InProgress},
		"its endpoint is missing": {outcome{resolved: there}, func(s *scope) { s.endpoint, s.fleet = nil, nil },
			[4]string{"False EndpointNotFound", "True Resolved", "False EndpointNotFound", "False EndpointNotFound"},
			kstatuscheck.InProgress},
		"its endpoint's fleet is missing": {outcome{resolved: there}, func(s *scope) { s.fleet, s.own = nil, false },
			[4]string{"False FleetNotFound", "True Resolved", "False FleetNotFound", "False FleetNotFound"},
			kstatuscheck.InProgress},
		"its alias is another's": {outcome{resolved: there,
			verdict: &propagation.Verdict{Reason: v1alpha1.ReasonAliasTaken, Message: "taken"}}, nil,
			[4]string{"False AliasTaken", "True Resolved", "False AliasTaken", "False AliasTaken"}, kstatuscheck.Failed},
		"its endpoint is not accepted, and it is served as it was": {outcome{resolved: there,
			verdict: with(func(v *propagation.Verdict) {
				v.Accepted, v.Reason, v.Message, v.Former = false, v1alpha1.ReasonEndpointNotAccepted, "look", true
			})}, nil,
			[4]string{"False EndpointNotAccepted", "True Resolved", "False EndpointNotAccepted", "False EndpointNotAccepted"},
			kstatuscheck.Failed},
		"not confirmed": {outcome{resolved: there, verdict: with(func(v *propagation.Verdict) { v.Confirmed = false })}, nil,
			[4]string{"True Accepted", "True Resolved", "True Programmed", "False Propagating"}, kstatuscheck.InProgress},
		"without a ready receiver": {outcome{resolved: there,
			verdict: with(func(v *propagation.Verdict) { v.Available, v.Confirmed = false, false })}, nil,
			[4]string{"True Accepted", "True Resolved", "True Programmed", "False Unavailable"}, kstatuscheck.InProgress},
		"its token's Secret is missing, the link works": {outcome{resolved: missing, verdict: &served}, nil,
			[4]string{"True Accepted", "False SecretNotFound", "True Programmed", "False SecretNotFound"},
			kstatuscheck.InProgress},
		"its endpoint is suspended": {outcome{resolved: there,
			verdict: with(func(v *propagation.Verdict) { v.Former = true })}, func(s *scope) { s.endpoint.Spec.Suspend = true },
			[4]string{"True Accepted", "True Resolved", "True Suspended", "True Ready"}, kstatuscheck.Current},
		"its endpoint was suspended before": {outcome{resolved: there,
			verdict: with(func(v *propagation.Verdict) { v.Revision = "" })}, func(s *scope) { s.endpoint.Spec.Suspend = true },
			[4]string{"True Accepted", "True Resolved", "False Suspended", "False Suspended"}, kstatuscheck.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScope()
			s.endpoint, s.fleet = &v1alpha1.PostbackEndpoint{}, &v1alpha1.ReceiverFleet{}
			if c.edit != nil {
				c.edit(s)
			}
			c.outcome.now = start
			next, _, ok := report(s, c.outcome)
			if !ok {
				t.Fatal("it says nothing")
			}
			var got [4]string
			for i, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionKeyResolved,
				v1alpha1.ConditionProgrammed, v1alpha1.ConditionReady} {
				condition := meta.FindStatusCondition(next.Conditions, kind)
				got[i] = string(condition.Status) + " " + condition.Reason
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			object := kstatuscheck.Object{Generation: 3, ObservedGeneration: next.ObservedGeneration,
				Conditions: next.Conditions}
			if err := kstatuscheck.Check(object); err != nil {
				t.Error(err)
			}
			if state := kstatuscheck.Read(object); state != c.state {
				t.Errorf("it is %s", state)
			}
		})
	}
}

func TestACampaignWaitsAMomentForReceiversBeforeItSaysThatTheyLag(t *testing.T) {
	s := newScope()
	s.endpoint, s.fleet = &v1alpha1.PostbackEndpoint{}, &v1alpha1.ReceiverFleet{}
	s.campaign.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
	verdict := &propagation.Verdict{Accepted: true, Revision: "r", Available: true, Since: start}
	o := outcome{now: start.Add(time.Second), verdict: verdict,
		resolved: status.True(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonResolved, "there")}
	if _, wait, ok := report(s, o); ok || wait != propagation.Patience-time.Second {
		t.Errorf("it waits %v, speaks: %t", wait, ok)
	}
	o.now = start.Add(propagation.Patience)
	if next, _, ok := report(s, o); !ok || next.Link == "" {
		t.Errorf("it says %+v, speaks: %t", next, ok)
	}
	o.verdict = nil
	if _, _, ok := report(s, o); ok {
		t.Error("it speaks before the fleet has")
	}
}
