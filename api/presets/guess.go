package presets

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// maxGuessed bounds the text that Guess looks at.
const maxGuessed = 16 << 10

// Guess is an entry that a URL may belong to, and why.
type Guess struct {
	ID   string `yaml:"id" json:"id"`
	Kind Kind   `yaml:"kind" json:"kind"`
	// Score is only good to compare guesses about one URL.
	Score int `yaml:"score" json:"score"`
	// Host of the URL by which the entry is known; empty: it is not by the host.
	Host string `yaml:"host,omitempty" json:"host,omitempty"`
	// Macros of the URL that the entry has, in the order of the URL.
	Macros []string `yaml:"macros,omitempty" json:"macros,omitempty"`
	// Brackets are those around the macros, when hardly anybody else uses them.
	Brackets string `yaml:"brackets,omitempty" json:"brackets,omitempty"`
}

// How much each sign counts.
const (
	scoreHost     = 12
	scoreOwnMacro = 4 // of recognise.macros
	scoreBrackets = 3
	scoreMacro    = 1 // a macro that many have
)

// brackets are the styles in which senders write macros, the longer ones first.
var brackets = []struct {
	name string
	form *regexp.Regexp
}{
	{"[[[ ]]]", regexp.MustCompile(`\[\[\[[\w.:-]+\]\]\]`)},
	{"!!! !!!", regexp.MustCompile(`!!![\w.:-]+!!!`)},
	{"{{ }}", regexp.MustCompile(`\{\{[\w.:-]+\}\}`)},
	{"[[ ]]", regexp.MustCompile(`\[\[[\w.:-]+\]\]`)},
	{"${ }", regexp.MustCompile(`\$\{[\w.:-]+\}`)},
	{"{ }", regexp.MustCompile(`\{[\w.:-]+\}`)},
	{"[ ]", regexp.MustCompile(`\[[\w.:-]+\]`)},
	{"# #", regexp.MustCompile(`#[A-Za-z][\w.:-]*#`)},
	{"< >", regexp.MustCompile(`<[\w.:-]+>`)},
}

// commonBrackets say nothing about the sender.
const commonBrackets = "{ }"

// macro is a macro found in a text.
type macro struct {
	text, brackets string
	at             int
}

// findMacros returns the macros of a text, each once, in its order.
func findMacros(text string) []macro {
	var found []macro
	taken := []byte(text)
	for _, style := range brackets {
		for _, span := range style.form.FindAllIndex(taken, -1) {
			m := macro{text: text[span[0]:span[1]], brackets: style.name, at: span[0]}
			if !slices.ContainsFunc(found, func(f macro) bool { return f.text == m.text }) {
				found = append(found, m)
			}
			for i := span[0]; i < span[1]; i++ {
				taken[i] = ' ' // `{{x}}` is not `{x}` as well
			}
		}
	}
	slices.SortFunc(found, func(a, b macro) int { return cmp.Compare(a.at, b.at) })
	return found
}

// Guess recognises who a postback URL or an offer link belongs to, by its macros, their brackets and its host. The best
// guess comes first, a platform before the networks on it; none when there is no sign.
func (c *Catalog) Guess(text string) []Guess {
	text = decoded(text[:min(len(text), maxGuessed)])
	host := ""
	if parsed, err := url.Parse(beforeQuery(text)); err == nil {
		host = strings.ToLower(parsed.Hostname())
	}
	macros := findMacros(text)
	var guesses []Guess
	for _, e := range c.List() {
		if g := e.guess(host, macros); g.Score >= scoreBrackets {
			guesses = append(guesses, g)
		}
	}
	// List has platforms before networks, and the sort keeps that order among equals.
	slices.SortStableFunc(guesses, func(a, b Guess) int { return cmp.Compare(b.Score, a.Score) })
	return guesses
}

// decoded undoes the %-encoding that browsers and messengers add to macros.
func decoded(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// beforeQuery cuts what may hold macros that are no part of an address.
func beforeQuery(text string) string {
	if end := strings.IndexAny(text, "?#{["); end >= 0 {
		return text[:end]
	}
	return text
}

func (e *Entry) guess(host string, macros []macro) Guess {
	g := Guess{ID: e.ID, Kind: e.Kind}
	for _, known := range e.Recognise.Hosts {
		if host == known || strings.HasSuffix(host, "."+known) {
			g.Host = known
			g.Score += scoreHost
		}
	}
	own, others := e.Recognise.Macros, e.macros()
	sure := g.Host != ""
	for _, m := range macros {
		switch {
		case slices.Contains(own, m.text):
			g.Score += scoreOwnMacro
			sure = true
		case slices.Contains(others, m.text):
			g.Score += scoreMacro
		default:
			continue
		}
		g.Macros = append(g.Macros, m.text)
	}
	for _, m := range macros {
		if m.brackets != commonBrackets && slices.Contains(e.brackets(), m.brackets) {
			g.Brackets = m.brackets
			g.Score += scoreBrackets
			sure = true
			break
		}
	}
	if !sure {
		return Guess{} // {status} and {payout} alone are everybody's
	}
	return g
}

// macros returns every macro of the entry.
func (e *Entry) macros() []string {
	var all []string
	for _, facts := range []map[string]Fact{e.Postback, e.Extra} {
		for _, fact := range facts {
			all = append(all, fact.Macro)
		}
	}
	if e.Click != nil {
		all = append(all, e.Click.Macro)
	}
	return all
}

// brackets returns the styles of its macros.
func (e *Entry) brackets() []string {
	var styles []string
	for _, m := range findMacros(strings.Join(e.macros(), " ")) {
		styles = append(styles, m.brackets)
	}
	return styles
}
