package acceptance

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/console"
	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
)

// submit fills fields of a form of the page, named by a selector, and sends it.
func submit(tab *chromium.Tab, form string, fields map[string]string) {
	tab.Helper()
	for name, value := range fields {
		tab.Text(`{ const field = document.querySelector(` + "`" + form + ` [name="` + name + `"]` + "`" + `);
			field.type === "checkbox" ? field.checked = ` + "`" + value + "`" + ` !== "" : field.value = ` + "`" + value + "`" + `; } ""`)
	}
	tab.Text("document.querySelector(`" + form + " button`).click(); ''")
}

// formToken finds the token of a page's forms.
var formToken = regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`)

// failureOf finds what a page says is wrong.
func failureOf(page string) string {
	_, said, _ := strings.Cut(page, `role="alert">`)
	said, _, _ = strings.Cut(said, "<")
	return said
}

func textOf(t *testing.T, response *http.Response) string {
	t.Helper()
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// submitted sends a form of the console as a browser does, and returns where it leads.
func (r *rig) submitted(t *testing.T, path string, form url.Values) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	response, err := browser.Get(r.ops + "/console/url")
	if err != nil {
		t.Fatal(err)
	}
	form.Set("token", formToken.FindStringSubmatch(textOf(t, response))[1])
	if response, err = browser.PostForm(r.ops+"/console/"+path, form); err != nil {
		t.Fatal(err)
	}
	if text := textOf(t, response); response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s", path, response.Status, text)
	}
	return response.Request.URL.Path
}

// TestAPostbackIsSeenLiveCorrectedReplayedAndReported goes the way of a conversion through the console.
func TestAPostbackIsSeenLiveCorrectedReplayedAndReported(t *testing.T) {
	r, _ := consoleScene(t)
	s := sceneOf(r, 0)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1280, 900, "light")
	pages := r.ops + "/console/"

	// Live, while the list is open.
	click(`{"subid":"walk1","campaign":"autumn","cost":"0.50"}`).run(t, s)
	tab.Visit(pages + "conversions?lang=en&live=1")
	awaitScript(tab)
	get("subid=walk1&status=sale&payout=20", "recorded").run(t, s)
	committed := time.Now()
	shows(t, tab, `document.querySelector("tbody tr")?.innerText ?? ""`, "walk1")
	t.Logf("it appears %s after its commit", time.Since(committed).Round(time.Millisecond)) // docs/console.md has it.

	// Corrected: refused without a number, then done, and pinned.
	tab.Click(`tbody tr:first-child td:first-child a`, "One conversion")
	awaitScript(tab)
	submit(tab, `form[action*="/change"]`, map[string]string{"payout": "many", "note": "fraud, ticket 81"})
	shows(t, tab, `document.querySelector(".failure")?.innerText ?? ""`, "must be a number")
	awaitScript(tab)
	if kept := tab.Text(`document.querySelector("form[action*='/change'] [name=note]").value`); kept != "fraud, ticket 81" {
		t.Errorf("the refused form says %q", kept)
	}
	submit(tab, `form[action*="/change"]`, map[string]string{"payout": "", "type": "rejected"})
	shows(t, tab, `document.querySelector(".facts")?.innerText ?? ""`, "rejected")
	shows(t, tab, `document.querySelector("main")?.innerText ?? ""`, "A person corrected it")

	// Pinned, it is left alone; then postbacks may change it again.
	get("subid=walk1&status=sale&payout=21", "ignored; reason=corrected_by_hand").run(t, s)
	submit(tab, `#unpin ~ form`, map[string]string{"note": "the network was right"})
	shows(t, tab, `document.querySelector("#unpin") ? "pinned" : document.querySelector("#history")?.innerText ?? ""`, "History")

	// An adjustment is a conversion of its own.
	awaitScript(tab)
	submit(tab, `form[action*="/adjust"]`, map[string]string{"payout": "-2.50", "note": "chargeback fee"})
	shows(t, tab, `document.querySelector(".facts")?.innerText ?? ""`, "adj-")

	// Replayed: a sale whose click came late, first as a dry run.
	get("subid=walk2&status=sale&payout=21", "ignored; reason=click_not_found").run(t, s)
	click(`{"subid":"walk2","campaign":"autumn","cost":"0.50"}`).run(t, s)
	tab.Visit(pages + "received?lang=en&subid=walk2&outcome=ignored")
	awaitScript(tab)
	tab.Text(`document.querySelector("details").open = true; ""`)
	tab.Click(`details[open] a[href*="#replay"]`, "Operations")
	awaitScript(tab)
	submit(tab, `#replay ~ form`, map[string]string{"note": "the click came late"})
	shows(t, tab, `document.querySelector("main .note")?.innerText ?? ""`, "Nothing was changed")
	shows(t, tab, `document.querySelector("main")?.innerText ?? ""`, "walk2")
	tab.Text(`document.querySelector("form[action*='/run'] button").click(); ""`)
	shows(t, tab, `document.querySelector(".facts .chip")?.innerText ?? ""`, "done")
	told := func() (all []string) {
		for _, c := range list[conversion](t, r, "/api/v1/conversions", url.Values{"subid": {"walk2"}}) {
			all = append(all, c.String())
		}
		return all
	}
	eventually(t, func() string { return cmp.Diff([]string{`"": sale 21`}, told()) })

	// Reported: the sale counts for its campaign, and by a tick it does not.
	tab.Visit(pages + "reports?lang=en&group=campaign&metrics=sales,revenue_confirmed&currency=USD")
	awaitScript(tab)
	shows(t, tab, `document.querySelector("table.report tbody")?.innerText ?? ""`, "autumn\tUSD\t1\t21.00")
	tab.Text(`document.querySelector("input[name=out][value='[\"autumn\"]']").click(); ""`)
	shows(t, tab, `document.querySelector("tfoot")?.innerText ?? ""`, "Without 1 ticked row")
	if rest := tab.Text(`document.querySelector("tfoot tr:last-child").innerText`); strings.Contains(rest, "34.75") ||
		!strings.Contains(rest, "13.75") {
		t.Errorf("without the ticked row: %q", rest)
	}
}

