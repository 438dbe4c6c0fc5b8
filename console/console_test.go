package console

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/feature/plural"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// hostile is what a stranger may send in every field that is shown.
const hostile = `</td></table><script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "\u202e" +
	`javascript:alert(1)`

var at = time.Date(2026, 11, 29, 22, 30, 0, 0, time.UTC)

// receiver answers as the product API does, every text of a stranger a hostile one, and keeps what it was asked.
type receiver struct {
	asked  []string
	status int
	// explained are the parameters of the last postback that somebody asked about.
	explained string
	// operation is the last one that was asked for, correction the last correction or adjustment, headers are those of the
	// request.
	operation  read.NewOperation
	correction read.Correction
	// test is the last postback that was sent as one, refused is why none is.
	test    read.NewTest
	refused string
	headers http.Header
	views   Views
	guard   *guard
}

func (f *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked = append(f.asked, r.URL.RequestURI())
	if f.status != 0 {
		w.WriteHeader(f.status)
		_ = json.NewEncoder(w).Encode(read.Error{Error: "to: must be after from"})
		return
	}
	text, next := hostile, "01912345-6789-7abc-8def-0123456789ab"
	conversion := read.Conversion{
		ID: next, Endpoint: "shop/main", SubID: hostile, TID: hostile, Type: "sale", PreviousType: &text,
		OriginalStatus: &text,
		Payout:         nil, OriginalPayout: "1", OriginalCurrency: hostile, Params: map[string]string{hostile: hostile},
		Warnings: []string{"payout_ambiguous"}, ConversionTime: &at, UpdatedAt: &at, Version: 2, Writer: "key",
	}
	hostileClick := read.Click{
		Endpoint: "shop/main", SubID: hostile, Time: &at, Campaign: &text, IP: &text, UserAgent: &text,
		Params: map[string]string{"source": hostile, hostile: hostile}, OriginalCost: &text, OriginalCurrency: &text,
	}
	f.headers = r.Header.Clone()
	if r.Method == http.MethodPatch || strings.HasSuffix(r.URL.Path, "/adjustments") {
		_ = json.NewDecoder(r.Body).Decode(&f.correction)
		_ = json.NewEncoder(w).Encode(conversion)
		return
	}
	if strings.HasSuffix(r.URL.Path, ".csv") {
		_, _ = io.WriteString(w, "id\n1\n")
		return
	}
	var answer any
	switch r.URL.Path {
	case "/api/v1/tests":
		answer = f.sendTest(w, r)
	case "/api/v1/report":
		value := "12.5"
		metric := read.Metric{Name: "revenue", Unit: "money", Title: "what is certain or expected"}
		row := read.ReportRow{
			Groups: map[string]string{"campaign": hostile, "sub_id_3": ""}, Currency: "USD",
			Metrics: map[string]*string{"revenue": &value},
		}
		answer = read.Report{
			Groups: []string{"campaign", "sub_id_3"}, Metrics: []read.Metric{metric}, Time: "click", Zone: "UTC",
			Items: []read.ReportRow{row}, Totals: []read.ReportRow{row}, Footnotes: []string{"a note"}, AsOf: &at,
		}
	case "/api/v1/postbacks":
		answer = read.Page[read.Postback]{NextCursor: &next, Items: []read.Postback{{
			ID: next, Time: &at, Endpoint: "shop/main", IP: "192.0.2.1", Method: "POST", Query: "subid=" + hostile + "&a=%zz",
			Body: hostile, SubID: &text, Outcome: "ignored", Reason: pointer("status_unknown"), ConversionID: &next,
		}}}
	case "/api/v1/talkers":
		answer = read.Talkers{Endpoints: []read.Talker{{Name: "shop/main", Requests: 9, Refused: 1}}}
	case "/api/v1/operations", "/api/v1/operations/o1", "/api/v1/operations/o1/run", "/api/v1/operations/o1/cancel":
		answer = f.operate(r)
	case "/api/v1/operations/o1/rows":
		answer = read.Page[read.OperationRow]{NextCursor: &next, Items: []read.OperationRow{{
			Number: 1, SubID: &text, TID: hostile, Outcome: &text, Reason: &text, Warnings: []string{hostile},
			ConversionID: &next, PreviousType: &text, Type: &text, PreviousPayout: &text, Payout: &text, Currency: &text,
			Forwards: []string{hostile},
		}}}
	case "/api/v1/statuses":
		answer = read.Statuses{Others: 2, Items: []read.Status{{
			Endpoint: "shop/main", Word: hostile, Count: 3, First: &at, Last: &at,
			Proposal: read.StatusProposal{Type: pointer("sale"), Origin: "Dictionary", Reason: hostile},
		}}}
	case "/api/v1/clicks":
		answer = read.Page[read.Click]{NextCursor: &next, Items: []read.Click{hostileClick}}
	case "/api/v1/endpoints":
		answer = read.Page[read.Endpoint]{Items: []read.Endpoint{{
			Name: "shop/main", Currency: "USD", Keys: []read.Key{{ID: "k1"}, {ID: "k0", RetireAt: &at}}, Types: []string{"lead"},
			Training:  []read.TrainingRule{{Type: "sale", Statuses: []string{hostile}}},
			Campaigns: []read.Campaign{{Name: hostile, Alias: hostile, OfferURL: "javascript:" + hostile}},
			Forwards:  []read.ForwardRule{{Name: hostile, Host: hostile}},
		}}}
	case "/api/v1/explain":
		_ = r.ParseForm()
		f.explained = r.PostForm.Encode()
		outcome := "ignored"
		step := read.ExplainStep{
			Step: "status", About: &text, Value: &text, From: &text, By: &text, Result: &text, Verdict: "stop",
			Reason: pointer("status_unknown"), Note: &text,
		}
		answer = read.Explanation{
			Endpoint: pointer("shop/main"), Outcome: &outcome, Reason: pointer("status_unknown"), Warnings: []string{"w"},
			Steps: []read.ExplainStep{step, step}, Before: &conversion, After: &conversion,
			Reply: read.ExplainReply{Status: 200, Body: hostile},
		}
	case "/api/v1/forwards":
		answer = read.Page[read.Forward]{NextCursor: &next, Items: []read.Forward{{
			ID: next, Endpoint: "shop/main", Rule: "fb", Host: hostile, SubID: hostile, ConversionID: next, Type: "sale",
			State:     "failed",
			CreatedAt: &at, Tries: 1, Attempts: []read.Attempt{{At: &at, Answer: &text, URL: &text, Error: &text}},
		}}}
	case "/api/v1/clicks/shop/main/c1":
		answer = read.ClickDetails{Click: hostileClick, Conversions: []read.Conversion{conversion}}
	default:
		first := conversion
		first.Params = map[string]string{"gone": hostile}
		if strings.HasSuffix(r.URL.Path, "/history") {
			answer = read.Page[read.Conversion]{Items: []read.Conversion{first, conversion}}
			break
		}
		answer = read.Page[read.Conversion]{NextCursor: &next, Items: []read.Conversion{conversion}}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// sendTest answers who sends a test.
func (f *receiver) sendTest(w http.ResponseWriter, r *http.Request) any {
	_ = json.NewDecoder(r.Body).Decode(&f.test)
	if f.refused != "" {
		w.WriteHeader(http.StatusBadRequest)
		return read.Error{Error: f.refused}
	}
	id := "01912345-6789-7abc-8def-0123456789ab"
	return read.Postback{ID: id, Endpoint: "shop/main", Outcome: "recorded", ConversionID: &id}
}

// operate answers about operations.
func (f *receiver) operate(r *http.Request) any {
	text, total := hostile, 3
	o := read.Operation{
		ID: "o1", Kind: "replay", Endpoint: &text, State: "dry_run_done", DryRun: true, Actor: &text, Note: &text,
		CreatedAt: &at, Total: &total, Done: 2, Outcomes: map[string]int{hostile: 2}, Forwards: map[string]int{hostile: 1},
		Money: []read.OperationMoney{{Metric: hostile, Currency: "USD", Amount: "1"}}, Error: &text,
	}
	switch {
	case r.URL.Path != "/api/v1/operations":
	case r.Method == http.MethodPost:
		_ = json.NewDecoder(r.Body).Decode(&f.operation)
	case r.Method == http.MethodGet:
		return read.Page[read.Operation]{Items: []read.Operation{o}}
	}
	return o
}

// last is what was asked last.
func (f *receiver) last() string { return f.asked[len(f.asked)-1] }

func pointer(s string) *string { return &s }

// newHandler returns the console over an API.
func newHandler(api *receiver) http.Handler {
	c := consoleOver(api, api.views)
	api.guard = c.guard
	return c.handler()
}

func consoleOver(api http.Handler, views Views) *console {
	return newConsole(Options{
		API:    client.New("http://localhost", "", client.Local{Handler: api}),
		Logger: slog.New(slog.DiscardHandler),
		Clock:  func() time.Time { return at },
		Views:  views,
	})
}

func get(t *testing.T, api *receiver, target string) *httptest.ResponseRecorder {
	t.Helper()
	h := newHandler(api)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	return w
}

var pages = []string{
	"/console/", "/console/conversions", "/console/conversions/01912345-6789-7abc-8def-0123456789ab", "/console/received",
	"/console/s2s", "/console/reports?group=campaign,sub_id_3", "/console/url",
	"/console/url?network=keitaro&guess=[[[x]]]",
	"/console/url?query=" + url.QueryEscape(hostile), "/console/nonsense",
	"/console/clicks", "/console/clicks/shop/main/c1", "/console/campaigns", "/console/endpoints", "/console/statuses",
	"/console/operations", "/console/operations/o1",
	"/console/statuses?endpoint=shop/main&type=sale&word=" + url.QueryEscape(hostile),
	"/console/reports?group=campaign,sub_id_3&out=" + url.QueryEscape(`["`+hostile+`",""]`),
	"/console/views", "/console/views?name=a&url=" + url.QueryEscape("/console/?"+hostile),
	"/console/operations?note=" + url.QueryEscape(hostile) + "&text=" + url.QueryEscape(hostile),
}

// hostileViews are views that somebody has written by hand.
type hostileViews struct{}

func (hostileViews) List(context.Context) ([]View, error) {
	return []View{{hostile, hostile}, {"a", "javascript:alert(1)"}, {"b", "//evil.example/console/"},
		{"c", "/console/reports?group=" + hostile}, {"d", "/console/\"><script>x</script>"}}, nil
}

func TestWhatStrangersSentStaysText(t *testing.T) {
	for _, path := range pages {
		for _, lang := range languages {
			separator := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
			w := get(t, &receiver{views: hostileViews{}}, path+separator+"lang="+lang+"&subid=%22%3E%3Cscript%3E")
			body := w.Body.String()
			if strings.Contains(body, "<script>") || strings.Contains(body, "<img") || strings.Contains(body, `""'>`) {
				t.Errorf("%s in %s: markup of a stranger got into the page", path, lang)
			}
			if strings.Count(body, "<script") != 1 || strings.Contains(body, " style=") || strings.Contains(body, " onclick") {
				t.Errorf("%s in %s: the page has what its policy forbids", path, lang)
			}
			if regexp.MustCompile(`href="[^/#]`).MatchString(body) {
				t.Errorf("%s in %s: a link leads out of the console", path, lang)
			}
			if !strings.Contains(body, `<html lang="`+lang+`">`) || w.Header().Get("Content-Security-Policy") != policy {
				t.Errorf("%s in %s: language or policy is missing", path, lang)
			}
		}
	}
}

