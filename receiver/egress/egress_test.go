package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		address string
		public  bool
	}{
		"a public address":                     {"8.8.8.8", true},
		"another public address":               {"185.199.108.153", true},
		"just below 10/8":                      {"9.255.255.255", true},
		"just above 172.16/12":                 {"172.32.0.1", true},
		"beside the platform's address":        {"168.63.129.17", true},
		"a public IPv6 address":                {"2606:4700::6810:84e5", true},
		"another public IPv6 address":          {"2a00:1450:4001:80b::200e", true},
		"a public address mapped into IPv6":    {"::ffff:8.8.8.8", true},
		"a public address through NAT64":       {"64:ff9b::808:808", true},
		"this network":                         {"0.0.0.0", false},
		"this network, any host":               {"0.1.2.3", false},
		"loopback":                             {"127.0.0.1", false},
		"loopback, another host":               {"127.255.255.254", false},
		"private 10/8":                         {"10.0.0.1", false},
		"private 10/8, the last":               {"10.255.255.255", false},
		"private 172.16/12":                    {"172.16.0.1", false},
		"private 172.16/12, the last":          {"172.31.255.255", false},
		"private 192.168/16":                   {"192.168.1.1", false},
		"carrier-grade NAT":                    {"100.64.0.1", false},
		"carrier-grade NAT, the last":          {"100.127.255.255", false},
		"link-local":                           {"169.254.1.1", false},
		"metadata of AWS, GCP and Azure":       {"169.254.169.254", false},
		"metadata of ECS tasks":                {"169.254.170.2", false},
		"metadata of Alibaba Cloud":            {"100.100.100.200", false},
		"metadata of Oracle Cloud":             {"192.0.0.192", false},
		"Azure's WireServer":                   {"168.63.129.16", false},
		"protocol assignments":                 {"192.0.0.1", false},
		"documentation 1":                      {"192.0.2.1", false},
		"documentation 2":                      {"198.51.100.1", false},
		"documentation 3":                      {"203.0.113.1", false},
		"benchmarking":                         {"198.18.0.1", false},
		"6to4 relays":                          {"192.88.99.1", false},
		"multicast":                            {"224.0.0.1", false},
		"multicast, the last":                  {"239.255.255.255", false},
		"reserved":                             {"240.0.0.1", false},
		"broadcast":                            {"255.255.255.255", false},
		"IPv6, unspecified":                    {"::", false},
		"IPv6, loopback":                       {"::1", false},
		"IPv6, IPv4-compatible":                {"::127.0.0.1", false},
		"loopback mapped into IPv6":            {"::ffff:127.0.0.1", false},
		"a private address mapped, in hex":     {"::ffff:a00:1", false},
		"metadata mapped into IPv6":            {"::ffff:169.254.169.254", false},
		"a private address through NAT64":      {"64:ff9b::a00:1", false},
		"metadata through NAT64":               {"64:ff9b::a9fe:a9fe", false},
		"loopback through NAT64":               {"64:ff9b::7f00:1", false},
		"local NAT64":                          {"64:ff9b:1::808:808", false},
		"a private address through 6to4":       {"2002:a00:1::", false},
		"a public address through 6to4":        {"2002:808:808::", false},
		"Teredo":                               {"2001:0:a00:1::", false},
		"ORCHIDv2":                             {"2001:20::1", false},
		"IPv6, documentation":                  {"2001:db8::1", false},
		"IPv6, documentation, the new one":     {"3fff::1", false},
		"IPv6, unique local":                   {"fc00::1", false},
		"IPv6, unique local, locally assigned": {"fd12:3456::1", false},
		"metadata of AWS on IPv6":              {"fd00:ec2::254", false},
		"IPv6, link-local":                     {"fe80::1", false},
		"IPv6, link-local with a zone":         {"fe80::1%eth0", false},
		"IPv6, public with a zone":             {"2606:4700::1%eth0", false},
		"IPv6, site-local":                     {"fec0::1", false},
		"IPv6, multicast":                      {"ff02::1", false},
		"IPv6, discard":                        {"100::1", false},
		"IPv6, segment routing":                {"5f00::1", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(netip.MustParseAddr(c.address))
			if (err == nil) != c.public || err != nil && !errors.Is(err, ErrNotPublic) {
				t.Errorf("Check(%s) = %v, public: %v", c.address, err, c.public)
			}
		})
	}
	if err := Check(netip.Addr{}); !errors.Is(err, ErrNotPublic) {
		t.Errorf("the zero address gives %v", err)
	}
}

func TestControlRefusesWhatIsNoTCPAddress(t *testing.T) {
	for _, c := range [][2]string{{"udp4", "8.8.8.8:53"}, {"unix", "/run/x.sock"}, {"tcp4", "8.8.8.8"},
		{"tcp4", "host:80"}} {
		if err := control(c[0], c[1], nil); !errors.Is(err, ErrNotPublic) {
			t.Errorf("%s %s gives %v", c[0], c[1], err)
		}
	}
	if err := control("tcp6", "[2606:4700::1]:8443", nil); err != nil {
		t.Errorf("a public address on any port gives %v", err)
	}
}

func TestDialerChecksAfterResolving(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1", "0.0.0.0"} {
		if _, err := NewDialer(false).DialContext(t.Context(), "tcp", net.JoinHostPort(host, port)); !errors.Is(err,
			ErrNotPublic) {
			t.Errorf("dialling %s gives %v", host, err)
		}
	}
	conn, err := NewDialer(true).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatalf("private addresses are allowed, and yet: %v", err)
	}
	_ = conn.Close()
}

