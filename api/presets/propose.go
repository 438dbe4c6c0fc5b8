package presets

import (
	"strings"
	"unicode"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Origin says where a proposal comes from.
type Origin string

// The origins, in the order in which they are looked at.
const (
	FromPreset     Origin = "Preset"
	FromFamily     Origin = "Family"
	FromDictionary Origin = "Dictionary"
	FromNowhere    Origin = "None"
)

// Proposal is the conversion type that a status word probably means. Nothing is trained by it: a person decides.
type Proposal struct {
	Word string `yaml:"word" json:"word"`
	// Type is empty when nothing is proposed.
	Type   string `yaml:"type,omitempty" json:"type,omitempty"`
	Origin Origin `yaml:"origin" json:"origin"`
	// Confidence of the entry's fact; empty for the dictionary.
	Confidence Confidence `yaml:"confidence,omitempty" json:"confidence,omitempty"`
	// Reason is one sentence for people.
	Reason string `yaml:"reason" json:"reason"`
}

// dictionary holds words that mean the same nearly everywhere, in lower case, and beginnings of such words. `hold` is
// not among them, because networks mean a lead by it, and a sale too.
var dictionary = []struct {
	text       string
	beginning  bool
	conversion string
}{
	{"approve", true, config.TypeSale},
	{"confirm", true, config.TypeSale},
	{"reject", true, config.TypeRejected},
	{"pending", true, config.TypeLead},
	{"reg", false, config.TypeRegistration},
	{"regist", true, config.TypeRegistration},
	{"dep", false, config.TypeDeposit},
	{"deposit", true, config.TypeDeposit},
	{"trash", false, config.TypeTrash},
}

// Propose says what a status word probably means to an endpoint whose entry is called id, which may be empty: what the
// entry says, else what its platform says, else a dictionary of words. Digits are never looked up in the dictionary:
// `1` is a sale here and a lead there.
func (c *Catalog) Propose(word, id string) Proposal {
	word = strings.TrimSpace(word)
	own := c.entries[id]
	if s, ok := own.status(word); ok {
		return Proposal{
			Word: word, Type: s.Type, Origin: FromPreset, Confidence: s.Confidence,
			Reason: "the preset " + id + " says so (" + string(s.Confidence) + ")",
		}
	}
	family := c.entries[own.Family]
	if s, ok := family.status(word); ok {
		return Proposal{
			Word: word, Type: s.Type, Origin: FromFamily, Confidence: inherited(s.Confidence),
			Reason: "the preset " + own.Family + ", the platform of " + id + ", says so",
		}
	}
	if found := lookUp(word); found != "" {
		return Proposal{
			Word: word, Type: found, Origin: FromDictionary,
			Reason: "most networks mean a " + found + " by it",
		}
	}
	return Proposal{Word: word, Origin: FromNowhere, Reason: "nothing is known of it: look at the network's page"}
}

// status finds a word of the entry, in any letter case.
func (e *Entry) status(word string) (Status, bool) {
	for _, s := range e.Statuses {
		if word != "" && strings.EqualFold(s.Word, word) {
			return s, true
		}
	}
	return Status{}, false
}

// lookUp looks a word up in the dictionary. Words with digits or with more than one part (`not_approved`, `re-deposit`)
// are not looked up, because their other part may turn the meaning around.
func lookUp(word string) string {
	if strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) >= 0 {
		return ""
	}
	lower := strings.ToLower(word)
	for _, entry := range dictionary {
		if lower == entry.text || entry.beginning && strings.HasPrefix(lower, entry.text) {
			return entry.conversion
		}
	}
	return ""
}
