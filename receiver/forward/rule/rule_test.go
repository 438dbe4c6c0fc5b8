package rule

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
)

func values() *Values {
	payout, cost := decimal.RequireFromString("13.75"), decimal.RequireFromString("0.05")
	return &Values{
		Conversion: &conversion.Conversion{
			ID:    uuid.MustParse("01a20770-0464-79e0-b5cf-3de9951fcaaf"),
			SubID: "c1", Slot: conversion.SlotKey{TID: "a&b=c"}, Type: "lead", Status: "новый #1", EndpointCurrency: "USD",
			Payout:         money.Amount{Original: decimal.RequireFromString("12.5"), Currency: "EUR", Converted: &payout},
			ConversionTime: time.Date(2026, 3, 7, 9, 5, 2, 45_000_000, time.FixedZone("", 2*3600)),
			Params: conversion.Params{{Name: "creative_id", Value: "of the postback"}, {Name: "keyword", Value: "old"},
				{Name: "sub_id_2", Value: "good"}},
		},
		Click: &conversion.Click{
			Campaign: "spring sale", UserAgent: "UA/1 (x)", Time: time.Date(2026, 3, 1, 0, 0, 0, 123_000_000, time.UTC),
			IP: "203.0.113.9", Cost: &money.Amount{Converted: &cost},
			Params: conversion.Params{{Name: "ad_campaign_id", Value: "{{campaign.id}}"}, {Name: "external_id", Value: "x+y/z"},
				{Name: "keyword", Value: "shoes"}, {Name: "source", Value: "a\r\nb:/&c=?"}, {Name: "sub_id_2", Value: "${SUB}"},
				{Name: "sub_id_30", Value: "a%20b?c#d"}, {Name: "sub_id_5", Value: " Test@Example.com "}},
		},
		IP: "198.51.100.7", Random: func() uint64 { return 42 },
	}
}

