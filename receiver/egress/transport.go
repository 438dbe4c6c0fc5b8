package egress

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"
)

// NewTransport returns a transport that dials with [NewDialer] and honours the proxy environment variables.
//
// A proxy is the cluster's own: it may have a private address. What it is asked for must be public, see checkHost.
func NewTransport(allowPrivate bool) *http.Transport {
	return newTransport(allowPrivate, http.ProxyFromEnvironment, net.DefaultResolver)
}

// NewDirectTransport returns a transport that dials with [NewDialer] and knows no proxy, so that nobody but it resolves
// names and connects. It keeps up to idle connections open for each host.
func NewDirectTransport(allowPrivate bool, idle int) *http.Transport {
	t := newTransport(allowPrivate, func(*http.Request) (*url.URL, error) { return nil, nil }, net.DefaultResolver)
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 4*idle, idle
	t.DisableCompression = true
	return t
}

type proxyFunc = func(*http.Request) (*url.URL, error)

func newTransport(allowPrivate bool, proxy proxyFunc, names resolver) *http.Transport {
	t := &http.Transport{
		Proxy:                  proxy,
		DialContext:            NewDialer(allowPrivate).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if allowPrivate {
		return t
	}
	guarded, free, proxies := NewDialer(false), NewDialer(true), proxyAddresses(proxy)
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if proxies[address] {
			return free.DialContext(ctx, network, address)
		}
		return guarded.DialContext(ctx, network, address)
	}
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		u, err := proxy(r)
		if u == nil || err != nil {
			return nil, err
		}
		return u, checkHost(r.Context(), r.URL.Hostname(), names)
	}
	return t
}

// proxyAddresses returns the host:port of the proxies for both schemes, as a transport dials them.
func proxyAddresses(proxy proxyFunc) map[string]bool {
	ports := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}
	addresses := map[string]bool{}
	for _, scheme := range []string{"http", "https"} {
		u, err := proxy(&http.Request{URL: &url.URL{Scheme: scheme, Host: "host.invalid"}})
		if u == nil || err != nil {
			continue
		}
		port := u.Port()
		if port == "" {
			port = ports[u.Scheme]
		}
		addresses[net.JoinHostPort(u.Hostname(), port)] = true
	}
	return addresses
}
