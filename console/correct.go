package console

import (
	"crypto/rand"
	"strconv"
	"strings"

	"github.com/postback-dev/postback-operator/api/read/client"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// who says for whom a form changes something, and names the form, so that one which is sent twice counts once.
func (c *console) who(p *page) client.Who {
	return client.Who{Actor: p.Who, Key: p.request.PostForm.Get("once")}
}

// Once names a form of the page.
func (p *page) Once() string { return rand.Text() }

// correct changes the version of a conversion that the person has seen, or lets postbacks change it again.
func (c *console) correct(p *page) error {
	p.section("conversions")
	said, id := p.request.PostForm, p.request.PathValue("id")
	version, err := strconv.Atoi(said.Get("version"))
	if err != nil {
		return errForm
	}
	what := correctionOf(p)
	if what.Unpin = said.Has("unpin"); !what.Unpin {
		pin := said.Has("pin")
		what.Pin = &pin
	}
	corrected, err := c.API.Correct(p.ctx, client.Who{Actor: p.Who}, id, version, what)
	if err == nil {
		p.next = p.To("conversions/" + corrected.ID)
	}
	return err
}

// adjust records what is added to a conversion's payout, and leads to the conversion that this is.
func (c *console) adjust(p *page) error {
	p.section("conversions")
	added, err := c.API.Adjust(p.ctx, c.who(p), p.request.PathValue("id"), correctionOf(p))
	if err == nil {
		p.next = p.To("conversions/" + added.ID)
	}
	return err
}

func correctionOf(p *page) read.Correction {
	said := p.request.PostForm
	return read.Correction{
		Type:     said.Get("type"),
		Payout:   strings.TrimSpace(said.Get("payout")),
		Currency: strings.TrimSpace(said.Get("currency")),
		Note:     strings.TrimSpace(said.Get("note")),
		Forwards: said.Get("forwards"),
	}
}

// TypesOf returns the conversion types of an endpoint, in the order in which it has them.
func (p *page) TypesOf(endpoint string) []string {
	for i := range p.Endpoints {
		if p.Endpoints[i].Name == endpoint {
			return p.Endpoints[i].Types
		}
	}
	return nil
}

// PostbackIDs are those of the page's postbacks, for a replay of them.
func (p *page) PostbackIDs() string {
	ids := make([]string, len(p.Postbacks))
	for i := range p.Postbacks {
		ids[i] = p.Postbacks[i].ID
	}
	return strings.Join(ids, " ")
}
