package fleet

import (
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/assembly"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/propagation"
	"github.com/postback-dev/postback-operator/controllers/render"
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
	// keyring of the rate providers.
	keyring credential.Keyring
	// opsToken of the read API: the one that is there, or a new one.
	opsToken string
	// adminKey of the Admin API: the one that is there, or a new one; empty if it is not to be generated.
	adminKey string
	// problem is the user's to repair and keeps the configuration as it was.
	problem error
}

// decide is pure but for newID.
func decide(s *scope, now time.Time, newID func() string) *plan {
	p := &plan{
		contents: propagation.Contents{},
		verdicts: map[types.NamespacedName]propagation.Verdict{}, campaigns: map[types.NamespacedName]propagation.Verdict{},
	}
	p.keyring = s.providers.Advance(s.keyring, now, newID)
	assembled := assembly.Assemble(assembly.Input{
		Fleet:     client.ObjectKeyFromObject(s.fleet),
		Rates:     render.FixedRates(s.fleet),
		Endpoints: s.endpoints,
		Served:    s.former,
	})
	p.publish(s.endpoints, assembled)
	settings, err := render.Fleet(s.usable(), p.keyring.Ring, s.providers.Keys)
	if err == nil {
		p.settings = settings.Revision()
		p.documents, err = config.Seal(settings, assembled.Endpoints)
	}
	if err != nil {
		p.problem = err
		return p
	}
	p.revision, err = revisionOf(p.documents)
	p.problem = err
	return p
}

// usable is the fleet without what it may not have: the rest goes on.
func (s *scope) usable() *v1alpha1.ReceiverFleet {
	if s.egress == nil {
		return s.fleet
	}
	usable := s.fleet.DeepCopy()
	usable.Spec.Egress.AllowPrivate = false
	return usable
}

// publish keeps what was decided of each endpoint and campaign.
func (p *plan) publish(endpoints []assembly.Endpoint, assembled assembly.Result) {
	for i := range endpoints {
		e := &endpoints[i]
		verdict := assembled.Verdicts[e.Name]
		p.verdicts[e.Name] = verdictOf(verdict, propagation.Input(e.Declared.Generation, e.Keyring.Data))
		if verdict.Revision != "" {
			p.contents[e.Name] = verdict.Revision
		}
		for k := range e.Campaigns {
			c := &e.Campaigns[k]
			verdict := assembled.Campaigns[c.Name]
			p.campaigns[c.Name] = verdictOf(verdict, propagation.Input(c.Declared.Generation, c.Keyring.Data))
			if verdict.Revision != "" {
				p.contents[contentKey(c.Name)] = verdict.Revision
			}
		}
	}
}

func verdictOf(v assembly.Verdict, input string) propagation.Verdict {
	return propagation.Verdict{
		Input:    input,
		Accepted: v.Accepted,
		Reason:   v.Reason,
		Message:  v.Message,
		Revision: v.Revision,
		Former:   v.Previous,
	}
}

// contentKey tells a campaign's content apart from that of an endpoint of the same name.
func contentKey(campaign types.NamespacedName) types.NamespacedName {
	return types.NamespacedName{Namespace: campaign.Namespace, Name: "campaign/" + campaign.Name}
}

func revisionOf(documents config.Documents) (string, error) {
	var manifest config.Manifest
	if err := json.Unmarshal(documents[config.ManifestFile], &manifest); err != nil {
		return "", fmt.Errorf("reading what was sealed: %w", err)
	}
	return manifest.Revision, nil
}
