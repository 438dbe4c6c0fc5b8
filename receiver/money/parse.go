package money

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// Bounds of an amount that [Parse] reads.
const (
	// MaxIntegerDigits bounds the digits before the decimal separator, leading zeros aside (docs/semantics.md §5).
	MaxIntegerDigits = 15
	// MaxFractionDigits bounds the digits after it. Senders that print binary floats need 17 significant ones and crypto
	// tokens 18 decimals; what has more than 24 is not an amount.
	MaxFractionDigits = 24

	// maxLength bounds what is read, in bytes.
	maxLength = 128
)

// Reading says how well [Parse] understood a text.
type Reading uint8

// The readings.
const (
	// Missing: the text is blank, or a comma list of nothing.
	Missing Reading = iota
	// Exact: there is one way to read it.
	Exact
	// Ambiguous: it is read by the rule, but the sender may have meant another amount: `1,234`.
	Ambiguous
	// Unreadable: it is no amount.
	Unreadable
)

// String returns the reading's name in lower case.
func (r Reading) String() string {
	switch r {
	case Missing:
		return "missing"
	case Exact:
		return "exact"
	case Ambiguous:
		return "ambiguous"
	default:
		return "unreadable"
	}
}

// Parse reads an amount as networks write it (docs/semantics.md §5). The decimal is zero unless the reading is [Exact] or
// [Ambiguous].
//
// One sign (`-`, `+`, U+2212) and one unit before or after the number are understood. A unit is a currency sign, with at
// most two letters in front (`R$`, `US$`), or a code of two to five letters; words of magnitude such as `mln` are none.
// Which of `.` and `,` is the decimal separator follows from the last one; a lone `,` with three digits behind it groups
// thousands, [Ambiguous]. Spaces of any width and apostrophes may group thousands, too.
//
// Where the specification is silent: `0,125` is 0.125, because no grouped number begins with a zero, but stays
// [Ambiguous]; so does `,5`, which as a comma list is 5. Digits are ASCII only.
func Parse(s string) (decimal.Decimal, Reading) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return decimal.Decimal{}, Missing
	case len(s) > maxLength:
		return decimal.Decimal{}, Unreadable
	case isPlain(s):
		return parsePlain(s, Exact)
	}
	member, listed := onlyMember(s)
	if listed && member == "" {
		return decimal.Decimal{}, Missing
	}
	negative, body, ok := stripSignAndUnit(member)
	if !ok {
		return decimal.Decimal{}, Unreadable
	}
	plain, reading := ungroup(body, negative)
	if reading == Exact && s[0] == ',' && isDigits(s[1:]) {
		reading = Ambiguous
	}
	return parsePlain(plain, reading)
}

// isPlain reports whether s is digits with at most one point among them, and maybe a minus in front: the common case.
func isPlain(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, _ := strings.Cut(s, ".")
	return len(whole)+len(fraction) > 0 && isDigits(whole) && isDigits(fraction)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// parsePlain turns what [isPlain] accepts into a decimal, unless it is out of bounds.
func parsePlain(s string, reading Reading) (decimal.Decimal, Reading) {
	if reading == Unreadable {
		return decimal.Decimal{}, Unreadable
	}
	whole, fraction, _ := strings.Cut(s, ".")
	whole = strings.TrimLeft(strings.TrimPrefix(whole, "-"), "0")
	if len(whole) > MaxIntegerDigits || len(fraction) > MaxFractionDigits {
		return decimal.Decimal{}, Unreadable
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return decimal.Decimal{}, Unreadable
	}
	return d, reading
}

// onlyMember returns the one non-empty member of a comma list that has empty members too, "" when all are empty. Anything
// else is no such list and comes back as it is.
func onlyMember(s string) (member string, listed bool) {
	empty := false
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		switch {
		case part == "":
			empty = true
		case member != "":
			return s, false
		default:
			member = part
		}
	}
	return member, empty
}

// stripSignAndUnit takes one sign and one unit off. It reports false for a hexadecimal number, whose digits would pass for
// a unit.
func stripSignAndUnit(s string) (negative bool, body string, ok bool) {
	sign, s := cutSign(s)
	if len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x' {
		return false, "", false
	}
	if rest := cutLeadingUnit(s); len(rest) < len(s) {
		if sign == 0 {
			sign, rest = cutSign(rest)
		}
		return sign == '-', rest, true
	}
	return sign == '-', cutTrailingUnit(s), true
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

func cutLeadingUnit(s string) string {
	letters := 0
	for i, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
			continue
		case unicode.Is(unicode.Sc, r) && letters <= 2:
			return strings.TrimSpace(s[i+utf8.RuneLen(r):])
		case isCode(s[:i], letters):
			return strings.TrimSpace(s[i:])
		}
		return s
	}
	return s
}

func cutTrailingUnit(s string) string {
	last, size := utf8.DecodeLastRuneInString(s)
	sign := unicode.Is(unicode.Sc, last)
	rest := s
	if sign {
		rest = s[:len(s)-size]
	}
	end := strings.TrimRightFunc(rest, unicode.IsLetter)
	letters := utf8.RuneCountInString(rest[len(end):])
	if sign && letters <= 2 || !sign && isCode(rest[len(end):], letters) {
		return strings.TrimSpace(end)
	}
	return s
}

// magnitudes multiply the number before them. Taken for a currency they would cost a factor of a thousand or more.
var magnitudes = []string{"bn", "kk", "mil", "mio", "mld", "mln", "mm", "mn", "mrd", "tn", "tys", "млн", "млрд", "тыс"}

func isCode(word string, letters int) bool {
	return letters >= 2 && letters <= 5 && !slices.ContainsFunc(magnitudes, func(m string) bool {
		return strings.EqualFold(m, word)
	})
}