// TestATestIsSentAndAPersonErased goes from the tester to a conversion that is a test, and then erases its click: first
// as a dry run. What failed is sent again in the same way.
func TestATestIsSentAndAPersonErased(t *testing.T) {
	r, _ := consoleScene(t)
	s := sceneOf(r, 0)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1280, 900, "light")
	pages := r.ops + "/console/"

	tab.Visit(pages + "url?lang=en#tester")
	awaitScript(tab)
	sendTest := func(query string) {
		tab.Text("document.querySelector('textarea[name=query]').value = `" + query + "`; " +
			"document.querySelector('button[name=send]').click(); ''")
	}
	sendTest("subid=k3n7&status=approved&payout=1")
	shows(t, tab, `document.querySelector("#tester ~ .failure")?.innerText ?? ""`, "click that counts")
	awaitScript(tab)
	sendTest("subid=try-1&status=approved&payout=77&keyword=secret+shoes")
	tab.Await("One conversion")
	awaitScript(tab)
	if facts := tab.Text(`document.querySelector(".facts").innerText`); !strings.Contains(facts, "77") ||
		!strings.Contains(facts, "test") {
		t.Errorf("the test is %q", facts)
	}
	if sums := tab.Text(`fetch("/console/").then((r) => r.text()).then((text) => { window.sums = text; }); ""`); sums != "" {
		t.Error(sums)
	}
	shows(t, tab, `window.sums ? "read" : ""`, "read")
	if counted := tab.Text(`new DOMParser().parseFromString(window.sums, "text/html").querySelector("tbody").innerText`); strings.
		Contains(counted, "77") {
		t.Errorf("the sums of today have the test: %s", counted)
	}

	// Erased: the click's page leads to the form.
	tab.Click(`.facts a[href*="/clicks/"]`, "One click")
	awaitScript(tab)
	tab.Click(`a[href$="#erase"]`, "Operations")
	awaitScript(tab)
	submit(tab, `#erase ~ form`, map[string]string{"note": "request 17"})
	shows(t, tab, `document.querySelector("main .note")?.innerText ?? ""`, "cannot be brought back")
	shows(t, tab, `document.querySelector("main")?.innerText ?? ""`, "try-1")
	if rows := list[read.Click](t, r, "/api/v1/clicks", url.Values{"filter": {"keyword eq secret shoes"}}); len(rows) != 1 {
		t.Errorf("after the dry run: %v", rows)
	}
	tab.Text(`document.querySelector("form[action*='/run'] button").click(); ""`)
	shows(t, tab, `document.querySelector(".facts .chip")?.innerText ?? ""`, "done")
	shows(t, tab, `document.querySelector(".facts")?.innerText ?? ""`, "Rows erased from")
	if rows := list[read.Click](t, r, "/api/v1/clicks", url.Values{"filter": {"keyword eq secret shoes"}}); len(rows) != 0 {
		t.Errorf("after the erasure: %v", rows)
	}

	// Sent again: nothing has failed for good, and the trial says so.
	tab.Visit(pages + "s2s?lang=en&endpoint=" + url.QueryEscape(s.endpoint))
	awaitScript(tab)
	tab.Click(`a[href$="#resend"]`, "Operations")
	awaitScript(tab)
	submit(tab, `#resend ~ form`, map[string]string{"note": "the source was away", "per_second": "20"})
	shows(t, tab, `document.querySelector("main .note")?.innerText ?? ""`, "Nothing was changed")
	tab.Text(`document.querySelector("form[action*='/run'] button").click(); ""`)
	shows(t, tab, `document.querySelector(".facts .chip")?.innerText ?? ""`, "done")
}

