package rotation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

var start = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// at is start and some hours.
func at(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }

// ids returns a source of the ids id1, id2, …
func ids() func() string {
	count := 0
	return func() string {
		count++
		return fmt.Sprintf("id%d", count)
	}
}

// step is one Advance; its hours count from start.
type step struct {
	hours    int
	secret   string // what the Secret holds, "" = it is gone, "-" = it can't be read
	overlap  int    // hours
	revoked  []string
	accepted string // ids and, where they end, the hours at which: "id1@72 id2"
}

// TestKeysThroughTheirLives walks keyrings from step to step and looks at what receivers accept after each.
func TestKeysThroughTheirLives(t *testing.T) {
	cases := map[string][]step{
		"a key that is seen first is active": {
			{0, "a", 72, nil, "id1"},
		},
		"nothing changes while nothing changes": {
			{0, "a", 72, nil, "id1"}, {1, "a", 72, nil, "id1"}, {1000, "a", 72, nil, "id1"},
		},
		"a former key lives until the overlap ends": {
			{0, "a", 72, nil, "id1"}, {1, "b", 72, nil, "id1@73 id2"}, {72, "b", 72, nil, "id1@73 id2"},
			{73, "b", 72, nil, "id2"},
		},
		"an overlap of nothing cuts at once": {
			{0, "a", 0, nil, "id1"}, {1, "b", 0, nil, "id2"},
		},
		"a former key that comes back is active again": {
			{0, "a", 72, nil, "id1"}, {1, "b", 72, nil, "id1@73 id2"}, {2, "a", 72, nil, "id1 id2@74"},
			{74, "a", 72, nil, "id1"},
		},
		"a key that comes back after its end is a new one": {
			{0, "a", 1, nil, "id1"}, {1, "b", 1, nil, "id1@2 id2"}, {2, "b", 1, nil, "id2"}, {3, "a", 1, nil, "id2@4 id3"},
		},
		"a shorter overlap shortens what was promised": {
			{0, "a", 72, nil, "id1"}, {1, "b", 72, nil, "id1@73 id2"}, {2, "b", 3, nil, "id1@5 id2"},
		},
		"a longer overlap prolongs nothing": {
			{0, "a", 10, nil, "id1"}, {1, "b", 10, nil, "id1@11 id2"}, {2, "b", 100, nil, "id1@11 id2"},
		},
		"a revoked former key is refused at once": {
			{0, "a", 72, nil, "id1"}, {1, "b", 72, nil, "id1@73 id2"}, {2, "b", 72, []string{"id1"}, "id2"},
		},
		"a revoked active key is refused while its Secret still holds it": {
			{0, "a", 72, nil, "id1"}, {1, "a", 72, []string{"id1"}, ""}, {2, "a", 72, []string{"id1"}, ""},
			{3, "b", 72, []string{"id1"}, "id2"},
		},
		"a revoked key does not come back under another id": {
			{0, "a", 1, nil, "id1"}, {1, "b", 1, []string{"id1"}, "id2"}, {100, "b", 1, []string{"id1"}, "id2"},
			{101, "a", 1, []string{"id1"}, "id2@102"},
		},
		"a key that is no longer listed as revoked is accepted again": {
			{0, "a", 72, nil, "id1"}, {1, "a", 72, []string{"id1"}, ""}, {2, "a", 72, nil, "id1"},
		},
		"an id that nobody has is revoked without effect": {
			{0, "a", 72, []string{"other"}, "id1"},
		},
		"a key that is given up ends after the overlap": {
			{0, "a", 72, nil, "id1"}, {1, "", 72, nil, "id1@73"}, {73, "", 72, nil, ""},
		},
		"a Secret that can't be read retires nothing": {
			{0, "a", 72, nil, "id1"}, {1, "-", 72, nil, "id1"}, {2, "a", 72, nil, "id1"},
		},
		"a Secret that can't be read still lets former keys end": {
			{0, "a", 72, nil, "id1"}, {1, "b", 72, nil, "id1@73 id2"}, {80, "-", 72, nil, "id2"},
		},
		"three keys in one overlap end one after the other": {
			{0, "a", 72, nil, "id1"}, {1, "b", 72, nil, "id1@73 id2"}, {2, "c", 72, nil, "id1@73 id2@74 id3"},
			{73, "c", 72, nil, "id2@74 id3"},
		},
	}
	for name, steps := range cases {
		t.Run(name, func(t *testing.T) {
			ring, newID := Ring{}, ids()
			for i, s := range steps {
				in := s.input(newID)
				ring = Advance(ring, in)
				if got := acceptedKeys(ring); got != s.accepted {
					t.Fatalf("step %d: accepted %q, want %q", i, got, s.accepted)
				}
				if diff := cmp.Diff(ring, Advance(ring, in)); diff != "" {
					t.Fatalf("step %d: the same input again changes the ring:\n%s", i, diff)
				}
			}
		})
	}
}

