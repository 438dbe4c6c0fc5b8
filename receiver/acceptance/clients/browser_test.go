package clients

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
)

// sale is the conversion that most scenarios end with.
const sale = `sale 7 "55"`

// recordedFor returns the conversions of a click, newest first, in short.
func (s *stage) recordedFor(t *testing.T, subid string) []string {
	t.Helper()
	var all []string
	for _, c := range list[conversion](t, s, "/api/v1/conversions", url.Values{"subid": {subid}}) {
		all = append(all, fmt.Sprintf("%s %s %q", c.Type, c.Payout, c.TID))
	}
	return all
}

// A journey is one visitor's way to a conversion.
type journey struct {
	name string
	// walk leads the visitor there.
	walk func(*tab)
	// clicks is how many clicks that makes, fields what the last one has, in part.
	clicks int
	fields map[string]string
	// recorded are the last click's conversions. Where there are none, outcome is what the last postback came to.
	recorded []string
	outcome  string
	// params are what the last conversion has, in part.
	params map[string]string
}

// byLink is a journey from the campaign's link to a page.
func byLink(page, title string) func(*tab) {
	return func(tb *tab) {
		tb.visit(tracker + "/QwErTy?kw=red+shoes&click=ext1&page=" + url.QueryEscape(page))
		tb.Await(title)
	}
}

func then(first func(*tab), next ...func(*tab)) func(*tab) {
	return func(tb *tab) {
		first(tb)
		for _, step := range next {
			step(tb)
		}
	}
}

func page(path, title string) func(*tab) {
	return func(tb *tab) {
		tb.visit(path)
		tb.Await(title)
	}
}

func follow(selector, title string) func(*tab) { return func(tb *tab) { tb.Click(selector, title) } }

var (
	linked = map[string]string{"keyword": "red shoes", "external_id": "ext1"}
	titled = map[string]string{"keyword": "Landing page"}
)

// common are the journeys that need no cookie of another site's.
var common = []journey{
	{
		name: "tracking script: from the link over the landing page to the thank-you page",
		walk: then(byLink("landing", "Subid "), follow("#order", "Reported: Success")), clicks: 1, fields: linked,
		recorded: []string{sale},
	},
	{
		name: "tracking script: a visitor who comes to the landing page without it",
		walk: then(page("/landing", "Subid "), follow("#order", "Reported: Success")), clicks: 1, fields: titled,
		recorded: []string{sale},
	},
	{
		name: "tracking script: the traffic source's parameters on the landing page",
		walk: then(page("/landing?kw=boots&click=x%26y", "Subid "), follow("#order", "Reported: Success")), clicks: 1,
		fields: map[string]string{"keyword": "boots", "external_id": "x&y"}, recorded: []string{sale},
	},
	{
		name: "tracking script: the landing page twice is one click",
		walk: then(page("/landing", "Subid "), page("/landing", "Subid "), page("/thanks", "Reported: Success")), clicks: 1,
		recorded: []string{sale},
	},
	{
		name: "tracking script: the page's own query does not have the last word",
		walk: then(page("/landing", "Subid "),
			page("/thanks?status=rejected&tid=page&revenue=1&sub_id=somebody&return=text", "Reported: Success")),
		clicks: 1, recorded: []string{sale},
	},
	{
		name: "tracking script: %26 and %23 stay where they are in the page's query",
		walk: then(page("/landing?kw=a%26b%23c&click=%2523", "Subid "),
			page("/thanks?utm_content=a%26status%3Drejected&utm_x=b%23c&utm_y=%2526", "Reported: Success")),
		clicks: 1, fields: map[string]string{"keyword": "a&b#c", "external_id": "%23"}, recorded: []string{sale},
		params: map[string]string{"utm_content": "a&status=rejected", "utm_x": "b#c", "utm_y": "%26"},
	},
	{
		name: "tracking script: a field that the page learns later",
		walk: page("/update", "Updated: Success"), clicks: 1,
		fields: map[string]string{"sub_id_5": "a&b#c", "keyword": "seen"},
	},
	{
		name: "tracking script: on a page that hides where it is",
		walk: then(byLink("landing~noreferrer", "Subid "), page("/thanks~noreferrer", "Reported: Success")), clicks: 1,
		recorded: []string{sale},
	},
	{
		name: "tracking script: with integrity and without inline scripts, and a pixel, on a page with a strict policy",
		walk: byLink("strict~csp", "Reported: Success"), clicks: 1, recorded: []string{sale, `lead 0 "pixel"`},
	},
	{
		name: "another tracker's script: from the link's cookie-less landing page",
		walk: page("/legacy", "Reported: Success"), clicks: 1, fields: map[string]string{"keyword": "Legacy"},
		recorded: []string{sale},
	},
	{
		name: "another tracker's script: the page's query is in front",
		walk: page("/legacy?status=lead&revenue=1&tid=page&utm_source=x", "Reported: Success"), clicks: 1,
		recorded: []string{sale},
	},
	{
		name: "another tracker's script: %26 in the page's query becomes a parameter of its own",
		walk: page("/legacy?utm_content=a%26keyword%3Dsmuggled", "Reported: Success"), clicks: 1,
		fields: map[string]string{"keyword": "smuggled"}, recorded: []string{sale},
	},
	{
		name: "image pixel: with the subid that the landing page was given",
		walk: byLink("image", "Loaded"), clicks: 1, fields: linked, recorded: []string{sale},
	},
	{
		name: "image pixel: on a page that hides where it is", walk: byLink("image~noreferrer", "Loaded"), clicks: 1,
		outcome: "refused origin_not_allowed",
	},
	{
		name: "image pixel: on such a page with a policy of its own", walk: byLink("origin-image~noreferrer", "Loaded"),
		clicks: 1, recorded: []string{sale},
	},
	{
		name: "script pixel", walk: byLink("script", "Reported: Success"), clicks: 1, fields: linked,
		recorded: []string{sale},
	},
	{
		name: "fetch: an allowed origin may read the answer", walk: byLink("fetch", "Reported: Success recorded"), clicks: 1,
		recorded: []string{sale},
	},
	{
		name: "fetch: another site's page is refused", walk: then(byLink("landing", "Subid "), func(tb *tab) {
			subid := strings.Fields(tb.Await("Subid "))[1]
			tb.visit("https://evil.test/fetch?_subid=" + subid)
			tb.Await("Failed: TypeError")
		}), clicks: 1, outcome: "refused origin_not_allowed",
	},
	{
		name:   "a link that is fetched ahead is a click only when it is followed",
		walk:   then(page("/prefetch", "Not fetched ahead"), follow("#go", "Subid "), page("/thanks", "Reported: Success")),
		clicks: 1,
		fields: map[string]string{"keyword": "ahead"}, recorded: []string{sale},
	},
}

