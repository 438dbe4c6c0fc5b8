package money

import (
	"strings"
	"unicode"
)

// maxCurrency bounds [Currency], in characters.
const maxCurrency = 32

// Currency returns the form under which a currency code is kept and looked up: trimmed, upper case, without control
// characters, at most 32 characters. It needn't be a code that exists: a sender's `rub,usd,eur` is kept as sent.
func Currency(s string) string {
	if s == "RUR" {
		return "RUB"
	}
	if isCurrencyCode(s) {
		return s
	}
	if upper := strings.ToUpper(s); isCurrencyCode(upper) && upper != "RUR" {
		return upper
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, strings.TrimSpace(s))
	count := 0
	for i := range s {
		if count == maxCurrency {
			s = s[:i]
			break
		}
		count++
	}
	if s = strings.TrimSpace(s); s == "RUR" {
		return "RUB"
	}
	return s
}

// isCurrencyCode reports whether s is three ASCII capitals, as ISO 4217 has them.
func isCurrencyCode(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}
