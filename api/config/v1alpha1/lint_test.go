package v1alpha1

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatCannotBeMeantInAForward(t *testing.T) {
	for name, c := range map[string]struct{ url, want string }{
		"a whole template": {"https://s.example/?c={subid}&s={status: lead=1 first_bet=2}&d={date:Y,Europe/Kyiv}", ""},
		"a type with a slip": {"https://s.example/?s={status: slae=5}",
			"there is no conversion type slae: did you mean sale?"},
		"a type of another kind": {"https://s.example/?s={status: approved=5}",
			"there are lead, sale, rejected, registration, deposit, trash, first_bet"},
		"a custom type's slip": {"https://s.example/?s={status: frist_bet=5}", "did you mean first_bet?"},
		"an ampersand of HTML": {"https://s.example/?c={subid}&amp;s={status}", "write & alone"},
		"a zone that is none": {"https://s.example/?d={date:Y-m-d,Europe/Kiyv}",
			"{date:…,Europe/Kiyv}: there is no such zone"},
		"what does not parse": {"https://s.example/?d={nothing}", ""}, // the validation says so
	} {
		t.Run(name, func(t *testing.T) {
			e := Endpoint{ConversionTypes: []ConversionType{{Name: "first_bet"}}, Forwards: []Forward{{URL: c.url}}}
			err := e.Lint()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "endpoint.forwards[0].url: ") {
				t.Errorf("the error has no path: %v", err)
			}
		})
	}
}

func TestWhatCannotBeMeantInAnOfferURL(t *testing.T) {
	for name, c := range map[string]struct{ url, want string }{
		"a whole template": {"https://o.example/{keyword}?s={_subid}&d={date:Y}&r={random:1,9}&u={utm_x}&b={}",
			""},
		"a parameter with capitals": {"https://o.example/?s={subid}&u={UTM_X}", ""},
		"other braces":              {"https://o.example/?s={subid}&j={a:1}", ""},
		"capitals":                  {"https://o.example/?s={SUBID}", "{SUBID} is no macro: write {subid}"},
		"two pairs of braces":       {"https://o.example/?s={{subid}}", "write {subid} instead of {{subid}}"},
		"an ampersand of HTML":      {"https://o.example/?s={subid}&amp;x=1", "write & alone"},
		"a range that is none":      {"https://o.example/?s={subid}&r={random:9}", "like {random:1,9}"},
		"a date without its format": {"https://o.example/?s={subid}&r={_date:}", "{date:…} takes a format"},
		"a map, which offers have not": {"https://o.example/?s={subid}&r={status:lead=1}",
			"takes nothing behind a colon in an offer URL"},
		"a hash, which offers have not": {"https://o.example/?s={sha256:subid}",
			"takes nothing behind a colon in an offer URL"},
	} {
		t.Run(name, func(t *testing.T) {
			e := Endpoint{Campaigns: []Campaign{{OfferURL: c.url}}}
			err := e.Lint()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestAnOfferWithoutSubidIsWarnedOf(t *testing.T) {
	for url, want := range map[string]int{
		"https://o.example/": 1, "https://o.example/?s={external_id}": 1, "https://o.example/?s={subid}": 0,
		"https://o.example/?s={_subid}": 0,
	} {
		if got := (&Campaign{OfferURL: url}).Warnings(); len(got) != want {
			t.Errorf("%s: %q", url, got)
		}
	}
}

func TestParseOfferURL(t *testing.T) {
	literal := func(text string) TemplatePart { return TemplatePart{Literal: text} }
	for template, want := range map[string][]TemplatePart{
		"":                      nil,
		"https://o":             {literal("https://o")},
		"h?s={subid}&k={_kw}":   {literal("h?s="), {Macro: "subid"}, literal("&k="), {Macro: "_kw"}},
		"{_subid}{date:Y-m}":    {{Macro: "subid", Raw: true}, {Macro: "date", Format: "Y-m"}},
		"{_random:1,9}":         {{Macro: "random", Raw: true, Range: &Range{1, 9}}},
		"{random:9,1}{a b}{}x}": {literal("{random:9,1}{a b}{}x}")},
		"{{subid}}{":            {literal("{"), {Macro: "subid"}, literal("}{")},
		"{date:{subid}}":        {literal("{date:"), {Macro: "subid"}, literal("}")},
	} {
		if diff := cmp.Diff(want, ParseOfferURL(template), sameZone); diff != "" {
			t.Errorf("%s (-want +got):\n%s", template, diff)
		}
	}
}

func FuzzParseOfferURL(f *testing.F) {
	for _, seed := range []string{"https://o.example/?s={subid}", "{{date:Y}}", "{_random:1,9}{", "}{x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, template string) {
		var literals int
		for _, part := range ParseOfferURL(template) {
			literals += len(part.Literal)
			if (part.Literal == "") == (part.Macro == "") {
				t.Errorf("neither literal nor macro, or both: %+v", part)
			}
		}
		if literals > len(template) {
			t.Errorf("%d bytes of text out of %d", literals, len(template))
		}
		if err := (&Endpoint{Campaigns: []Campaign{{OfferURL: template}}}).Lint(); err != nil && len(err.Error()) > 300 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}
