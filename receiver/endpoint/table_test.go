package endpoint

import "testing"

func TestTheTableHasTheSameNamesAsTheMap(t *testing.T) {
	for text, want := range commonNames {
		if got, ok := commonTable.lookup(text); !ok || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, ok, want)
		}
		for _, other := range []string{text + "x", "x" + text, text[1:], text[:len(text)-1]} {
			got, ok := commonTable.lookup(other)
			if want, known := commonNames[other]; ok != known || got != want {
				t.Errorf("%s: %v %v, want %v %v", other, got, ok, want, known)
			}
		}
	}
	for _, text := range []string{"", "s", "sub_id_31", "sub_id_0"} {
		if got, ok := commonTable.lookup(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}