func TestTransport(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.URL.Host))
	}))
	defer server.Close()
	local, _ := url.Parse(server.URL)
	portless, _ := url.Parse("http://127.0.0.1")
	direct := func(*http.Request) (*url.URL, error) { return nil, nil }
	proxied := func(*http.Request) (*url.URL, error) { return local, nil }
	for name, c := range map[string]struct {
		allowPrivate bool
		proxy        proxyFunc
		url          string
		refused      bool
	}{
		"a private address is refused":                         {false, direct, server.URL, true},
		"a private address is reached where that is allowed":   {true, direct, server.URL, false},
		"a proxy may be private":                               {false, proxied, "http://host.example/", false},
		"a proxy gets no private address":                      {false, proxied, "http://10.0.0.1/", true},
		"a proxy gets no private address of IPv6":              {false, proxied, "http://[::1]/", true},
		"a proxy gets a private address where that is allowed": {true, proxied, "http://10.0.0.1/", false},
	} {
		t.Run(name, func(t *testing.T) {
			transport := newTransport(c.allowPrivate, c.proxy, nowhere{})
			defer transport.CloseIdleConnections()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := transport.RoundTrip(request)
			if err == nil {
				_ = response.Body.Close()
			}
			if errors.Is(err, ErrNotPublic) != c.refused || !c.refused && err != nil {
				t.Errorf("error %v, refused: %v", err, c.refused)
			}
		})
	}
	if got := proxyAddresses(func(*http.Request) (*url.URL, error) { return portless, nil }); !got["127.0.0.1:80"] {
		t.Errorf("a proxy without a port is dialled at %v", got)
	}
}

// nowhere knows no names.
type nowhere struct{}

func (nowhere) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, &net.DNSError{IsNotFound: true}
}

func TestWhatAProxyMayBeAskedFor(t *testing.T) {
	for host, public := range map[string]bool{
		"8.8.8.8": true, "rates.example.com": true, "rates.example.com.": true, "0x.example.com": true, "3com.example": true,
		"127.0.0.1": false, "2130706433": false, "0x7f000001": false, "0X7F.1": false, "017700000001": false,
		"0177.0.0.1": false,
		"127.1":      false, "10.0x1": false, "[::1]": false, "::ffff:10.0.0.1": false, "localhost": false, "LOCALHOST.": false,
		"foo.localhost": false, "kubernetes": false, "postgres.shop.svc": false,
		"kubernetes.default.svc.cluster.local": false,
		"metadata.google.internal":             false, "printer.local": false, "": false, ".": false,
	} {
		if err := checkHost(t.Context(), host, nowhere{}); (err == nil) != public || err != nil &&
			!errors.Is(err, ErrNotPublic) {
			t.Errorf("%q: %v, public: %v", host, err, public)
		}
	}
	for address, public := range map[string]bool{"8.8.8.8": true, "10.1.2.3": false, "169.254.169.254": false} {
		names := nameServer(t, func() netip.Addr { return netip.MustParseAddr(address) })
		if err := checkHost(t.Context(), "rates.example", names); (err == nil) != public {
			t.Errorf("a name of %s: %v", address, err)
		}
	}
}

func TestErrorSaysWhatToDo(t *testing.T) {
	if err := Check(netip.MustParseAddr("10.0.0.1")); !strings.Contains(err.Error(), "10.0.0.1") ||
		!strings.Contains(err.Error(), "egress.allowPrivate") {
		t.Errorf("error %q", err)
	}
}

// TestRebinding asks a name server that names a public address first and a private one from then on, as an attacker's
// would.
func TestRebinding(t *testing.T) {
	dialer := NewDialer(false)
	answers := []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("127.0.0.1")}
	var asked atomic.Int32
	dialer.Resolver = nameServer(t, func() netip.Addr { return answers[min(int(asked.Add(1)), len(answers))-1] })
	reached := []string{}
	check := dialer.Control
	dialer.Control = func(network, address string, conn syscall.RawConn) error {
		if err := check(network, address, conn); err != nil {
			return err
		}
		reached = append(reached, address)
		return errors.New("far enough")
	}
	for range 3 {
		if conn, err := dialer.DialContext(t.Context(), "tcp4", "rebinding.example.:8080"); err == nil {
			_ = conn.Close()
			t.Error("connected")
		}
	}
	if asked.Load() != 3 || len(reached) != 1 || reached[0] != "8.8.8.8:8080" {
		t.Errorf("asked %d times, let through %v", asked.Load(), reached)
	}
}

// nameServer returns a resolver that asks a name server which answers every question for an address.
func nameServer(t *testing.T, answer func() netip.Addr) *net.Resolver {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		packet := make([]byte, 512)
		for {
			n, from, err := socket.ReadFrom(packet)
			if err != nil {
				return
			}
			var message dnsmessage.Message
			if message.Unpack(packet[:n]) != nil || len(message.Questions) == 0 {
				continue
			}
			question := message.Questions[0]
			message.Response, message.RecursionAvailable, message.Additionals = true, true, nil
			if question.Type == dnsmessage.TypeA {
				message.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class},
					Body:   &dnsmessage.AResource{A: answer().As4()},
				}}
			}
			if reply, err := message.Pack(); err == nil {
				_, _ = socket.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}
}
