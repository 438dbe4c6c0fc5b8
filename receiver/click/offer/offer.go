// Package offer owns the templates of offer URLs: where a campaign sends its visitors. It is pure.
package offer

import (
	"errors"
	"fmt"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/macro"
)

// Template is a compiled offer URL. It is immutable.
type Template struct {
	parts []config.TemplatePart
}

// Parse compiles an offer URL, see [config.ParseOfferURL]. Scheme and host hold no macro, so that nothing a visitor
// sends decides where the visitor goes. The error says what to correct.
func Parse(text string) (*Template, error) {
	t := &Template{parts: config.ParseOfferURL(text)}
	for i := range t.parts {
		t.parts[i].Literal = ascii(t.parts[i].Literal)
	}
	return t, t.check()
}

// ascii encodes what a header cannot hold, as browsers do with the address that a user types.
func ascii(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// check demands no more than the contract does, so that everything that is declared compiles.
func (t *Template) check() error {
	var first string
	if len(t.parts) > 0 {
		first = t.parts[0].Literal
	}
	scheme, rest, _ := strings.Cut(first, "://")
	if scheme != "http" && scheme != "https" {
		return errors.New("an offer URL must begin with http:// or https://")
	}
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	} else if len(t.parts) > 1 {
		return errors.New("an offer URL must not have a macro in its host")
	}
	if !isHost(host) {
		return errors.New("an offer URL must have a plain host name, without macros")
	}
	return nil
}

func isHost(text string) bool {
	for _, c := range []byte(text) {
		if !isName(c) && c != ':' && c != '[' && c != ']' {
			return false
		}
	}
	return text != ""
}

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
}

// Render returns the URL with each macro replaced by its value, encoded so that it stays one value wherever it stands:
// only letters, digits and `-_.~` remain as they are, and of a raw value also what cannot end it.
func (t *Template) Render(value func(*config.TemplatePart) string) string {
	var b strings.Builder
	for i := range t.parts {
		switch part := &t.parts[i]; {
		case part.Macro == "":
			b.WriteString(part.Literal)
		case part.Raw:
			b.WriteString(macro.Raw(value(part)))
		default:
			b.WriteString(macro.Escape(value(part)))
		}
	}
	return b.String()
}
