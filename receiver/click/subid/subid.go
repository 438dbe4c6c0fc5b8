// Package subid mints the subids of the clicks that this receiver records itself.
package subid

import (
	"crypto/rand"
	"strings"
	"time"
)

// A subid is [Length] characters of base32, the digits and lower-case letters without i, l, o and u, in byte order: 9
// of time (45 bits: milliseconds since 1970, to the year 3084) and 15 of randomness (75 bits). So subids sort by time,
// which keeps a store's index warm; nobody guesses another visitor's; and they survive networks that fold letter case
// or cut whatever is no letter or digit.
const (
	Length     = timeChars + randomChars
	timeChars  = 9
	randomBits = 75

	bitsPerChar = 5
	randomChars = randomBits / bitsPerChar
	alphabet    = "0123456789abcdefghjkmnpqrstvwxyz"
)

// New returns a subid of that moment. Moments before 1970 count as 1970.
func New(now time.Time) string {
	var id [Length]byte
	ms := uint64(max(now.UnixMilli(), 0))
	for i := timeChars - 1; i >= 0; i-- {
		id[i] = alphabet[ms%uint64(len(alphabet))]
		ms /= uint64(len(alphabet))
	}
	random := id[timeChars:]
	_, _ = rand.Read(random) // Never fails.
	for i, b := range random {
		random[i] = alphabet[b%byte(len(alphabet))] // 256 is a multiple of 32: every character is as likely.
	}
	return string(id[:])
}

// Time returns the moment of a subid that [New] has returned, and the zero time for any other text.
func Time(text string) time.Time {
	if !IsMinted(text) {
		return time.Time{}
	}
	var ms int64
	for i := range timeChars {
		ms = ms*int64(len(alphabet)) + int64(strings.IndexByte(alphabet, text[i]))
	}
	return time.UnixMilli(ms).UTC()
}

// IsMinted reports whether the text has the form of a subid that [New] returns.
func IsMinted(text string) bool {
	if len(text) != Length {
		return false
	}
	for i := range len(text) {
		if strings.IndexByte(alphabet, text[i]) < 0 {
			return false
		}
	}
	return true
}
