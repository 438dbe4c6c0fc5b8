package presets

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// whole is an entry that is accepted.
const whole = `id: net
title: Net
kind: Network
revision: 1
postback:
  subid: {macro: "{sub}", confidence: Documented}
  status: {macro: "{status}", confidence: SecondHand}
statuses:
- {word: ok, type: sale, confidence: SecondHand}
examples:
- {query: "subid=c1&status=ok", type: sale}
sources:
- {url: "https://net.example/help", kind: Primary, read: 2026-11-29, says: [subid]}
- {url: "https://tracker.example/net", kind: Secondary, read: 2026-11-29, says: [status, statuses]}
state: Complete
`

func files(name, text string) fstest.MapFS { return fstest.MapFS{name: {Data: []byte(text)}} }

func TestTheBuiltinCatalog(t *testing.T) {
	counts := map[Kind]int{}
	for _, e := range Builtin().List() {
		counts[e.Kind]++
	}
	for kind, least := range map[Kind]int{KindPlatform: 7, KindNetwork: 20, KindTracker: 5, KindSource: 10} {
		if counts[kind] < least {
			t.Errorf("%d entries of kind %s", counts[kind], kind)
		}
	}
}

func TestOwnEntriesJoinTheBuiltinOnes(t *testing.T) {
	c, err := Load(files("net.yaml", strings.Replace(whole, "kind: Network", "kind: Network\nfamily: affise", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get("affise"); !ok {
		t.Error("the built-in entries are gone")
	}
	if _, ok := Builtin().Get("net"); ok {
		t.Error("the built-in catalog has changed")
	}
	e, _ := c.Get("net")
	if got := e.Postback["payout"]; got.Macro != "{sum}" || got.Confidence != Inherited {
		t.Errorf("payout = %+v", got)
	}
}

func TestAWrongEntryIsRefused(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"an unknown field", "state: Complete", "state: Complete\ncolour: red", "field colour not found"},
		{"a second document", "state: Complete", "state: Complete\n---\n{}", "more than one document"},
		{"another id than the file's", "id: net", "id: other", `the file's name says "net"`},
		{"a kind that is none", "kind: Network", "kind: Shop", `kind: "Shop" is none of`},
		{"no revision", "revision: 1", "revision: 0", "revision: begins at 1"},
		{"a family that is no platform", "revision: 1", "revision: 1\nfamily: adcombo", `family: "adcombo" is no platform`},
		{"a parameter that is none", "  status:", "  state:", "postback.state: no such parameter"},
		{"a fact without a text", `macro: "{sub}"`, `macro: ""`, "postback.subid: set macro or value"},
		{"a macro that breaks the query", `"{sub}"`, `"{sub}&x=1"`, "would break the query"},
		{"a confidence that is none", "SecondHand}\nst", "Sure}\nst", `postback.status.confidence: "Sure"`},
		{"inherited facts are not written", "SecondHand}\nst", "Platform}\nst", `postback.status.confidence: "Platform"`},
		{"documented by somebody else", "SecondHand}\nst", "Documented}\nst",
			`postback.status: Documented, but no such source says "status"`},
		{"said by nobody", "says: [subid]", "says: [quirks]", `postback.subid: Documented, but no such source`},
		{"a conflict without readings", "SecondHand}\nst", "Conflict}\nst", "does not agree with conflicts"},
		{"a type that is none", "type: sale, conf", "type: sold, conf", `statuses[0].type: "sold"`},
		{"a quirk that is none", "state: Complete", "state: Complete\nquirks: [odd]", `quirks: "odd" is not in the list`},
		{"complete without a primary source", "kind: Primary", "kind: Secondary", "Complete without a primary source"},
		{"incomplete without a word why", "state: Complete", "state: NeedsEdit", "needs: say what is missing"},
		{"a day that is none", "read: 2026-11-29, says: [subid]", "read: lately, says: [subid]", "sources[0].read"},
		{"a source that says what is no fact", "says: [subid]", "says: [subid, colour]", `sources[0].says: "colour"`},
		{"no address", `"https://net.example/help"`, `"help"`, `sources[0].url: "help"`},
		{"no example", "examples:\n- {query: \"subid=c1&status=ok\", type: sale}\n", "", "examples: none"},
		{"no subid", "subid: {macro", "tid: {macro", "postback.subid: missing"},
		{"no status and no events", "  status: {macro: \"{status}\", confidence: SecondHand}\n", "", "events: needed"},
		{"a forward of a network", "state: Complete",
			"forward: {url: \"https://a.example/\", confidence: Documented}\nstate: Complete",
			"forward: traffic sources have one"},
		{"an address that is none", "state: Complete", "sender: {addresses: [192.0.2.1]}\nstate: Complete", "is no CIDR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(whole, c.old, c.new, 1)
			if text == whole {
				t.Fatal("the case changes nothing")
			}
			_, err := Load(files("net.yaml", text))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "net.yaml: ") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Load(files("net.yaml", whole)); err != nil {
		t.Errorf("the entry itself is refused: %v", err)
	}
}

func TestANetworkSaysOnlyWhatDiffersFromItsPlatform(t *testing.T) {
	base := &Catalog{entries: map[string]Entry{"p": {
		ID: "p", Kind: KindPlatform, Offer: Offer{"s={subid}", PlaceQuery, Documented}, Slot: "TidAndType",
		Postback: map[string]Fact{
			"subid":  {Macro: "{s}", Confidence: Documented},
			"payout": {Macro: "{p}", Confidence: SecondHand},
			"tid":    {Macro: "{t}", Confidence: Documented, Per: PerConversion},
		},
		Statuses: []Status{{Word: "1", Type: "sale", Confidence: Documented}},
		Sender:   Sender{Expects: "OK"}, Quirks: []Quirk{"one_url_per_event", "digits_are_statuses"},
	}}}
	got := base.resolve(Entry{
		ID: "n", Family: "p", Quirks: []Quirk{"one_url_per_event"},
		Postback: map[string]Fact{"tid": {Macro: "{own}", Confidence: Documented}},
	})
	want := Entry{
		ID: "n", Family: "p", Offer: Offer{"s={subid}", PlaceQuery, Inherited}, Slot: "TidAndType",
		Postback: map[string]Fact{
			"subid":  {Macro: "{s}", Confidence: Inherited},
			"payout": {Macro: "{p}", Confidence: SecondHand},
			"tid":    {Macro: "{own}", Confidence: Documented},
		},
		Statuses: []Status{{Word: "1", Type: "sale", Confidence: Inherited}},
		Sender:   Sender{Expects: "OK"}, Quirks: []Quirk{"one_url_per_event", "digits_are_statuses"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if base.entries["p"].Statuses[0].Confidence != Documented {
		t.Error("the platform has changed")
	}
}

func TestOwnWordsReplaceThoseOfThePlatform(t *testing.T) {
	base := &Catalog{entries: map[string]Entry{"p": {ID: "p", Statuses: []Status{{Word: "1", Type: "sale"}}}}}
	own := []Event{{Name: "Approved", Type: "sale"}}
	if got := base.resolve(Entry{Family: "p", Events: own}); len(got.Statuses) != 0 || !slices.Equal(got.Events, own) {
		t.Errorf("statuses %v, events %v", got.Statuses, got.Events)
	}
}

func TestEveryQuirkHasASentenceInBothLanguagesAndAnEntry(t *testing.T) {
	used := map[Quirk]bool{}
	for _, e := range Builtin().List() {
		for _, q := range e.Quirks {
			used[q] = true
		}
	}
	for _, q := range Quirks() {
		if !strings.HasSuffix(q.En, ".") || !strings.HasSuffix(q.Ru, ".") || q.En == q.Ru {
			t.Errorf("%s has no sentence in each language", q.Quirk)
		}
		if !used[q.Quirk] {
			t.Errorf("no entry has %s", q.Quirk)
		}
	}
}

func TestPagesAndSamplesOfThisProjectExist(t *testing.T) {
	for _, e := range Builtin().List() {
		var paths []string
		if e.Forward != nil && e.Forward.Sample != "" {
			paths = append(paths, e.Forward.Sample)
		}
		for _, s := range e.Sources {
			if samplePath.MatchString(s.URL) {
				paths = append(paths, s.URL)
			}
		}
		for _, path := range paths {
			if _, err := os.Stat(filepath.Join("../..", path)); err != nil {
				t.Errorf("%s: %v", e.ID, err)
			}
		}
	}
}
