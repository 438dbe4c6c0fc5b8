package presets

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Names in [Source.Says] besides parameters.
const (
	saysOffer     = "offer"
	saysClick     = "click"
	saysStatuses  = "statuses"
	saysEvents    = "events"
	saysAliases   = "aliases"
	saysSlot      = "slot"
	saysSender    = "sender"
	saysForward   = "forward"
	saysRecognise = "recognise"
	saysQuirks    = "quirks"
)

var (
	idForm    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	offerForm = regexp.MustCompile(`^[A-Za-z0-9_-]*=?[^=&\s]*\{subid\}[^=&\s]*$`)
	// samplePath is a page of this project, for entries about it and for samples.
	samplePath = regexp.MustCompile(`^docs/[a-z0-9/-]+\.(md|yaml)$`)
)

// checker collects the problems of one entry.
type checker struct {
	entry    *Entry
	problems []error
}

func (p *checker) failf(format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf(format, args...))
}

// member fails unless the value is in the list.
func member[T ~string](p *checker, field string, value T, list ...T) {
	if !slices.Contains(list, value) {
		p.failf("%s: %q is none of %q", field, value, list)
	}
}

// validate checks an entry as it is written. The error joins every problem.
func (c *Catalog) validate(e *Entry) error {
	p := &checker{entry: e}
	if !idForm.MatchString(e.ID) {
		p.failf("id: use lower-case letters, digits and hyphens")
	}
	if strings.TrimSpace(e.Title) == "" {
		p.failf("title: missing")
	}
	member(p, "kind", e.Kind, KindPlatform, KindNetwork, KindTracker, KindSource)
	if e.Revision < 1 {
		p.failf("revision: begins at 1")
	}
	if family := c.entries[e.Family]; e.Family != "" && (family.Kind != KindPlatform || family.Family != "") {
		p.failf("family: %q is no platform, or has a family itself", e.Family)
	}
	p.postback()
	p.words()
	p.sender()
	p.forward()
	p.state()
	p.sources()
	resolved := c.resolve(*e)
	if err := resolved.usable(); err != nil {
		p.problems = append(p.problems, err)
	}
	return errors.Join(p.problems...)
}

