package postback

import (
	"strings"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// maxSubIDBytes bounds a subid, maxTIDBytes a tid.
const (
	maxSubIDBytes = 128
	maxTIDBytes   = 256
)

// isUnresolvedMacro reports whether the value is what a network sends where it should have put a value in
// (docs/semantics.md §3.4).
func isUnresolvedMacro(value string) bool {
	if strings.ContainsAny(value, "{}[]#<>$%") {
		return true
	}
	switch len(value) {
	case len("null"):
		return strings.EqualFold(value, "null")
	case len("replace"):
		return strings.EqualFold(value, "replace")
	case len("no_subid"):
		return strings.EqualFold(value, "no_subid")
	case len("undefined"):
		return strings.EqualFold(value, "undefined")
	}
	return false
}

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

// lists reports whether the comma-separated list has the word, compared trimmed and without letter case.
func lists(list, word string) bool {
	for list != "" {
		var member string
		member, list, _ = strings.Cut(list, ",")
		if strings.EqualFold(strings.TrimSpace(member), word) {
			return true
		}
	}
	return false
}

// train returns the conversion type that the status word means, or "" for none (docs/semantics.md §3.7): by the training
// in the URL, where a type that lists its own name wins and else the first in the order of types, then by the endpoint.
// ambiguous reports that the level which decided lists the word for several types.
func train(ep *endpoint.Endpoint, f fields, word string) (conversionType string, ambiguous bool) {
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
		return conversionType, ambiguous
	}
	return ep.TypeOf(word)
}
