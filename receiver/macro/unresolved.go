package macro

import (
	"strings"
	"unicode"
)

// signs are the bytes of which one makes a macro. Every value of every postback is looked at: a table is the fastest.
var signs = func() (signs [256]bool) {
	for _, c := range []byte("{}[]#<>$%") {
		signs[c] = true
	}
	return signs
}()

// IsUnresolved reports whether the value is what a sender sends where it should have put a value in: an unresolved
// macro (docs/semantics.md §3.4).
func IsUnresolved(value string) bool {
	for i := range len(value) {
		if signs[value[i]] {
			return true
		}
	}
	switch len(value) {
	case len("null"):
		if strings.EqualFold(value, "null") {
			return true
		}
	case len("replace"):
		if strings.EqualFold(value, "replace") {
			return true
		}
	case len("no_subid"):
		if strings.EqualFold(value, "no_subid") {
			return true
		}
	case len("undefined"):
		if strings.EqualFold(value, "undefined") {
			return true
		}
	}
	return len(value) > len("____") && strings.HasPrefix(value, "__") && strings.HasSuffix(value, "__")
}

// IsBare reports whether the value is nothing but an unresolved macro (docs/semantics.md §6), or a word that programs
// write for a missing value. Unlike [IsUnresolved] it is for free text, as keywords are: those may hold `#` or `%`.
func IsBare(value string) bool {
	if !IsUnresolved(value) {
		return false
	}
	value, dollar := strings.CutPrefix(value, "$")
	if dollar && value != "" && '0' <= value[0] && value[0] <= '9' {
		return false // a price
	}
	for _, ends := range []string{"{}", "[]", "<>", "##", "%%", "__"} {
		if len(value) > 2 && value[0] == ends[0] && value[len(value)-1] == ends[1] {
			return strings.IndexFunc(value, unicode.IsSpace) < 0 && (ends[0] != ends[1] || isName(strings.Trim(value, ends[:1])))
		}
	}
	return isName(value)
}

// isName reports whether the text is a name as macros have them: letters, digits, and _ . : - between.
func isName(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.:-", r)
	}) < 0
}