func TestAFirstPageIsLight(t *testing.T) {
	size := get(t, &receiver{}, "/console/").Body.Len()
	for _, file := range []string{"console.css", "console.js"} {
		w := get(t, &receiver{}, "/console/static/"+file)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", file, w.Code)
		}
		size += w.Body.Len()
	}
	if size > 60_000 {
		t.Errorf("the first page takes %d bytes", size)
	}
}

func TestTheStateOfAPageIsInItsURL(t *testing.T) {
	api := &receiver{}
	w := get(t, api, "/console/received?outcome=ignored&reason=&tz=Europe/Moscow&lang=ru&cursor=c1")
	if want := "/api/v1/postbacks?cursor=c1&outcome=ignored"; api.last() != want {
		t.Errorf("asked %v, want %s", api.asked, want)
	}
	body := w.Body.String()
	for _, want := range []string{
		"2026-11-30 01:30:00", `href="/console/conversions?lang=ru&amp;tz=Europe%2FMoscow"`,
		`cursor=01912345-6789-7abc-8def-0123456789ab&amp;lang=ru&amp;outcome=ignored&amp;reason=&amp;tz=Europe%2FMoscow"`,
		`<input type="hidden" name="tz" value="Europe/Moscow">`, `value="ignored"`, Explain("ru", "status_unknown"),
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestAReportIsAskedForAsTheURLSays(t *testing.T) {
	for target, want := range map[string]string{
		"/console/reports": "/api/v1/report?group=day&tz=UTC",
		"/console/reports?group=&sort=-profit&tz=Asia/Tokyo":       "/api/v1/report?sort=-profit&tz=Asia%2FTokyo",
		"/console/reports?group=week&filter=campaign+eq+a&filter=": "/api/v1/report?filter=campaign+eq+a&group=week&tz=UTC",
	} {
		api := &receiver{}
		if get(t, api, target); api.last() != want {
			t.Errorf("%s asked %v, want %s", target, api.asked, want)
		}
	}
}

func TestWhatTheReceiverRefusesIsToldAndTheFormStays(t *testing.T) {
	w := get(t, &receiver{status: http.StatusBadRequest}, "/console/conversions?from=2026-02-01&to=2026-01-01")
	if body := w.Body.String(); w.Code != http.StatusBadRequest || !strings.Contains(body, "to: must be after from") ||
		!strings.Contains(body, `name="from" value="2026-02-01"`) {
		t.Errorf("status %d: %s", w.Code, body)
	}
	h := consoleOver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api := &receiver{}
		if r.URL.Path == "/api/v1/report" {
			api.status = http.StatusBadRequest
		}
		api.ServeHTTP(w, r)
	}), nil).handler()
	for _, target := range []string{"/console/reports?group=nothing", "/console/campaigns?group=nothing", "/console/?group=nothing"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
		if body := w.Body.String(); w.Code != http.StatusBadRequest || !strings.Contains(body, "to: must be after from") ||
			!strings.Contains(body, `name="group" value="nothing"`) {
			t.Errorf("%s, which is refused: status %d: %s", target, w.Code, body)
		}
	}
	for status, want := range map[int]int{http.StatusServiceUnavailable: 502, http.StatusNotFound: 404} {
		if w := get(t, &receiver{status: status}, "/console/"); w.Code != want {
			t.Errorf("status %d of the receiver is reported as %d, want %d", status, w.Code, want)
		}
	}
}

