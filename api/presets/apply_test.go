package presets

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// network has facts of each confidence.
var network = Entry{
	ID: "net", Revision: 3,
	Aliases: map[string]Alias{
		"subid":  {Names: []string{"cid", "click"}, Confidence: Documented},
		"payout": {Names: []string{"revenue"}, Confidence: Documented}, // built in
		"tid":    {Names: []string{"txid"}, Confidence: SecondHand},
	},
	Statuses: []Status{
		{Word: "1", Type: "sale", Confidence: Documented},
		{Word: "2", Type: "lead", Confidence: Inherited},
		{Word: "3", Type: "rejected", Confidence: SecondHand},
		{Word: "5", Type: "lead", Confidence: Conflicted},
		{Word: "SALE", Type: "sale", Confidence: Documented}, // means it anyway
	},
	Slot:   "TidAndType",
	Sender: Sender{Expects: "OK"},
}

func TestApply(t *testing.T) {
	secondHand := []Difference{
		{Field: "aliases.tid", Value: "txid", Confidence: SecondHand},
		{Field: "training.rejected", Value: "3", Confidence: SecondHand},
		{Field: "training.lead", Value: "5", Confidence: Conflicted},
	}
	for _, c := range []struct {
		name     string
		declared Fragment
		accept   bool
		want     Change
	}{
		{
			name: "to an empty declaration it writes what is sure, and proposes the rest",
			want: Change{
				Spec: Fragment{
					Aliases:  map[string][]string{"subid": {"cid", "click"}},
					Training: []TrainingRule{{"sale", []string{"1"}}, {"lead", []string{"2"}}},
					Policies: &Policies{Slot: "TidAndType", SuccessBody: "OK"},
				},
				Proposed: secondHand,
			},
		},
		{
			name: "accepted, everything is written", accept: true,
			want: Change{Spec: Fragment{
				Aliases:  map[string][]string{"subid": {"cid", "click"}, "tid": {"txid"}},
				Training: []TrainingRule{{"sale", []string{"1"}}, {"lead", []string{"2", "5"}}, {"rejected", []string{"3"}}},
				Policies: &Policies{Slot: "TidAndType", SuccessBody: "OK"},
			}},
		},
		{
			name: "lists that change are complete, and other fields are left out",
			declared: Fragment{
				Aliases:  map[string][]string{"subid": {"own", "cid"}, "cost": {"c"}},
				Training: []TrainingRule{{"trash", []string{"x"}}, {"lead", []string{"new"}}, {"sale", []string{"1"}}},
				Policies: &Policies{Slot: "TidAndType", SuccessBody: "OK"},
			},
			want: Change{
				Spec: Fragment{
					Aliases:  map[string][]string{"subid": {"own", "cid", "click"}},
					Training: []TrainingRule{{"trash", []string{"x"}}, {"lead", []string{"new", "2"}}, {"sale", []string{"1"}}},
				},
				Proposed: secondHand,
			},
		},
		{
			name: "what is declared otherwise stays, even when everything is accepted", accept: true,
			declared: Fragment{
				Aliases:  map[string][]string{"tid": {"txid", "click"}},
				Training: []TrainingRule{{"lead", []string{"1", "2"}}, {"rejected", []string{"3", "5", "sale"}}},
				Policies: &Policies{Slot: "Tid", SuccessBody: "1"},
			},
			want: Change{
				Spec: Fragment{Aliases: map[string][]string{"subid": {"cid"}}},
				Proposed: []Difference{
					{"aliases.subid", "click", "tid", Documented},
					{"training.sale", "1", "lead", Documented},
					{"training.lead", "5", "rejected", Conflicted},
					{"training.sale", "SALE", "rejected", Documented},
					{"policies.slot", "TidAndType", "Tid", Documented},
					{"policies.successBody", "OK", "1", Documented},
				},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Annotation = "net@3"
			before := clone(c.declared)
			got := Apply(c.declared, network, c.accept)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, c.declared); diff != "" {
				t.Errorf("the declaration has changed:\n%s", diff)
			}
		})
	}
}

