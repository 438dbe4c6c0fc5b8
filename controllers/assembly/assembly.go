// Package assembly puts the endpoints and campaigns of a fleet together: it decides of each whether the fleet takes it,
// whether it is served as declared or as before, and who has a key, alias or token that several claim. The fleet's
// reconciler and the offline renderer call it with what they have found, so that both make the same documents.
//
// It is pure and imports no client. How one declaration becomes a part of the contract is package render's.
package assembly

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// Input is what a fleet's endpoints are assembled from.
type Input struct {
	// Fleet and Rates, its fixed ones.
	Fleet types.NamespacedName
	Rates []config.FixedRate
	// Endpoints that want to be served, in any order.
	Endpoints []Endpoint
	// Served returns an endpoint as it is in the configuration now, with its campaigns; found is false if it isn't.
	Served func(name types.NamespacedName) (endpoint config.Endpoint, found bool)
	// NameAll: messages name what is in other namespaces, too.
	NameAll bool
}

// Endpoint is one endpoint that wants to be served.
type Endpoint struct {
	Name    types.NamespacedName
	Created time.Time
	// Declared is nil where the declaration can't be read: it is served as before.
	Declared *v1alpha1.PostbackEndpoint
	// Refused says why it can't be served as declared, where that was found before; it is served as before.
	Refused error
	// Permitted: it may join the fleet. Otherwise it is not served.
	Permitted bool
	// Suspended endpoints are served as before. Programmed: it was served once, so that it pays to look for it.
	Suspended, Programmed bool
	Keyring               credential.Keyring
	// Signing are the secrets that sign, Headers the values of the forwards' secret headers, as far as they can be
	// read.
	Signing []string
	Headers credential.HeaderValues
	// Campaigns of the endpoint, in any order.
	Campaigns []Campaign
}

// Campaign is one campaign of an endpoint that wants to be served.
type Campaign struct {
	Name    types.NamespacedName
	Created time.Time
	// Declared is nil where the declaration can't be read: it is served as before.
	Declared *v1alpha1.Campaign
	// Refused says why it can't be served as declared, where that was found before; it is served as before.
	Refused error
	Keyring credential.Keyring
	// Headers are the values of the forwards' secret headers, as far as they can be read.
	Headers credential.HeaderValues
}

// Verdict is what becomes of an endpoint or a campaign.
type Verdict struct {
	// Accepted: it may be served as declared. If not, Reason and Message of the condition Accepted say why.
	Accepted        bool
	Reason, Message string
	// Revision of its content in the configuration; empty when it isn't in there. An endpoint's is without its
	// campaigns, which have revisions of their own.
	Revision string
	// Previous: it is served as it was before.
	Previous bool
}

func (v *Verdict) refuse(reason, message string) {
	v.Accepted, v.Reason, v.Message = false, reason, message
}

// Result is what was decided.
type Result struct {
	// Endpoints to serve, with their campaigns, in the order of the input.
	Endpoints []config.Endpoint
	// Verdicts on the endpoints, Campaigns those on the campaigns.
	Verdicts, Campaigns map[types.NamespacedName]Verdict
}

// assembler is an assembly under way.
type assembler struct {
	Input
	Result
	// served are the endpoints to serve by name, without campaigns; links are the campaigns to serve.
	served map[types.NamespacedName]config.Endpoint
	links  map[types.NamespacedName]render.Link
}

// Assemble decides.
func Assemble(in Input) Result {
	a := assembler{
		Input:  in,
		Result: Result{Verdicts: map[types.NamespacedName]Verdict{}, Campaigns: map[types.NamespacedName]Verdict{}},
		served: map[types.NamespacedName]config.Endpoint{},
		links:  map[types.NamespacedName]render.Link{},
	}
	for i := range in.Endpoints {
		a.renderEndpoint(&in.Endpoints[i])
	}
	a.settleEndpoints()
	for i := range in.Endpoints {
		a.renderCampaigns(&in.Endpoints[i])
	}
	a.settleCampaigns()
	for i := range in.Endpoints {
		a.attach(&in.Endpoints[i])
	}
	return a.Result
}

// renderEndpoint renders an endpoint as it is to be served.
func (a *assembler) renderEndpoint(e *Endpoint) {
	verdict := Verdict{Accepted: true}
	if rendered, found := a.endpoint(e, &verdict); found {
		a.served[e.Name] = rendered
	}
	a.Verdicts[e.Name] = verdict
}

