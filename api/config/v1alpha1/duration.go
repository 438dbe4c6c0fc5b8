package v1alpha1

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that is written the way Go writes one: "72h0m0s".
type Duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q: write it like 72h or 30m", text)
	}
	*d = Duration(parsed)
	return nil
}
