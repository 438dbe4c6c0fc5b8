package credential

import (
	"time"

	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// Keyring is a ring and how it is written down: nil while there is none.
type Keyring struct {
	Ring rotation.Ring
	Data []byte
}

// ParseKeyring reads what was written down.
func ParseKeyring(data []byte) (Keyring, error) {
	ring, err := rotation.Parse(data)
	return Keyring{Ring: ring, Data: data}, err
}

func (k Keyring) advance(in rotation.Input) Keyring {
	next := Keyring{Ring: rotation.Advance(k.Ring, in)}
	if len(next.Ring) > 0 || k.Data != nil {
		next.Data = next.Ring.Encode()
	}
	return next
}

// valid returns the first of the values unless it is revoked; empty if there is none.
func (k Keyring) valid(purpose rotation.Purpose, values []string) string {
	if len(values) == 0 || len(k.Ring.Secrets(purpose, values[:1])) == 0 {
		return ""
	}
	return values[0]
}

// boundary is the next moment at which time alone changes the ring, or at which the active postback key is older than
// every; zero for none. every 0 means no schedule.
func (k Keyring) boundary(every time.Duration) time.Time {
	var next time.Time
	soonest := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for purpose, entries := range k.Ring {
		for _, e := range entries {
			switch {
			case e.RetireAt != nil && !e.Revoked:
				soonest(*e.RetireAt)
			case every > 0 && purpose == rotation.Postback && e.Active():
				soonest(e.Since.Add(every))
			}
		}
	}
	return next
}
