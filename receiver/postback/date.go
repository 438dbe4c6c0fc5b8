package postback

import (
	"strconv"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

const (
	// maxAhead is how far a sender's clock may be ahead of the receiver's.
	maxAhead = 5 * time.Minute
	// minMillis is the least number that is read as milliseconds: as seconds it is the year 5138.
	minMillis = 100_000_000_000
)

// minDate bounds dates from below: a number that means less, such as 20240131, is no unix time.
var minDate = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// parseDate reads the time of a conversion (docs/semantics.md §2): unix seconds or milliseconds, RFC 3339, or
// `YYYY-MM-DD HH:MM:SS` in UTC. What is no such time, before the year 2000 or too far ahead of now gives the zero time and
// a warning. The result is in UTC and has microseconds, as stores keep them.
func parseDate(s string, now time.Time) (time.Time, conversion.Warning) {
	date, ok := readDate(s)
	switch {
	case !ok || date.Before(minDate):
		return time.Time{}, conversion.DateUnreadable
	case date.After(now.Add(maxAhead)):
		return time.Time{}, conversion.DateInFuture
	}
	return date.UTC().Truncate(time.Microsecond), ""
}

func readDate(s string) (time.Time, bool) {
	if n, err := strconv.ParseUint(s, 10, 63); err == nil {
		if n >= minMillis {
			return time.UnixMilli(int64(n)), true
		}
		return time.Unix(int64(n), 0), true
	}
	if date, err := time.Parse(time.DateTime, s); err == nil {
		return date, true
	}
	// A `+` that the sender did not encode has arrived as a space.
	const offset = len("+00:00")
	if i := len(s) - offset; i >= len(time.DateTime) && s[i] == ' ' {
		s = s[:i] + "+" + s[i+1:]
	}
	date, err := time.Parse(time.RFC3339, strings.ToUpper(s))
	return date, err == nil
}
