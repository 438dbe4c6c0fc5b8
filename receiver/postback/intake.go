package postback

import (
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/macro"
)

// What the click intake shares with postbacks, so that a click's subid and time mean what a postback's do.

// CheckSubID returns why the trimmed value is no subid, or "" when it is one (docs/semantics.md §3.4).
func CheckSubID(value string) conversion.Reason {
	switch {
	case value == "":
		return conversion.SubIDMissing
	case macro.IsUnresolved(value):
		return conversion.SubIDUnresolvedMacro
	case !isSubID(value):
		return conversion.SubIDMalformed
	}
	return ""
}

// ReadDate reads a time in any of the forms that the parameter `date` may have, from the year 2000 on. The result is in
// UTC and has microseconds, as stores keep them.
func ReadDate(value string) (date time.Time, ok bool) {
	date, ok = readDate(value, time.UTC)
	return date.UTC().Truncate(time.Microsecond), ok && !date.Before(minDate)
}
