package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/api/presets"
)

func TestTheTesterAsksAsTheFormSays(t *testing.T) {
	for _, tc := range []struct {
		name, method string
		form         url.Values
		want         string
	}{
		{"a link to a query", "GET", url.Values{"endpoint": {"shop/main"}, "query": {"?subid=c1&status=lead"}},
			"access=skip&endpoint=shop%2Fmain&method=GET&query=subid%3Dc1%26status%3Dlead"},
		{"the first endpoint unless one is said", "GET", url.Values{"query": {"subid=c1"}},
			"access=skip&endpoint=shop%2Fmain&method=GET&query=subid%3Dc1"},
		{"a body", "GET", url.Values{"query": {"subid=c1"}, "body": {"{}"}, "content_type": {"application/json"}},
			"access=skip&body=%7B%7D&content_type=application%2Fjson&endpoint=shop%2Fmain&method=POST&query=subid%3Dc1"},
		{"a whole URL, whose key names the endpoint", "POST", url.Values{"query": {"https://h/k/postback?subid=c1"}},
			"method=GET&url=https%3A%2F%2Fh%2Fk%2Fpostback%3Fsubid%3Dc1"},
		{"the URL of the builder, without a key", "POST", url.Values{"query": {"https://h/KEY/postback?subid=c1"}},
			"access=skip&endpoint=shop%2Fmain&method=GET&query=subid%3Dc1"},
		{"a whole URL in a link asks by its query only", "GET", url.Values{"query": {"https://h/k/postback?subid=c1"}},
			"access=skip&endpoint=shop%2Fmain&method=GET&query=subid%3Dc1"},
	} {
		api := &receiver{}
		b := &visitor{handler: newHandler(api)}
		if tc.method == http.MethodPost {
			b.send(t, http.MethodGet, "/console/url", nil, nil)
			id, _, _ := strings.Cut(b.cookie.Value, ".")
			tc.form.Set("token", api.guard.token(id))
			b.send(t, http.MethodPost, "/console/url", tc.form, nil)
		} else {
			b.send(t, http.MethodGet, "/console/url?"+tc.form.Encode(), nil, nil)
		}
		if api.explained != tc.want {
			t.Errorf("%s: asked %s\nwant %s", tc.name, api.explained, tc.want)
		}
	}
}

func TestTheTesterSaysThatNothingWasRecorded(t *testing.T) {
	body := get(t, &receiver{}, "/console/url?query=subid=c1&lang=en").Body.String()
	for _, want := range []string{
		catalogs["en"]["tester.nothing"], catalogs["en"]["verdict.stop"], "✗", Explain("en", "status_unknown"),
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestTheBuilderHasAURLForEveryPresetAndNeverAKey(t *testing.T) {
	for _, e := range presets.Builtin().List() {
		target := "/console/url?receiver=https://pb.example.com/secret/postback&network=" + e.ID
		body := get(t, &receiver{}, target).Body.String()
		urls, _ := presets.URL(e, "https://pb.example.com/KEY/postback")
		if got := strings.Count(body, "<code>https://pb.example.com/KEY/postback?"); got != len(urls) {
			t.Errorf("%s: %d URLs, want %d", e.ID, got, len(urls))
		}
		if strings.Contains(body, "com/secret/postback?") {
			t.Errorf("%s: the path of the given address is in a URL", e.ID)
		}
	}
}

func TestAPastedURLNamesItsNetwork(t *testing.T) {
	body := get(t, &receiver{}, "/console/url?guess="+url.QueryEscape("https://x/?s=[[[subid]]]&p=[[[payment_sum]]]")).Body
	if !strings.Contains(body.String(), `href="/console/url?network=admitad"`) {
		t.Error("Admitad is not guessed by its macros")
	}
}
