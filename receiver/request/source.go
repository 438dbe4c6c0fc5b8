package request

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// SourceIP returns who sent the request: the peer, or behind a trusted proxy the right-most address of X-Forwarded-For
// that is not a trusted proxy itself. xff are the values of all such headers in their order. Where the header ends, or
// holds something that is no address, the last proxy before that counts. The result is never IPv6-mapped and has no
// zone.
func SourceIP(peer netip.Addr, xff []string, trusted []netip.Prefix) netip.Addr {
	source := bare(peer)
	for _, header := range slices.Backward(xff) {
		for header != "" {
			if !Contains(trusted, source) {
				return source
			}
			comma := strings.LastIndexByte(header, ',')
			hop, ok := parseHop(header[comma+1:])
			if !ok {
				return source
			}
			source = hop
			header = header[:max(comma, 0)]
		}
	}
	return source
}

// parseHop reads an address as proxies write it: alone, or with a port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return bare(withPort.Addr()), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return bare(addr), err == nil
}

func bare(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

// Contains reports whether one of the networks has the address. An IPv4 address may be written in the IPv6-mapped form,
// the networks' must not be.
func Contains(prefixes []netip.Prefix, ip netip.Addr) bool {
	ip = bare(ip)
	for _, prefix := range prefixes {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// PageOrigin returns the origin of the page that a browser's request comes from, as browsers write it; "" when it does
// not say. Scripts of a page (`fetch`) and forms say it in the header Origin, images and script elements in Referer
// only, and a page can keep its browser from saying either, but not make it say another.
func PageOrigin(origin, referer string) string {
	if origin == "null" {
		return ""
	}
	if origin != "" || referer == "" {
		return origin
	}
	page, err := url.Parse(referer)
	if err != nil || page.Scheme == "" || page.Host == "" {
		return ""
	}
	return strings.ToLower(page.Scheme + "://" + page.Host)
}
