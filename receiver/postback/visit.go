package postback

import "net/netip"

// ParseVisit reads the parameters of a click, whose visitor must not be held up: it reads them like [Parse], but what
// exceeds a bound, or cannot be read, is passed over.
func ParseVisit(rawQuery, contentType string, body []byte) Values {
	p := parser{lenient: true}
	_ = p.form(rawQuery) // A lenient parser has no errors but a body's form.
	if len(body) > 0 {
		p.inBody = true
		_ = p.body(contentType, body)
	}
	return p.values
}

// Get returns the value of that name, "" if there is none.
func (v Values) Get(name string) string {
	for i := range v {
		if v[i].Name == name {
			return v[i].Value
		}
	}
	return ""
}

// Storable returns at most n bytes of what a sender sent, as text that every store takes: UTF-8 and without NUL.
func Storable(text string, n int) string { return storable(text[:min(len(text), n)]) }

// FromTrustedProxy reports whether the peer is one whose X-Forwarded headers are believed.
func FromTrustedProxy(peer netip.Addr, trusted []netip.Prefix) bool {
	return contains(trusted, plain(peer))
}
