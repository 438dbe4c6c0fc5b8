package postback

import (
	"strings"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// maxSubIDBytes bounds a subid, maxTIDBytes a tid.
const (
	maxSubIDBytes = 128
	maxTIDBytes   = 256
)

// isSubID reports whether the value is one to 128 of the characters that a subid may have.
func isSubID(value string) bool {
	if value == "" || len(value) > maxSubIDBytes {
		return false
	}
	for i := range len(value) {
		c := value[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("_.:-", rune(c)) {
			return false
		}
	}
	return true
}

// lists reports whether the comma-separated list has the word, compared as [endpoint.Fold] does.
func lists(list, word string) bool {
	if list == "" {
		return false
	}
	word = conversion.WholeNumber(word)
	for list != "" {
		var member string
		member, list, _ = strings.Cut(list, ",")
		member = strings.TrimSpace(member)
		if strings.EqualFold(member, word) {
			return true
		}
		fraction := len(member) > len(word) && member[len(word)] == '.'
		if fraction && strings.EqualFold(conversion.WholeNumber(member), word) {
			return true
		}
	}
	return false
}

// train returns the conversion type that the status word means, or "" for none (docs/semantics.md §3.7): by the
// training in the URL, where a type that lists its own name wins and else the first in the order of types, then by the
// endpoint. by is the level which decided; ambiguous reports that it lists the word for several types.
func train(ep *endpoint.Endpoint, f Fields, word string) (conversionType string, by endpoint.Level, ambiguous bool) {
	for i, candidate := range ep.Types {
		if !lists(f[ep.TrainingField(i)], word) {
			continue
		}
		ambiguous = conversionType != ""
		if conversionType == "" || strings.EqualFold(word, candidate) {
			conversionType = candidate
		}
	}
	if conversionType != "" {
		return conversionType, endpoint.LevelURL, ambiguous
	}
	return ep.TypeOf(word)
}
