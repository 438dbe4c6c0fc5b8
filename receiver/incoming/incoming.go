// Package incoming reads what a connection brings into a [request.Request], for postbacks and for clicks.
package incoming

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/request"
)

// Read reads a request whose URL is clean, see [request.Clean]. The headers of the proxies in trusted are believed. ID,
// At and Repaired are the caller's to fill in; a body is not read yet.
func Read(r *http.Request, trusted []netip.Prefix) *request.Request {
	from := peer(r)
	said := &request.Request{
		Method:      r.Method,
		Path:        r.URL.Path,
		URLBytes:    len(r.RequestURI),
		RawQuery:    r.URL.RawQuery,
		ContentType: r.Header.Get("Content-Type"),
		Source:      Source(r, trusted),
		Secure: r.TLS != nil ||
			strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") && request.Contains(trusted, from),
		UserAgent: r.UserAgent(),
		Origin:    request.PageOrigin(r.Header.Get("Origin"), r.Header.Get("Referer")),
	}
	if r.Method == http.MethodPost {
		encoding := r.Header.Get("Content-Encoding")
		said.Unread, said.Encoded = r.Body, encoding != "" && !strings.EqualFold(encoding, "identity")
	}
	if _, some := r.Header["Cookie"]; some {
		for _, c := range r.Cookies() {
			said.Cookies = append(said.Cookies, request.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	return said
}

// Source returns who sent a request: see [request.SourceIP].
func Source(r *http.Request, trusted []netip.Prefix) netip.Addr {
	return request.SourceIP(peer(r), r.Header["X-Forwarded-For"], trusted)
}

// peer is the other end of the connection; the zero address if that has no IP address.
func peer(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return addr.Addr()
}