// TestThePageIsGoneThroughByItsKeys presses the keys that the help lists.
func TestThePageIsGoneThroughByItsKeys(t *testing.T) {
	r, _ := consoleScene(t)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1280, 900, "light")
	tab.Visit(r.ops + "/console/conversions?lang=en")
	awaitScript(tab)
	row := `[...document.querySelectorAll("tbody tr")].indexOf(document.activeElement.closest("tr")) + ""`
	for _, step := range []struct{ keys, row string }{{"j", "0"}, {"jj", "2"}, {"k", "1"}, {"kkk", "0"}} {
		tab.Press(step.keys)
		if at := tab.Text(row); at != step.row {
			t.Errorf("after %s the row is %s, want %s", step.keys, at, step.row)
		}
	}
	tab.Text(`navigator.clipboard.writeText = async (text) => { window.wrote = text; }; ""`)
	tab.Press("y")
	shows(t, tab, `document.querySelector("#told").innerText`, "Copied")
	if wrote := tab.Text(`window.wrote`); !strings.HasPrefix(wrote, r.ops+"/console/conversions/") {
		t.Errorf("y copies %q", wrote)
	}
	tab.Press("?")
	shows(t, tab, `document.querySelector("#help").open + ""`, "true")
	if wrong := tab.Accessible(); wrong != "" {
		t.Errorf("the help is not accessible:\n%s", wrong)
	}
	tab.Press("j") // The help is open: rows are not gone through.
	tab.Press("\x1b")
	shows(t, tab, `document.querySelector("#help").open + ""`, "false")
	slash := `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true, cancelable: true})) + ""`
	if typed := tab.Text(slash); typed != "false" { // A key that is used is typed nowhere.
		t.Error("/ is typed into the field")
	}
	shows(t, tab, `document.activeElement.name ?? ""`, "subid")
	tab.Press("j")
	if typed := tab.Text(`document.activeElement.value`); typed != "j" {
		t.Errorf("a field has %q after j", typed)
	}
	tab.Press("\x1b")
	shows(t, tab, `document.activeElement.tagName`, "BODY")
	tab.Press("j")
	tab.Press("\r")
	tab.Await("One conversion")
	awaitScript(tab)
	tab.Press("gx")
	tab.Await("Operations")
}

// TestWhatIsSeenIsTakenAway names a page, and downloads a chart as a picture and rows as a table.
func TestWhatIsSeenIsTakenAway(t *testing.T) {
	r, _ := consoleScene(t)
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	tab.Look(1280, 900, "light")
	tab.Visit(r.ops + "/console/reports?lang=en&group=campaign&metrics=clicks,hold,revenue_confirmed,cost")
	awaitScript(tab)
	tab.Text(`URL.createObjectURL = (blob) => {
			blob.arrayBuffer().then((all) => { window.png = [...new Uint8Array(all).slice(0, 4)] + " " + (all.byteLength > 5000); });
			return "#";
		}; document.querySelector(".picture button").click(); ""`)
	shows(t, tab, `window.png ?? ""`, "137,80,78,71 true")

	tab.Click(`.side a`, "Views")
	awaitScript(tab)
	submit(tab, `#save ~ form`, map[string]string{"name": "by <campaign>"})
	shows(t, tab, `document.querySelector("tbody")?.innerText ?? ""`, "by <campaign>")
	tab.Click(`tbody tr:last-child a`, "Reports")
	awaitScript(tab)
	if group := tab.Text(`document.querySelector("[name=group]").value`); group != "campaign" {
		t.Errorf("the view is grouped by %q", group)
	}
	tab.Visit(r.ops + "/console/views?lang=en")
	awaitScript(tab)
	tab.Text(`document.querySelector("tbody tr:last-child button").click(); ""`)
	shows(t, tab, `document.querySelectorAll("tbody tr").length + " " + document.querySelector("tbody")?.innerText`, "1 By day")

	for target, want := range map[string]string{
		"conversions.csv?subid=k3n7": "k3n7", "received.csv?outcome=ignored": "status_unknown",
		"reports.csv?group=campaign&separator=%3B&bom=1": "spring;USD",
	} {
		if status, text := r.read(t, "/console/"+target); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: status %d: %s", target, status, text)
		}
	}
}