func (p *checker) postback() {
	e := p.entry
	for _, name := range slices.Sorted(maps.Keys(e.Postback)) {
		if !config.IsCanonicalParameter(name) {
			p.failf("postback.%s: no such parameter", name)
		}
		p.fact("postback."+name, name, e.Postback[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.Extra)) {
		if config.IsCanonicalParameter(name) || config.BuiltinAliasOf(name) != "" {
			p.failf("extra.%s: is a parameter of its own", name)
		}
		p.fact("extra."+name, name, e.Extra[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.Aliases)) {
		if !config.IsCanonicalParameter(name) {
			p.failf("aliases.%s: no such parameter", name)
		}
		p.claim("aliases."+name, saysAliases, e.Aliases[name].Confidence)
	}
	if e.Offer.Parameter != "" {
		if !offerForm.MatchString(e.Offer.Parameter) {
			p.failf("offer.parameter: write NAME={subid}, or a segment of a path")
		}
		member(p, "offer.place", e.Offer.Place, PlaceQuery, PlacePath)
		p.claim("offer", saysOffer, e.Offer.Confidence)
	}
	if e.Click != nil {
		p.fact("click", saysClick, *e.Click)
	}
	member(p, "slot", e.Slot, "", string(config.SlotTidAndType))
}

func (p *checker) fact(field, says string, f Fact) {
	if (f.Macro == "") == (f.Value == "") {
		p.failf("%s: set macro or value", field)
	}
	if strings.ContainsAny(f.text(), "& \t\n") {
		p.failf("%s: %q would break the query", field, f.text())
	}
	member(p, field+".per", f.Per, "", PerConversion, PerPostback, PerEvent)
	p.claim(field, says, f.Confidence)
}

// claim checks that somebody's page says it: the owner's, when it counts as documented.
func (p *checker) claim(field, says string, confidence Confidence) {
	member(p, field+".confidence", confidence, Documented, SecondHand, Conflicted)
	if !slices.ContainsFunc(p.entry.Sources, func(s Source) bool {
		return slices.Contains(s.Says, says) && (confidence != Documented || s.Kind == Primary)
	}) {
		p.failf("%s: %s, but no such source says %q", field, confidence, says)
	}
	isConflict := slices.ContainsFunc(p.entry.Conflicts, func(c Conflict) bool { return c.Fact == says })
	if isConflict != (confidence == Conflicted) {
		p.failf("%s: %s does not agree with conflicts", field, confidence)
	}
}

func (p *checker) words() {
	e := p.entry
	seen := map[string]bool{}
	for i, s := range e.Statuses {
		field := fmt.Sprintf("statuses[%d]", i)
		if s.Word == "" || strings.ContainsAny(s.Word, ",&") || seen[strings.ToLower(s.Word)] {
			p.failf("%s: %q is empty, listed before or no status word", field, s.Word)
		}
		seen[strings.ToLower(s.Word)] = true
		member(p, field+".type", s.Type, config.BuiltinTypes()...)
		p.claim(field, saysStatuses, s.Confidence)
	}
	for i, event := range e.Events {
		field := fmt.Sprintf("events[%d]", i)
		if event.Name == "" {
			p.failf("%s: has no name", field)
		}
		member(p, field+".type", event.Type, config.BuiltinTypes()...)
		p.claim(field, saysEvents, event.Confidence)
	}
	for i, quirk := range e.Quirks {
		if quirk.Text().En == "" || slices.Contains(e.Quirks[:i], quirk) {
			p.failf("quirks: %q is not in the list, or twice", quirk)
		}
	}
}

func (p *checker) sender() {
	s := p.entry.Sender
	for _, method := range s.Methods {
		member(p, "sender.methods", method, "GET", "POST")
	}
	for _, address := range s.Addresses {
		if prefix, err := netip.ParsePrefix(address); err != nil || prefix != prefix.Masked() {
			p.failf("sender.addresses: %q is no CIDR", address)
		}
	}
	if len(s.Methods)+len(s.Addresses) > 0 || s.Retries != "" || s.Expects != "" {
		p.claim("sender", saysSender, Documented)
	}
}

func (p *checker) forward() {
	f := p.entry.Forward
	if (p.entry.Kind == KindSource) != (f != nil) {
		p.failf("forward: traffic sources have one, and nobody else")
	}
	if f == nil {
		return
	}
	p.claim("forward", saysForward, f.Confidence)
	switch {
	case f.Sample != "":
		if !samplePath.MatchString(f.Sample) || f.URL != "" || len(f.Types)+len(f.Require) > 0 {
			p.failf("forward: a sample is a file of docs/samples, and has the other fields itself")
		}
	default:
		if _, err := config.ParseTemplate(f.URL); err != nil || !strings.HasPrefix(f.URL, "http") {
			p.failf("forward.url: %q is no template of an address: %w", f.URL, err)
		}
	}
	for _, name := range f.Types {
		member(p, "forward.types", name, config.BuiltinTypes()...)
	}
	for _, name := range f.Require {
		member(p, "forward.require", name, config.RequirableFields()...)
	}
}

func (p *checker) state() {
	e := p.entry
	member(p, "state", e.State, Complete, NeedsStatus, NeedsEdit)
	if (e.State == Complete) != (e.Needs == "") {
		p.failf("needs: say what is missing, unless the state is Complete")
	}
	if e.State == Complete && !slices.ContainsFunc(e.Sources, func(s Source) bool { return s.Kind == Primary }) {
		p.failf("state: Complete without a primary source")
	}
	for i, example := range e.Examples {
		if _, err := url.ParseQuery(example.Query); err != nil || example.Query == "" {
			p.failf("examples[%d]: no query", i)
		}
		member(p, "examples.type", example.Type, config.BuiltinTypes()...)
	}
	known := len(e.Statuses)+len(e.Events) > 0 || e.Family != ""
	if e.Kind != KindSource && len(e.Examples) == 0 && (known || e.State != NeedsStatus) {
		p.failf("examples: none")
	}
}

func (p *checker) sources() {
	known := []string{
		saysOffer, saysClick, saysStatuses, saysEvents, saysAliases, saysSlot, saysSender, saysForward, saysRecognise,
		saysQuirks,
	}
	known = append(known, slices.Collect(maps.Keys(p.entry.Postback))...)
	known = append(known, slices.Collect(maps.Keys(p.entry.Extra))...)
	if len(p.entry.Sources) == 0 {
		p.failf("sources: none")
	}
	for i, s := range p.entry.Sources {
		address, err := url.Parse(s.URL)
		if !samplePath.MatchString(s.URL) && (err != nil || address.Host == "") {
			p.failf("sources[%d].url: %q is no address", i, s.URL)
		}
		member(p, "sources.kind", s.Kind, Primary, Secondary)
		if _, err := time.Parse(time.DateOnly, s.Read); err != nil {
			p.failf("sources[%d].read: write a day like 2026-11-29", i)
		}
		if len(s.Says) == 0 {
			p.failf("sources[%d].says: nothing", i)
		}
		for _, name := range s.Says {
			member(p, fmt.Sprintf("sources[%d].says", i), name, known...)
		}
	}
}

// usable checks an entry with what it inherits.
func (e *Entry) usable() error {
	if e.Kind == KindSource {
		return nil
	}
	_, hasSubid := e.Postback[config.ParamSubid]
	_, hasStatus := e.Postback[config.ParamStatus]
	switch {
	case !hasSubid && len(e.Aliases[config.ParamSubid].Names) == 0:
		return errors.New("postback.subid: missing, and no alias for it")
	case hasSubid && !hasStatus && len(e.Events) == 0:
		return errors.New("events: needed where no macro carries the status")
	case hasStatus && len(e.Events) > 0:
		return errors.New("events: the status has a macro")
	}
	return nil
}
