package console

import (
	"net/url"
	"strings"
)

// resend has an S2S postback sent again, and leads back to the page that asked for it.
func (c *console) resend(p *page) error {
	p.section("s2s")
	if _, err := c.API.Resend(p.ctx, p.request.PathValue("id")); err != nil {
		p.template = "" // The list was not read.
		return err
	}
	p.next = p.back(p.request.PostForm.Get("back"), p.To("s2s"))
	return nil
}

// back returns a page of the console that a form names, or the one that is meant otherwise: a form leads nowhere else.
func (p *page) back(named, otherwise string) string {
	target, err := url.Parse(named)
	if err != nil || target.Scheme != "" || target.Host != "" || !strings.HasPrefix(target.Path, p.base) ||
		strings.Contains(target.Path, "..") {
		return otherwise
	}
	return withQuery(target.EscapedPath(), target.Query())
}
