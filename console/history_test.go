package console

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

func TestAVersionSaysWhatItChanged(t *testing.T) {
	ten, twelve := "10", "12"
	p := &page{Zone: time.UTC, Conversions: []read.Conversion{
		{Version: 1, Type: "lead", Payout: &ten, Currency: "USD", Params: map[string]string{"a": "1", "gone": "x"}},
		{Version: 2, Type: "sale", Payout: &twelve, Currency: "USD", Params: map[string]string{"a": "1", "b": "2"}},
		{Version: 3, Type: "sale", Payout: &twelve, Currency: "USD", Params: map[string]string{"a": "1", "b": "2"}},
	}}
	var got [][]change
	for _, v := range p.History() {
		got = append(got, v.Changes)
	}
	want := [][]change{
		nil,
		{
			{"params.b", "", "2"}, {"payout", "10 USD", "12 USD"}, {"type", "lead", "sale"}, {"params.gone", "x", "–"},
		},
		nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
