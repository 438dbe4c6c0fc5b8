package subid

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/postback"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestASubidIsOne(t *testing.T) {
	for _, at := range []time.Time{now, {}, time.Unix(0, 0), time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		id := New(at)
		if reason := postback.CheckSubID(id); reason != "" || len(id) != Length || strings.ToLower(id) != id {
			t.Errorf("%s: %q (%d characters) is refused: %q", at, id, len(id), reason)
		}
	}
}

func TestSubidsSortByTheirTime(t *testing.T) {
	var ids []string
	for ms := range 5000 {
		ids = append(ids, New(now.Add(time.Duration(ms)*time.Millisecond)))
	}
	if !slices.IsSorted(ids) {
		t.Error("subids of later milliseconds must be greater")
	}
}

func TestSubidsOfOneMomentDiffer(t *testing.T) {
	seen := map[string]bool{}
	// Of 75 random bits, 100,000 values meet with a probability of 10^-13.
	for range 100_000 {
		seen[New(now)] = true
	}
	if len(seen) != 100_000 {
		t.Errorf("100000 subids, %d different ones", len(seen))
	}
}

func TestEveryRandomCharacterUsesTheWholeAlphabet(t *testing.T) {
	var counts [randomChars][256]int
	const ids = 32 * 200
	for range ids {
		id := New(now)
		for i := range randomChars {
			counts[i][id[timeChars+i]]++
		}
	}
	for i := range counts {
		for _, c := range alphabet {
			// Expected are 200 each; 100 is 7 standard deviations away.
			if n := counts[i][c]; n < 100 || n > 300 {
				t.Errorf("character %d was %c %d times of %d", i, c, n, ids)
			}
		}
	}
}
