package macro

import "testing"

func TestWhichFreeTextIsNothingButAMacro(t *testing.T) {
	for value, want := range map[string]bool{
		"${SUBID}": true, "{subid}": true, "{{ad.id}}": true, "[clickid]": true, "<id>": true, "#id#": true, "%id%": true,
		"__ID__": true,
		"$SUBID": true, "%%KEYWORD%%": true, "##id##": true, "{ad.id}{x}": true, "undefined": true, "null": true,
		"{sub_id:5}": true,
		"":           false, "c#": false, "c# course": false, "50% off": false, "100%": false, "{a} and {b}": false,
		"red {shoes}": false,
		"#1 and #2#":  false, "a": false, "$5 off": false, "$100": false, "$": false, "%%": false, "{}": false, "#": false,
		"[new] shoes": false, "_x_": false,
	} {
		if got := IsBare(value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