func TestJourneysOfABrowserThatAcceptsEveryCookie(t *testing.T) {
	s := newStage(t)
	b := s.open(t, chromium.AllCookies)
	b.walkAll(t, append(common, journey{
		name: "image pixel: by the cookie of the link, where the page knows no subid",
		walk: then(byLink("landing", "Subid "), page("/cookie-image", "Loaded")), clicks: 1, fields: linked,
		recorded: []string{sale},
	}, journey{
		// The browser takes what follows the # for a place in the script.
		name: "another tracker's script: # in the page's query cuts its own parameters off, and the cookie stands in",
		walk: then(page("/legacy?x=a%23b", "Reported: Ignored: status_missing")), clicks: 1,
		outcome: "ignored status_missing",
	}))
}

func TestJourneysOfABrowserThatBlocksOtherSitesCookies(t *testing.T) {
	s := newStage(t)
	b := s.open(t, chromium.OwnCookies)
	b.walkAll(t, append(common, journey{
		name: "image pixel: by the cookie of the link, where the page knows no subid",
		walk: then(byLink("landing", "Subid "), page("/cookie-image", "Loaded")), clicks: 1, outcome: "ignored subid_missing",
	}, journey{
		name: "another tracker's script: # in the page's query cuts its own parameters off",
		walk: then(page("/legacy?x=a%23b", "Reported: Ignored: subid_missing")), clicks: 1, outcome: "ignored subid_missing",
	}))
}

func (b *browser) walkAll(t *testing.T, journeys []journey) {
	for _, j := range journeys {
		t.Run(j.name, func(t *testing.T) { b.walkOne(t, j) })
	}
}

func (b *browser) walkOne(t *testing.T, j journey) {
	tb := b.tab(t)
	before := len(b.clicks(t))
	j.walk(tb)
	if j.outcome != "" {
		b.checkOutcome(t, j.outcome)
	}
	clicks := b.clicks(t)[before:]
	if len(clicks) != j.clicks || len(clicks) == 0 {
		t.Fatalf("%d clicks, want %d", len(clicks), j.clicks)
	}
	last := clicks[len(clicks)-1]
	if last.Campaign != "spring" || !strings.Contains(last.UserAgent, "Mozilla/") {
		t.Errorf("click %+v", last)
	}
	for name, want := range j.fields {
		if last.Params[name] != want {
			t.Errorf("the click's %s is %q, want %q", name, last.Params[name], want)
		}
	}
	eventually(t, fmt.Sprintf("%q is recorded", j.recorded), func() bool {
		return len(b.recordedFor(t, last.SubID)) >= len(j.recorded)
	})
	for name, want := range j.params {
		if got := list[conversion](t, b.stage, "/api/v1/conversions",
			url.Values{"subid": {last.SubID}})[0].Params[name]; got != want {
			t.Errorf("the conversion's %s is %q, want %q", name, got, want)
		}
	}
	recorded := map[string]bool{}
	for _, c := range b.recordedFor(t, last.SubID) {
		recorded[c] = true
	}
	want := map[string]bool{}
	for _, c := range j.recorded {
		want[c] = true
	}
	if diff := cmp.Diff(want, recorded); diff != "" {
		t.Errorf("conversions:\n%s", diff)
	}
	b.checkS2S(t, last, j.recorded)
}

