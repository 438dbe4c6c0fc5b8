package v1alpha1

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAForwardMayNotHave(t *testing.T) {
	header := func(name, value string) func(*Forward) {
		return func(f *Forward) { f.Headers = []Header{{Name: name, Value: value}} }
	}
	for name, c := range map[string]struct {
		spoil func(*Forward)
		says  string
	}{
		"a host of its own":         {header("HOST", "x"), `headers[0].name: "HOST" is set by the receiver itself`},
		"a length of its own":       {header("Content-Length", "5"), "headers[0].name"},
		"a header without a name":   {header("", "x"), "headers[0].name"},
		"a header with a colon":     {header("X:", "x"), "headers[0].name"},
		"a header without a value":  {header("X", ""), "headers[0].value"},
		"a line feed in a header":   {header("X", "a\r\nY: b"), "headers[0].value"},
		"text beyond ASCII":         {header("X", "ü"), "headers[0].value"},
		"space around a header":     {header("X", " a"), "headers[0].value"},
		"a header that is too long": {header("X", strings.Repeat("x", MaxHeaderLength+1)), "headers[0].value"},
		"a header twice": {func(f *Forward) {
			f.Headers = []Header{{Name: "X", Value: "1"},
				{Name: "x", Value: "2"}}
		}, "headers[1]: is in the list"},
		"a line feed in a secret": {func(f *Forward) {
			f.Headers = []Header{{Name: "X",
				Secret: &Secret{ID: "a", Value: "hunter2\n"}}}
		}, "headers[0].secret.value"},
		"a value beside a secret": {func(f *Forward) {
			f.Headers = []Header{{Name: "X", Value: "1", Secret: &Secret{ID: "a", Value: "hunter2"}}}
		}, "one of them"},
		"a body by GET": {func(f *Forward) { f.Body, f.Method = &Body{Form: "a=1"}, "GET" },
			"body: needs the method POST"},
		"an empty body": {func(f *Forward) { f.Body = &Body{} }, "body: must have json or form"},
		"two bodies": {func(f *Forward) { f.Body = &Body{JSON: "{}", Form: "a=1"} },
			"body: must have json or form"},
		"a body that is too long": {func(f *Forward) { f.Body = &Body{Form: strings.Repeat("x", MaxBodyLength+1)} },
			"body: must have at most"},
		"a body that is no JSON": {func(f *Forward) { f.Body = &Body{JSON: "{"} }, "body.json: is no JSON"},
		"a form with a slip": {func(f *Forward) { f.Body = &Body{Form: "a={sbuid}"} },
			"body.form: {sbuid} is no macro: did you mean subid?"},
		"a status that is none": {func(f *Forward) { f.Expect = []string{"2xx"} }, "expect[0]"},
		"a range upside down":   {func(f *Forward) { f.Expect = []string{"299-200"} }, "expect[0]"},
		"a field that is none": {func(f *Forward) { f.Require = []string{"exernal_id"} },
			`require[0]: "exernal_id" can't be required: did you mean external_id?`},
		"more headers than there is": {func(f *Forward) { f.Headers = make([]Header, MaxHeaders+1) }, "headers: 17 items"},
	} {
		t.Run(name, func(t *testing.T) {
			e := aWholeEndpoint("shop")
			f := Forward{Name: "x", URL: "https://x.example/", Method: "POST", Resend: ResendOnAnyChange}
			c.spoil(&f)
			e.Forwards = []Forward{f}
			err := e.Validate()
			if err == nil || !strings.Contains(err.Error(), "endpoint.forwards[0]."+c.says) &&
				!strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v does not say %q", err, c.says)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the secret shows: %v", err)
			}
		})
	}
}

func TestParseJSONTemplate(t *testing.T) {
	literal := func(text string) TemplatePart { return TemplatePart{Literal: text} }
	for name, c := range map[string]struct {
		template string
		want     []TemplatePart
		err      string
	}{
		"no macro": {`{"a": {}}`, []TemplatePart{literal(`{"a": {}}`)}, ""},
		"in a string and bare": {`{"a":"x{subid}","b":{payout}}`,
			[]TemplatePart{literal(`{"a":"x`), {Macro: "subid"}, literal(`","b":`), {Macro: "payout", Bare: true}, literal(`}`)},
			""},
		"a macro alone":          {`{_tid}`, []TemplatePart{{Macro: "tid", Raw: true, Bare: true}}, ""},
		"a quote that is no end": {`["\"{tid}"]`, []TemplatePart{literal(`["\"`), {Macro: "tid"}, literal(`"]`)}, ""},
		"a map in a string": {`["{status: lead=1 sale=2}"]`,
			[]TemplatePart{literal(`["`), {Macro: "status", Words: map[string]string{"lead": "1", "sale": "2"}}, literal(`"]`)},
			""},
		"a macro that is none":    {`["{subdi}"]`, nil, "did you mean subid?"},
		"two pairs of braces":     {`["{{subid}}"]`, nil, "write {subid} instead of {{subid}}"},
		"no quotes around a name": {`{a: 1}`, nil, "{a} is no macro"},
		"a comma too many":        {`{"a":{payout},}`, nil, "is no JSON"},
		"two values":              {`{payout}{payout}`, nil, "is no JSON"},
		"a part of a number":      {`[1{payout}]`, nil, "is no JSON"},
		"a minus before a macro":  {`[-{payout}]`, nil, "is no JSON"},
		"an open brace":           {`["{subid]`, nil, "write %7B"},
		"an open string":          {`["{subid}]`, nil, "is no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseJSONTemplate(c.template)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if diff := cmp.Diff(c.want, got, sameZone); err == nil && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheBodyOfAForwardIsLinted(t *testing.T) {
	for says, body := range map[string]Body{
		".body.json: {status: slae=…}": {JSON: `["{status: slae=5}"]`}, ".body.form: &amp; is": {Form: "a={subid}&amp;b=1"},
		".body.form: {status: slae=…}": {Form: "a={status: slae=5}"},
	} {
		err := (&Endpoint{Forwards: []Forward{{URL: "https://x.example/", Body: &body}}}).Lint()
		if err == nil || !strings.Contains(err.Error(), "endpoint.forwards[0]"+says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

func TestReservedHeadersAreSorted(t *testing.T) {
	names := ReservedHeaders()
	for i, name := range names {
		if name != strings.ToLower(name) || i > 0 && names[i-1] >= name {
			t.Errorf("%s is out of order", name)
		}
	}
}
