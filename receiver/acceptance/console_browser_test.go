package acceptance

import (
	"flag"
	"net/url"
	"os"
	"path"
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
	"console-correct.png":    {"conversions/ID?lang=en#correct", "light"},
	"console-operation.png":  {"operations/OPERATION?lang=en", "light"},
	"console-import-dark.png": {
		"operations?lang=en#import", "dark",
	},
	"console-statuses.png":  {"statuses?lang=en", "light"},
	"console-campaigns.png": {"campaigns?lang=ru", "dark"},
	"console-endpoints.png": {"endpoints?lang=en", "dark"},
	"console-clicks.png":    {"clicks?lang=en", "dark"},
	"console-reports-dark.png": {
		"reports?group=campaign&metrics=clicks,conversions,cr,hold,revenue_confirmed,cost,profit,roi&lang=en", "dark",
	},
}

// consolePages are all pages, as they are with the rows of [consoleScene]. ID is a conversion's.
var consolePages = []string{
	"", "conversions", "conversions/ID", "received", "statuses", "clicks", "clicks/default/e000/k3n7", "campaigns", "s2s",
	"reports?group=day,campaign", "reports?group=campaign&out=%5B%22spring%22%5D", "url", "url?network=keitaro", "endpoints",
	"operations", "operations/OPERATION", "operations/WIDE", "views", "views?url=/console/reports",
	"url?endpoint=default/e000&query=subid%3Dk3n7%26status%3Dapprove",
}

// consoleScene is a receiver with something to see on each page, also what strangers send with ill intent.
func consoleScene(t *testing.T) (r *rig, ids map[string]string) {
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
	ids = map[string]string{}
	for _, c := range list[conversion](t, r, "/api/v1/conversions", url.Values{"subid": {"k3n7"}}) {
		ids["ID"] = c.ID
	}
	led := r.submitted(t, "operations", url.Values{
		"kind": {"reconcile"}, "endpoint": {s.endpoint}, "from": {"2026-02-20"}, "to": {"2026-03-20"},
		"note": {"the statement of February"},
		"text": {"subid,payout,status,tid\nk3n7,12.50,approved,1001\nx5c1,9,lead,\nnobody,4,sale,\n"},
	})
	ids["OPERATION"] = path.Base(led)
	r.ended(t, ids["OPERATION"])
	wide := r.submitted(t, "operations", url.Values{
		"kind": {"import"}, "endpoint": {s.endpoint}, "note": {strings.Repeat("w", 500)},
		"text": {"k3n7,12.50," + strings.Repeat("w", 256) + "\n" + strings.Repeat("w", 2048) + ",1\n"},
	})
	ids["WIDE"] = path.Base(wide)
	r.ended(t, ids["WIDE"])
	r.submitted(t, "views", url.Values{"name": {"By day " + strings.Repeat("w", 90)}, "url": {"/console/reports?group=day"}})
	return r, ids
}

// located puts the ids of a scene into the URL of a page.
func located(page string, ids map[string]string) string {
	for name, id := range ids {
		page = strings.Replace(page, "/"+name, "/"+id, 1)
	}
	return page
}

func TestABrowserWalksTheConsole(t *testing.T) {
	r, ids := consoleScene(t)
	browser := chromium.Open(t, chromium.OwnCookies, nil)
	tab := browser.Tab(t)
	if *update {
		takePictures(t, tab, r, ids)
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
					tab.Visit(r.ops + "/console/" + located(page, ids) + separator + "lang=" + lang)
					checkPage(t, tab, page, lang, scheme, width)
				}
				// A tenth of what Chromium calls good. Below that is a page of which a part is drawn before the rest has arrived.
				if shift := tab.Text(`window.shift > 0.01 ? String(window.shift) : ""`); shift != "" {
					t.Errorf("/console/%s in %s, %s, shifts what was seen by %s", page, lang, scheme, shift)
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
// more requests than its own style and script, more than 60 kB transferred. It begins to count how much late content
// shifts.
func checkPage(t *testing.T, tab *chromium.Tab, page, lang, scheme string, width int64) {
	t.Helper()
	got := tab.Text(`new PerformanceObserver((list) => {
			for (const entry of list.getEntries()) { window.shift = (window.shift ?? 0) + entry.value; }
		}).observe({type: "layout-shift", buffered: true});
		[
		document.documentElement.scrollWidth <= window.innerWidth ? "fits" : "scrolls sideways",
		document.styleSheets.length + " styles",
		document.title.endsWith(" · Postback") ? "own title" : document.title,
		performance.getEntriesByType("resource").filter((e) => !e.name.endsWith("favicon.ico")).length + " requests",
		[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
			.reduce((sum, e) => sum + e.transferSize, 0) < 60000 ? "light" : "heavy",
		document.documentElement.lang,
	].join(", ")`)
	if want := "fits, 1 styles, own title, 2 requests, light, " + lang; got != want {
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

func takePictures(t *testing.T, tab *chromium.Tab, r *rig, ids map[string]string) {
	t.Helper()
	for file, shown := range pictures {
		tab.Look(1280, 720, shown.scheme)
		tab.Visit(r.ops + "/console/" + located(shown.page, ids))
		if err := os.WriteFile(filepath.Join("../../docs/images", file), tab.Picture(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
