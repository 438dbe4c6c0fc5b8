package acceptance

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
)

// hostileWords are what a stranger may write anywhere: markup, text that turns round what follows it, words of 2 KiB,
// bytes that are no text.
var hostileWords = []string{
	`"'></td></table><script>window.ran=1;document.title="ran"</script><img src=x onerror="window.ran=1">`,
	"\u202eevil\u2066\u202d end", strings.Repeat("w", 2048), strings.Repeat("Ш", 1024), "a\x00b", "bad \xff\xfe\xc3",
	`javascript:window.ran=1`, `{{.Token}}${7*7}</textarea></title><svg/onload=window.ran=1>`,
}

// hostileNames are the parameters of postbacks; those of clicks are among them.
var hostileNames = []string{
	"subid", "status", "payout", "currency", "tid", "cost", "date", "from", "source", "keyword", "external_id",
	"creative_id", "ad_campaign_id", "sub_id_1", "sub_id_30", "campaign", "unknown", "<script>window.ran=1</script>\u202e",
}

// strangers send every hostile word in every parameter of postbacks, of a campaign's link and of the click API. What
// becomes of it is not asked here.
func strangers(t *testing.T, r *rig, s *scene) {
	t.Helper()
	send := func(method, target, body string, headers map[string]string) {
		request, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultTransport.RoundTrip(request) // Where a link leads is not looked at.
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for n, word := range hostileWords {
		for m, name := range hostileNames {
			said := url.Values{"subid": {"k3n7"}, "status": {"lead"}, "tid": {fmt.Sprintf("h%d-%d", n, m)}}
			said.Set(name, word)
			send(http.MethodGet, r.url+"/"+s.key+"/postback?"+said.Encode(), "", nil)
			send(http.MethodGet, r.url+"/spring?"+url.Values{name: {word}}.Encode(), "", map[string]string{
				"User-Agent": strings.Map(printable, word), "Referer": "https://x.example/" + url.PathEscape(word),
			})
		}
		said := url.Values{"subid": {"k3n7"}, "status": {word}}
		send(http.MethodPost, r.url+"/"+s.key+"/postback", said.Encode(), form)
		send(http.MethodPost, r.url+"/"+s.key+"/postback", word, map[string]string{"Content-Type": "text/" + strings.Map(printable, word)})
		text := strings.ReplaceAll(fmt.Sprintf("%q", strings.ToValidUTF8(word, "")), `\x00`, `\u0000`)
		for _, name := range []string{"source", "keyword", "campaign", "user_agent", "sub_id_1", "ip"} {
			click := fmt.Sprintf(`{"subid":"clicked-%d-%s","%s":%s}`, n, name, name, text)
			send(http.MethodPost, r.url+"/clicks", click, map[string]string{"Authorization": "Bearer " + s.token})
		}
	}
}

// printable drops what no header may have.
func printable(c rune) rune {
	if c < ' ' || c == 0x7f {
		return -1
	}
	return c
}

// watchPage is an expression that says what a stranger has done to a page: run a script, broken the policy, made it
// scroll sideways, or turned round text that is not theirs. Text stands alone where the element around it is a box of
// its own or isolated, and has nothing else in it.
const watchPage = `(() => {
	const found = [];
	if (window.ran || !document.title.endsWith(" · Postback")) { found.push("a script ran: " + document.title); }
	if (document.documentElement.scrollWidth > window.innerWidth) { found.push("scrolls sideways: " + [...document.querySelectorAll("main *")].filter((e) => !e.closest(".scroll, .canvas") &&
			e.getBoundingClientRect().right > window.innerWidth).slice(0, 3).map((e) => e.outerHTML.slice(0, 80)).join(" | ")); }
	found.push(...window.policies);
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const text = texts.currentNode;
		if (!/[\u202a-\u202e\u2066-\u2069]/.test(text.data) || !text.parentElement.checkVisibility()) { continue; }
		let around = text.parentElement;
		while (getComputedStyle(around).display === "inline" && !/isolate|plaintext/.test(getComputedStyle(around).unicodeBidi)) {
			around = around.parentElement;
		}
		if (around.textContent.trim() !== text.data.trim()) { found.push("not alone: " + around.outerHTML.slice(0, 200)); }
	}
	return [...new Set(found)].slice(0, 5).join("\n");
})()`

// lookAt returns what strangers have done to the page. What broke the policy is told a moment later, also from before.
func lookAt(tab *chromium.Tab) string {
	tab.Helper()
	tab.Text(`window.policies = [];
		new ReportingObserver((all) => window.policies.push(...all.map((r) => "policy: " + r.body.effectiveDirective)),
			{types: ["csp-violation"], buffered: true}).observe();
		window.settled = ""; setTimeout(() => { window.settled = "settled"; }, 30); ""`)
	for tab.Text(`window.settled`) == "" {
		time.Sleep(10 * time.Millisecond)
	}
	return tab.Text(watchPage)
}

// TestWhatStrangersSendDoesNothingToAnyPage sends it, and looks at every page in both languages and themes.
func TestWhatStrangersSendDoesNothingToAnyPage(t *testing.T) {
	r, ids := consoleScene(t)
	strangers(t, r, sceneOf(r, 0))
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	word := url.QueryEscape(hostileWords[0] + hostileWords[1])
	pages := append([]string{
		"received?reason=status_unknown", "received?outcome=recorded", "clicks?filter=keyword+contains+w", "reports?group=keyword,source",
		"reports?group=sub_id_1,campaign&metrics=clicks,conversions", "conversions?subid=" + word, "received?reason=" + word,
		"url?query=" + word + "&endpoint=default/e000", "statuses?word=" + word, "operations?note=" + word + "&text=" + word,
		"clicks?campaign=" + word, "reports?group=" + word, "views?url=" + word, "campaigns?currency=" + word,
	}, consolePages...)
	for i, lang := range []string{"en", "ru", "en", "ru"} {
		scheme := []string{"light", "light", "dark", "dark"}[i]
		tab.Look(360, 800, scheme)
		for _, page := range pages {
			separator := map[bool]string{true: "&", false: "?"}[strings.Contains(page, "?")]
			tab.Visit(r.ops + "/console/" + located(page, ids) + separator + "lang=" + lang)
			tab.Text(`document.querySelectorAll("details").forEach((d) => { d.open = true; }); ""`)
			if wrong := lookAt(tab); wrong != "" {
				t.Errorf("/console/%.80s in %s, %s:\n%s", page, lang, scheme, wrong)
			}
		}
	}
	// What is looked for would be seen.
	tab.Text(`window.ran = 1; document.querySelector("h1").innerHTML =
		"ours \u202etheirs<span>" + "w".repeat(999) + "</span><img src=x onerror='window.ran=1'>"; ""`)
	seen := lookAt(tab)
	for _, want := range []string{"a script ran", "scrolls sideways", "policy: script-src", "not alone"} {
		if !strings.Contains(seen, want) {
			t.Errorf("what has %q is seen as %s", want, seen)
		}
	}
}
