// Package egress owns how the receiver reaches the outside: dialers and transports that refuse addresses which are not
// public, checked after DNS at the moment of connecting (docs/semantics.md §6). It imports nothing of the receiver.
package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// ErrNotPublic is what dialers refuse with.
var ErrNotPublic = errors.New("not a public address, and the fleet's egress.allowPrivate is off")

// platformAddresses look public but are answered by the machine's own cloud.
var platformAddresses = netip.MustParsePrefix("168.63.129.16/32") // Azure WireServer

// guardian knows the special-purpose registries of IANA. It is asked for addresses only; every port is as good.
var guardian = ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(platformAddresses))

// Check returns an error that wraps [ErrNotPublic] for loopback, private, link-local, cloud-metadata and all other
// addresses that are not public. An IPv4 address that IPv6 carries, mapped or for NAT64, is checked as the IPv4 address
// it is.
func Check(addr netip.Addr) error {
	addr = addr.Unmap()
	if ssrf.IPv6NAT64Prefix.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !addr.IsValid() || addr.Zone() != "" || guardian.SafeAddr(addr) != nil {
		return fmt.Errorf("%s: %w", addr, ErrNotPublic)
	}
	return nil
}

// NewDialer returns a dialer that gives up after 5 s; unless allowPrivate, it connects to public addresses only.
func NewDialer(allowPrivate bool) *net.Dialer {
	d := &net.Dialer{Timeout: 5 * time.Second}
	if !allowPrivate {
		d.Control = control
	}
	return d
}

// control has the signature of [net.Dialer.Control], which is called for every address that a name resolved to.
func control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("network %s: %w", network, ErrNotPublic)
	}
	peer, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, ErrNotPublic)
	}
	return Check(peer.Addr())
}