func (a *assembler) endpoint(e *Endpoint, verdict *Verdict) (config.Endpoint, bool) {
	before := func() (config.Endpoint, bool) {
		previous, found := a.previous(e)
		verdict.Previous = found
		return previous, found
	}
	switch {
	case !e.Permitted:
		verdict.refuse(v1alpha1.ReasonFleetNotPermitted, "spec.fleetRef: the allowedEndpoints of ReceiverFleet "+
			a.Fleet.Name+" don't permit the namespace.")
		return config.Endpoint{}, false
	case e.Refused != nil:
		verdict.refuse(v1alpha1.ReasonInvalid, e.Refused.Error())
		return before()
	case e.Declared == nil:
		return before()
	case e.Suspended:
		// What was programmed and got lost is better rendered again than not served.
		if previous, found := before(); found || !e.Programmed {
			return previous, found
		}
	case len(e.Keyring.Ring[rotation.Postback]) == 0:
		// Without looking for what a new endpoint can't have: that takes decoding all the others.
		if !e.Programmed {
			return config.Endpoint{}, false
		}
		return before()
	case !e.signed() || !credential.HeadersReady(e.Declared.ForwardSecrets(), e.Headers, e.Keyring.Ring):
		return before()
	}
	rendered, err := render.Endpoint(e.Declared, e.Keyring.Ring, e.Signing, e.Headers)
	if err == nil {
		err = render.Check(e.Declared, a.Rates)
	}
	if err != nil {
		verdict.refuse(v1alpha1.ReasonInvalid, err.Error())
		return before()
	}
	return rendered, true
}

// signed reports whether the secrets that sign, if there are to be any, are there and in the keyring.
func (e *Endpoint) signed() bool {
	if e.Declared.Spec.Signer() == nil {
		return true
	}
	return len(e.Signing) > 0 && len(e.Keyring.Ring.Secrets(rotation.Signing, e.Signing)) == len(e.Signing)
}

// previous returns the endpoint as it is served now, without campaigns and keys that are revoked by now.
func (a *assembler) previous(e *Endpoint) (config.Endpoint, bool) {
	previous, found := a.Served(e.Name)
	previous, _ = render.Detach(previous)
	if e.Declared != nil {
		previous = credential.FilterEndpoint(previous, credential.Revoked(e.Declared.Spec.Key.Revoked))
	}
	return previous, found
}

// settleEndpoints leaves a key to the oldest endpoint that has it.
func (a *assembler) settleEndpoints() {
	var claims []credential.Claim
	for i := range a.Input.Endpoints {
		e := &a.Input.Endpoints[i]
		if rendered, found := a.served[e.Name]; found {
			claims = append(claims, credential.Claim{
				Owner: e.Name, Created: e.Created, Things: credential.ThingsOfEndpoint(rendered),
				Previous: func() ([]credential.Claimed, bool) {
					previous, found := a.previous(e)
					return credential.ThingsOfEndpoint(previous), found
				},
			})
		}
	}
	settled := credential.Settle(claims)
	for i := range a.Input.Endpoints {
		e := &a.Input.Endpoints[i]
		s, claimed := settled[e.Name]
		if !claimed {
			continue
		}
		if s.Lost {
			verdict := Verdict{Previous: s.Served}
			verdict.refuse(v1alpha1.ReasonKeyTaken, "spec.key: "+a.older(v1alpha1.KindPostbackEndpoint, e.Name, s.Older)+
				" has the same key, client key or click token: give this one its own.")
			a.Verdicts[e.Name] = verdict
			a.served[e.Name], _ = a.previous(e)
		}
		if !s.Served {
			delete(a.served, e.Name)
			continue
		}
		if len(s.Released) > 0 {
			a.served[e.Name] = credential.FilterEndpoint(a.served[e.Name], s.Releases)
		}
	}
}

// older names an older owner only to those who can see it.
func (a *assembler) older(kind string, younger, older types.NamespacedName) string {
	switch {
	case older.Namespace == younger.Namespace:
		return "the older " + kind + " " + older.Name
	case a.NameAll:
		return "the older " + kind + " " + older.String()
	}
	return "an older " + kind + " of another namespace"
}

// attach completes an endpoint by its campaigns.
func (a *assembler) attach(e *Endpoint) {
	endpoint, served := a.served[e.Name]
	if !served {
		return
	}
	verdict := a.Verdicts[e.Name]
	verdict.Revision = endpoint.Revision()
	a.Verdicts[e.Name] = verdict
	for i := range e.Campaigns {
		name := e.Campaigns[i].Name
		if link, found := a.links[name]; found {
			verdict := a.Campaigns[name]
			verdict.Revision = link.Revision()
			a.Campaigns[name] = verdict
			endpoint = render.Attach(endpoint, link)
		}
	}
	a.Result.Endpoints = append(a.Result.Endpoints, endpoint)
}
