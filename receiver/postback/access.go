package postback

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// Allowed reports whether the endpoint takes postbacks from the address: its allow-list has it, or there is none
// (docs/semantics.md §3.2).
func Allowed(ep *endpoint.Endpoint, ip netip.Addr) bool {
	return len(ep.AllowedCIDRs) == 0 || contains(ep.AllowedCIDRs, plain(ip))
}

// SourceIP returns who sent the request: the peer, or behind a trusted proxy the right-most address of X-Forwarded-For
// that is not a trusted proxy itself. xff are the values of all such headers in their order. Where the header ends, or
// holds something that is no address, the last proxy before that counts. The result is never IPv6-mapped and has no zone.
func SourceIP(peer netip.Addr, xff []string, trusted []netip.Prefix) netip.Addr {
	source := plain(peer)
	for _, header := range slices.Backward(xff) {
		for header != "" {
			if !contains(trusted, source) {
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
		return plain(withPort.Addr()), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return plain(addr), err == nil
}

func plain(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

func contains(prefixes []netip.Prefix, ip netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// FromTrustedProxy reports whether the peer is one whose X-Forwarded headers are believed.
func FromTrustedProxy(peer netip.Addr, trusted []netip.Prefix) bool {
	return contains(trusted, plain(peer))
}
