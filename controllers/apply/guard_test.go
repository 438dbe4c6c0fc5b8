package apply

import (
	"testing"
	"time"
)

func TestTheSameWriteIsMadeSoOftenAMinute(t *testing.T) {
	var g guard
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range guardWrites {
		if !g.permits(now.Add(time.Duration(i)*time.Second), "Secret", "shop", "content") {
			t.Fatalf("write %d is refused", i+1)
		}
	}
	for name, c := range map[string]struct {
		after time.Duration
		parts []string
		may   bool
	}{
		"not once more":              {30 * time.Second, []string{"Secret", "shop", "content"}, false},
		"something else":             {30 * time.Second, []string{"Secret", "shop", "other"}, true},
		"another object":             {30 * time.Second, []string{"Secret", "shopcontent", ""}, true},
		"again when the minute ends": {guardWindow, []string{"Secret", "shop", "content"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			copied := guard{made: map[uint64]tally{}}
			for id, w := range g.made {
				copied.made[id] = w
			}
			if got := copied.permits(now.Add(c.after), c.parts...); got != c.may {
				t.Errorf("it may be made: %v", got)
			}
		})
	}
	if g.permits(now.Add(2*guardWindow), "another"); len(g.made) != 1 {
		t.Errorf("%d writes are remembered", len(g.made))
	}
}
