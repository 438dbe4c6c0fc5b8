package acceptance

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
)

// shows waits until an expression of the page is what is wanted.
func shows(t *testing.T, tab *chromium.Tab, expression, want string) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = tab.Text(expression); strings.Contains(got, want) {
			return
		}
	}
	t.Fatalf("%s is %q, and has no %q", expression, got, want)
}

// TestAPostbackIsSeenLiveThenExplained goes the way of somebody who sets up a network.
func TestAPostbackIsSeenLiveThenExplained(t *testing.T) {
	r, _ := consoleScene(t)
	s := sceneOf(r, 0)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1280, 900, "light")

	// It appears in both lists while they are open, with what a stranger sent as text.
	for _, page := range []string{"received", "conversions"} {
		tab.Visit(r.ops + "/console/" + page + "?lang=en&live=1")
		awaitScript(tab)
		before := tab.Text(`document.querySelectorAll("tbody tr").length + ""`)
		get("subid=k3n7&status=lead&payout=3&tid=live-"+page+"&keyword=%3Cimg%20src=x%20onerror=document.title=1%3E",
			"recorded").run(t, s)
		shows(t, tab, `document.querySelector("tbody tr")?.innerText ?? ""`, map[string]string{
			"received": "recorded", "conversions": "live-conversions",
		}[page])
		if title := tab.Text(`document.title`); !strings.HasSuffix(title, " · Postback") || before == "0" {
			t.Errorf("the title is %q, rows before: %s", title, before)
		}
	}

	// Its row leads to the tester, which says why. Nothing is recorded by it.
	count := len(r.conversions(t, s.endpoint))
	tab.Visit(r.ops + "/console/received?lang=en&reason=status_unknown")
	tab.Text(`document.querySelector("details").open = true; ""`)
	tab.Click(`details[open] a[href*="/console/url"]`, "URL & test")
	shows(t, tab, `document.querySelector(".result")?.innerText ?? ""`, "status_unknown")
	shows(t, tab, `document.querySelector(".steps .stop")?.innerText ?? ""`, "no training knows it")

	// A whole URL with the key is sent by the form, and is in no address.
	awaitScript(tab)
	tab.Text(`document.querySelector("textarea").value = "` + r.url + "/" + s.key +
		`/postback?subid=k3n7&status=sale&payout=9&tid=7"; ""`)
	tab.Text(`document.querySelector("form.tester button").click(); ""`)
	shows(t, tab, `document.querySelector(".result")?.innerText ?? ""`, "recorded")
	if address := tab.Text(`location.href`); strings.Contains(address, s.key) {
		t.Errorf("the key is in the page's address: %s", address)
	}
	if got := len(r.conversions(t, s.endpoint)); got != count {
		t.Errorf("the tester has recorded something: %d conversions, %d before", got, count)
	}
}

// TestTheConsoleIsReadWithoutScripts goes by links and forms alone.
func TestTheConsoleIsReadWithoutScripts(t *testing.T) {
	r, _ := consoleScene(t)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1280, 900, "light")
	tab.WithoutScripts()
	tab.Visit(r.ops + "/console/?lang=ru")
	for _, section := range []struct{ name, title string }{
		{"conversions", "Конверсии"}, {"received", "Принятые"}, {"clicks", "Клики"}, {"campaigns", "Кампании"},
		{"s2s", "S2S"}, {"reports", "Отчёты"}, {"url", "URL и проверка"}, {"endpoints", "Эндпоинты"},
	} {
		tab.Click(`a[data-section="`+section.name+`"]`, section.title)
	}
	tab.Click(`a[data-section="url"]`, "URL и проверка")
	tab.Click(`a.pill`, "URL и проверка")
	shows(t, tab, `document.querySelector(".nothing")?.innerText ?? ""`, "Ничего не записано")
}

// TestTheConsoleIsUsedByKeysAlone presses Tab until the page has no further place, and Enter on the way.
func TestTheConsoleIsUsedByKeysAlone(t *testing.T) {
	r, _ := consoleScene(t)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1280, 900, "light")
	for _, page := range []string{"", "received?live=1", "s2s", "url", "statuses"} {
		tab.Visit(r.ops + "/console/" + page)
		awaitScript(tab)
		// All that can be used is gone through, each in its turn, and is seen to be where one is.
		want := tab.Text(`window.places = [...document.querySelectorAll(
			"a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
			.filter((e) => e.checkVisibility({visibilityProperty: true}));
			window.passed = new Set();
			document.addEventListener("focusin", (e) => window.passed.add(e.target));
			window.places.length + ""`)
		tab.Press(strings.Repeat("\t", atoi(t, want)+2))
		missed := tab.Text(`window.places.filter((e) => !window.passed.has(e))
			.map((e) => e.outerHTML.slice(0, 80)).join("\n")`)
		if missed != "" {
			t.Errorf("/console/%s: Tab does not reach %s", page, missed)
		}
	}
	tab.Visit(r.ops + "/console/?lang=en")
	awaitScript(tab)
	tab.Press("\t\r") // The first place is the link to the content.
	shows(t, tab, `document.activeElement?.id ?? ""`, "main")
	tab.Text(`document.querySelector("a[data-section=conversions]").focus(); ""`)
	tab.Press("\r")
	tab.Await("Conversions")
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
