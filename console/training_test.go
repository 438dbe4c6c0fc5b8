package console

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

func TestTheTrainingToCommitIsWholeAndHasTheWordAsItIs(t *testing.T) {
	e := &read.Endpoint{Training: []read.TrainingRule{
		{Type: "sale", Statuses: []string{"approved"}}, {Type: "rejected", Statuses: []string{"no", "1"}},
	}}
	words := []string{"paid", "no", "1", "a: b", "#x", "- y", "a\nspec: {}", `"`, "\u202e", "\u2028", hostile}
	for _, word := range words {
		text := trainingYAML(e, []lesson{{word: word, meaning: "sale", why: "a\nb: c"}, {word: word, meaning: "lead"}})
		var got struct {
			Spec struct{ Training []read.TrainingRule }
		}
		if err := yaml.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%q: %v\n%s", word, err, text)
		}
		want := []read.TrainingRule{
			{Type: "sale", Statuses: []string{"approved", word}}, {Type: "rejected", Statuses: []string{"no", "1"}},
			{Type: "lead", Statuses: []string{word}},
		}
		if diff := cmp.Diff(want, got.Spec.Training); diff != "" {
			t.Errorf("%q (-want +got):\n%s\n%s", word, diff, text)
		}
	}
	if len(e.Training[0].Statuses) != 1 {
		t.Error("what the receiver said was changed")
	}
}