// compile compiles what the contract accepts.
func compile(t testing.TB, method, template string) *Rule {
	t.Helper()
	r, err := Compile(config.Forward{Name: "r", Method: method, URL: template})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRender(t *testing.T) {
	for name, c := range map[string]struct{ template, want string }{
		"no macro":                             {"https://s.example/pb?a=1", "https://s.example/pb?a=1"},
		"a host alone":                         {"http://s.example", "http://s.example"},
		"subid and tid are encoded":            {"http://h/?c={subid}&t={tid}", "http://h/?c=c1&t=a%26b%3Dc"},
		"a raw value cannot begin a parameter": {"http://h/?{_tid}", "http://h/?a%26b%3Dc"},
		"nor can one with controls":            {"http://h/?{_source}", "http://h/?a%0D%0Ab:/%26c%3D%3F"},
		"a raw value cannot break the request": {"http://h/?s={_original_status}",
			"http://h/?s=%D0%BD%D0%BE%D0%B2%D1%8B%D0%B9%20%231"},
		"a raw value that is encoded stays so":  {"http://h/?s={_sub_id_30}", "http://h/?s=a%20b%3Fc%23d"},
		"an encoded value is encoded once more": {"http://h/?s={sub_id_30}", "http://h/?s=a%2520b%3Fc%23d"},
		"a value in the path":                   {"http://h/{external_id}/x", "http://h/x%2By%2Fz/x"},
		"payout, revenue and currency": {"http://h/?p={payout}&r={revenue}&c={currency}",
			"http://h/?p=13.75&r=13.75&c=USD"},
		"the click's cost": {"http://h/?c={cost}", "http://h/?c=0.05"},
		"the click's fields before the postback's": {"http://h/?k={keyword}&c={creative_id}",
			"http://h/?k=shoes&c=of%20the%20postback"},
		"a macro that nobody filled in is empty": {"http://h/?a={ad_campaign_id}&r={_ad_campaign_id}", "http://h/?a=&r="},
		"then the postback's value counts":       {"http://h/?s={sub_id_2}", "http://h/?s=good"},
		"what nobody knows is empty": {"http://h/?s={sub_id_7}&a={ad_campaign_id}&u={sub_id_1}&x",
			"http://h/?s=&a=&u=&x"},
		"a hash is of the trimmed value in lower case": {"http://h/?e={sha256:sub_id_5}&f={sha1:sub_id_5}&g={md5:sub_id_5}",
			"http://h/?e=973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b" +
				"&f=567159d622ffbb50b11b0efd307be358624a26ee&g=55502f40dc8b7c769880b10874abc9d0"},
		"the hash of nothing is nothing": {"http://h/?e={_sha256:sub_id_7}", "http://h/?e="},
		"campaign, conversion and visitor": {"http://h/?{campaign}&{conversion_id}&{ip}",
			"http://h/?spring%20sale&01a20770-0464-79e0-b5cf-3de9951fcaaf&203.0.113.9"},
		"the type by its own word":            {"http://h/?s={status}", "http://h/?s=lead"},
		"the type by another word":            {"http://h/?s={status: lead=in&out sale=bill}", "http://h/?s=in%26out"},
		"the type by another word, raw":       {"http://h/?{_status: lead=e=1&f=2}", "http://h/?e=1&f=2"},
		"a type without a word keeps its own": {"http://h/?s={status: sale=bill}", "http://h/?s=lead"},
		"a type with an empty word":           {"http://h/?s={status: lead=}&x=1", "http://h/?s=&x=1"},
		"the date in UTC":                     {"http://h/?d={date}", "http://h/?d=2026-03-07%2007%3A05%3A02"},
		"the date as unix time":               {"http://h/?d={date:U}", "http://h/?d=1772867102"},
		"the date by letters": {"http://h/?d={_date:d.m.y-j.n.Y-G-H-g-h-a-A-D-l-M-F-v-u-P-T}",
			"http://h/?d=07.03.26-7.3.2026-7-07-7-07-am-AM-Sat-Saturday-Mar-March-045-045000-+00:00-UTC"},
		"the date with letters that are none": {`http://h/?d={_date:\Y\m=Y~q}`, "http://h/?d=Ym=2026~q"},
		"the date in a zone": {"http://h/?d={_date:Y-m-d H:i:s,Europe/Kyiv}",
			"http://h/?d=2026-03-07%2009:05:02"},
		"the date in a zone with its name": {"http://h/?d={_date:c e, America/New_York}",
			"http://h/?d=2026-03-07T02:05:02-05:00%20America/New_York"},
		"a comma in the date": {"http://h/?d={_date:D,d/m/Y}", "http://h/?d=Sat,07/03/2026"},
		"the visitor's program and the click's time": {"http://h/?u={user_agent}&f=fb.1.{click_date:Uv}",
			"http://h/?u=UA%2F1%20%28x%29&f=fb.1.1772323200123"},
		"the date in ISO 8601":       {"http://h/?d={_date:c}", "http://h/?d=2026-03-07T07:05:02+00:00"},
		"a random number":            {"http://h/?r={random}", "http://h/?r=1000000042"},
		"a random number of a range": {"http://h/?r={random:1,9}&s={random:42, 42}", "http://h/?r=7&s=42"},
		"a fragment is not sent":     {"http://h/?a={subid}#frag{tid}", "http://h/?a=c1"},
		"a literal that needs encoding": {"http://h/ä b?q=\"x\"&p=100%&c={subid}",
			"http://h/%C3%A4%20b?q=%22x%22&p=100%25&c=c1"},
		"an IPv6 host": {"https://[2001:db8::1]:8443/?c={subid}",
			"https://[2001:db8::1]:8443/?c=c1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := compile(t, "GET", c.template).Render(values())
			if got.URL != c.want || got.Body != "" || got.Method != "GET" {
				t.Errorf("%+v\nwant %s", got, c.want)
			}
			if _, err := url.Parse(got.URL); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAPostSendsTheQueryAsAForm(t *testing.T) {
	got := compile(t, "POST", "https://h/pb?c={subid}&t={tid}").Render(values())
	want := Request{Method: "POST", URL: "https://h/pb", Body: "c=c1&t=a%26b%3Dc", ContentType: formType,
		Shown: "https://h/…?c=c1&t=a%26b%3Dc"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnOrphanAndAPendingPayout(t *testing.T) {
	v := values()
	v.Click, v.Conversion.Payout.Converted = nil, nil
	got := compile(t, "GET",
		"http://h/?p={payout}&c={cost}&k={keyword}&g={campaign}&i={ip}&u={user_agent}&t={click_date}").Render(v)
	if want := "http://h/?p=&c=&k=old&g=&i=198.51.100.7&u=&t="; got.URL != want {
		t.Errorf("%s\nwant %s", got.URL, want)
	}
	own := decimal.RequireFromString("7")
	v.Conversion.Cost = &money.Amount{Converted: &own}
	if got := compile(t, "GET", "http://h/?{cost}").Render(v); got.URL != "http://h/?7" {
		t.Errorf("the conversion's own cost: %s", got.URL)
	}
}

func TestNoLiteralTextIsShown(t *testing.T) {
	for name, c := range map[string]struct{ template, want string }{
		"a token in the path":  {"https://h/SECRET/pb?c={subid}", "https://h/…?c=c1"},
		"a token in the query": {"https://h/?token=SECRET&c={subid}&k=SECRET", "https://h/?…&c=c1…"},
		"a token alone":        {"https://h/?SECRET", "https://h/?…"},
		"a token around a macro": {"https://h/?c=SECRET{subid}SECRET&t={tid}SECRET=1",
			"https://h/?c=…c1…&t=a%26b%3Dc…"},
		"a token that looks like a name": {"https://h/?c={subid}SECRET={tid}", "https://h/?c=c1…a%26b%3Dc"},
		"a macro in the path":            {"https://h/SECRET/{subid}/SECRET", "https://h/…c1/…"},
		"a token behind a path macro":    {"https://h/{subid}?t=SECRET&c={tid}", "https://h/c1?…&c=a%26b%3Dc"},
		"a token in the fragment":        {"https://h/?c={subid}#SECRET", "https://h/?c=c1"},
		"a token before a raw macro":     {"https://h/?t=SECRET&{_tid}", "https://h/?…a%26b%3Dc"},
		"a second question mark":         {"https://h/?u=SECRET?x={subid}", "https://h/?u=…c1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := compile(t, "GET", c.template).Render(values())
			if strings.Contains(got.Shown, "SECRET") {
				t.Errorf("%s shows the token", got.Shown)
			}
			if c.want != "" && got.Shown != c.want {
				t.Errorf("%s\nwant %s", got.Shown, c.want)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	r := compile(t, "GET", "https://h/SECRET1/pb?token=SECRET-2&c={subid}&ok=1")
	got := r.Redact(`bad request: /SECRET1/pb?token=SECRET-2&c=c1&ok=1`)
	if strings.Contains(got, "SECRET") || !strings.Contains(got, "c=c1&ok=1") {
		t.Error(got)
	}
}

func TestHost(t *testing.T) {
	for template, want := range map[string]string{
		"https://Shop.Example/x": "shop.example:443", "http://shop.example?x": "shop.example:80", "http://h:8080": "h:8080",
		"https://[2001:DB8::1]/x": "[2001:db8::1]:443", "http://[::1]:81/": "[::1]:81", "http://h#f": "h:80",
	} {
		if got := compile(t, "GET", template).Host; got != want {
			t.Errorf("%s goes to %s, want %s", template, got, want)
		}
	}
}

// FuzzRule fills in whatever the contract accepts: the result is a URL of the declared host, and shows nothing of a
// token.
func FuzzRule(f *testing.F) {
	f.Add("/pb?c={subid}&s={status: lead=1}", "c1")
	f.Add("?{_tid}#x", "\x00 \xff%zz&#")
	f.Add("/{_source}/{date:Y}/%", "../?x")
	f.Fuzz(func(t *testing.T, rest, value string) {
		declared := config.Forward{Name: "r", Method: "GET",
			URL: "https://h.example/tOkEn12345?tOkEn12345=tOkEn12345&" + rest}
		r, err := Compile(declared)
		if err != nil {
			return
		}
		v := values()
		v.Conversion.SubID, v.Conversion.Slot.TID, v.Conversion.Status = value, value, value
		v.Click.Params = conversion.Params{{Name: "source", Value: value}}
		got := r.Render(v)
		u, err := url.Parse(got.URL)
		if err != nil || u.Host != "h.example" || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q: %v, %+v", got.URL, err, u)
		}
		if strings.ContainsFunc(got.URL, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q needs encoding", got.URL)
		}
		if strings.Contains(got.Shown, "tOkEn12345") && !strings.Contains(rest+value, "tOkEn12345") {
			t.Errorf("%q shows a token", got.Shown)
		}
	})
}
