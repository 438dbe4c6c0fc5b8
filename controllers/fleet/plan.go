package fleet

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/claims"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// plan is the configuration of a fleet and what there is to say about it.
type plan struct {
	// documents of the contract; nil when problem kept them from being made.
	documents config.Documents
	// revision of the whole, settings that of the fleet's own part.
	revision, settings string
	// contents are the own revisions of the endpoints in the documents.
	contents propagation.Contents
	// verdicts lack what only receivers can tell: Available and Confirmed.
	verdicts map[types.NamespacedName]propagation.Verdict
	// campaigns are the verdicts on the endpoints' campaigns.
	campaigns map[types.NamespacedName]propagation.Verdict
	// ring of the rate providers, and its encoding; nil while there is none.
	ring     rotation.Ring
	ringData []byte
	// problem is the user's to repair and keeps the configuration as it was.
	problem error
}

// decide is pure but for newID.
func decide(s *scope, now time.Time, newID func() string) *plan {
	p := &plan{
		contents: propagation.Contents{},
		verdicts: map[types.NamespacedName]propagation.Verdict{}, campaigns: map[types.NamespacedName]propagation.Verdict{},
	}
	observed := map[rotation.Purpose][]string{}
	for provider, key := range s.providerKeys {
		observed[rotation.Provider(provider)] = []string{key}
	}
	p.ring = rotation.Advance(s.ring, rotation.Input{Now: now, Observed: observed, NewID: newID})
	if len(p.ring) > 0 || s.ringData != nil {
		p.ringData = p.ring.Encode()
	}
	endpoints := p.join(s)
	settings, err := render.Fleet(s.usable(), p.ring, s.providerKeys)
	if err == nil {
		p.settings = settings.Revision()
		p.documents, err = config.Seal(settings, endpoints)
	}
	if err != nil {
		p.problem = err
		return p
	}
	p.revision, err = revisionOf(p.documents)
	p.problem = err
	return p
}

// usable is the fleet without the providers whose key is missing, and without what it may not have: the rest goes on.
func (s *scope) usable() *v1alpha1.ReceiverFleet {
	usable := s.fleet.DeepCopy()
	if s.egress != nil {
		usable.Spec.Egress.AllowPrivate = false
	}
	usable.Spec.Rates.Providers = slices.DeleteFunc(usable.Spec.Rates.Providers, func(p v1alpha1.RateProvider) bool {
		_, found := s.providerKeys[p.Name]
		return p.KeySecretRef != nil && !found
	})
	return usable
}

// join renders the endpoints and settles who owns which key. Who can't be served as declared is served as before, where
// that harms nobody.
func (p *plan) join(s *scope) []config.Endpoint {
	candidates := map[types.NamespacedName]config.Endpoint{}
	for i := range s.joiners {
		j := &s.joiners[i]
		name := j.name()
		verdict := propagation.Verdict{Input: propagation.Input(j.endpoint.Generation, j.ringData), Accepted: true}
		endpoint, found := j.render(s, &verdict)
		if found {
			candidates[name] = endpoint
		}
		p.verdicts[name] = verdict
	}
	// Each time somebody loses he gives up keys, or his former self takes his place, or nobody: so it ends.
	for p.settle(s, candidates) {
	}
	links := p.links(s, candidates)
	var endpoints []config.Endpoint
	for i := range s.joiners {
		name := s.joiners[i].name()
		endpoint, found := candidates[name]
		if !found {
			continue
		}
		endpoint, _ = render.Detach(endpoint)
		verdict := p.verdicts[name]
		verdict.Revision = endpoint.Revision() // without its campaigns, which have revisions of their own
		p.verdicts[name], p.contents[name] = verdict, verdict.Revision
		endpoints = append(endpoints, render.Attach(endpoint, links[name]...))
	}
	return endpoints
}

