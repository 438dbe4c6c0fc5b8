package console

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

const conversionPage = "/console/conversions/01912345-6789-7abc-8def-0123456789ab"

// signedIn returns a browser with the console's cookie, and the token of its forms.
func signedIn(t *testing.T, api *receiver) (b *visitor, token string) {
	t.Helper()
	b = &visitor{handler: newHandler(api)}
	b.send(t, http.MethodGet, "/console/url", nil, nil)
	id, _, _ := strings.Cut(b.cookie.Value, ".")
	return b, api.guard.token(id)
}

func TestAConversionIsChangedAsItsFormsSay(t *testing.T) {
	yes, no := true, false
	for _, tc := range []struct {
		name, path string
		form       url.Values
		want       read.Correction
		match, key string
	}{
		{
			"a correction", "/change",
			url.Values{"version": {"2"}, "type": {"rejected"}, "note": {" fraud "}, "pin": {"on"}, "forwards": {"skip"}},
			read.Correction{Type: "rejected", Note: "fraud", Pin: &yes, Forwards: "skip"}, "2", "",
		},
		{
			"one that is not pinned", "/change", url.Values{"version": {"2"}, "payout": {"3.5"}, "currency": {"EUR"}, "note": {"n"}},
			read.Correction{Payout: "3.5", Currency: "EUR", Note: "n", Pin: &no}, "2", "",
		},
		{
			"postbacks may change it again", "/change", url.Values{"version": {"2"}, "unpin": {"1"}, "note": {"n"}},
			read.Correction{Note: "n", Unpin: true}, "2", "",
		},
		{
			"an adjustment counts once", "/adjust", url.Values{"payout": {"-2.50"}, "note": {"fee"}, "once": {"k1"}},
			read.Correction{Payout: "-2.50", Note: "fee"}, "", "k1",
		},
	} {
		api := &receiver{}
		b, token := signedIn(t, api)
		tc.form.Set("token", token)
		status := b.send(t, http.MethodPost, conversionPage+tc.path, tc.form, nil)
		if diff := cmp.Diff(tc.want, api.correction); diff != "" || status != http.StatusSeeOther || b.location != conversionPage {
			t.Errorf("%s: status %d, leads to %s (-want +got):\n%s", tc.name, status, b.location, diff)
		}
		if got := api.headers; got.Get("If-Match") != tc.match || got.Get("Idempotency-Key") != tc.key ||
			got.Get("X-Postback-Actor") != "console" {
			t.Errorf("%s: asked with %v", tc.name, got)
		}
	}
}

// refusing answers changes with a status, and everything else as the receiver does.
type refusing struct {
	*receiver
	status int
	answer string
}

func (r refusing) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Method == http.MethodGet {
		r.receiver.ServeHTTP(w, request)
		return
	}
	w.WriteHeader(r.status)
	_, _ = w.Write([]byte(r.answer))
}

func TestWhatIsRefusedIsToldWhereItWasAskedAndTheFormKeepsWhatWasSaid(t *testing.T) {
	const differ = `{"error":"rows would come out otherwise","total":2,"differences":[{
		"then":{"number":1,"subid":"c1","outcome":"ignored"},"now":{"number":1,"subid":"c1","outcome":"recorded","type":"sale"}}]}`
	for _, tc := range []struct {
		path, answer string
		form         url.Values
		status       int
		wants        []string
	}{
		{
			conversionPage + "/change", `{"error":"payout: must be a number such as -12.50"}`,
			url.Values{"version": {"2"}, "payout": {"many"}, "note": {"ticket 9"}}, 400,
			[]string{"payout: must be a number", `value="many"`, `value="ticket 9"`, `href="` + conversionPage + `?lang=ru"`},
		},
		{
			conversionPage + "/change", `{"error":"If-Match: the conversion has another version now"}`,
			url.Values{"version": {"1"}, "type": {"sale"}, "note": {"n"}}, 412, []string{"has another version now", `name="version" value="2"`},
		},
		{
			"/console/operations", `{"error":"text: line 1 has no subid"}`,
			url.Values{"kind": {"import"}, "text": {"c1,2"}, "note": {"n"}}, 400, []string{"line 1 has no subid", ">c1,2</textarea>"},
		},
		{
			"/console/operations/o1/run", differ, nil, 409, []string{"2 rows would come out otherwise now", "<td class=\"value\">c1</td>"},
		},
		{"/console/operations/o1/run", `{"error":"the database is away"}`, nil, 503, []string{"the database is away"}},
	} {
		api := &receiver{}
		c := consoleOver(refusing{api, tc.status, tc.answer}, nil)
		b := &visitor{handler: c.handler()}
		b.send(t, http.MethodGet, "/console/url", nil, nil)
		id, _, _ := strings.Cut(b.cookie.Value, ".")
		form := url.Values{"token": {c.guard.token(id)}}
		for name, values := range tc.form {
			form[name] = values
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tc.path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(b.cookie)
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, r)
		if want := map[bool]int{true: 502, false: tc.status}[tc.status >= 500]; w.Code != want {
			t.Errorf("%s: status %d, want %d", tc.path, w.Code, want)
		}
		for _, want := range tc.wants {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s, %d: the page lacks %s", tc.path, tc.status, want)
			}
		}
	}
}