// TestTheConsoleOfOneTenantShowsNoOther runs a console with the token of one endpoint on a fleet of two.
func TestTheConsoleOfOneTenantShowsNoOther(t *testing.T) {
	r := startWith(t, sqlite, declare(t, []string{"", ""}), opsToken)
	mine, other := sceneOf(r, 0), sceneOf(r, 1)
	subidOf := func(s *scene) string { return "click-of-" + path.Base(s.endpoint) }
	for _, s := range []*scene{mine, other} {
		click(`{"subid":"`+subidOf(s)+`"}`).run(t, s)
		get("subid="+subidOf(s)+"&status=lead&payout=10", "recorded").run(t, s)
		get("subid="+subidOf(s)+"&status=strange", "ignored; reason=status_unknown").run(t, s)
	}
	idOf := func(s *scene) string {
		return list[conversion](t, r, "/api/v1/conversions", url.Values{"endpoint": {s.endpoint}})[0].ID
	}
	both := []read.Scope{read.ScopeRead, read.ScopeWrite}
	token := read.Token(opsToken, read.Grant{Endpoint: mine.endpoint, Scopes: both})
	pages := httptest.NewServer(console.New(console.Options{
		API: client.New(r.ops, token, nil), Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return epoch },
	}))
	defer pages.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	ask := func(method, path string, form url.Values) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, pages.URL+"/console/"+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, textOf(t, response)
	}
	foreign := subidOf(other)
	for _, path := range []string{"", "conversions", "received", "clicks", "reports?group=endpoint", "endpoints", "statuses", "operations",
		"conversions.csv", "received.csv", "reports.csv?group=endpoint"} {
		status, text := ask(http.MethodGet, path, nil)
		if status != http.StatusOK || strings.Contains(text, foreign) || strings.Contains(text, other.endpoint) {
			t.Errorf("/console/%s: status %d, or it shows %s: %s", path, status, other.endpoint, failureOf(text))
		}
	}
	_, page := ask(http.MethodGet, "conversions/"+idOf(mine), nil)
	proof := formToken.FindStringSubmatch(page)[1]
	change := url.Values{"token": {proof}, "version": {"1"}, "type": {"rejected"}, "note": {"n"}}
	for _, tc := range []struct {
		method, path string
		form         url.Values
	}{
		{http.MethodGet, "conversions/" + idOf(other), nil},
		{http.MethodGet, "conversions?endpoint=" + other.endpoint, nil},
		{http.MethodGet, "clicks/" + other.endpoint + "/" + foreign, nil},
		{http.MethodGet, "reports?endpoint=" + other.endpoint, nil},
		{http.MethodPost, "conversions/" + idOf(other) + "/change", change},
		{http.MethodPost, "conversions/" + idOf(other) + "/adjust", url.Values{"token": {proof}, "payout": {"1"}, "note": {"n"}}},
		{http.MethodPost, "operations", url.Values{
			"token": {proof}, "kind": {"replay"}, "endpoint": {other.endpoint}, "note": {"n"},
		}},
	} {
		if status, text := ask(tc.method, tc.path, tc.form); status < 400 || strings.Contains(text, "lead") {
			t.Errorf("%s %s: status %d, or it shows a conversion", tc.method, tc.path, status)
		}
	}
	if got := r.conversions(t, other.endpoint); len(got) != 1 || !strings.Contains(got[0], "lead 10") {
		t.Errorf("the other tenant has %v", got)
	}
	if status, _ := ask(http.MethodPost, "conversions/"+idOf(mine)+"/change", change); status != http.StatusOK {
		t.Errorf("one's own conversion: status %d", status)
	}
}
