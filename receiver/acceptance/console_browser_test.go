package acceptance

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
)

var update = flag.Bool("update", false, "write the pictures of docs/console.md, and the answers of docs/api.md")

// pictures are those of README.md and docs/console.md: the page that each shows, and its colours.
var pictures = map[string]struct{ page, scheme string }{
	"console-overview.png":      {"?lang=en", "light"},
	"console-overview-dark.png": {"?lang=ru", "dark"},
	"console-received.png":      {"received?lang=en", "light"},
	"console-builder.png":       {"url?lang=en&network=admitad&receiver=https://pb.example.com", "light"},
	"console-tester-dark.png": {
		"url?lang=en&endpoint=default/e000&query=" +
			"subid%3Dk3n7%26status%3Dapproved%26payout%3D12,5%26currency%3Deur%26tid%3D1001#tester", "dark",
	},
	"console-conversion.png": {"conversions/ID?lang=en", "light"},
	"console-statuses.png":   {"statuses?lang=en", "light"},
	"console-campaigns.png":  {"campaigns?lang=ru", "dark"},
	"console-endpoints.png":  {"endpoints?lang=en", "dark"},
	"console-clicks.png":     {"clicks?lang=en", "dark"},
	"console-reports-dark.png": {
		"reports?group=campaign&metrics=clicks,conversions,cr,hold,revenue_confirmed,cost,profit,roi&lang=en", "dark",
	},
}

// consolePages are all pages, as they are with the rows of [consoleScene]. ID is a conversion's.
var consolePages = []string{
	"", "conversions", "conversions/ID", "received", "statuses", "clicks", "clicks/default/e000/k3n7", "campaigns", "s2s",
	"reports?group=day,campaign", "url", "url?network=keitaro", "endpoints", "operations",
	"url?endpoint=default/e000&query=subid%3Dk3n7%26status%3Dapprove",
}

// consoleScene is a receiver with something to see on each page, also what strangers send with ill intent.
func consoleScene(t *testing.T) (r *rig, id string) {
	t.Helper()
	r = start(t, declare(t, []string{`{"training":[{"type":"sale","statuses":["approved"]}],
		"campaigns":[{"name":"spring","alias":"spring","offerURL":"https://offer.example/?sub={subid}","source":"facebook"}],
		"forwards":[{"name":"source","url":"http://127.0.0.1:9/?cid={external_id}","method":"GET","types":["sale"],
			"resend":"OnAnyChange"}]}`}))
	s := sceneOf(r, 0)
	for _, step := range []step{
		click(`{"subid":"k3n7","campaign":"spring","source":"facebook","keyword":"running shoes","cost":"0.42"}`),
		click(`{"subid":"q9w2","campaign":"spring","source":"facebook","cost":"0.38"}`),
		click(`{"subid":"x5c1","campaign":"summer","source":"tiktok","cost":"0.21"}`),
		get("subid=x5c1&status=lead&payout=6&tid="+strings.Repeat("w", 256)+"&source="+strings.Repeat("%3Cb%3E", 250),
			"recorded"),
		get("subid=k3n7&status=lead&payout=10&tid=1001", "recorded"),
		get("subid=k3n7&status=approved&payout=12.5&currency=eur&tid=1001", "recorded"),
		get("subid=q9w2&status=rejected&payout=8", "recorded"),
		get("subid=x5c1&status=lead&payout=6", "recorded"),
		get("subid=x5c1&status=hold2&payout=6", "ignored; reason=status_unknown"),
		get("subid=x5c1&status=approve&payout=6", "ignored; reason=status_unknown"),
		get("subid=%7Bclickid%7D&status=approved", "ignored; reason=subid_unresolved_macro"),
		get("subid=x5c1&status=lead&payout=6&tid=2&keyword=%3Cscript%3Edocument.title%3D1%3C/script%3E%E2%80%AE", "recorded"),
	} {
		step.run(t, s)
	}
	for _, c := range list[conversion](t, r, "/api/v1/conversions", url.Values{"subid": {"k3n7"}}) {
		id = c.ID
	}
	return r, id
}

func TestABrowserWalksTheConsole(t *testing.T) {
	r, id := consoleScene(t)
	browser := chromium.Open(t, chromium.OwnCookies, nil)
	tab := browser.Tab(t)
	if *update {
		takePictures(t, tab, r, id)
		return
	}
	for _, lang := range []string{"en", "ru"} {
		for _, scheme := range []string{"light", "dark"} {
			for _, page := range consolePages {
				separator := "?"
				if strings.Contains(page, "?") {
					separator = "&"
				}
				for _, width := range []int64{360, 1280} {
					tab.Look(width, 900, scheme)
					tab.Visit(r.ops + "/console/" + strings.Replace(page, "ID", id, 1) + separator + "lang=" + lang)
					checkPage(t, tab, page, lang, scheme, width)
				}
				if wrong := tab.Accessible(); wrong != "" {
					t.Errorf("/console/%s in %s, %s, is not accessible:\n%s", page, lang, scheme, wrong)
				}
			}
		}
	}
	walk(t, tab, r)
}

// checkPage looks for what no page may have: a sideways scroll, a missing style, a title that a stranger's script set,
// more requests than its own style and script.
func checkPage(t *testing.T, tab *chromium.Tab, page, lang, scheme string, width int64) {
	t.Helper()
	got := tab.Text(`[
		document.documentElement.scrollWidth <= window.innerWidth ? "fits" : "scrolls sideways",
		document.styleSheets.length + " styles",
		document.title.endsWith(" · Postback") ? "own title" : document.title,
		performance.getEntriesByType("resource").filter((e) => !e.name.endsWith("favicon.ico")).length + " requests",
		document.documentElement.lang,
	].join(", ")`)
	if want := "fits, 1 styles, own title, 2 requests, " + lang; got != want {
		t.Errorf("/console/%s in %s, %s, at %d pixels: %s, want %s", page, lang, scheme, width, got, want)
	}
}

// walk goes from the overview to a conversion's history and to its postbacks, and by keys to the reports.
func walk(t *testing.T, tab *chromium.Tab, r *rig) {
	t.Helper()
	tab.Look(1280, 900, "light")
	tab.Visit(r.ops + "/console/?lang=en")
	tab.Click(`a[data-section="conversions"]`, "Conversions")
	awaitScript(tab)
	tab.Click(`tbody tr:last-child td:first-child a`, "One conversion")
	awaitScript(tab)
	if text := tab.Text(`document.querySelector("#history").parentElement.innerText`); !strings.Contains(text, "lead") {
		t.Errorf("the history of a conversion is reported as %q", text)
	}
	tab.Press("gr")
	tab.Await("Reports")
	awaitScript(tab)
	tab.Text(`document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true, cancelable: true})) + ""`)
	if name := tab.Text(`document.activeElement.name`); name != "group" {
		t.Errorf("the key / goes to %q", name)
	}
}

// awaitScript waits for the page's end and its script: a page has its title before either.
func awaitScript(tab *chromium.Tab) {
	tab.Helper()
	for tab.Text(`document.readyState`) != "complete" {
		time.Sleep(20 * time.Millisecond)
	}
}

func takePictures(t *testing.T, tab *chromium.Tab, r *rig, id string) {
	t.Helper()
	for file, shown := range pictures {
		tab.Look(1280, 720, shown.scheme)
		tab.Visit(r.ops + "/console/" + strings.Replace(shown.page, "ID", id, 1))
		if err := os.WriteFile(filepath.Join("../../docs/images", file), tab.Picture(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