// upload sends a form with a file, as browsers do.
func upload(t *testing.T, b *visitor, fields map[string]string, file string) int {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "network.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write([]byte(file))
	_ = form.Close()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/console/operations", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.AddCookie(b.cookie)
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w.Code
}

func TestAStatementIsUploadedOrPasted(t *testing.T) {
	api := &receiver{}
	b, token := signedIn(t, api)
	fields := map[string]string{
		"token": token, "kind": "reconcile", "endpoint": "shop/main", "note": "May", "text": "pasted,1", "orphans": "on",
		"from": "2026-05-01", "to": "2026-06-01T12:00:00Z", "forwards": "skip",
	}
	want := read.NewOperation{
		Kind: "reconcile", Endpoint: "shop/main", DryRun: true, Note: "May", Forwards: "skip", Text: "c1,12.50", Orphans: true,
		From: "2026-05-01T00:00:00Z", To: "2026-06-01T12:00:00Z",
	}
	if status := upload(t, b, fields, "c1,12.50"); status != http.StatusSeeOther {
		t.Fatalf("status %d", status)
	}
	if diff := cmp.Diff(want, api.operation); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if status := upload(t, b, fields, ""); status != http.StatusSeeOther || api.operation.Text != "pasted,1" {
		t.Errorf("status %d, asked for %q", status, api.operation.Text)
	}
	fields["token"] = "0"
	if status := upload(t, b, fields, "c1,1"); status != http.StatusForbidden {
		t.Errorf("without a token: status %d", status)
	}
	fields["token"] = token
	if status := upload(t, b, fields, strings.Repeat("c1,1\n", maxUpload/5)); status != http.StatusForbidden {
		t.Errorf("a file that is too long: status %d", status)
	}
}

func TestAnOperationIsAskedForAsItsFormSays(t *testing.T) {
	for _, tc := range []struct {
		name string
		form url.Values
		want read.NewOperation
	}{
		{
			"an erasure by an address", url.Values{
				"kind": {"erase"}, "endpoint": {""}, "subid": {""}, "ip": {" 203.0.113.7 "}, "parameter": {""}, "value": {""},
			},
			read.NewOperation{Kind: "erase", IP: "203.0.113.7"},
		},
		{
			"an erasure by a value, as it is", url.Values{
				"kind": {"erase"}, "endpoint": {"shop/main"}, "parameter": {"external_id"}, "value": {" x "}, "from": {""},
			},
			read.NewOperation{Kind: "erase", Endpoint: "shop/main", Parameter: "external_id", Value: " x "},
		},
		{
			"an erasure by a subid", url.Values{"kind": {"erase"}, "endpoint": {"shop/main"}, "subid": {"c1"}},
			read.NewOperation{Kind: "erase", Endpoint: "shop/main", SubID: "c1"},
		},
		{
			"sending again", url.Values{
				"kind": {"resend"}, "endpoint": {"shop/main"}, "rule": {"source"}, "failure": {"status_404"}, "ids": {"a b"},
				"from": {"2026-05-01"}, "to": {""}, "per_second": {"5"},
			},
			read.NewOperation{
				Kind: "resend", Endpoint: "shop/main", Rule: "source", Failure: "status_404", IDs: []string{"a", "b"},
				From: "2026-05-01T00:00:00Z", PerSecond: 5,
			},
		},
		{
			"sending again as fast as usual", url.Values{"kind": {"resend"}, "endpoint": {"shop/main"}, "per_second": {""}},
			read.NewOperation{Kind: "resend", Endpoint: "shop/main"},
		},
	} {
		api := &receiver{}
		b, token := signedIn(t, api)
		tc.form.Set("token", token)
		tc.form.Set("note", "request 17")
		tc.want.Note, tc.want.DryRun = "request 17", true
		status := b.send(t, http.MethodPost, "/console/operations", tc.form, nil)
		if diff := cmp.Diff(tc.want, api.operation, cmpopts.EquateEmpty()); diff != "" || status != http.StatusSeeOther {
			t.Errorf("%s: status %d (-want +got):\n%s", tc.name, status, diff)
		}
	}
}

