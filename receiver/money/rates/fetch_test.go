package rates

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/egress"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// secret is a provider's key, with characters that a query escapes.
const secret = "app/id+0123456789"

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func file(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func decimals(rates map[string]string) map[string]decimal.Decimal {
	parsed := map[string]decimal.Decimal{}
	for code, rate := range rates {
		parsed[code] = decimal.RequireFromString(rate)
	}
	return parsed
}

// fetchFrom asks a provider of the given type that a local server plays.
func fetchFrom(t *testing.T, kind config.RateProviderType, handler http.Handler) (money.Set, config.RateProvider,
	error) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	p := config.RateProvider{Name: "p", Type: kind, URL: server.URL + "/rates?x=1",
		Key: &config.Secret{ID: "1", Value: secret}}
	client := newClient(egress.NewTransport(true))
	defer client.CloseIdleConnections()
	set, err := fetch(t.Context(), client, p, noon)
	return set, p, err
}

func TestFetchReadsWhatProvidersSay(t *testing.T) {
	const ecb, openER, openX, generic = config.RateProviderECB, config.RateProviderOpenERAPI,
		config.RateProviderOpenExchangeRates, config.RateProviderJSON
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	tuesday := monday.AddDate(0, 0, 1)
	eur := map[string]string{"EUR": "0.9"}
	for name, c := range map[string]struct {
		kind  config.RateProviderType
		body  string
		base  string
		date  time.Time
		rates map[string]string
	}{
		"ECB": {ecb, file(t, "ecb.xml"), "EUR", monday, map[string]string{
			"USD": "1.1034", "JPY": "163.27", "GBP": "0.8411", "PLN": "4.2713", "IDR": "17891.42"}},
		"ECB with several days gives the newest": {ecb,
			`<Envelope><Cube><Cube time="2026-03-03"><Cube currency="USD" rate="1.2"/></Cube>` +
				`<Cube time="2026-03-02"><Cube currency="USD" rate="1.1"/></Cube></Cube></Envelope>`, "EUR", tuesday,
			map[string]string{"USD": "1.2"}},
		"open.er-api.com": {openER, file(t, "openerapi.json"), "USD", monday, map[string]string{
			"EUR": "0.906318", "RUB": "80.1234", "UAH": "41.2", "KZT": "498.77", "IRR": "42105.263158"}},
		"openexchangerates.org": {openX, file(t, "openexchangerates.json"), "USD", monday, map[string]string{
			"AED": "3.6731", "BTC": "0.000010871", "EUR": "0.906318", "RUB": "80.12345678"}},
		"JSON with a day": {generic, `{"base":"USD","date":"2026-03-02","rates":{"EUR":0.9}}`, "USD", monday,
			eur},
		"JSON with a time": {generic, `{"base":"USD","date":"2026-03-03T00:30:00+02:00","rates":{"EUR":0.9}}`,
			"USD", monday, eur},
		"JSON without a date":          {generic, `{"base":"USD","rates":{"EUR":0.9}}`, "USD", tuesday, eur},
		"JSON after a byte order mark": {generic, "\ufeff" + `{"base":"USD","rates":{"EUR":0.9}}`, "USD", tuesday, eur},
		"JSON with rates in strings":   {generic, `{"base":"USD","rates":{"EUR":"0.9"}}`, "USD", tuesday, eur},
		"JSON with fields we don't use": {generic, `{"amount":1,"base":"USD","start":{"x":[1]},"rates":{"EUR":0.9}}`, "USD",
			tuesday, eur},
		"digits that a float would lose": {generic, `{"base":"USD","rates":{"EUR":0.12345678901234567890123}}`, "USD",
			tuesday,
			map[string]string{"EUR": "0.12345678901234567890123"}},
		"rates that are of no use are left out": {generic,
			`{"base":"USD","rates":{"EUR":0.9,"RUB":-80,"UAH":0,"KZT":null,"IDR":"NaN","VND":{},` +
				`"IRR":1e15,"AAA":1e-16,"BBB":1e400,"CCC":"0x10","DDD":true,"EEE":"","FFF":[1],"GGG":` + strings.Repeat("1", 61) +
				`}}`, "USD", tuesday, eur},
		"codes that are none are left out": {generic,
			`{"base":"USD","rates":{"EUR":0.9,"usd":1,"EU":1,"":1,"EURO-OLD":1,"ABCDEFGHIJK":1,"A\u0000R":1}}`,
			"USD", tuesday, eur},
		"the largest and the smallest rate": {generic, `{"base":"USD","rates":{"AAA":999999999999999,"BBB":1e-15}}`, "USD",
			tuesday,
			map[string]string{"AAA": "999999999999999", "BBB": "0.000000000000001"}},
		"a timestamp of zero is no date": {openX, `{"timestamp":0,"base":"USD","rates":{"EUR":0.9}}`, "USD", tuesday, eur},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := fetchFrom(t, c.kind, says(c.body))
			if err != nil {
				t.Fatal(err)
			}
			want := money.Set{Source: "p", Base: c.base, Date: c.date, Fetched: noon, Rates: decimals(c.rates)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("set (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFetchFails(t *testing.T) {
	const ecb, openER, openX, generic = config.RateProviderECB, config.RateProviderOpenERAPI,
		config.RateProviderOpenExchangeRates, config.RateProviderJSON
	page := "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><p>Checking your browser</body></html>"
	xml := file(t, "ecb.xml")
	many := strings.Builder{}
	for n := range maxRates {
		fmt.Fprintf(&many, `"A%04d":1,`, n)
	}
	for name, c := range map[string]struct {
		kind    config.RateProviderType
		handler http.Handler
		want    string
	}{
		"a page instead of XML":   {ecb, says(page), "reading XML"},
		"a page instead of JSON":  {openER, says(page), "reading JSON"},
		"garbage instead of XML":  {ecb, says("\x00\x01\x02"), "reading XML"},
		"garbage instead of JSON": {openX, says("\x00\x01\x02"), "reading JSON"},
		"nothing":                 {generic, says(""), "reading JSON"},
		"truncated XML":           {ecb, says(xml[:len(xml)/2]), "reading XML"},
		"truncated JSON":          {openER, says(file(t, "openerapi.json")[:300]), "reading JSON"},
		"XML without a day":       {ecb, says("<Envelope><Cube></Cube></Envelope>"), "no usable rate"},
		"XML with a date that is none": {ecb, says(strings.Replace(xml, "2026-03-02", "yesterday", 1)),
			`date "yesterday"`},
		"XML with a negative rate only": {ecb,
			says(`<Envelope><Cube><Cube time="2026-03-02"><Cube currency="USD" rate="-1"/></Cube></Cube></Envelope>`),
			"no usable rate"},
		"JSON with a date that is none": {generic, says(`{"base":"USD","date":"02.03.2026","rates":{"EUR":1}}`),
			`date "02.03.2026"`},
		"JSON without a base":             {generic, says(`{"rates":{"EUR":1}}`), "base"},
		"JSON without rates":              {generic, says(`{"base":"USD"}`), "no usable rate"},
		"JSON with rates that are a list": {generic, says(`{"base":"USD","rates":[1]}`), "rates are no object"},
		"JSON with no rate but the base's": {openX, says(`{"timestamp":1772463600,"base":"USD","rates":{"USD":1}}`),
			"no usable rate"},
		"JSON with too many rates": {generic, says(`{"base":"USD","rates":{` + many.String() + `"EUR":1}}`),
			"more than 5000"},
		"open.er-api.com says error": {openER, says(`{"result":"error","error-type":"unsupported-code"}`),
			"unsupported-code"},
		"the body is cut off on the wire": {generic, cutOff(), "reading the answer"},
		"the body is too long": {generic,
			says(`{"base":"USD","rates":{"EUR":1}}` + strings.Repeat(" ", maxBody)), "longer than"},
		"an answer of 500": {generic,
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), "answered 500"},
		"an answer of 401 that repeats keys": {openX,
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Error(w, r.URL.String(), http.StatusUnauthorized)
			}), "answered 401"},
		"an answer of 204": {generic,
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }), "answered 204"},
		"a redirect in circles": {openX, redirect("/again"), "too many redirects"},
		"a redirect to another host": {openX, redirect("http://elsewhere.example/"),
			"redirected to another host, elsewhere.example"},
		"a redirect to a metadata address": {openX, redirect("http://169.254.169.254/latest/meta-data"),
			"redirected to another host"},
		"a redirect to nowhere, with a key": {openX, redirect("http://%zz/" + secret), "[redacted]"},
		"an answer that repeats the key": {openER, says(`{"result":"error","error-type":"bad key ` + secret + `"}`),
			"[redacted]"},
		"an unknown type": {"Oracle", says(""), "unknown provider type"},
	} {
		t.Run(name, func(t *testing.T) {
			set, p, err := fetchFrom(t, c.kind, c.handler)
			if err == nil {
				t.Fatalf("got %+v", set)
			}
			text := describe(err, p)
			if !strings.Contains(text, c.want) {
				t.Errorf("error %q does not say %q", text, c.want)
			}
			for _, leak := range []string{"0123456789", "127.0.0.1", "x=1", "\n"} {
				if strings.Contains(text, leak) {
					t.Errorf("error %q contains %q", text, leak)
				}
			}
		})
	}
}

