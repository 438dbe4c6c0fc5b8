package money

import (
	"strings"

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

// Parse reads an amount as networks write it, without its currency; see [ReadAmount].
func Parse(s string) (decimal.Decimal, Reading) {
	value, _, reading := read(s)
	return value, reading
}

// read reads an amount as networks write it (docs/semantics.md §5), and its unit as it is written, "" if it has none.
// The decimal is zero unless the reading is [Exact] or [Ambiguous].
//
// One sign (`-`, `+`, U+2212) and one unit before or after the number are understood. A unit is a currency sign, with
// at most two letters in front (`R$`, `US$`), or a code of two to five letters or an abbreviation (`RUB`, `kr.`); words
// of magnitude such as `mln` are none. Which of `.` and `,` is the decimal separator follows from the last one; a lone
// `,` with three digits behind it groups thousands, [Ambiguous]. Spaces of any width and apostrophes may group
// thousands, too. A number may have a decimal exponent, as spreadsheets write it: `1.5E7`, `1,5E+07`, and `1.5E 07`,
// whose `+` was not encoded in a URL.
//
// Where the specification is silent: `0,125` is 0.125, because no grouped number begins with a zero, but stays
// [Ambiguous]; so does `,5`, which as a comma list is 5. Digits are ASCII only.
func read(s string) (value decimal.Decimal, unit string, reading Reading) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return decimal.Decimal{}, "", Missing
	case len(s) > maxLength:
		return decimal.Decimal{}, "", Unreadable
	case isPlain(s):
		value, reading = parsePlain(s, Exact)
		return value, "", reading
	}
	member, listed := onlyMember(s)
	if listed && member == "" {
		return decimal.Decimal{}, "", Missing
	}
	negative, body, unit, ok := splitSignAndUnit(member)
	if !ok {
		return decimal.Decimal{}, "", Unreadable
	}
	if value, ok := parseExponent(body); ok {
		if negative {
			value = value.Neg()
		}
		return value, unit, Exact
	}
	plain, reading := ungroup(body, negative)
	if reading == Exact && s[0] == ',' && isDigits(s[1:]) {
		reading = Ambiguous
	}
	if value, reading = parsePlain(plain, reading); reading == Unreadable {
		unit = ""
	}
	return value, unit, reading
}

const (
	// maxExponentDigits bounds the digits of an exponent before its value is looked at.
	maxExponentDigits = 3
	// maxExponentFraction bounds the decimals of a number with an exponent (docs/semantics.md §5).
	maxExponentFraction = 12
)

// parseExponent reads an unsigned number with a decimal exponent, such as `1.5E7` and `5e-05`.
func parseExponent(s string) (decimal.Decimal, bool) {
	at := strings.IndexAny(s, "eE")
	if at < 0 {
		return decimal.Decimal{}, false
	}
	mantissa, exponent := strings.Replace(s[:at], ",", ".", 1), strings.TrimPrefix(s[at+1:], " ")
	digits := strings.TrimLeft(exponent, "+-")
	if !isPlain(mantissa) || mantissa[0] == '-' || digits == "" || len(exponent)-len(digits) > 1 ||
		len(digits) > maxExponentDigits || !isDigits(digits) {
		return decimal.Decimal{}, false
	}
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(mantissa, "0") // They are no decimals of the result.
	}
	d, err := decimal.NewFromString(mantissa + "e" + exponent)
	if err != nil || !d.IsZero() && magnitude(d) > MaxIntegerDigits || -d.Exponent() > maxExponentFraction {
		return decimal.Decimal{}, false
	}
	plain, err := decimal.NewFromString(d.String()) // without a positive exponent
	return plain, err == nil
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
	if len(whole)+len(fraction) <= maxShortDigits {
		return short(strings.HasPrefix(s, "-"), whole, fraction), reading
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return decimal.Decimal{}, Unreadable
	}
	return d, reading
}

// maxShortDigits are the digits that fit into 64 bits.
const maxShortDigits = 18

// short makes a decimal of few digits, as most amounts are, in half the time that NewFromString takes.
func short(negative bool, whole, fraction string) decimal.Decimal {
	var digits int64
	for _, part := range [...]string{whole, fraction} {
		for i := range len(part) {
			digits = digits*10 + int64(part[i]-'0')
		}
	}
	if negative {
		digits = -digits
	}
	return decimal.New(digits, -int32(len(fraction))) //nolint:gosec // At most 18.
}

// onlyMember returns the one non-empty member of a comma list that has empty members too, "" when all are empty.
// Anything else is no such list and comes back as it is.
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
