package rule

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// posting compiles a rule that the contract accepts, with a body.
func posting(t testing.TB, body config.Body, headers ...config.Header) *Rule {
	t.Helper()
	r, err := Compile(config.Forward{
		Name: "r", Method: "POST", URL: "https://h/TOKEN-1/pb?key=TOKEN-2&c={subid}", Body: &body, Headers: headers,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestABodyInJSON(t *testing.T) {
	v := values()
	v.Conversion.Status = "say \"hi\"\n\\ <ü> \xff"
	for name, c := range map[string]struct{ template, want string }{
		"text is escaped": {`{"s": "{original_status}", "r": "{_original_status}"}`,
			`{"s": "say \"hi\"\n\\ <ü> \ufffd", "r": "say \"hi\"\n\\ <ü> \ufffd"}`},
		"a number is one":               {`{"value": {payout}, "time": {date:U}}`, `{"value": 13.75, "time": 1772867102}`},
		"a number in quotes is text":    {`{"value": "{payout}"}`, `{"value": "13.75"}`},
		"what is no number is text":     {`{"id":{tid},"n":{ad_campaign_id}}`, `{"id":"a&b=c","n":null}`},
		"what is missing is null":       {`[{sub_id_7}]`, `[null]`},
		"macros within a text":          {`{"q":"{subid}-{campaign}{sub_id_7}"}`, `{"q":"c1-spring sale"}`},
		"a name may have macros":        {`{"{status: lead=install}": {"a{sub_id_7}": {}}}`, `{"install": {"a": {}}}`},
		"an escaped quote ends no text": {`{"a":"\"{subid}\"","b":{payout}}`, `{"a":"\"c1\"","b":13.75}`},
		"braces of JSON stay":           {"{ \"a\" : {\"b\":{}},\n\"c\":{subid}}", "{ \"a\" : {\"b\":{}},\n\"c\":\"c1\"}"},
		"a hash": {`{"em":["{sha256:sub_id_5}"]}`,
			`{"em":["973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"]}`},
		"what is like a number and none": {`{"a":{sub_id_9}}`, `{"a":"007"}`},
	} {
		t.Run(name, func(t *testing.T) {
			v.Click.Params = append(v.Click.Params[:len(v.Click.Params):len(v.Click.Params)],
				conversion.Param{Name: "sub_id_9", Value: "007"})
			template := c.template
			got := posting(t, config.Body{JSON: template}).Render(v)
			if got.Body != c.want || !json.Valid([]byte(got.Body)) {
				t.Errorf("%s\nwant %s", got.Body, c.want)
			}
			if got.ContentType != "application/json" || got.URL != "https://h/TOKEN-1/pb?key=TOKEN-2&c=c1" ||
				got.Shown != "https://h/…?…&c=c1" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestABodyAsAForm(t *testing.T) {
	got := posting(t, config.Body{Form: "a={subid}&b={tid}&c=x y"}).Render(values())
	if got.Body != "a=c1&b=a%26b%3Dc&c=x%20y" || got.ContentType != formType ||
		got.URL != "https://h/TOKEN-1/pb?key=TOKEN-2&c=c1" {
		t.Errorf("%+v", got)
	}
}

func TestHeadersComeFromTheDeclarationAndFromSecrets(t *testing.T) {
	r := posting(t, config.Body{JSON: `{"token":"TOKEN-3","event_name":"{status}"}`},
		config.Header{Name: "X-Version", Value: "2"}, config.Header{Name: "Content-Type", Value: "application/vnd.x+json"},
		config.Header{Name: "Authorization", Secret: &config.Secret{ID: "a", Value: "Bearer TOKEN-4"}})
	got := r.Render(values())
	want := map[string]string{"X-Version": "2", "Content-Type": "application/vnd.x+json",
		"Authorization": "Bearer TOKEN-4"}
	found := map[string]string{}
	for _, h := range got.Headers {
		found[h.Name] = h.Value.Reveal()
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if shown := fmt.Sprintf("%+v %#v", got, r.tokens); strings.Contains(shown, "TOKEN-4") {
		t.Errorf("printing shows a secret: %s", shown)
	}
	answer := r.Redact(`no event_name with TOKEN-1, TOKEN-2, "TOKEN-3" or Bearer TOKEN-4 (TOKEN-4) as application/vnd.x+json`)
	if strings.Contains(answer, "TOKEN") || !strings.Contains(answer, "event_name") ||
		!strings.Contains(answer, "vnd.x+json") {
		t.Error(answer)
	}
}

func TestWhatARuleExpects(t *testing.T) {
	for name, c := range map[string]struct {
		expect []string
		yes    []int
		no     []int
	}{
		"nothing said":  {nil, []int{200, 204, 299}, []int{199, 300, 409, 0}},
		"ranges":        {[]string{"200-202", "409"}, []int{200, 202, 409}, []int{203, 400, 0}},
		"one of a kind": {[]string{"302"}, []int{302}, []int{200}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Compile(config.Forward{URL: "https://h/", Method: "GET", Expect: c.expect})
			if err != nil {
				t.Fatal(err)
			}
			for _, status := range c.yes {
				if !r.Expects(status) {
					t.Errorf("%d is not expected", status)
				}
			}
			for _, status := range c.no {
				if r.Expects(status) {
					t.Errorf("%d is expected", status)
				}
			}
		})
	}
}

// FuzzJSONBody fills in whatever the contract accepts: the result is JSON, and says what it said.
func FuzzJSONBody(f *testing.F) {
	f.Add(`{"a":"{tid}","b":{tid}}`, "x\"\\")
	f.Add(`[{tid}, {"{_tid}": -1e5}]`, "-0.5e+3")
	f.Add(`{tid}`, "00")
	f.Fuzz(func(t *testing.T, template, value string) {
		declared := config.Forward{Method: "POST", URL: "https://h/", Body: &config.Body{JSON: template}}
		r, err := Compile(declared)
		if err != nil || template == "" {
			return
		}
		v := values()
		v.Conversion.Slot.TID = value
		if got := r.Render(v); !json.Valid([]byte(got.Body)) {
			t.Fatalf("%q with %q gives %q", template, value, got.Body)
		}
	})
}
