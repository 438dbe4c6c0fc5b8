package assembly

import (
	"cmp"
	"slices"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// renderCampaigns renders an endpoint's campaigns as far as there is room for them, the oldest first.
func (a *assembler) renderCampaigns(e *Endpoint) {
	if len(e.Campaigns) == 0 {
		return
	}
	endpoint, served := a.served[e.Name]
	room := render.RoomOf(endpoint)
	for _, c := range e.byAge() {
		verdict := Verdict{Accepted: true}
		link, found := a.campaign(e, c, endpoint, served, &verdict)
		if found {
			if err := room.Take(link); err != nil {
				verdict.refuse(v1alpha1.ReasonInvalid, err.Error())
				verdict.Previous = false
			} else {
				a.links[c.Name] = link
			}
		}
		a.Campaigns[c.Name] = verdict
	}
}

func (e *Endpoint) byAge() []*Campaign {
	campaigns := make([]*Campaign, len(e.Campaigns))
	for i := range e.Campaigns {
		campaigns[i] = &e.Campaigns[i]
	}
	slices.SortFunc(campaigns, func(a, b *Campaign) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Name.Name, b.Name.Name))
	})
	return campaigns
}

// campaign returns the campaign as it is to be served with its endpoint; as before where it can't be served as
// declared.
func (a *assembler) campaign(
	e *Endpoint, c *Campaign, endpoint config.Endpoint, served bool, verdict *Verdict,
) (render.Link, bool) {
	before := func() (render.Link, bool) {
		previous, found := a.previousLink(e, c)
		verdict.Previous = found && served
		return previous, found && served
	}
	switch of := a.Verdicts[e.Name]; {
	case c.Refused != nil:
		verdict.refuse(v1alpha1.ReasonInvalid, c.Refused.Error())
		return before()
	case !of.Accepted:
		verdict.refuse(v1alpha1.ReasonEndpointNotAccepted,
			"spec.endpointRef: PostbackEndpoint "+e.Name.Name+" is not accepted.")
		return before()
	case !served: // it waits for its key
		return render.Link{}, false
	case of.Previous || c.Declared == nil:
		return before()
	case c.Declared.Spec.Token.SecretRef == nil && len(c.Keyring.Ring[rotation.Campaign]) == 0:
		return render.Link{}, false // its token is about to be generated
	case !credential.HeadersReady(c.Declared.ForwardSecrets(), c.Headers, c.Keyring.Ring):
		return before()
	}
	link, err := render.Campaign(c.Declared, c.Keyring.Ring, c.Headers, endpoint)
	if err == nil {
		err = render.CheckCampaign(c.Declared, a.Rates)
	}
	if err != nil {
		verdict.refuse(v1alpha1.ReasonInvalid, err.Error())
		return before()
	}
	return link, true
}

// previousLink returns the campaign as it is served now, without tokens that are revoked by now.
func (a *assembler) previousLink(e *Endpoint, c *Campaign) (render.Link, bool) {
	endpoint, _ := a.Served(e.Name)
	_, links := render.Detach(endpoint)
	i := slices.IndexFunc(links, func(l render.Link) bool { return l.Campaign.Name == c.Name.Name })
	if i < 0 {
		return render.Link{}, false
	}
	link := links[i]
	if c.Declared != nil {
		link.Campaign = credential.FilterCampaign(link.Campaign, credential.Revoked(c.Declared.Spec.Token.Revoked))
	}
	return link, true
}

// settleCampaigns leaves an alias and a token to the oldest campaign of the fleet that has it.
func (a *assembler) settleCampaigns() {
	var claims []credential.Claim
	a.eachLink(func(e *Endpoint, c *Campaign, link render.Link) {
		claims = append(claims, credential.Claim{
			Owner: c.Name, Created: c.Created, Things: credential.ThingsOfCampaign(link.Campaign),
			Previous: func() ([]credential.Claimed, bool) {
				previous, found := a.previousLink(e, c)
				return credential.ThingsOfCampaign(previous.Campaign), found
			},
		})
	})
	settled := credential.Settle(claims)
	a.eachLink(func(e *Endpoint, c *Campaign, link render.Link) {
		s := settled[c.Name]
		if s.Lost {
			verdict := Verdict{Previous: s.Served}
			older := a.older(v1alpha1.KindCampaign, c.Name, s.Older)
			if s.Kind == credential.KindAlias {
				verdict.refuse(v1alpha1.ReasonAliasTaken,
					"spec.alias: "+older+" of the fleet has the same alias: write another one.")
			} else {
				verdict.refuse(v1alpha1.ReasonTokenTaken,
					"spec.token: "+older+" has the same token: give this one its own.")
			}
			a.Campaigns[c.Name] = verdict
			link, _ = a.previousLink(e, c)
		}
		if !s.Served {
			delete(a.links, c.Name)
			return
		}
		link.Campaign = credential.FilterCampaign(link.Campaign, s.Releases)
		a.links[c.Name] = link
	})
}

// eachLink visits the campaigns to serve.
func (a *assembler) eachLink(visit func(e *Endpoint, c *Campaign, link render.Link)) {
	for i := range a.Input.Endpoints {
		e := &a.Input.Endpoints[i]
		for k := range e.Campaigns {
			if link, found := a.links[e.Campaigns[k].Name]; found {
				visit(e, &e.Campaigns[k], link)
			}
		}
	}
}
