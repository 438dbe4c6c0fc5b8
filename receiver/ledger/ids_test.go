package ledger_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// TestIDsFollowTheClock: they grow, and yet the time in one is that of its row.
func TestIDsFollowTheClock(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	ids := ledger.NewIDs(func() time.Time { return now })
	var last uuid.UUID
	for _, step := range []struct {
		name  string
		by    time.Duration
		grows bool
	}{
		{"at first", 0, true},
		{"the clock stands still", 0, true},
		{"it goes on", time.Microsecond, true},
		{"it is set back a little", -time.Second, true},
		{"an hour ahead", time.Hour, true},
		{"a day back", -24 * time.Hour, false},
		{"an hour back", -time.Hour, false},
		{"it goes on from there", time.Millisecond, true},
		{"a day ahead", 24 * time.Hour, true},
	} {
		now = now.Add(step.by)
		for range 5000 { // more than a millisecond has ticks
			id := ids.Next()
			if grows := id.String() > last.String(); grows != step.grows {
				t.Fatalf("%s: %s follows %s", step.name, id, last)
			}
			last, step.grows = id, true
			if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
				t.Fatalf("%s: %s is no UUIDv7", step.name, id)
			}
			seconds, nanoseconds := id.Time().UnixTime()
			if off := time.Unix(seconds, nanoseconds).Sub(now); off.Abs() > ledger.IDSlack {
				t.Fatalf("%s: %s is off by %v", step.name, id, off)
			}
		}
	}
}