func TestATestIsSentAsTheTesterSays(t *testing.T) {
	const key = "https://h/k/postback?subid=c1&status=lead"
	for _, tc := range []struct {
		name, query, refused string
		want                 read.NewTest
		status               int
		leads                string
	}{
		{
			"a query", "?subid=c1&status=lead", "", read.NewTest{Endpoint: "shop/main", Query: "subid=c1&status=lead"}, 303,
			conversionPage,
		},
		{
			"a whole URL, without its key", key, "", read.NewTest{Endpoint: "shop/main", Query: "subid=c1&status=lead"}, 303,
			conversionPage,
		},
		{"nothing", "", "", read.NewTest{}, 200, ""},
		{
			"a click that counts", "subid=c1", "query: the subid is that of a click that counts",
			read.NewTest{Endpoint: "shop/main", Query: "subid=c1"}, 400, "",
		},
	} {
		api := &receiver{refused: tc.refused}
		b, token := signedIn(t, api)
		form := url.Values{"token": {token}, "query": {tc.query}, "endpoint": {"shop/main"}, "send": {"1"}}
		status := b.send(t, http.MethodPost, "/console/url", form, nil)
		if tc.want.Endpoint != "" {
			tc.want.Method, tc.want.Note = "GET", "sent by the tester"
		}
		if diff := cmp.Diff(tc.want, api.test); diff != "" || status != tc.status || b.location != tc.leads {
			t.Errorf("%s: status %d, leads to %q (-want +got):\n%s", tc.name, status, b.location, diff)
		}
	}
	api := &receiver{}
	b, token := signedIn(t, api)
	for name, form := range map[string]url.Values{
		"without a token":    {"query": {"subid=c1"}, "send": {"1"}},
		"without the button": {"query": {"subid=c1"}, "token": {token}},
	} {
		b.send(t, http.MethodPost, "/console/url", form, nil)
		if api.test.Query != "" {
			t.Errorf("%s: sent %+v", name, api.test)
		}
	}
	if get(t, api, "/console/url?send=1&query=subid%3Dc1"); api.test.Query != "" {
		t.Errorf("a link sends %+v", api.test)
	}
}

func TestATableIsWhatTheURLSelects(t *testing.T) {
	for target, want := range map[string]string{
		"/console/conversions.csv?type=sale&cursor=x&from=2026-05-01&tz=Asia/Tokyo": "/api/v1/conversions.csv?from=2026-05-01T00%3A00%3A00%2B09%3A00&type=sale",
		"/console/received.csv?outcome=ignored&separator=%3B&bom=1":                 "/api/v1/postbacks.csv?bom=1&outcome=ignored&separator=%3B",
		"/console/s2s.csv?rule=fb":                 "/api/v1/forwards.csv?rule=fb",
		"/console/clicks.csv?campaign=spring":      "/api/v1/clicks.csv?filter=campaign+eq+spring",
		"/console/reports.csv?metrics=clicks":      "/api/v1/report.csv?group=day&metrics=clicks&tz=UTC",
		"/console/operations/o1/rows.csv?outcome=": "/api/v1/operations/o1/rows.csv?",
	} {
		api := &receiver{}
		w := get(t, api, target)
		if w.Code != http.StatusOK || w.Body.String() != "id\n1\n" || api.last() != want ||
			!strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment; filename=") {
			t.Errorf("%s: status %d, asked %s, want %s", target, w.Code, api.last(), want)
		}
	}
	if w := get(t, &receiver{status: http.StatusBadRequest}, "/console/conversions.csv"); w.Code != http.StatusBadRequest ||
		!strings.Contains(w.Body.String(), "to: must be after from") {
		t.Errorf("a table that is refused: status %d", w.Code)
	}
}

func TestAChartIsAFileOfItsOwn(t *testing.T) {
	w := get(t, &receiver{}, "/console/overview/chart.svg?n=0")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" ||
		!strings.Contains(w.Body.String(), `xmlns="http://www.w3.org/2000/svg"`) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	for _, n := range []string{"9", "-1", "x"} {
		want := map[string]int{"9": http.StatusNotFound, "-1": http.StatusOK, "x": http.StatusOK}[n]
		if w := get(t, &receiver{}, "/console/overview/chart.svg?n="+n); w.Code != want {
			t.Errorf("n=%s: status %d, want %d", n, w.Code, want)
		}
	}
}

