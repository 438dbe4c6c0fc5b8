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

// pictures are those of docs/console.md and README.md, each in light and in dark colours: the page that it shows.
var pictures = map[string]string{
	"overview": "",
	"received": "received",
	"builder":  "url?network=admitad&receiver=https://pb.example.com",
	"tester": "url?endpoint=default/e000&query=" +
		"subid%3Dk3n7%26status%3Dapproved%26payout%3D12,5%26currency%3Deur%26tid%3D1001#tester",
	"conversions": "conversions",
	"conversion":  "conversions/ID",
	"correct":     "conversions/ID#correct",
	"operations":  "operations",
	"operation":   "operations/OPERATION",
	"import":      "operations#import",
	"resend":      "operations#resend",
	"erase":       "operations?endpoint=default/e000&subid=k3n7#erase",
	"statuses":    "statuses",
	"campaigns":   "campaigns",
	"endpoints":   "endpoints",
	"clicks":      "clicks",
	"click":       "clicks/default/e000/k3n7",
	"s2s":         "s2s",
	"views":       "views?url=/console/reports",
	"reports":     "reports?group=campaign&metrics=clicks,conversions,cr,hold,revenue_confirmed,cost,profit,roi",
}

// consolePages are all pages, as they are with the rows of [consoleScene]. ID is a conversion's.
var consolePages = []string{
	"", "conversions", "conversions/ID", "received", "statuses", "clicks", "clicks/default/e000/k3n7", "campaigns", "s2s",
	"reports?group=day,campaign", "reports?group=campaign&out=%5B%22spring%22%5D", "url", "url?network=keitaro", "endpoints",
	"operations", "operations/OPERATION", "operations/WIDE", "views", "views?url=/console/reports",
	"url?endpoint=default/e000&query=subid%3Dk3n7%26status%3Dapprove",
}

// wide is a word that no column has room for. Pictures have an ordinary one.
func wide(length int) string {
	if *update {
		return "spring"
	}
	return strings.Repeat("w", length)
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
		get("subid=x5c1&status=lead&payout=6&tid="+wide(256)+"&source="+strings.Repeat("%3Cb%3E", 250),
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
	imported := r.submitted(t, "operations", url.Values{
		"kind": {"import"}, "endpoint": {s.endpoint}, "note": {wide(500)},
		"text": {"k3n7,12.50," + wide(256) + "\n" + wide(2048) + ",1\n"},
	})
	ids["WIDE"] = path.Base(imported)
	r.ended(t, ids["WIDE"])
	r.submitted(t, "views", url.Values{"name": {"By day " + wide(90)}, "url": {"/console/reports?group=day"}})
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
	for name, page := range pictures {
		page, fragment, _ := strings.Cut(page, "#")
		separator := map[bool]string{true: "&", false: "?"}[strings.Contains(page, "?")]
		address := r.ops + "/console/" + located(page, ids) + separator + "lang=en#" + fragment
		for scheme, file := range map[string]string{"light": name, "dark": name + "-dark"} {
			tab.Look(1280, 720, scheme)
			tab.Visit(address)
			awaitScript(tab)
			file = filepath.Join("../../docs/images", "console-"+file+".png")
			if err := os.WriteFile(file, tab.Picture(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
