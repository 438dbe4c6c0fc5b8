package forward

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func get(url string) rule.Request { return rule.Request{Method: http.MethodGet, URL: url} }

func TestSend(t *testing.T) {
	var followed atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s%s", r.Method, r.RequestURI, r.Header.Get("Content-Type"), body, r.Header.Get("X-Token"))
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/followed", http.StatusFound)
	})
	mux.HandleFunc("/followed", func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 10 {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<10)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/binary", func(w http.ResponseWriter, _ *http.Request) {
		_,
			_ = w.Write([]byte("a\x00\xff\x1b[1mb\n"))
	})
	mux.HandleFunc("/later", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/loris", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "part")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 128<<10))
	})
	mux.HandleFunc("/cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(mux)
	defer server.Close()
	secure := httptest.NewTLSServer(mux)
	defer secure.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := silent.Addr().String()
	_ = silent.Close()

	for name, c := range map[string]struct {
		request rule.Request
		status  int
		err     ledger.AttemptError
		body    string
	}{
		"a GET": {get(server.URL + "/echo?a=%20b&c"), 200, "", "GET /echo?a=%20b&c  "},
		"a POST": {rule.Request{Method: "POST", URL: server.URL + "/echo", Body: "a=%20b&c",
			ContentType: "application/x-www-form-urlencoded"}, 200, "", "POST /echo application/x-www-form-urlencoded a=%20b&c"},
		"headers replace its own": {rule.Request{Method: "POST", URL: server.URL + "/echo", Body: "{}",
			ContentType: "application/json", Headers: []rule.Header{{Name: "content-type", Value: "text/x"},
				{Name: "X-Token", Value: "t"}}}, 200, "", "POST /echo text/x {}t"},
		"a redirect is not followed":   {get(server.URL + "/redirect"), 302, "", "<a href=\"/followed\">Found</a>.\n\n"},
		"a large answer is cut":        {get(server.URL + "/large"), 200, "", strings.Repeat("x", maxKept)},
		"a binary answer becomes text": {get(server.URL + "/binary"), 200, "", "a�[1mb\n"},
		"patience is asked for":        {get(server.URL + "/later"), 429, "", ""},
		"no answer in time":            {get(server.URL + "/slow"), 0, ledger.AttemptTimeout, ""},
		"a body that never ends":       {get(server.URL + "/loris"), 200, "", "part"},
		"headers that never end":       {get(server.URL + "/headers"), 0, ledger.AttemptNoHTTP, ""},
		"a connection that is cut":     {get(server.URL + "/cut"), 0, ledger.AttemptNetwork, ""},
		"nobody listens":               {get("http://" + closed), 0, ledger.AttemptRefused, ""},
		"a certificate nobody knows":   {get(secure.URL + "/echo"), 0, ledger.AttemptTLS, ""},
		"TLS where there is none":      {get(strings.Replace(server.URL, "http:", "https:", 1)), 0, ledger.AttemptTLS, ""},
		"a name that does not exist":   {get("http://name.invalid/"), 0, ledger.AttemptDNS, ""},
		"no URL":                       {get("http://[::zz]/"), 0, ledger.AttemptURL, ""},
		"a URL without a host":         {get("http:///x"), 0, ledger.AttemptURL, ""},
		"another scheme":               {get("ftp://h/x"), 0, ledger.AttemptURL, ""},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := 10 * time.Second
			if strings.HasSuffix(c.request.URL, "/slow") || strings.HasSuffix(c.request.URL, "/loris") {
				timeout = 300 * time.Millisecond
			}
			s := newSender(timeout, 4)
			defer s.close()
			got := s.send(t.Context(), c.request, true, noon)
			noResolver := c.err == ledger.AttemptDNS && got.err == ledger.AttemptTimeout // the machine's own does not answer
			if got.status != c.status || got.err != c.err && !noResolver || got.body != c.body {
				t.Errorf("%+v", got)
			}
		})
	}
	if followed.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestARedirectShowsWhereItPoints(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		to, suffix string // suffix of what is shown
	}{
		"absolute, with a query": {301, "https://user:pass@new.example/pb?token=SECRET#SECRET", "https://new.example/pb"},
		"on the same host":       {302, "/login?next=SECRET", "/login"},
		"very long": {307, "https://new.example/" + strings.Repeat("x", 2000),
			strings.Repeat("x", maxLocation-len("https://new.example/"))},
		"beyond ASCII":           {308, "https://new.example/\u00e9", "https://new.example/%C3%A9"},
		"nowhere":                {302, "", ""},
		"no URL":                 {302, "http://[::zz]/", ""},
		"an answer that is none": {200, "https://new.example/pb", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.to != "" {
					w.Header()["Location"] = []string{c.to}
				}
				w.WriteHeader(c.status)
			}))
			defer server.Close()
			s := newSender(5*time.Second, 1)
			defer s.close()
			got := s.send(t.Context(), get(server.URL+"/pb?a=1"), true, noon)
			if got.status != c.status || !strings.HasSuffix(got.location, c.suffix) ||
				(c.suffix == "") != (got.location == "") ||
				len(got.location) > maxLocation || strings.Contains(got.location, "SECRET") ||
				strings.Contains(got.location, "user") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestNoProxyIsUsed(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	s := newSender(5*time.Second, 1)
	defer s.close()
	if got := s.send(t.Context(), get("http://name.invalid/"), true, noon); got.status != 0 || asked.Load() != 0 {
		t.Errorf("%+v, the proxy was asked %d times", got, asked.Load())
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "99999999999": 0, "1.5": 0,
		"Sat, 07 Mar 2026 12:01:00 GMT": time.Minute, "Sat, 07 Mar 2026 11:00:00 GMT": 0,
	} {
		header := http.Header{}
		header.Set("Retry-After", value)
		if got := retryAfter(header, noon); got != want {
			t.Errorf("%q asks for %s, want %s", value, got, want)
		}
	}
}

