package money

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// Sent is an amount as a sender wrote it.
type Sent struct {
	// Value is zero unless Reading is [Exact] or [Ambiguous].
	Value   decimal.Decimal
	Reading Reading
	// Currency of Value in the form of [Currency]; not necessarily one that exists.
	Currency string
	// Conflict: the amount names another currency than its sender's parameter, which counts.
	Conflict bool
}

// ReadAmount reads an amount and settles its currency (docs/semantics.md §5): that of the sender's currency parameter,
// else the amount's own sign or code, else own, the endpoint's. A sign that several currencies share is the parameter's
// or the endpoint's currency if that is one of them.
func ReadAmount(text, parameter, own string) Sent {
	value, unit, reading := read(text)
	s := Sent{Value: value, Reading: reading, Currency: own}
	if named := Currency(parameter); named != "" {
		s.Currency = unitCurrency(named, own)
		s.Conflict = unit != "" && unitCurrency(unit, s.Currency) != s.Currency
		return s
	}
	if unit != "" {
		s.Currency = unitCurrency(unit, own)
	}
	return s
}

// units are the currencies by the signs and abbreviations that are no codes, in lower case. Of several the first one is
// meant, unless the context has another one; an empty first one means that nobody can tell.
var units = map[string][]string{
	"$": {
		"USD", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "FJD", "GYD", "HKD", "JMD", "KYD", "LRD", "NAD", "NZD",
		"SBD", "SGD", "SRD", "TTD", "TWD", "XCD",
	},
	"us$": {"USD"}, "c$": {"CAD"}, "ca$": {"CAD"}, "a$": {"AUD"}, "au$": {"AUD"}, "nz$": {"NZD"}, "hk$": {"HKD"},
	"s$": {"SGD"}, "sg$": {"SGD"}, "nt$": {"TWD"}, "mx$": {"MXN"}, "r$": {"BRL"},
	"€": {"EUR"}, "£": {"GBP", "EGP", "SYP"}, "¥": {"JPY", "CNY"}, "￥": {"JPY", "CNY"}, "cn¥": {"CNY"}, "jp¥": {"JPY"},
	"₽": {"RUB"}, "р": {"RUB"}, "руб": {"RUB"}, "рублей": {"RUB"}, "₴": {"UAH"}, "грн": {"UAH"},
	"₸": {"KZT"}, "тг": {"KZT"}, "br": {"BYN"}, "₹": {"INR"}, "rs": {"", "INR", "PKR", "LKR", "NPR", "MUR"},
	"₨": {"", "INR", "PKR", "LKR", "NPR", "MUR"}, "₩": {"KRW"}, "₫": {"VND"}, "đ": {"VND"}, "₱": {"PHP"}, "฿": {"THB"},
	"₪": {"ILS"}, "₺": {"TRY"}, "tl": {"TRY"}, "₦": {"NGN"}, "₵": {"GHS"}, "₡": {"CRC"}, "₲": {"PYG"}, "₾": {"GEL"},
	"₼": {"AZN"}, "֏": {"AMD"}, "₮": {"MNT"}, "₭": {"LAK"}, "৳": {"BDT"}, "៛": {"KHR"}, "₿": {"BTC"},
	"rp": {"IDR"}, "rm": {"MYR"}, "zł": {"PLN"}, "zl": {"PLN"}, "kč": {"CZK"}, "kc": {"CZK"}, "ft": {"HUF"},
	"lei": {"RON", "MDL"}, "лв": {"BGN"}, "fr": {"CHF"}, "sfr": {"CHF"}, "kr": {"", "SEK", "NOK", "DKK", "ISK"},
}

// unitCurrency returns the currency that a sign or code means where context is the currency of the sender or the
// endpoint.
func unitCurrency(unit, context string) string {
	shared := sharing(unit)
	switch {
	case shared == nil:
		return Currency(unit)
	case slices.Contains(shared, context):
		return context
	case shared[0] == "":
		return Currency(unit)
	}
	return shared[0]
}