func cutOff() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"base":`))
	})
}

func redirect(to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
}

func TestFetchRefusesPrivateAddresses(t *testing.T) {
	server := httptest.NewServer(says(`{"base":"USD","rates":{"EUR":1}}`))
	defer server.Close()
	p := config.RateProvider{Name: "p", Type: config.RateProviderJSON, URL: server.URL}
	_, err := fetch(t.Context(), newClient(egress.NewTransport(false)), p, noon)
	if err == nil || !strings.Contains(describe(err, p), "egress.allowPrivate") {
		t.Errorf("error %v", err)
	}
}

func TestFetchAsksAsProvidersWant(t *testing.T) {
	for kind, want := range map[config.RateProviderType]string{
		config.RateProviderOpenExchangeRates: "/rates?app_id=app%2Fid%2B0123456789&x=1 ",
		config.RateProviderJSON:              "/rates?x=1 Bearer " + secret,
	} {
		var asked []string
		body := `{"base":"USD","rates":{"EUR":1}}`
		_, _, err := fetchFrom(t, kind, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.String()+" "+r.Header.Get("Authorization"))
			if r.Header.Get("Referer") != "" {
				t.Errorf("the address asked before is in the Referer: %s", r.Header.Get("Referer"))
			}
			if len(asked) == 1 {
				http.Redirect(w, r, r.URL.String(), http.StatusFound)
				return
			}
			_, _ = w.Write([]byte(body))
		}))
		if diff := cmp.Diff([]string{want, want}, asked); err != nil || diff != "" {
			t.Errorf("%s: error %v, asked (-want +got):\n%s", kind, err, diff)
		}
	}
}

func TestFetchNeverLeavesHTTPS(t *testing.T) {
	plain := httptest.NewServer(says(`{"base":"USD","rates":{"EUR":1}}`))
	defer plain.Close()
	server := httptest.NewTLSServer(redirect(plain.URL))
	defer server.Close()
	client := newClient(server.Client().Transport)
	p := config.RateProvider{Name: "p", Type: config.RateProviderJSON, URL: server.URL}
	if _, err := fetch(t.Context(), client, p, noon); err == nil ||
		!strings.Contains(describe(err, p), "from https to http") {
		t.Errorf("error %v", err)
	}
}

func TestFetchGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := config.RateProvider{Name: "p", Type: config.RateProviderECB}
		silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		_, err := fetch(t.Context(), newClient(handlers{"www.ecb.europa.eu": silent}), p, start)
		if err == nil || describe(err, p) != "no answer within 10s" || time.Since(start) != fetchTimeout {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"":                              0,
		"soon":                          0,
		"-5":                            0,
		"120":                           2 * time.Minute,
		"99999999999999":                0,
		"Tue, 03 Mar 2026 12:30:00 GMT": 30 * time.Minute,
		"Tue, 03 Mar 2026 11:30:00 GMT": 0,
	} {
		_, _, err := fetchFrom(t, config.RateProviderJSON, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		if got := retryAfter(err); got != want {
			t.Errorf("Retry-After %q gives %s, want %s", value, got, want)
		}
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	err := fmt.Errorf("a\nb\x1b[31m%s", strings.Repeat("\u00e4", 1000))
	got := describe(err, config.RateProvider{})
	if len(got) > maxErrorText || strings.ContainsAny(got, "\n\x1b") || !strings.HasPrefix(got, "a b [31m") {
		t.Errorf("%q", got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"ecb.xml", "openerapi.json", "openexchangerates.json"} {
		f.Add([]byte(file(f, name)))
	}
	f.Add([]byte(`{"base":"USD","date":"2026-03-02","rates":{"EUR":0.9,"RUB":1e400,"UAH":"-1"}}`))
	f.Add([]byte(`{"result":"error","error-type":"quota-reached"}`))
	f.Add([]byte(`<Envelope><Cube><Cube time="2026-03-02"><Cube currency="USD" rate="1e-9"/></Cube></Cube></Envelope>`))
	low, high := decimal.New(1, -maxExponent), decimal.New(1, maxExponent)
	f.Fuzz(func(t *testing.T, body []byte) {
		for kind, format := range formats {
			set, err := format.decode(body)
			if err != nil {
				continue
			}
			if !isCode(set.Base) || len(set.Rates) == 0 {
				t.Fatalf("%s: %+v", kind, set)
			}
			for code, rate := range set.Rates {
				if !isCode(code) || code == set.Base || rate.Cmp(low) < 0 || rate.Cmp(high) >= 0 {
					t.Fatalf("%s: %s is %v", kind, code, rate)
				}
			}
		}
	})
}