// checkOutcome looks at what the last postback came to.
func (b *browser) checkOutcome(t *testing.T, want string) {
	t.Helper()
	got := ""
	eventually(t, "the last postback is "+want, func() bool {
		rows := list[received](t, b.stage, "/api/v1/postbacks", url.Values{"limit": {"1"}})
		if len(rows) == 1 {
			got = rows[0].Outcome
			if rows[0].Reason != nil {
				got += " " + *rows[0].Reason
			}
		}
		return got == want
	})
}

// checkS2S waits until the traffic source was told of each of a click's conversions, and told once, with what the link
// said.
func (b *browser) checkS2S(t *testing.T, c click, recorded []string) {
	t.Helper()
	eventually(t, "the traffic source is told", func() bool { return len(b.source.about(c.SubID)) >= len(recorded) })
	told := map[string]bool{}
	for _, q := range b.source.about(c.SubID) {
		told[fmt.Sprintf("%s %s %q", q.Get("status"), q.Get("payout"), q.Get("tid"))] = true
		if q.Get("click") != c.Params["external_id"] {
			t.Errorf("the traffic source receives its click %q, want %q", q.Get("click"), c.Params["external_id"])
		}
	}
	want := map[string]bool{}
	for _, conversion := range recorded {
		want[conversion] = true
	}
	if diff := cmp.Diff(want, told); diff != "" || len(b.source.about(c.SubID)) != len(recorded) {
		t.Errorf("the traffic source is told %d times:\n%s", len(b.source.about(c.SubID)), diff)
	}
}

func TestTheAdapterFillsLinksFormsAndHiddenInputs(t *testing.T) {
	s := newStage(t)
	b := s.open(t, chromium.AllCookies)
	for _, test := range []struct{ name, query, cookie, want string }{
		{"by the page's _subid", "?_subid=q1", "", "q1"},
		{"by the page's subid", "?subid=q2", "", "q2"},
		{"_subid goes before subid", "?subid=q2&_subid=q1", "", "q1"},
		{"the macro goes before the query", "?macro=m1&_subid=q1", "c1", "m1"},
		{"a macro that nobody filled in does not count", "?macro={subid}&_subid=q1", "", "q1"},
		{"the query goes before the cookie", "?_subid=q1", "c1", "q1"},
		{"by the cookie", "", "c1", "c1"},
		{"by nothing", "", "", ""},
		{"by something that is no subid", "?_subid=%22%3E%3Cscript%3E", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			tb := b.tab(t)
			if test.cookie != "" {
				tb.visit("/order?subid=&clickid=")
				tb.Text(`document.cookie = "subid=` + test.cookie + `; path=/"`)
			}
			tb.visit("/adapter" + test.query)
			tb.Await("Ready")
			tb.Text(`document.getElementById("added").addEventListener("click", function (e) { e.preventDefault(); }), document.getElementById("added").click(), ""`)
			want := map[string]string{
				"macro": "https://offer.test/go?click={subid}&x=a%20b", "own": "/thanks?a=b%20c#d", "pay": "https://pay.test/",
				"added":   "/thanks",
				"foreign": "https://foreign.test/?x=1", "anchor": "#below", "mail": "mailto:a@shop.test",
			}
			forms := "clickid={subid} | sub_id= | q="
			if test.want != "" {
				want["macro"] = "https://offer.test/go?click=" + test.want + "&x=a%20b"
				want["own"] = shop + "/thanks?a=b%20c&_subid=" + test.want + "#d"
				want["pay"] = "https://pay.test/?_subid=" + test.want
				want["added"] = shop + "/thanks?_subid=" + test.want
				forms = fmt.Sprintf("clickid=%[1]s,subid=%[1]s | sub_id=%[1]s | q=", test.want)
			}
			for id, href := range want {
				if got := tb.Text(`document.getElementById("` + id + `").getAttribute("href")`); got != href {
					t.Errorf("link %s leads to %s, want %s", id, got, href)
				}
			}
			got := tb.Text(`Array.from(document.forms).map(function (f) { return Array.from(f.querySelectorAll("input")).map(
				function (i) { return i.name + "=" + i.value; }).join(); }).join(" | ")`)
			if diff := cmp.Diff(forms, got); diff != "" {
				t.Errorf("forms:\n%s", diff)
			}
			if test.want != "" {
				tb.Click("#submit", "Ordered subid="+test.want+" clickid="+test.want)
			}
		})
	}
}

