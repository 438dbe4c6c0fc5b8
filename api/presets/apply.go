package presets

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Annotation on a PostbackEndpoint names the entry and revision that its declaration was made by: `affise@3`. It is for
// people and for [Diff]: nothing reads the catalog at run time.
const Annotation = "postback.dev/preset"

// AnnotationValue is the value of [Annotation] for the entry.
func (e Entry) AnnotationValue() string { return fmt.Sprintf("%s@%d", e.ID, e.Revision) }

// Fragment is a part of a PostbackEndpoint's spec, with the field names of the declaration: what an entry has to say
// about it. Other fields of a spec are not its business.
type Fragment struct {
	Aliases  map[string][]string `yaml:"aliases,omitempty" json:"aliases,omitempty"`
	Training []TrainingRule      `yaml:"training,omitempty" json:"training,omitempty"`
	Policies *Policies           `yaml:"policies,omitempty" json:"policies,omitempty"`
	// Forwards are kept with all of their fields, whatever those are.
	Forwards []map[string]any `yaml:"forwards,omitempty" json:"forwards,omitempty"`
}

// TrainingRule is one item of spec.training.
type TrainingRule struct {
	Type     string   `yaml:"type" json:"type"`
	Statuses []string `yaml:"statuses,flow" json:"statuses"`
}

// Policies are the fields of spec.policies that entries know about.
type Policies struct {
	Slot        string `yaml:"slot,omitempty" json:"slot,omitempty"`
	SuccessBody string `yaml:"successBody,omitempty" json:"successBody,omitempty"`
}

// Difference is one thing that the catalog says and a declaration does not.
type Difference struct {
	// Field of the spec, like training.sale, policies.successBody or forwards.
	Field string `yaml:"field" json:"field"`
	// Value to add, or to put there.
	Value string `yaml:"value" json:"value"`
	// Declared is what the declaration says instead; empty: nothing.
	Declared   string     `yaml:"declared,omitempty" json:"declared,omitempty"`
	Confidence Confidence `yaml:"confidence" json:"confidence"`
}

// Applicable reports whether Apply writes the difference without being asked again. What only somebody else's page
// says, or what pages disagree on, is proposed and not written; neither is anything that the declaration says
// otherwise.
func (d Difference) Applicable() bool {
	return d.Declared == "" && (d.Confidence == Documented || d.Confidence == Inherited)
}

// Change is what applying an entry to a declaration comes to.
type Change struct {
	// Annotation is the value of [Annotation].
	Annotation string `yaml:"annotation" json:"annotation"`
	// Spec holds the fields that change. Lists are complete, so that they can replace the declared ones as a whole.
	Spec Fragment `yaml:"spec" json:"spec"`
	// Proposed is what was not written, because it has to be looked at.
	Proposed []Difference `yaml:"proposed,omitempty" json:"proposed,omitempty"`
}

// Diff returns what the entry says and the declaration does not: aliases, status words, policies and the forward of a
// traffic source, in this order. A forward is compared by its name only, because it is meant to be edited.
func Diff(declared Fragment, e Entry) []Difference {
	var diffs []Difference
	for _, param := range slices.Sorted(maps.Keys(e.Aliases)) {
		alias := e.Aliases[param]
		for _, name := range alias.Names {
			if owner := ownerOf(declared.Aliases, name); owner != param {
				diffs = append(diffs, Difference{"aliases." + param, name, owner, alias.Confidence})
			}
		}
	}
	for _, s := range e.Statuses {
		trained := trainedAs(declared.Training, s.Word)
		if trained == s.Type || trained == "" && strings.EqualFold(s.Word, s.Type) {
			continue // the built-in word means it anyway
		}
		diffs = append(diffs, Difference{"training." + s.Type, s.Word, trained, s.Confidence})
	}
	diffs = append(diffs, diffPolicies(declared.Policies, e)...)
	if forward := e.forwardRule(); forward != nil && !slices.ContainsFunc(declared.Forwards, func(f map[string]any) bool {
		return f["name"] == forward["name"]
	}) {
		diffs = append(diffs, Difference{Field: "forwards", Value: e.ID, Confidence: e.Forward.Confidence})
	}
	return diffs
}

func diffPolicies(declared *Policies, e Entry) []Difference {
	var policies Policies
	if declared != nil {
		policies = *declared
	}
	var diffs []Difference
	if e.Slot != "" && policies.Slot != e.Slot {
		diffs = append(diffs, Difference{"policies.slot", e.Slot, policies.Slot, Documented})
	}
	if body := e.Sender.Expects; body != "" && policies.SuccessBody != body {
		diffs = append(diffs, Difference{"policies.successBody", body, policies.SuccessBody, Documented})
	}
	return diffs
}

// forwardRule is the item of spec.forwards for a traffic source; nil if it has none, or a sample that is more than
// that.
func (e *Entry) forwardRule() map[string]any {
	if e.Forward == nil || e.Forward.URL == "" {
		return nil
	}
	rule := map[string]any{"name": e.ID, "url": e.Forward.URL}
	if len(e.Forward.Types) > 0 {
		rule["types"] = e.Forward.Types
	}
	if len(e.Forward.Require) > 0 {
		rule["require"] = e.Forward.Require
	}
	return rule
}