func (s step) input(newID func() string) Input {
	in := Input{
		Now: at(s.hours), Overlap: time.Duration(s.overlap) * time.Hour, Revoked: s.revoked, NewID: newID,
		Observed: map[Purpose][]string{},
	}
	switch s.secret {
	case "-":
	case "":
		in.Observed[Postback] = nil
	default:
		in.Observed[Postback] = []string{s.secret}
	}
	return in
}

func acceptedKeys(ring Ring) string {
	var all []string
	for _, key := range ring.Keys(Postback) {
		text := key.ID
		if key.RetireAt != nil {
			text += fmt.Sprintf("@%d", int(key.RetireAt.Sub(start).Hours()))
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestSecretsThatReceiversHoldInTheClearEndWithTheirSecret(t *testing.T) {
	newID := ids()
	in := Input{Now: start, Overlap: time.Hour, NewID: newID, Observed: map[Purpose][]string{Signing: {"one", "two"}}}
	ring := Advance(nil, in)
	want := []config.Secret{{ID: "id1", Value: "one"}, {ID: "id2", Value: "two"}}
	if got := ring.Secrets(Signing, []string{"one", "two"}); !cmp.Equal(got, want) {
		t.Errorf("%d secrets", len(got))
	}
	in.Observed[Signing] = []string{"two", "three"}
	ring = Advance(ring, in)
	var got []string
	for _, e := range ring[Signing] {
		got = append(got, e.ID)
	}
	if diff := cmp.Diff([]string{"id2", "id3"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheRingStaysWithinTheContract(t *testing.T) {
	ring, newID := Ring{}, ids()
	for i := range 3 * config.MaxKeys {
		ring = Advance(ring, Input{
			Now: at(i), Overlap: 1000 * time.Hour, NewID: newID,
			Observed: map[Purpose][]string{Postback: {fmt.Sprintf("key %d", i)}},
		})
	}
	keys := ring.Keys(Postback)
	if len(keys) != config.MaxKeys {
		t.Errorf("%d keys", len(keys))
	}
	if last := keys[len(keys)-1]; last.ID != fmt.Sprintf("id%d", 3*config.MaxKeys) || last.RetireAt != nil {
		t.Errorf("the newest is not the active one: %+v", last)
	}
}

func TestAdvanceLeavesItsArgumentAlone(t *testing.T) {
	newID := ids()
	before := Advance(nil, Input{Now: start, NewID: newID, Observed: map[Purpose][]string{Postback: {"a"}}})
	encoded := string(before.Encode())
	Advance(before, Input{Now: at(1), Overlap: time.Hour, NewID: newID, Revoked: []string{"id1"},
		Observed: map[Purpose][]string{Postback: {"b"}}})
	if got := string(before.Encode()); got != encoded {
		t.Errorf("it became %s", got)
	}
}

func TestWhenTheNextKeyIsDue(t *testing.T) {
	ring := Advance(nil, Input{Now: start, NewID: ids(), Observed: map[Purpose][]string{Postback: {"a"}}})
	cases := map[string]struct {
		now                 time.Time
		declared, generated int64
		every               time.Duration
		want                bool
	}{
		"not without a reason":            {at(1000), 1, 1, 0, false},
		"when the revision was raised":    {at(0), 2, 1, 0, true},
		"not when the revision is behind": {at(0), 1, 2, 0, false},
		"not just before its time":        {at(24).Add(-time.Second), 1, 1, 24 * time.Hour, false},
		"when its time has come":          {at(24), 1, 1, 24 * time.Hour, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := ring.Due(c.now, c.declared, c.generated, c.every); got != c.want {
				t.Errorf("due: %v", got)
			}
		})
	}
	if (Ring{}).Due(at(1000), 1, 1, time.Hour) {
		t.Error("an empty ring has no key whose time could come")
	}
}

func FuzzParse(f *testing.F) {
	ring := Advance(nil, Input{Now: start, NewID: ids(), Observed: map[Purpose][]string{Postback: {"a"}, Signing: {"b"}}})
	f.Add(ring.Encode())
	f.Add([]byte("null"))
	f.Add([]byte(`{"postback":[{"id":"x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ring, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(ring.Encode())
		if err != nil || string(again.Encode()) != string(ring.Encode()) {
			t.Fatalf("encoding and parsing changed the ring: %v", err)
		}
	})
}

func TestParseRefusesWhatWasNotWritten(t *testing.T) {
	cases := map[string]string{
		"no JSON":               "hunter2",
		"an unknown field":      `{"postback":[{"id":"a","value":"hunter2"}]}`,
		"an entry without hash": `{"postback":[{"id":"hunter2"}]}`,
		"two documents":         `{}{}`,
		"an endless one":        strings.Repeat(" ", maxRingBytes+1),
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(data))
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error: %v", err)
			}
		})
	}
	if ring, err := Parse(nil); err != nil || len(ring) != 0 {
		t.Errorf("no data: %v, %v", ring, err)
	}
}
