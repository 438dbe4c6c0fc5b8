package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// resolver is what looks up the hosts that a proxy would look up.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

var _ resolver = (*net.Resolver)(nil)

// internalZones are names that only somebody's own network, or the machine itself, answers.
var internalZones = []string{
	"cluster.local", "corp", "home", "home.arpa", "internal", "intranet", "lan", "local", "localhost", "private", "svc",
	"test",
}

// checkHost returns an error that wraps [ErrNotPublic] for a host that a proxy may not be asked for: it would connect
// from inside. A name that resolves here must have public addresses only; one that does not, as where only the proxy
// resolves, must at least look public. The proxy resolves it again, so that it has to guard against rebinding itself.
func checkHost(ctx context.Context, host string, names resolver) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return Check(addr)
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	internal := slices.ContainsFunc(internalZones, func(zone string) bool {
		return host == zone || strings.HasSuffix(host, "."+zone)
	})
	if len(labels) == 1 || internal || isNumber(last) {
		return fmt.Errorf("%s: %w", host, ErrNotPublic)
	}
	addresses, err := names.LookupNetIP(ctx, "ip", host+".")
	if err != nil {
		return nil //nolint:nilerr // Only the proxy can resolve it.
	}
	for _, addr := range addresses {
		if err := Check(addr); err != nil {
			return fmt.Errorf("%s: %w", host, err)
		}
	}
	return nil
}

// isNumber reports whether a host that ends in this label is an address to inet_aton, which reads 2130706433, 0177.1
// and 0x7f.1. No public name ends so.
func isNumber(label string) bool {
	if digits, hex := strings.CutPrefix(label, "0x"); hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}
