package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// line is one line of the field: what a real sender sends to an endpoint that knows the click X, and what must come of
// it.
type line struct {
	name string
	// endpoint is one of the configurations below.
	endpoint string
	sent     []sent
	// slots are the conversions, in the order of their first postbacks, as told by [conversion.String] without warnings.
	slots []string
	// clicks are the further ones, as told by [storedClick.String] and sorted.
	clicks []string
	// s2s is how many S2S postbacks are due in the end.
	s2s int
}

// sent is one request, and what came of it.
type sent struct {
	method string
	// target is a path and a query as they are on the wire. KEY stands for the endpoint's key, PAGE for its client key,
	// /spring for its campaign's link; in headers and body CLICKS stands for the token of its click intake, TOKEN for its
	// campaign's.
	target  string
	headers []string
	body    string
	// came is outcome and reason, then the warnings of the received log, each behind a `!`. Requests that are no postbacks
	// have the status, and the Location of a redirect, where SUBID stands for a new click's.
	came string
	// says is the reply's body if it is not the usual one; has are headers of the reply.
	says string
	has  []string
}

// p is a postback in a URL: P?query.
func p(query, came string) sent { return to("GET /KEY/postback?"+query, came) }

// to is a request without a body.
func to(request, came string) sent {
	method, target, _ := strings.Cut(request, " ")
	return sent{method: method, target: target, came: came}
}

// post is a postback with a body beside its query.
func post(query, contentType, body, came string) sent {
	return sent{method: "POST", target: "/KEY/postback?" + query, headers: typed(contentType), body: body, came: came}
}

func typed(contentType string) []string {
	if contentType == "" {
		return nil
	}
	return []string{"Content-Type: " + contentType}
}

const (
	aliases = `"aliases":{"subid":["clickid","data.subid"],"status":["event"],` +
		`"payout":["amount","payment.amount"],"tid":["order_id"]}`
	source = `"forwards":[{"name":"source","url":"https://source.example/?s={subid}","method":"GET",` +
		`"resend":"OnAnyChange"}]`
	busters = `"ignoreParameters":["_","gtmcb","cb","cachebuster","nocache","rnd","rand","ts","retry","attempt"]`
	spring  = `"campaigns":[{"name":"spring","alias":"spring","offerURL":"https://offer.example/?s={subid}",` +
		`"parameters":{"external_id":["visitor_id"]}}]`

	// fresh is an endpoint as its declaration gives it, with one rule for S2S postbacks and a campaign.
	fresh = `{` + aliases + `,` + busters + `,` + source + `,` + spring + `}`
	// old is an endpoint as Keitaro had it before version 9.
	old = `{` + aliases + `,"policies":{"missingStatus":"sale","unknownStatus":"lead","unknownClick":"Ignore",
		"holdFor":"1h0m0s","repeat":"Overwrite","slot":"Tid","transitions":"Any"}}`
	// entities is an endpoint whose parameters begin like HTML's entities.
	entities = `{"aliases":{"tid":["section","copy_id","param1","timestamp","notify_id"],"payout":["center","gtm_sum"]}}`
	// paged lets the pages of a shop report.
	paged = `{` + pages + `}`
	// owned has a campaign as well, whose name pages may have in their addresses.
	owned = `{` + spring + `,` + pages + `}`
	pages = `"browser":{"keys":[],"types":["sale"],"origins":["https://shop.example","https://*.shop.test"],
		"ratePerMinute":100}`
)

// fieldTime is what the receiver's clock shows: the dates of the field are before it.
const fieldTime = 271*24*time.Hour + 11*time.Hour // 2026-11-27 23:00 UTC

// TestTheField sends what was found in support pages, bug reports, integration guides and code.
func TestTheField(t *testing.T) {
	lines := slices.Concat(unneeded, amounts, noise, dirtyNames, bodies, macros, paths, texts)
	fragments := make([]string, len(lines))
	for i, l := range lines {
		fragments[i] = l.endpoint
	}
	endpoints := declare(t, fragments)
	for i := range endpoints {
		for c := range endpoints[i].Campaigns {
			campaign, name := &endpoints[i].Campaigns[c], endpoints[i].Name
			campaign.Alias += "-" + name
			campaign.Tokens = []config.Key{{ID: "c-" + name, SHA256: config.Digest("campaign-" + name)}}
		}
		if b := endpoints[i].Browser; b != nil {
			b.Keys = []config.Key{{ID: "p-" + endpoints[i].Name, SHA256: config.Digest("page-" + endpoints[i].Name)}}
		}
	}
	onBothEngines(t, endpoints, func(t *testing.T, r *rig) {
		r.now.Store(int64(fieldTime))
		for i, l := range lines {
			t.Run(l.name, func(t *testing.T) { l.play(t, sceneOf(r, i)) })
		}
	}, config.FixedRate{From: "RUB", To: "USD", Rate: "0.0125"})
}

