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

// parseDate reads the time of a conversion (docs/semantics.md §2). What is no time, before the year 2000 or too far
// ahead of now gives the zero time and a warning. A time without a zone is in the given one. The result is in UTC and
// has microseconds, as stores keep them.
func parseDate(s string, zone *time.Location, now time.Time) (time.Time, conversion.Warning) {
	date, ok := readDate(s, zone)
	switch {
	case !ok || date.Before(minDate):
		return time.Time{}, conversion.DateUnreadable
	case date.After(now.Add(maxAhead)):
		return time.Time{}, conversion.DateInFuture
	}
	return date.UTC().Truncate(time.Microsecond), ""
}

// Go reads a fraction of seconds after "05" without being told.
var (
	// zonedLayouts are those of ISO 8601 with a zone, with a `T` between date and time, and those of RFC 1123.
	zonedLayouts = []string{
		"2006-01-02T15:04:05Z07:00",
		"2006-01-02T15:04:05Z0700",
		"2006-01-02T15:04:05Z07",
		"2006-01-02T15:04Z07:00",
		"2006-01-02T15:04Z0700",
		"2006-01-02T15:04Z07",
		time.RFC1123Z,
		"Mon, 2 Jan 2006 15:04:05 -0700",
	}
	localLayouts = []string{
		"2006-01-02T15:04:05",
		"2006-01-02T15:04",
		time.DateOnly,
	}
	// gmtLayouts name their zone by letters; only UTC is known by letters everywhere.
	gmtLayouts = []string{"Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 UTC"}
)

// readDate reads unix seconds, with or without a fraction, or milliseconds; ISO 8601, of which RFC 3339 is a part; RFC
// 1123.
func readDate(s string, zone *time.Location) (time.Time, bool) {
	if date, ok := readUnix(s); ok {
		return date, true
	}
	if date, ok := readLayouts(s, gmtLayouts, time.UTC); ok {
		return date, true
	}
	iso := isoForm(s)
	if date, ok := readLayouts(iso, localLayouts, zone); ok {
		return date, true
	}
	return readLayouts(iso, zonedLayouts, time.UTC)
}

func readLayouts(s string, layouts []string, zone *time.Location) (time.Time, bool) {
	for _, layout := range layouts {
		if date, err := time.ParseInLocation(layout, s, zone); err == nil {
			return date, true
		}
	}
	return time.Time{}, false
}

// maxUnix bounds the numbers that are read: it is above every time that is of use.
const maxUnix = 1 << 50

func readUnix(s string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || strings.Trim(fraction, "0123456789") != "" {
		return time.Time{}, false
	}
	n = min(n, maxUnix)
	if n >= minMillis {
		return time.UnixMilli(int64(n)), true
	}
	nanoseconds, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return time.Unix(int64(n), nanoseconds), true
}

// isoForm writes an ISO 8601 time with a `T` between date and time, in capitals, and with the `+` of the zone that has
// arrived as a space because the sender did not encode it. Other texts stay as they are.
func isoForm(s string) string {
	const date = len(time.DateOnly)
	if len(s) <= date || s[4] != '-' {
		if i := strings.LastIndexByte(s, ' '); i > 0 && len(s)-i == len(" 0000") && s[i-1] == ' ' && isDigits(s[i+1:]) {
			return s[:i] + "+" + s[i+1:] // RFC 1123 has a space before the zone as well.
		}
		return s
	}
	clock := strings.ToUpper(strings.TrimSpace(s[date+1:]))
	if s[date] != ' ' && s[date]|0x20 != 't' {
		return s
	}
	if i := strings.IndexByte(clock, ' '); i > 0 {
		zone := strings.TrimSpace(clock[i:])
		if zone != "" && zone[0] >= '0' && zone[0] <= '9' {
			zone = "+" + zone
		}
		switch zone {
		case "UTC", "GMT":
			zone = "Z"
		}
		clock = clock[:i] + zone
	}
	return s[:date] + "T" + clock
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
