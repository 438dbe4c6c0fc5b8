package acceptance

import (
	"net/url"
	"strings"
	"testing"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
)

// longestLine gives the longest line of text in a paragraph, in characters of medium width, with its text.
const longestLine = `(() => {
	let longest = [0, ""];
	for (const paragraph of document.querySelectorAll("main p, main dd, main li:not(:has(li, p)), main figcaption")) {
		const range = document.createRange();
		range.selectNodeContents(paragraph);
		const lines = new Map();
		for (const box of range.getClientRects()) {
			const line = lines.get(Math.round(box.bottom)) ?? [box.left, box.right];
			lines.set(Math.round(box.bottom), [Math.min(line[0], box.left), Math.max(line[1], box.right)]);
		}
		const size = parseFloat(getComputedStyle(paragraph).fontSize);
		for (const [left, right] of lines.values()) {
			const length = Math.round((right - left) / size * 2);
			if (length > longest[0]) { longest = [length, paragraph.innerText.slice(0, 80)]; }
		}
	}
	return longest[0] > 110 ? longest.join(" ") : "";
})()`

// TestA4KScreenShowsLinesThatCanBeRead looks at every page where there is more room than one can read across.
func TestA4KScreenShowsLinesThatCanBeRead(t *testing.T) {
	r, ids := consoleScene(t)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(3840, 2160, "light")
	for _, page := range consolePages {
		for _, lang := range []string{"en", "ru"} {
			separator := map[bool]string{true: "&", false: "?"}[strings.Contains(page, "?")]
			tab.Visit(r.ops + "/console/" + located(page, ids) + separator + "lang=" + lang)
			awaitScript(tab)
			checkPage(t, tab, page, lang, "light", 3840)
			if long := tab.Text(longestLine); long != "" {
				t.Errorf("/console/%s in %s has a line of %s", page, lang, long)
			}
		}
	}
}

// TestAReportIsPrintedWhole looks at the page of reports as it goes to paper: A4 across, from a dark screen.
func TestAReportIsPrintedWhole(t *testing.T) {
	r, _ := consoleScene(t)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1032, 700, "dark")
	tab.Visit(r.ops + "/console/reports?lang=en&group=day,campaign&metrics=" +
		"clicks,conversions,leads,sales,rejected,cr,hold,revenue_confirmed,cost,profit,roi")
	awaitScript(tab)
	const cells = `[...document.querySelectorAll("table.report :is(th, td)")]
		.filter((e) => e.checkVisibility() && e.innerText.trim() !== "").length + ""`
	const controls = `[...document.querySelectorAll(
		"header, nav, form.filters, button, input, select, .links, .tabs, dialog")]
		.filter((e) => e.checkVisibility()).map((e) => e.outerHTML.slice(0, 60)).join("\n")`
	onScreen := tab.Text(cells)
	if tab.Text(controls) == "" || atoi(t, onScreen) < 30 {
		t.Fatalf("on the screen are %s cells, and the controls %q", onScreen, tab.Text(controls))
	}
	tab.Print("dark")
	if shown := tab.Text(controls); shown != "" {
		t.Errorf("controls are printed:\n%s", shown)
	}
	if printed := tab.Text(cells); printed != onScreen {
		t.Errorf("%s cells are printed of %s", printed, onScreen)
	}
	const style = `((of, name) => getComputedStyle(document.querySelector(of))[name])`
	for expression, want := range map[string]string{
		style + `(".scroll:has(.report)", "overflowX")`:                                     "visible",
		style + `(".report thead", "display")`:                                              "table-header-group",
		style + `(".report tr", "breakInside")`:                                             "avoid",
		style + `(":root", "colorScheme")`:                                                  "light",
		style + `("body", "color")`:                                                         "rgb(26, 31, 36)",
		style + `(".footnote", "display")`:                                                  "block",
		`document.documentElement.scrollWidth <= window.innerWidth ? "fits" : "is cut off"`: "fits",
	} {
		if got := tab.Text(expression); got != want {
			t.Errorf("printed, %s is %q, want %q", expression, got, want)
		}
	}
}

// tabTo presses Tab until the selector's element has the focus.
func tabTo(t *testing.T, tab *chromium.Tab, selector string) {
	t.Helper()
	for range 200 {
		tab.Press("\t")
		if tab.Text("document.activeElement.matches(`"+selector+"`) ? 'here' : ''") != "" {
			return
		}
	}
	t.Fatalf("Tab does not reach %s", selector)
}

// TestAPersonIsErasedByKeysAlone goes from a click to its erasure, tries it and runs it, and touches no mouse.
func TestAPersonIsErasedByKeysAlone(t *testing.T) {
	r, _ := consoleScene(t)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1280, 900, "light")
	known := func() int {
		return len(list[read.Click](t, r, "/api/v1/clicks", url.Values{"filter": {"keyword eq running shoes"}}))
	}
	tab.Visit(r.ops + "/console/clicks/" + sceneOf(r, 0).endpoint + "/k3n7?lang=en")
	awaitScript(tab)
	tabTo(t, tab, `a[href*="#erase"]`)
	tab.Press("\r")
	tab.Await("Operations")
	awaitScript(tab)
	tabTo(t, tab, `#erase ~ form [name=note]`)
	tab.Press("asked for by letter\r")
	shows(t, tab, `document.querySelector("main .note")?.innerText ?? ""`, "Nothing was changed")
	if got := known(); got != 1 {
		t.Errorf("after the dry run, %d clicks have the keyword", got)
	}
	awaitScript(tab)
	tabTo(t, tab, `form[action*="/run"] button`)
	tab.Press("\r")
	shows(t, tab, `document.querySelector(".facts .chip.done")?.innerText ?? ""`, "done")
	if got := known(); got != 0 {
		t.Errorf("after the erasure, %d clicks have the keyword", got)
	}
}