func TestTheLanguageIsTheURLsElseTheBrowsers(t *testing.T) {
	for _, tc := range []struct{ url, accepted, want string }{
		{"", "", "en"}, {"", "ru-RU,ru;q=0.9,en;q=0.8", "ru"}, {"", "de,en;q=0.5", "en"}, {"", "uk", "en"},
		{"en", "ru", "en"}, {"ru", "en", "ru"}, {"xx", "ru", "ru"},
	} {
		if got := chooseLanguage(tc.url, tc.accepted); got != tc.want {
			t.Errorf("URL %q, browser %q: %s, want %s", tc.url, tc.accepted, got, tc.want)
		}
	}
}

// usedTexts returns all that names texts in templates and in Go. A name that has no text fails the test.
func usedTexts(t *testing.T) string {
	t.Helper()
	var used strings.Builder
	used.WriteString("title.failure title.signin lobby.wrong lobby.nothing lobby.broken failure.no_page failure.receiver failure.form builder.tid_per_postback " +
		"chart.money chart.received chart.newest live.more view.wrong_name view.wrong_url view.too_many") // in Go
	for _, line := range (&page{}).Keys() {
		used.WriteString(" " + line.Text)
	}
	entries, err := fs.ReadDir(templateFiles, "templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := fs.ReadFile(templateFiles, "templates/"+entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		used.Write(text)
	}
	for _, key := range regexp.MustCompile(`\.T "([^"]+)"`).FindAllStringSubmatch(used.String(), -1) {
		if catalogs["en"][key[1]] == "" {
			t.Errorf("%s is used and has no text", key[1])
		}
	}
	for _, key := range regexp.MustCompile(`\.N "([^"]+)"`).FindAllStringSubmatch(used.String(), -1) {
		if plurals["en"][key[1]] == nil {
			t.Errorf("%s is used and has no text", key[1])
		}
	}
	for _, form := range regexp.MustCompile(`\.Form "([^"]+)"`).FindAllStringSubmatch(used.String(), -1) {
		used.WriteString(" operation." + form[1] + "_what")
	}
	return used.String()
}

