package console

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/postback-dev/postback-operator/api/browser"
	"github.com/postback-dev/postback-operator/api/presets"
)

const (
	// receiverPlaceholder, keyPlaceholder and clientKeyPlaceholder stand for what the console does not know.
	receiverPlaceholder  = "https://RECEIVER"
	keyPlaceholder       = "KEY"
	clientKeyPlaceholder = "CLIENTKEY"
)

// generic is the query for a sender that no preset knows, with macros of the most usual form.
const generic = "subid={subid}&status={status}&payout={payout}&currency={currency}&tid={tid}"

// built is what the URL builder shows.
type built struct {
	// Networks to choose from, by kind.
	Networks []networks
	// Entry is the chosen one; nil for none.
	Entry *presets.Entry
	// Guessed are the titles of the presets that a pasted URL may be of, the likeliest first.
	Guessed []presets.Entry
	URLs    []presets.PostbackURL
	Facts   []fact
	// Notes are the quirks in the page's language.
	Notes []string
	// Snippets are for pages.
	Snippets []snippet
}

// networks are the presets of one kind.
type networks struct {
	Kind    presets.Kind
	Entries []presets.Entry
}

// fact is what a preset knows about one parameter.
type fact struct {
	Name, Macro string
	Confidence  presets.Confidence
}

// snippet is something to paste into a page. Name is the key of its title.
type snippet struct{ Name, Text string }

// build makes the URLs of the network that the page's URL names, or that it guesses from a pasted text.
func (p *page) build() *built {
	catalog := presets.Builtin()
	b := &built{}
	for _, kind := range []presets.Kind{
		presets.KindNetwork, presets.KindPlatform, presets.KindTracker, presets.KindSource,
	} {
		group := networks{Kind: kind}
		for _, e := range catalog.List() {
			if e.Kind == kind {
				group.Entries = append(group.Entries, e)
			}
		}
		b.Networks = append(b.Networks, group)
	}
	if pasted := p.Value("guess"); pasted != "" {
		for _, guess := range catalog.Guess(pasted) {
			e, _ := catalog.Get(guess.ID)
			b.Guessed = append(b.Guessed, e)
		}
	}
	receiver := p.Receiver()
	postback := receiver + "/" + keyPlaceholder + "/postback"
	b.URLs = []presets.PostbackURL{{URL: postback + "?" + generic}}
	if e, known := catalog.Get(p.Value("network")); known {
		b.Entry = &e
		b.Facts, b.Notes = factsOf(&e), p.notesOf(&e)
		b.URLs, _ = presets.URL(e, postback) // Of an entry without macros there are none.
	}
	b.Snippets = snippets(receiver)
	return b
}

// Receiver returns the public address in the page's URL, or a placeholder where that has none that can be used.
func (p *page) Receiver() string {
	given := strings.TrimRight(strings.TrimSpace(p.Value("receiver")), "/")
	parsed, err := url.Parse(given)
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return receiverPlaceholder
	}
	return parsed.Scheme + "://" + parsed.Host // A path might be a key.
}

func factsOf(e *presets.Entry) []fact {
	var facts []fact
	for _, known := range []map[string]presets.Fact{e.Postback, e.Extra} {
		for _, name := range slices.Sorted(maps.Keys(known)) {
			f := known[name]
			facts = append(facts, fact{Name: name, Macro: cmp.Or(f.Macro, f.Value), Confidence: f.Confidence})
		}
	}
	return facts
}

// notesOf returns what surprises people, and what a transaction id that is new each time does.
func (p *page) notesOf(e *presets.Entry) []string {
	var notes []string
	for _, quirk := range e.Quirks {
		text := quirk.Text()
		notes = append(notes, map[string]string{"en": text.En, "ru": text.Ru}[p.Lang])
	}
	if e.Postback["tid"].Per == presets.PerPostback {
		notes = append(notes, p.T("builder.tid_per_postback"))
	}
	return notes
}

func snippets(receiver string) []snippet {
	client := receiver + "/" + clientKeyPlaceholder + "/postback"
	return []snippet{
		{"image", `<img src="` + client + `.gif?subid={subid}&amp;status=lead" width="1" height="1" alt="" ` +
			`referrerpolicy="origin">`},
		{"jsonp", `<script>window.KTracking = window.KTracking || {response: function () {}};</script>` + "\n" +
			`<script src="` + client + `?return=jsonp&amp;subid={subid}&amp;status=lead" referrerpolicy="origin"></script>`},
		{"script", `<script src="` + receiver + browser.ScriptPath + `" integrity="` + browser.ScriptIntegrity() +
			`" crossorigin="anonymous" referrerpolicy="origin" data-click="` + receiver + `/LINK" data-postback="` + client +
			`"></script>`},
	}
}