// Apply merges the entry into the declaration. accept lets facts be written that would only be proposed, SecondHand and
// Conflict ones; what the declaration says otherwise stays as it is in any case.
func Apply(declared Fragment, e Entry, accept bool) Change {
	change := Change{Annotation: e.AnnotationValue()}
	merged := declared
	merged.Aliases = maps.Clone(declared.Aliases)
	merged.Training = slices.Clone(declared.Training)
	merged.Forwards = slices.Clone(declared.Forwards)
	touched := map[string]bool{}
	for _, d := range Diff(declared, e) {
		if !d.Applicable() && (!accept || d.Declared != "") {
			change.Proposed = append(change.Proposed, d)
			continue
		}
		touched[d.Field] = true
		merged.add(d, e)
	}
	change.Spec = merged.only(touched)
	return change
}

// add writes one difference from the entry.
func (f *Fragment) add(d Difference, e Entry) {
	kind, name, _ := strings.Cut(d.Field, ".")
	switch kind {
	case "aliases":
		if f.Aliases == nil {
			f.Aliases = map[string][]string{}
		}
		f.Aliases[name] = append(slices.Clip(f.Aliases[name]), d.Value)
	case "training":
		i := slices.IndexFunc(f.Training, func(r TrainingRule) bool { return r.Type == name })
		if i < 0 {
			i = len(f.Training)
			f.Training = append(f.Training, TrainingRule{Type: name})
		}
		f.Training[i].Statuses = append(slices.Clip(f.Training[i].Statuses), d.Value)
	case "policies":
		policies := Policies{}
		if f.Policies != nil {
			policies = *f.Policies
		}
		if name == "slot" {
			policies.Slot = d.Value
		} else {
			policies.SuccessBody = d.Value
		}
		f.Policies = &policies
	case "forwards":
		f.Forwards = append(f.Forwards, e.forwardRule())
	}
}

// only keeps the fields that were touched.
func (f Fragment) only(touched map[string]bool) Fragment {
	var kept Fragment
	for param, names := range f.Aliases {
		if touched["aliases."+param] {
			if kept.Aliases == nil {
				kept.Aliases = map[string][]string{}
			}
			kept.Aliases[param] = names
		}
	}
	if slices.ContainsFunc(f.Training, func(rule TrainingRule) bool { return touched["training."+rule.Type] }) {
		kept.Training = f.Training
	}
	var policies Policies
	if touched["policies.slot"] {
		policies.Slot = f.Policies.Slot
	}
	if touched["policies.successBody"] {
		policies.SuccessBody = f.Policies.SuccessBody
	}
	if policies != (Policies{}) {
		kept.Policies = &policies
	}
	if touched["forwards"] {
		kept.Forwards = f.Forwards
	}
	return kept
}

// ownerOf returns the parameter that a name stands for in the declaration, or by itself; empty: none.
func ownerOf(aliases map[string][]string, name string) string {
	for _, param := range slices.Sorted(maps.Keys(aliases)) {
		if slices.Contains(aliases[param], name) {
			return param
		}
	}
	if config.IsCanonicalParameter(name) {
		return name
	}
	return config.BuiltinAliasOf(name)
}

// trainedAs returns the type that the declaration trains a word as; empty: none.
func trainedAs(training []TrainingRule, word string) string {
	for _, rule := range training {
		if slices.ContainsFunc(rule.Statuses, func(s string) bool { return strings.EqualFold(s, word) }) {
			return rule.Type
		}
	}
	return ""
}

// Update is what the catalog has to say about a declaration that was made by one of its entries.
type Update struct {
	ID string `yaml:"id" json:"id"`
	// Declared and Known are the revisions of the annotation and of the catalog. Declared is 0 without one.
	Declared    int          `yaml:"declared" json:"declared"`
	Known       int          `yaml:"known" json:"known"`
	Differences []Difference `yaml:"differences,omitempty" json:"differences,omitempty"`
}

// ParseAnnotation splits a value of [Annotation]; ok is false for anything else.
func ParseAnnotation(value string) (id string, revision int, ok bool) {
	id, number, found := strings.Cut(value, "@")
	if !found || !idForm.MatchString(id) {
		return "", 0, false
	}
	if _, err := fmt.Sscanf(number, "%d", &revision); err != nil || revision < 1 || fmt.Sprint(revision) != number {
		return "", 0, false
	}
	return id, revision, true
}

// Update compares a declaration with the entry that its annotation names, or with the one called id when that is not
// empty.
func (c *Catalog) Update(declared Fragment, annotation, id string) (Update, error) {
	named, revision, _ := ParseAnnotation(annotation)
	if named != cmp.Or(id, named) {
		revision = 0 // made by another entry
	}
	id = cmp.Or(id, named)
	if id == "" {
		return Update{}, fmt.Errorf("the declaration has no annotation %s: name the preset", Annotation)
	}
	e, ok := c.Get(id)
	if !ok {
		return Update{}, fmt.Errorf("no preset is called %q", id)
	}
	return Update{ID: id, Declared: revision, Known: e.Revision, Differences: Diff(declared, e)}, nil
}
