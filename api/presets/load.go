package presets

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed entries/*.yaml
var embedded embed.FS

// Catalog is a set of entries that has been validated. It does not change, and may be used concurrently.
type Catalog struct {
	entries map[string]Entry // as written
}

var builtin = sync.OnceValue(func() *Catalog {
	files, err := fs.Sub(embedded, "entries")
	if err == nil {
		var c *Catalog
		if c, err = load(&Catalog{}, files); err == nil {
			return c
		}
	}
	panic("the catalog in this binary is broken: " + err.Error()) // a test loads it
})

// Builtin returns the catalog that is part of the binary.
func Builtin() *Catalog { return builtin() }

// Load returns the built-in catalog together with entries of your own: the *.yaml files at the root of the file system.
// An entry of yours replaces a built-in one with the same id, and may name any platform as its family. The error joins
// all problems, each with its file.
func Load(own fs.FS) (*Catalog, error) { return load(Builtin(), own) }

func load(base *Catalog, files fs.FS) (*Catalog, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	c := &Catalog{entries: map[string]Entry{}}
	maps.Copy(c.entries, base.entries)
	var problems []error
	for _, name := range names {
		entry, err := read(files, name)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		c.entries[entry.ID] = entry
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for _, name := range names {
		entry := c.entries[strings.TrimSuffix(name, path.Ext(name))]
		if err := c.validate(&entry); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	return c, errors.Join(problems...)
}

// read decodes one file strictly: an unknown field, a second document or another id than the file's name is an error.
func read(files fs.FS, name string) (Entry, error) {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return Entry{}, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	var entry Entry
	if err := decoder.Decode(&entry); err != nil {
		return Entry{}, err
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return Entry{}, errors.New("more than one document")
	}
	if want := strings.TrimSuffix(name, path.Ext(name)); entry.ID != want {
		return Entry{}, fmt.Errorf("id: %q, but the file's name says %q", entry.ID, want)
	}
	return entry, nil
}

// List returns every entry with what it inherits, sorted by kind (platforms, networks, trackers, sources) and id.
func (c *Catalog) List() []Entry {
	order := []Kind{KindPlatform, KindNetwork, KindTracker, KindSource}
	entries := make([]Entry, 0, len(c.entries))
	for _, id := range slices.Sorted(maps.Keys(c.entries)) {
		entries = append(entries, c.resolve(c.entries[id]))
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind))
	})
	return entries
}

// Get returns one entry with what it inherits.
func (c *Catalog) Get(id string) (Entry, bool) {
	entry, ok := c.entries[id]
	if !ok {
		return Entry{}, false
	}
	return c.resolve(entry), true
}

// resolve adds what the entry inherits from its family. The result shares nothing with the catalog that [Entry]'s
// readers would change by adding to its maps.
func (c *Catalog) resolve(e Entry) Entry {
	e.Postback, e.Extra, e.Aliases = maps.Clone(e.Postback), maps.Clone(e.Extra), maps.Clone(e.Aliases)
	if e.Family == "" {
		return e
	}
	family := c.entries[e.Family]
	e.Postback = inherit(e.Postback, family.Postback, func(f *Fact) *Confidence { return &f.Confidence })
	e.Extra = inherit(e.Extra, family.Extra, func(f *Fact) *Confidence { return &f.Confidence })
	e.Aliases = inherit(e.Aliases, family.Aliases, func(a *Alias) *Confidence { return &a.Confidence })
	if e.Offer.Parameter == "" {
		e.Offer = family.Offer
		e.Offer.Confidence = inherited(e.Offer.Confidence)
	}
	if len(e.Statuses) == 0 && len(e.Events) == 0 {
		e.Statuses, e.Events = slices.Clone(family.Statuses), slices.Clone(family.Events)
		for i := range e.Statuses {
			e.Statuses[i].Confidence = inherited(e.Statuses[i].Confidence)
		}
		for i := range e.Events {
			e.Events[i].Confidence = inherited(e.Events[i].Confidence)
		}
	}
	e.Slot = cmp.Or(e.Slot, family.Slot)
	if len(e.Sender.Methods) == 0 && e.Sender.Retries == "" && e.Sender.Expects == "" && len(e.Sender.Addresses) == 0 {
		e.Sender = family.Sender
	}
	for _, quirk := range family.Quirks {
		if !slices.Contains(e.Quirks, quirk) {
			e.Quirks = append(slices.Clip(e.Quirks), quirk)
		}
	}
	return e
}

// inherit adds to the facts those of the family that they lack.
func inherit[F any](own, family map[string]F, confidence func(*F) *Confidence) map[string]F {
	for name, fact := range family {
		if _, has := own[name]; has {
			continue
		}
		if own == nil {
			own = map[string]F{}
		}
		c := confidence(&fact)
		*c = inherited(*c)
		own[name] = fact
	}
	return own
}

// inherited is how sure a platform's fact is for a network on it: what is documented for the platform is not so for
// each of its networks.
func inherited(c Confidence) Confidence {
	if c == Documented {
		return Inherited
	}
	return c
}
