package paramtext_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger/paramtext"
)

func FuzzParamsComeBackAsTheyWere(f *testing.F) {
	for _, seed := range [][4]string{
		{"keyword", "red shoes", "sub_id_1", "a"},
		{"", "", `"`, `\`},
		{"a\x00b", "line\nbreak\ttab", `\u0041`, "\x7f\x1f"},
		{"ключ", "значение 🙂", "\xff", "}\",{"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, name, value, name2, value2 string) {
		params := conversion.Params{{Name: name, Value: value}, {Name: name2, Value: value2}}
		text := string(paramtext.Encode(params))
		got, err := paramtext.Decode(text)
		if err != nil || !cmp.Equal(params, got) {
			t.Fatalf("%q: got %q (%v), want %q", text, got, err, params)
		}
		if !utf8.ValidString(text) {
			return
		}
		var object map[string]string
		if err := json.Unmarshal([]byte(text), &object); err != nil || object[name2] != value2 {
			t.Fatalf("%q is not the JSON object it should be: %v", text, err)
		}
	})
}

func FuzzParamsAreReadOrRefused(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "{", "}", `{"a":"b"}`, `{"a":"b","c":"d"}`, `{"a":"b"} `,
		`{"a":1}`, `{"a":"\u0000"}`, `{"a":"\u0020"}`, `{"a":"\n"}`, `{"a`, `{"a":"b",}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		params, err := paramtext.Decode(text)
		if err != nil || text == "" {
			return
		}
		if again := string(paramtext.Encode(params)); again != text {
			// Hexadecimal digits may be written in capitals; nothing else has two spellings.
			second, err := paramtext.Decode(again)
			if err != nil || !cmp.Equal(params, second) {
				t.Errorf("%q was read as %q, which is written %q", text, params, again)
			}
		}
	})
}

func TestNoParamsAreNull(t *testing.T) {
	if got := paramtext.Encode(conversion.Params{}); got != nil {
		t.Errorf("got %v, want null", got)
	}
	if got, err := paramtext.Decode(""); got != nil || err != nil {
		t.Errorf("got %v, %v, want none", got, err)
	}
}