// TestNothingPrivateIsReached tries every way to write an address that is not public. The server stands where loopback
// ones lead to; nobody may come.
func TestNothingPrivateIsReached(t *testing.T) {
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	s := newSender(5*time.Second, 1)
	defer s.close()
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "127.255.255.254", "0.0.0.0", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::]",
		"[0:0:0:0:0:0:0:1]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]",
		"[64:ff9b::a9fe:a9fe]",
		"[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[2001:0:7f00:1::]", "10.0.0.1", "10.255.255.255",
		"172.16.0.1",
		"172.31.255.255", "192.168.0.1", "169.254.169.254", "169.254.170.2", "[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]",
		"100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16", "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1",
		"255.255.255.255", "[fd00:ec2::254]", "[fc00::1]", "[fe80::1]", "[fe80::1%25eth0]", "[fec0::1]", "[ff02::1]",
		"[2001:db8::1]", "[3fff::1]",
		// Forms that inet_aton knows and a resolver may: decimal, octal, hexadecimal, short.
		"2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "0", "0x0", "3232235521",
		"0xa9fea9fe", "2852039166", "0251.0376.0251.0376",
	} {
		t.Run(host, func(t *testing.T) {
			got := s.send(t.Context(), get("http://"+host+":"+port+"/latest/meta-data"), false, noon)
			if got.status != 0 || got.err != ledger.AttemptPrivate && got.err != ledger.AttemptDNS &&
				got.err != ledger.AttemptURL && got.err != ledger.AttemptTimeout {
				t.Errorf("%+v", got)
			}
			address := strings.Trim(host, "[]")
			if ip := net.ParseIP(address); ip != nil && got.err != ledger.AttemptPrivate {
				t.Errorf("an address is refused by %s, not for being what it is", got.err)
			}
		})
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests came through", n)
	}
	if got := s.send(t.Context(), get(server.URL), true, noon); got.status != 200 {
		t.Errorf("where the fleet allows it: %+v", got)
	}
}

func TestPortsOfOtherProtocolsAreRefused(t *testing.T) {
	s := newSender(time.Second, 1)
	defer s.close()
	for _, port := range []string{"1", "22", "25", "465", "587", "853", "1023", "0", "99999"} {
		if got := s.send(t.Context(), get("http://127.0.0.1:"+port+"/"), false, noon); got.status != 0 || got.err == "" {
			t.Errorf("port %s: %+v", port, got)
		} else if port != "99999" && got.err != ledger.AttemptPort {
			t.Errorf("port %s is refused by %s", port, got.err)
		}
	}
	for _, port := range []string{"80", "443", "1024", "8080"} {
		if got := s.send(t.Context(), get("http://127.0.0.1:"+port+"/"), false, noon); got.err != ledger.AttemptPrivate {
			t.Errorf("port %s: %+v", port, got)
		}
	}
}