func (l line) play(t *testing.T, s *scene) {
	click(`{"subid":"X"}`).run(t, s)
	for _, one := range l.sent {
		one.run(t, s)
	}
	newest := list[conversion](t, s.rig, "/api/v1/conversions", url.Values{"endpoint": {s.endpoint}, "limit": {"1000"}})
	slices.Reverse(newest)
	var slots, clicks []string
	for _, c := range newest {
		c.Warnings = nil
		for name, value := range c.Params {
			if len(value) > 100 {
				c.Params[name] = fmt.Sprintf("%d bytes", len(value))
			}
		}
		slots = append(slots, c.String())
	}
	for _, c := range s.clicks(t, s.endpoint) {
		if c.subID != "X" {
			clicks = append(clicks, c.String())
		}
	}
	slices.Sort(clicks)
	if diff := cmp.Diff(l.slots, slots, equalEmpty); diff != "" {
		t.Errorf("conversions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(l.clicks, clicks, equalEmpty); diff != "" {
		t.Errorf("clicks (-want +got):\n%s", diff)
	}
	if got := len(s.forwards(t, s.endpoint)); got != l.s2s {
		t.Errorf("%d S2S postbacks, want %d", got, l.s2s)
	}
}

func (one sent) run(t *testing.T, s *scene) {
	t.Helper()
	got := one.exchange(t, s)
	came, wants := strings.Fields(one.came)[0], strings.Split(one.came, " !")
	outcome, reason, _ := strings.Cut(wants[0], " ")
	if came[0] >= '0' && came[0] <= '9' {
		subid := ""
		for _, cookie := range got.cookies {
			if cookie.Name == "subid" {
				subid = cookie.Value
			}
		}
		location := got.header.Get("Location")
		if subid != "" {
			location = strings.ReplaceAll(location, subid, "SUBID")
		}
		if answered := strings.TrimSpace(fmt.Sprint(got.status, " ", location)); answered != one.came {
			t.Errorf("%s: answered %s, want %s", one.target, answered, one.came)
		}
	} else {
		header := got.header.Get("X-Postback-Outcome")
		if want := strings.TrimSuffix(outcome+"; reason="+reason, "; reason="); header != want {
			t.Errorf("%s: outcome %q, want %q", one.target, header, want)
		}
		one.checkReceived(t, s, got.header.Get("X-Request-Id"), receivedRow{outcome, reason, wants[1:]})
	}
	status, says, _ := request{outcome: strings.TrimSuffix(outcome+"; reason="+reason, "; reason=")}.answer()
	if outcome == "recorded" || outcome == "duplicate" || outcome == "ignored" || one.says != "" {
		if want := orElse(one.says, says); got.body != want || got.status != status && one.says == "" {
			t.Errorf("%s: answered %d %q, want %d %q", one.target, got.status, got.body, status, want)
		}
	}
	for _, header := range one.has {
		name, want, _ := strings.Cut(header, ": ")
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: header %s is %q, want %q", one.target, name, value, want)
		}
	}
}

// receivedRow is what the table says of a row of the received log.
type receivedRow struct {
	Outcome, Reason string
	Warnings        []string
}

func (one sent) checkReceived(t *testing.T, s *scene, id string, want receivedRow) {
	t.Helper()
	type row struct {
		receivedRow
		ID string `json:"id"`
	}
	newest := list[row](t, s.rig, "/api/v1/postbacks", url.Values{"endpoint": {s.endpoint}, "limit": {"1"}})
	if len(newest) != 1 || newest[0].ID != id {
		t.Errorf("%s: not in the received log", one.target)
		return
	}
	if diff := cmp.Diff(want, newest[0].receivedRow, equalEmpty); diff != "" {
		t.Errorf("%s: received log (-want +got):\n%s", one.target, diff)
	}
}

// reply is what a request was answered.
type reply struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    string
}

// exchange sends the request as it is written: no client puts its path or its query in order.
func (one sent) exchange(t *testing.T, s *scene) reply {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_, name, _ := strings.Cut(s.endpoint, "/")
	target := strings.NewReplacer("KEY", s.key, "PAGE", "page-"+name, "/spring", "/spring-"+name).Replace(one.target)
	secrets := strings.NewReplacer("CLICKS", s.token, "TOKEN", "campaign-"+name)
	headers := append([]string{"Host: receiver.example", "Connection: close"}, one.headers...)
	sent := secrets.Replace(one.body)
	if sent != "" || one.method == http.MethodPost {
		headers = append(headers, fmt.Sprintf("Content-Length: %d", len(sent)))
	}
	head := secrets.Replace(strings.Join(headers, "\r\n"))
	text := one.method + " " + target + " HTTP/1.1\r\n" + head + "\r\n\r\n" + sent
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: one.method})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, response.Cookies(), string(body)}
}