func TestBothLanguagesHaveTheSameKeysAndNoneIsIdle(t *testing.T) {
	used := usedTexts(t)
	made := []string{
		"title.", "language.", "dimension.", "report.time.", "builder.kind.", "builder.snippet.", "confidence.",
		"tester.example.", "step.", "verdict.",
	}
	for _, lang := range languages {
		for key, text := range withoutSentences(catalogs[lang]) {
			other := catalogs["en"][key]
			if other == "" || text == "" || strings.Count(text, "%s") != strings.Count(other, "%s") {
				t.Errorf("%s: %s has not the same text or verbs in both languages", lang, key)
			}
			isMade := slices.ContainsFunc(made, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
			if !isMade && !strings.Contains(used, key) {
				t.Errorf("%s: no page uses %s", lang, key)
			}
		}
		if of := withoutSentences(catalogs[lang]); len(of) != len(catalogs["en"]) {
			t.Errorf("%s has %d texts, English %d", lang, len(of), len(catalogs["en"]))
		}
		for key := range plurals[lang] {
			if !strings.Contains(used, key) || plurals["en"][key] == nil {
				t.Errorf("%s: %s is used nowhere, or English has it not", lang, key)
			}
		}
		if len(plurals[lang]) != len(plurals["en"]) {
			t.Errorf("%s has %d texts that count, English %d", lang, len(plurals[lang]), len(plurals["en"]))
		}
	}
}

// withoutSentences leaves out what translates the API's sentences: English has none of its own.
func withoutSentences(catalog map[string]string) map[string]string {
	catalog = maps.Clone(catalog)
	maps.DeleteFunc(catalog, func(key, _ string) bool { return strings.HasPrefix(key, "word.") })
	return catalog
}

func TestEveryNumberHasItsFormInBothLanguages(t *testing.T) {
	for _, lang := range languages {
		for key, texts := range plurals[lang] {
			for n := range 130 {
				if text := texts[formOf(lang, n)]; strings.Count(text, "%d") != 1 {
					t.Errorf("%s: %s has no form for %d: %q", lang, key, n, text)
				}
			}
			if _, unknown := texts[plural.Form(0)]; unknown && texts[plural.Other] == "" {
				t.Errorf("%s: %s has a form that is unknown", lang, key)
			}
		}
	}
	p := &page{Lang: "ru"}
	for n, want := range map[int]string{
		1: "1 строка не показана", 2: "2 строки не показаны", 5: "5 строк не показано", 11: "11 строк не показано",
		21: "21 строка не показана", 112: "112 строк не показано",
	} {
		if got := p.N("live.more", n); !strings.HasSuffix(got, want) {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestEverySentenceOfTheAPIIsTranslated(t *testing.T) {
	translated := map[string]bool{}
	for key := range catalogs["ru"] {
		if word, ok := strings.CutPrefix(key, "word."); ok {
			translated[word] = true
		}
	}
	for _, word := range read.Sentences() {
		if !translated[word] {
			t.Errorf("%s has no sentence in Russian", word)
		}
		delete(translated, word)
	}
	for word := range translated {
		t.Errorf("%s is translated, and the API does not say it", word)
	}
}
