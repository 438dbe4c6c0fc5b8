package presets

import "testing"

func TestPropose(t *testing.T) {
	catalog := &Catalog{entries: map[string]Entry{
		"plat": {ID: "plat", Statuses: []Status{
			{Word: "1", Type: "sale", Confidence: Documented},
			{Word: "hold", Type: "lead", Confidence: SecondHand},
			{Word: "rejected", Type: "trash", Confidence: Documented},
		}},
		"net": {ID: "net", Family: "plat", Statuses: []Status{{Word: "2", Type: "rejected", Confidence: Documented}}},
	}}
	for _, c := range []struct {
		name, word, preset, want string
		origin                   Origin
		confidence               Confidence
	}{
		{"a word of the preset", "2", "net", "rejected", FromPreset, Documented},
		{"a word of its platform", "1", "net", "sale", FromFamily, Inherited},
		{"a platform's word stays second hand", "HOLD", "net", "lead", FromFamily, SecondHand},
		{"the platform comes before the dictionary", "rejected", "net", "trash", FromFamily, Inherited},
		{"the dictionary", "Approved", "net", "sale", FromDictionary, ""},
		{"the dictionary without a preset", "confirmed", "", "sale", FromDictionary, ""},
		{"with space around it", " pending ", "", "lead", FromDictionary, ""},
		{"rejections", "reject", "", "rejected", FromDictionary, ""},
		{"registrations", "reg", "", "registration", FromDictionary, ""},
		{"registered", "registered", "", "registration", FromDictionary, ""},
		{"deposits", "dep", "", "deposit", FromDictionary, ""},
		{"trash", "trash", "", "trash", FromDictionary, ""},
		{"an unknown preset", "approve", "gone", "sale", FromDictionary, ""},
		{"digits never", "1", "", "", FromNowhere, ""},
		{"digits of another preset never", "3", "net", "", FromNowhere, ""},
		{"hold never", "hold", "", "", FromNowhere, ""},
		{"a word with a digit", "approved2", "", "", FromNowhere, ""},
		{"a word of two parts", "not_approved", "", "", FromNowhere, ""},
		{"two words", "approved later", "", "", FromNowhere, ""},
		{"a word that only begins likewise", "department", "", "", FromNowhere, ""},
		{"a word with another beginning", "disapproved", "", "", FromNowhere, ""},
		{"another language", "подтверждён", "", "", FromNowhere, ""},
		{"nothing", "", "net", "", FromNowhere, ""},
		{"a macro", "{status}", "", "", FromNowhere, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := catalog.Propose(c.word, c.preset)
			if got.Type != c.want || got.Origin != c.origin || got.Confidence != c.confidence || got.Reason == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}