// sharing returns the currencies of a unit, in any letter case; nil for a code.
func sharing(unit string) []string {
	if !isCurrencyCode(unit) {
		return units[strings.ToLower(unit)]
	}
	var lower [3]byte // Most units are codes: no memory for them.
	for i := range lower {
		lower[i] = unit[i] | 0x20
	}
	return units[string(lower[:])]
}

// splitSignAndUnit takes one sign and one unit off. It reports false for a hexadecimal number, whose digits would pass
// for a unit.
func splitSignAndUnit(s string) (negative bool, body, unit string, ok bool) {
	sign, s := cutSign(s)
	if len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x' {
		return false, "", "", false
	}
	unit, body = cutLeadingUnit(s)
	leading := unit != ""
	if !leading {
		unit, body = cutTrailingUnit(s)
	}
	unit, body = cutSecondUnit(unit, body)
	if leading && sign == 0 {
		sign, body = cutSign(body)
	}
	return sign == '-', body, unit, true
}

// cutSecondUnit takes off a second unit that says the same as the first one, as in `$10 USD`, and returns the code of
// both.
func cutSecondUnit(unit, body string) (code, rest string) {
	if unit == "" {
		return unit, body
	}
	second, rest := cutLeadingUnit(body)
	if second == "" {
		second, rest = cutTrailingUnit(body)
	}
	switch {
	case second == "":
	case slices.Contains(sharing(unit), Currency(second)):
		return second, rest
	case slices.Contains(sharing(second), Currency(unit)):
		return unit, rest
	}
	return unit, body
}

// cutSign returns '-', '+' or, when there is no sign, 0.
func cutSign(s string) (sign byte, rest string) {
	for _, form := range [...]struct {
		text string
		sign byte
	}{{"-", '-'}, {"\u2212", '-'}, {"+", '+'}} {
		if rest, found := strings.CutPrefix(s, form.text); found {
			return form.sign, strings.TrimSpace(rest)
		}
	}
	return 0, s
}

// cutLeadingUnit returns "" and s where there is no unit.
func cutLeadingUnit(s string) (unit, rest string) {
	letters := 0
	for i, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
			continue
		case unicode.Is(unicode.Sc, r) && letters <= 2:
			end := i + utf8.RuneLen(r)
			return s[:end], strings.TrimSpace(s[end:])
		case isCode(s[:i], letters):
			rest := s[i:]
			if units[strings.ToLower(s[:i])] != nil {
				rest = strings.TrimPrefix(rest, ".") // Abbreviations have a point: `Rs.500`. Codes have none: `USD.50`.
			}
			return s[:i], strings.TrimSpace(rest)
		}
		break
	}
	return "", s
}

func cutTrailingUnit(s string) (unit, rest string) {
	text := s
	if short := strings.TrimSuffix(s, "."); len(short) < len(s) {
		if last, _ := utf8.DecodeLastRuneInString(short); unicode.IsLetter(last) {
			text = short // an abbreviation: `1500 руб.`
		}
	}
	last, size := utf8.DecodeLastRuneInString(text)
	sign := unicode.Is(unicode.Sc, last)
	rest = text
	if sign {
		rest = text[:len(text)-size]
	}
	end := strings.TrimRightFunc(rest, unicode.IsLetter)
	letters := utf8.RuneCountInString(rest[len(end):])
	if sign && letters <= 2 || !sign && isCode(rest[len(end):], letters) {
		return text[len(end):], strings.TrimSpace(end)
	}
	return "", s
}

// magnitudes multiply the number before them. Taken for a currency they would cost a factor of a thousand or more.
var magnitudes = []string{"bn", "kk", "mil", "mio", "mld", "mln", "mm", "mn", "mrd", "tn", "tys", "млн", "млрд", "тыс"}

// isCode reports whether a word of so many letters may be a code or an abbreviation of a currency. `null` is what
// scripts write for none.
func isCode(word string, letters int) bool {
	if letters > 0 && units[strings.ToLower(word)] != nil {
		return true
	}
	return letters >= 2 && letters <= 5 && !strings.EqualFold(word, "null") &&
		!slices.ContainsFunc(magnitudes, func(m string) bool {
			return strings.EqualFold(m, word)
		})
}