// settle takes away the candidates that have a key of an older one, and reports whether there were any. If they can, they
// give up the key; else, the first time, their former selves take their place.
func (p *plan) settle(s *scope, candidates map[types.NamespacedName]config.Endpoint) bool {
	var all []claims.Claim
	byName := map[string]*joiner{}
	for i := range s.joiners {
		j := &s.joiners[i]
		if endpoint, found := candidates[j.name()]; found {
			byName[j.name().String()] = j
			all = append(all, claims.Claim{
				Endpoint: j.name().String(), Created: j.endpoint.CreationTimestamp.Time, Digests: claims.Digests(endpoint),
			})
		}
	}
	losers := claims.Losers(all)
	for loser, owner := range losers {
		j := byName[loser]
		name := j.name()
		if released, ok := claims.ReleaseRetiring(candidates[name], candidates[byName[owner].name()]); ok {
			candidates[name] = released
			continue
		}
		delete(candidates, name)
		verdict := p.verdicts[name]
		again := verdict.Reason == v1alpha1.ReasonKeyTaken
		verdict.Accepted, verdict.Former = false, false
		verdict.Reason, verdict.Message = v1alpha1.ReasonKeyTaken, takenMessage(name, byName[owner].name())
		if former, found := j.former(s); found && !again {
			candidates[name], verdict.Former = former, true
		}
		p.verdicts[name] = verdict
	}
	return len(losers) > 0
}

// takenMessage names the owner only to those who can see it.
func takenMessage(loser, owner types.NamespacedName) string {
	who := "an older PostbackEndpoint of another namespace"
	if owner.Namespace == loser.Namespace {
		who = "the older PostbackEndpoint " + owner.Name
	}
	return "Its key, client key or click token is that of " + who + ": give it one of its own."
}

// render returns the endpoint as it is to be served.
func (j *joiner) render(s *scope, verdict *propagation.Verdict) (config.Endpoint, bool) {
	spec := &j.endpoint.Spec
	before := func() (config.Endpoint, bool) {
		former, found := j.former(s)
		verdict.Former = found
		return former, found
	}
	switch {
	case !j.permitted:
		verdict.Accepted, verdict.Reason = false, v1alpha1.ReasonFleetNotPermitted
		verdict.Message = "spec.fleetRef: the fleet's allowedEndpoints don't permit this namespace."
		return config.Endpoint{}, false
	case spec.Suspend:
		// What was programmed and got lost is better rendered anew than not served.
		if former, found := before(); found || j.endpoint.Status.Revision == "" {
			return former, found
		}
	case len(j.ring[rotation.Postback]) == 0:
		// Without looking for what a new endpoint can't have: that takes decoding all the others.
		if j.endpoint.Status.Revision == "" {
			return config.Endpoint{}, false
		}
		return before()
	case spec.Signer() != nil && !j.signed():
		return before()
	case !render.HeadersReady(j.endpoint.ForwardSecrets(), j.headers, j.ring):
		return before()
	}
	rendered, err := render.Endpoint(j.endpoint, j.ring, j.signing, j.headers)
	if err == nil {
		err = render.Check(j.endpoint, render.FixedRates(s.fleet))
	}
	if err != nil {
		verdict.Accepted, verdict.Reason, verdict.Message = false, v1alpha1.ReasonInvalid, err.Error()
		return before()
	}
	return rendered, true
}

// signed reports whether the secrets that sign are there and in the keyring.
func (j *joiner) signed() bool {
	return len(j.signing) > 0 && len(j.ring.Secrets(rotation.Signing, j.signing)) == len(j.signing)
}

// former returns the endpoint as it is served now, but without keys that are revoked by now.
func (j *joiner) former(s *scope) (config.Endpoint, bool) {
	former, found := s.former(j.name())
	return render.WithoutRevoked(former, j.endpoint.Spec.Key.Revoked), found
}

func (j *joiner) name() types.NamespacedName {
	return types.NamespacedName{Namespace: j.endpoint.Namespace, Name: j.endpoint.Name}
}

func revisionOf(documents config.Documents) (string, error) {
	var manifest config.Manifest
	if err := json.Unmarshal(documents[config.ManifestFile], &manifest); err != nil {
		return "", fmt.Errorf("reading what was sealed: %w", err)
	}
	return manifest.Revision, nil
}