func clone(f Fragment) Fragment {
	c := Fragment{}
	for param, names := range f.Aliases {
		if c.Aliases == nil {
			c.Aliases = map[string][]string{}
		}
		c.Aliases[param] = append([]string(nil), names...)
	}
	for _, rule := range f.Training {
		c.Training = append(c.Training, TrainingRule{rule.Type, append([]string(nil), rule.Statuses...)})
	}
	if f.Policies != nil {
		policies := *f.Policies
		c.Policies = &policies
	}
	return c
}

func TestNothingDiffersAfterApplying(t *testing.T) {
	for _, e := range Builtin().List() {
		change := Apply(Fragment{}, e, true)
		if diffs := Diff(change.Spec, e); len(diffs) > 0 {
			t.Errorf("%s: %+v", e.ID, diffs)
		}
		if len(change.Proposed) > 0 {
			t.Errorf("%s: %+v is proposed to an empty declaration although everything is accepted", e.ID, change.Proposed)
		}
	}
}

func TestUpdate(t *testing.T) {
	trained := Fragment{Training: []TrainingRule{{"sale", []string{"1"}}, {"lead", []string{"2", "5"}}}}
	missing := []Difference{{Field: "training.rejected", Value: "3", Confidence: Documented}}
	for _, c := range []struct{ name, annotation, id, want string }{
		{"by the annotation", "affise@1", "", "affise 1"},
		{"by name", "", "affise", "affise 0"},
		{"the annotation is another entry's", "tune@4", "affise", "affise 0"},
		{"neither", "", "", "the declaration has no annotation postback.dev/preset: name the preset"},
		{"an annotation that is none", "affise", "",
			"the declaration has no annotation postback.dev/preset: name the preset"},
		{"no such entry", "gone@1", "", `no preset is called "gone"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Builtin().Update(trained, c.annotation, c.id)
			if err != nil {
				if err.Error() != c.want {
					t.Error(err)
				}
				return
			}
			if diff := cmp.Diff(Update{ID: "affise", Declared: int(c.want[len(c.want)-1] - '0'), Known: 1, Differences: missing},
				got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseAnnotation(t *testing.T) {
	for _, c := range []struct {
		value    string
		id       string
		revision int
		ok       bool
	}{
		{"affise@3", "affise", 3, true},
		{"affise-reach@12", "affise-reach", 12, true},
		{"affise", "", 0, false},
		{"affise@", "", 0, false},
		{"affise@0", "", 0, false},
		{"affise@3x", "", 0, false},
		{"affise@+3", "", 0, false},
		{"Affise@3", "", 0, false},
		{"@3", "", 0, false},
	} {
		if id, revision, ok := ParseAnnotation(c.value); id != c.id || revision != c.revision || ok != c.ok {
			t.Errorf("ParseAnnotation(%q) = %q, %d, %v", c.value, id, revision, ok)
		}
	}
}

func TestApplyAddsTheForwardOfATrafficSourceToThoseThereAre(t *testing.T) {
	taboola, _ := Builtin().Get("taboola")
	capi := map[string]any{"name": "capi", "url": "https://capi.example/", "headers": []any{"kept"}}
	got := Apply(Fragment{Forwards: []map[string]any{capi}}, taboola, false).Spec.Forwards
	want := []map[string]any{capi, {
		"name": "taboola", "url": taboola.Forward.URL, "types": taboola.Forward.Types, "require": taboola.Forward.Require,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := Apply(Fragment{Forwards: got}, taboola, false); len(again.Spec.Forwards) > 0 {
		t.Errorf("the second time: %v", again.Spec.Forwards)
	}
}

func TestASampleIsNoForward(t *testing.T) {
	meta, _ := Builtin().Get("meta")
	if diffs := Diff(Fragment{}, meta); len(diffs) > 0 {
		t.Errorf("%+v", diffs)
	}
}
