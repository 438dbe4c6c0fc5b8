package v1alpha1

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sameZone compares zones by their names.
var sameZone = cmp.Comparer(func(a, b *time.Location) bool {
	return a == nil && b == nil || a != nil && b != nil && a.String() == b.String()
})

func TestParseTemplate(t *testing.T) {
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	literal := func(text string) TemplatePart { return TemplatePart{Literal: text} }
	for name, c := range map[string]struct {
		template string
		want     []TemplatePart
		err      string
	}{
		"nothing":            {"", nil, ""},
		"literal text alone": {"https://s.example/pb", []TemplatePart{literal("https://s.example/pb")}, ""},
		"a macro between literals": {"h?c={subid}&x=1",
			[]TemplatePart{literal("h?c="), {Macro: "subid"}, literal("&x=1")}, ""},
		"macros side by side":     {"{subid}{tid}", []TemplatePart{{Macro: "subid"}, {Macro: "tid"}}, ""},
		"a raw macro":             {"{_sub_id_30}", []TemplatePart{{Macro: "sub_id_30", Raw: true}}, ""},
		"a date with a format":    {"{date:Y-m-d H:i:s}", []TemplatePart{{Macro: "date", Format: "Y-m-d H:i:s"}}, ""},
		"a date without a format": {"{date}", []TemplatePart{{Macro: "date"}}, ""},
		"a map of statuses": {"{status: lead=install  sale=bill rejected=-1}",
			[]TemplatePart{{Macro: "status", Words: map[string]string{"lead": "install", "sale": "bill", "rejected": "-1"}}},
			""},
		"a map to nothing and an equals": {"{_status:lead= first_bet=a=b}",
			[]TemplatePart{{Macro: "status", Raw: true, Words: map[string]string{"lead": "", "first_bet": "a=b"}}}, ""},
		"a date in a zone": {"{_date:Y-m-d H:i:s,Europe/Kyiv}",
			[]TemplatePart{{Macro: "date", Raw: true, Format: "Y-m-d H:i:s", Zone: kyiv}}, ""},
		"a date in a zone of one word": {"{date:D, d,UTC}",
			[]TemplatePart{{Macro: "date", Format: "D, d", Zone: time.UTC}}, ""},
		"a date with a comma":        {"{date:D,d/m/Y}", []TemplatePart{{Macro: "date", Format: "D,d/m/Y"}}, ""},
		"a date in no zone":          {"{date:Y,Local}", []TemplatePart{{Macro: "date", Format: "Y,Local"}}, ""},
		"a random number":            {"{random}", []TemplatePart{{Macro: "random"}}, ""},
		"a random number of a range": {"{random: 1, 9}", []TemplatePart{{Macro: "random", Range: &Range{1, 9}}}, ""},
		"a hash": {"{sha256:sub_id_5}{_md5: external_id}",
			[]TemplatePart{{Macro: "sub_id_5", Hash: HashSHA256}, {Macro: "external_id", Raw: true, Hash: HashMD5}}, ""},
		"a range upside down":             {"{random:9,1}", nil, "like {random:1,9}"},
		"a range of one number":           {"{random:9}", nil, "like {random:1,9}"},
		"a range beyond numbers":          {"{random:-1,99999999999999999999}", nil, "like {random:1,9}"},
		"a hash of nothing":               {"{sha256}", nil, "{sha256:…} takes the name of a macro"},
		"a hash of what is no macro":      {"{sha1:extrenal_id}", nil, "did you mean external_id?"},
		"a macro in capitals":             {"{SUBID}", nil, "{SUBID} is no macro: did you mean subid?"},
		"a macro with a slip":             {"{externla_id}", nil, "did you mean external_id?"},
		"a macro in two pairs of braces":  {"h?c={{subid}}", nil, "write {subid} instead of {{subid}}"},
		"a macro that is none":            {"h?c={clickid}", nil, "{clickid} is no macro"},
		"a sub id that is none":           {"{sub_id_31}", nil, "{sub_id_31} is no macro"},
		"two underscores":                 {"{__subid}", nil, "{__subid} is no macro"},
		"an empty macro":                  {"{}", nil, "{} is no macro"},
		"an open brace":                   {"h?c={subid", nil, "write %7B"},
		"a closing brace":                 {"h?c=subid}", nil, "write %7B"},
		"a brace in a macro":              {"{sub{id}", nil, "write %7B"},
		"an argument where there is none": {"{payout:2}", nil, "takes nothing behind a colon"},
		"a date without its format":       {"{date:}", nil, "takes nothing behind a colon"},
		"a map without pairs":             {"{status: }", nil, "takes pairs"},
		"a map with half a pair":          {"{status: lead}", nil, "takes pairs"},
		"a map from no type":              {"{status: LEAD=1}", nil, "takes pairs"},
		"a map with a type twice":         {"{status: lead=1 lead=2}", nil, "two words for lead"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseTemplate(c.template)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if diff := cmp.Diff(c.want, got, sameZone); err == nil && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParseTemplate(f *testing.F) {
	for _, seed := range []string{"https://s.example/?c={subid}", "{_status: lead=1 sale=2}", "{date:d.m.Y}", "{{}}", "}{",
		"{:}", "{random:1,9}", "{md5:tid}", "{date:Y,Europe/Kyiv}", "{status:=}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, template string) {
		parts, err := ParseTemplate(template)
		if err != nil {
			if len(err.Error()) > 200 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		braces := 0
		for _, part := range parts {
			if (part.Literal == "") == (part.Macro == "") {
				t.Errorf("neither literal nor macro, or both: %+v", part)
			}
			if strings.ContainsAny(part.Literal, "{}") {
				t.Errorf("a brace is left in %q", part.Literal)
			}
			if part.Macro != "" {
				braces++
			}
		}
		if braces != strings.Count(template, "{") {
			t.Errorf("%d macros of %d braces", braces, strings.Count(template, "{"))
		}
	})
}
