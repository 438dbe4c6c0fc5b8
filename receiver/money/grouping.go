package money

import "unicode"

// A separator stands between the digits of a number as it was sent.
type separator struct {
	// kind is '.', ',', ' ' for any space, or '\'' for any apostrophe.
	kind byte
	// at is how many digits stand before it.
	at int
}

// maxSeparators is how many a number within [MaxIntegerDigits] can have: four that group and a decimal one.
const maxSeparators = 5

// grouped is a number taken apart.
type grouped struct {
	digits     [maxLength]byte
	count      int
	separators [maxSeparators]separator
	marks      int
}

// ungroup rewrites a number without sign and unit in the form that [parsePlain] takes.
func ungroup(body string, negative bool) (plain string, reading Reading) {
	var g grouped
	if !g.read(body) {
		return "", Unreadable
	}
	point, reading := g.point()
	if reading == Unreadable || !g.wellFormed(point) {
		return "", Unreadable
	}
	var out [maxLength + 2]byte
	text := out[:0]
	if negative {
		text = append(text, '-')
	}
	text = append(text, g.digits[:point]...)
	if point < g.count {
		text = append(text, '.')
		text = append(text, g.digits[point:g.count]...)
	}
	return string(text), reading
}

// read reports false when body has other characters than ASCII digits and separators, no digit, or two separators in a
// row.
func (g *grouped) read(body string) bool {
	previous := -1
	for i, r := range body {
		if r >= '0' && r <= '9' {
			g.digits[g.count] = body[i]
			g.count++
			continue
		}
		kind := separatorKind(r)
		if kind == 0 || g.marks == maxSeparators || g.count == previous {
			return false
		}
		g.separators[g.marks] = separator{kind, g.count}
		g.marks++
		previous = g.count
	}
	return g.count > 0
}

func separatorKind(r rune) byte {
	switch {
	case r == '.':
		return '.'
	case r == ',':
		return ','
	case r == '\'' || r == '\u2019':
		return '\''
	case unicode.IsSpace(r):
		return ' '
	default:
		return 0
	}
}

// point returns how many digits stand before the decimal separator; all of them when there is none. When the last
// separator is a decimal one, it is taken off the list, so that what is left must group.
func (g *grouped) point() (int, Reading) {
	if g.marks == 0 {
		return g.count, Exact
	}
	last := g.separators[g.marks-1]
	lone := g.marks == 1
	mixed := g.separators[0].kind != last.kind
	three := g.count-last.at == 3
	switch {
	case last.kind != '.' && last.kind != ',', !lone && !mixed:
		return g.count, Exact
	case last.kind == ',' && last.at == 0:
		return 0, Unreadable
	case lone && last.kind == ',' && three && g.digits[0] != '0':
		return g.count, Ambiguous
	}
	g.marks--
	if lone && last.kind == ',' && three {
		if last.at > 1 {
			return 0, Unreadable
		}
		return last.at, Ambiguous
	}
	return last.at, Exact
}

// wellFormed reports whether the separators that are left, all of one kind, cut the digits before the point into groups
// of three, after a first one of one to three digits that begins with no zero.
func (g *grouped) wellFormed(point int) bool {
	if g.marks == 0 {
		return true
	}
	first := g.separators[0]
	if first.at < 1 || first.at > 3 || g.digits[0] == '0' {
		return false
	}
	for i, s := range g.separators[:g.marks] {
		end := point
		if i+1 < g.marks {
			end = g.separators[i+1].at
		}
		if s.kind != first.kind || end-s.at != 3 {
			return false
		}
	}
	return true
}