// TestAnOrderOfAnAdaptedFormIsAConversion is the adapter's whole way: the shop's own server reports the order, by the
// postback key, with the subid that its form brought.
func TestAnOrderOfAnAdaptedFormIsAConversion(t *testing.T) {
	s := newStage(t)
	b := s.open(t, chromium.AllCookies)
	tb := b.tab(t)
	byLink("adapter", "Ready")(tb)
	tb.Click("#submit", "Ordered ")
	subid := b.clicks(t)[0].SubID
	if title := tb.Await("Ordered "); title != "Ordered subid="+subid+" clickid="+subid {
		t.Fatalf("%s, want the click %s", title, subid)
	}
	if body := s.report(t, "subid="+subid+"&status=sale&payout=7&tid=55"); body != "Success" {
		t.Errorf("the shop's report: %s", body)
	}
	if diff := cmp.Diff([]string{sale}, b.recordedFor(t, subid)); diff != "" {
		t.Error(diff)
	}
	b.checkS2S(t, b.clicks(t)[0], []string{sale})
}

// TestTheTrackingScriptFillsThePageAsTheOriginalDoes drives Keitaro's unchanged snippet with our script.
func TestTheTrackingScriptFillsThePageAsTheOriginalDoes(t *testing.T) {
	s := newStage(t)
	b := s.open(t, chromium.AllCookies)
	tb := b.tab(t)
	page("/fill?kw=red&page=order&clickid=", "Filled ")(tb)
	clicks := b.clicks(t)
	subid := clicks[0].SubID
	token := strings.Fields(tb.Await("Filled "))[1]
	if len(clicks) != 1 || !strings.HasPrefix(token, "QwErTy."+subid) {
		t.Fatalf("%d clicks, token %s of %s", len(clicks), token, subid)
	}
	for id, want := range map[string]string{
		"offer":   tracker + "/?_lp=1&_token=" + token + "&page=order&clickid=1",
		"plain":   "https://other.test/?a=" + subid + "&b=" + subid,
		"encoded": "https://other.test/?a=" + subid + "&b=" + subid, "own": "/thanks",
	} {
		if got := tb.Text(`document.getElementById("` + id + `").getAttribute("href")`); got != want {
			t.Errorf("link %s leads to %s, want %s", id, got, want)
		}
	}
	inputs := `Array.from(document.forms).map(function (f) { return Array.from(f.querySelectorAll("input")).map(
		function (i) { return i.name + "=" + i.value; }).join(); }).join(" | ")`
	want := fmt.Sprintf("subid=%[1]s,sub_id=%[1]s,x=%[1]s,_subid=%[1]s,_token=%[2]s | q=,_subid=%[1]s,_token=%[2]s", subid,
		token)
	if diff := cmp.Diff(want, tb.Text(inputs)); diff != "" {
		t.Errorf("forms:\n%s", diff)
	}
	t.Run("another visit is the same click, and a new one with _new=1", func(t *testing.T) {
		page("/fill", "Filled ")(tb)
		if n := len(b.clicks(t)); n != 1 {
			t.Errorf("%d clicks", n)
		}
		page("/fill?_new=1", "Filled ")(tb)
		if n := len(b.clicks(t)); n != 2 {
			t.Errorf("%d clicks, want a second one", n)
		}
	})
	t.Run("the offer's link leads on", func(*testing.T) {
		page("/fill?page=order", "Filled ")(tb)
		tb.Click("#offer", "Ordered ")
	})
}

func TestTheAdapterHandsTheTokenOnAndFillsEveryMacro(t *testing.T) {
	s := newStage(t)
	tb := s.open(t, chromium.AllCookies).tab(t)
	page("/macros?_subid=q1&_token=QwErTy.q1&pixel=77", "Ready")(tb)
	for id, want := range map[string]string{
		"all":   "https://offer.test/?s=q1&t=QwErTy.q1&p=77",
		"offer": tracker + "/?_lp=1&_token=QwErTy.q1",
		"own":   shop + "/thanks?_subid=q1&_token=QwErTy.q1",
	} {
		if got := tb.Text(`document.getElementById("` + id + `").getAttribute("href")`); got != want {
			t.Errorf("link %s leads to %s, want %s", id, got, want)
		}
	}
	want := "t=QwErTy.q1,subid=q1,_token=QwErTy.q1"
	got := tb.Text(`Array.from(document.forms[0].querySelectorAll("input")).map(function (i) { return i.name + "=" + i.value; }).join()`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