func TestATickedRowIsLeftOutOfTheSum(t *testing.T) {
	api := &receiver{}
	out := `["` + strings.ReplaceAll(hostile, `"`, `\"`) + `",""]`
	body := get(t, api, "/console/reports?group=campaign,sub_id_3&out="+url.QueryEscape(out)).Body.String()
	if !strings.Contains(body, "Without 1 ticked row<") {
		t.Error("the page has no sum of the rest")
	}
	asked, err := url.ParseQuery(strings.TrimPrefix(api.last(), "/api/v1/report?"))
	if err != nil || asked.Get("without") != out || asked.Get("limit") != "1" {
		t.Errorf("asked %s", api.last())
	}
	if body := get(t, &receiver{}, "/console/").Body.String(); strings.Contains(body, `name="out"`) {
		t.Error("the overview has boxes to tick")
	}
}

func TestViewsAreKeptInAFile(t *testing.T) {
	file := NewViewFile(filepath.Join(t.TempDir(), "views.json"))
	api := &receiver{views: file}
	b, token := signedIn(t, api)
	for _, tc := range []struct {
		name, url, token string
		status           int
	}{
		{"by day", "/console/reports?group=day&lang=ru&tz=Europe/Moscow&live=1&cursor=c", token, 303},
		{"by day", "/console/reports?group=week&tz=UTC", token, 303},
		{"a <b>", "/console/received?outcome=ignored", token, 303},
		{"without a token", "/console/", "", 403},
		{"", "/console/", token, 400},
		{"a\nb", "/console/", token, 400},
		{strings.Repeat("x", 101), "/console/", token, 400},
		{"away", "https://evil.example/console/", token, 400},
		{"script", "javascript:alert(1)", token, 400},
		{"climbs", "/console/../metrics", token, 400},
		{"long", "/console/?a=" + strings.Repeat("x", maxViewURL), token, 400},
	} {
		form := url.Values{"name": {tc.name}, "url": {tc.url}, "token": {tc.token}}
		if status := b.send(t, http.MethodPost, "/console/views", form, nil); status != tc.status {
			t.Errorf("%q: status %d, want %d", tc.name, status, tc.status)
		}
	}
	b.send(t, http.MethodPost, "/console/views/delete", url.Values{"name": {"a <b>"}}, nil) // without a token
	want := []View{{"by day", "/console/reports?group=week&tz=UTC"}, {"a <b>", "/console/received?outcome=ignored"}}
	kept, err := NewViewFile(file.path).List(t.Context())
	if diff := cmp.Diff(want, kept); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	body := get(t, api, "/console/views?lang=ru&url=/console/s2s").Body.String()
	for _, part := range []string{
		`href="/console/reports?group=week&amp;lang=ru&amp;tz=UTC"`, `value="/console/s2s"`, `a &lt;b&gt;`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	b.send(t, http.MethodPost, "/console/views/delete", url.Values{"name": {"a <b>"}, "token": {token}}, nil)
	if kept, err := file.List(t.Context()); len(kept) != 1 || err != nil {
		t.Errorf("left after deleting: %v, %v", kept, err)
	}
}

// declaredViews cannot be changed by the console.
type declaredViews struct{ hostileViews }

func TestWhereViewsAreDeclaredTheConsoleShowsWhatToCommit(t *testing.T) {
	api := &receiver{views: declaredViews{}}
	for name, want := range map[string]string{
		"by day":   "  name: view-by-day\n",
		"По дням":  "  name: view-e1de5489\n",
		"By  day!": "  name: view-by-day-",
	} {
		target := "/console/views?name=" + url.QueryEscape(name) + "&url=" + url.QueryEscape("/console/reports?group=day&lang=ru")
		body := get(t, api, target).Body.String()
		if !strings.Contains(body, want) || !strings.Contains(body, "  url: &#34;/console/reports?group=day&#34;\n") ||
			strings.Contains(body, "views/delete") {
			t.Errorf("%q: the page is %s", name, body[strings.Index(body, "<figure"):])
		}
	}
	b, token := signedIn(t, api)
	form := url.Values{"name": {"x"}, "url": {"/console/"}, "token": {token}}
	if status := b.send(t, http.MethodPost, "/console/views", form, nil); status != http.StatusNotFound {
		t.Errorf("saving what is declared: status %d", status)
	}
}
