package request

import (
	"html"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/macro"
)

// Names are the parameter names that an endpoint knows: canonical ones, built-in aliases and its own. A name stands for
// a field, which has a number.
type Names struct {
	// parent has names that several endpoints share; nil if there are none.
	parent *Names
	fields map[string]int
	// folded has the names by their lower-case form.
	folded map[string]string
	// capitals: some name is not in lower case.
	capitals bool
	// entities are the names that HTML breaks.
	entities []entity
}

// entity is what HTML makes of `&` and a name, because the name begins like an entity: `&currency` becomes `¤cy`.
type entity struct {
	char rune
	// rest is what of the name is left.
	rest string
	name string
}

// NewNames returns the names with the numbers of their fields, on top of those of parent, which may be nil.
func NewNames(parent *Names, fields map[string]int) *Names {
	n := &Names{parent: parent, fields: fields, folded: make(map[string]string, len(fields))}
	n.capitals = parent != nil && parent.capitals
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		lower := strings.ToLower(name)
		n.capitals = n.capitals || lower != name
		// Of two names that differ in letter case only, the first in the order of bytes counts.
		if _, taken := n.folded[lower]; !taken {
			n.folded[lower] = name
		}
		if char, rest := brokenByHTML(name); char != '&' {
			n.entities = append(n.entities, entity{char, rest, name})
		}
	}
	return n
}

// brokenByHTML returns what HTML makes of `&` and the name: the character of an entity and the rest of the name, or `&`
// and the name where that begins with none or with `amp;`.
func brokenByHTML(name string) (char rune, rest string) {
	text := html.UnescapeString("&" + name)
	char, size := utf8.DecodeRuneInString(text)
	return char, text[size:]
}

// field returns the number of the field that the exact name stands for.
func (n *Names) field(name string) (int, bool) {
	if n == nil {
		return 0, false
	}
	if n.parent != nil {
		if field, ok := n.parent.fields[name]; ok {
			return field, true
		}
	}
	field, ok := n.fields[name]
	return field, ok
}

// isBroken reports whether a name, which may be clean, is a known one that a sender broke.
func (n *Names) isBroken(name string, clean bool) bool {
	if n == nil || clean && !n.capitals {
		return false
	}
	if _, known := n.field(name); known {
		return false
	}
	_, broken := n.repaired(name)
	return broken
}

// repaired returns the known name that a sender broke: it differs in letter case, in the space around it, by a leading
// `amp;`, by trailing brackets, or because HTML's entities were spelled out (`curren;cy`).
func (n *Names) repaired(name string) (string, bool) {
	if len(name) > maxName {
		return "", false
	}
	char, rest := '&', Trim(strings.ToLower(name))
	for char == '&' && strings.IndexByte(rest, ';') >= 0 {
		before := rest
		if char, rest = brokenByHTML(rest); rest == before {
			break
		}
		rest = Trim(rest)
	}
	return n.known(char, rest)
}

// known returns the known name that is written, in any letter case, behind an `&` or behind what HTML made of that.
func (n *Names) known(char rune, rest string) (string, bool) {
	rest = Trim(strings.TrimSuffix(Trim(strings.ToLower(rest)), "[]"))
	for ; n != nil; n = n.parent {
		if known, ok := n.folded[rest]; ok && char == '&' {
			return known, true
		}
		for _, e := range n.entities {
			if e.char == char && strings.EqualFold(e.rest, rest) {
				return e.name, true
			}
		}
	}
	return "", false
}

// maxName bounds, in bytes, what is looked at for a broken name.
const maxName = 256

// hiding says where a known name is hidden in a raw pair.
type hiding struct {
	// end is where the pair before it ends, value where its own value begins.
	end, value int
	name       string
}

// hides reports whether some known name is hidden in a raw pair.
func (n *Names) hides(raw string) bool {
	_, found := n.hidden(raw, 0, func(string) bool { return true })
	return found
}

// hidden finds the first known name, of those that are wanted, that is hidden in a raw pair from an offset on, because
// something stands for the `&` before it: a `?`, or what HTML made of the `&` and the name's beginning.
func (n *Names) hidden(raw string, from int, wanted func(name string) bool) (hiding, bool) {
	if n == nil {
		return hiding{}, false
	}
	for at := from; at < len(raw); {
		if size := ordinary(raw, at); size > 0 {
			at += size
			continue
		}
		char, size := charAt(raw, at)
		if name, length, ok := n.named(char, raw[at] == '?', raw[at+size:]); ok && wanted(name) {
			return hiding{end: at, value: at + size + length + 1, name: name}, true
		}
		at += size // No byte of one character is another one.
	}
	return hiding{}, false
}

// named returns the known name that rest begins with, in length bytes before its `=`. Before it is a `?`, or a
// character that HTML may have made of the name's beginning.
func (n *Names) named(char rune, question bool, rest string) (name string, length int, ok bool) {
	if !question && !n.hasEntity(char) {
		return "", 0, false
	}
	length = strings.IndexAny(rest[:min(len(rest), maxName)], "=?")
	if length < 0 || rest[length] == '?' {
		return "", 0, false
	}
	if candidate := percentDecode(rest[:length]); question {
		name, ok = n.repaired(candidate)
	} else {
		name, ok = n.known(char, candidate)
	}
	return name, length, ok
}

// ordinary returns how many bytes of a raw pair stand at an offset for a character that hides nothing; 0 for one that
// may.
func ordinary(raw string, at int) int {
	switch c := raw[at]; {
	case c == '%' && at+2 < len(raw) && standsForItself(raw[at+1], raw[at+2]):
		return len("%XX")
	case c == '?', c == '%', c == '<', c == '>', c == '"', c >= utf8.RuneSelf:
		return 0
	}
	return 1
}

// standsForItself reports whether %-encoded ASCII cannot be the beginning of an entity: it is none of `<`, `>` and `"`.
func standsForItself(high, low byte) bool {
	if !isHex(low) {
		return false
	}
	low |= 0x20
	return high >= '0' && high <= '7' && (high != '2' || low != '2') && (high != '3' || low != 'c' && low != 'e')
}

func (n *Names) hasEntity(char rune) bool {
	for ; n != nil; n = n.parent {
		if slices.ContainsFunc(n.entities, func(e entity) bool { return e.char == char }) {
			return true
		}
	}
	return false
}

// charAt returns the character at an offset of a raw pair, plain or %-encoded, in UTF-8 or in one byte, and how many
// bytes it takes there.
func charAt(raw string, at int) (char rune, size int) {
	var text [utf8.UTFMax]byte
	first := 0
	for n := range len(text) {
		c, length := byteAt(raw, at+size)
		if length == 0 {
			break
		}
		text[n] = c
		size += length
		if n == 0 {
			first = length
		}
		if utf8.FullRune(text[:n+1]) {
			if char, width := utf8.DecodeRune(text[:n+1]); width == n+1 && (char != utf8.RuneError || width > 1) {
				return char, size
			}
			break
		}
	}
	return rune(text[0]), first
}

// byteAt returns the byte at an offset, plain or %-encoded, and how many bytes it takes there; 0 at the end.
func byteAt(raw string, at int) (c byte, size int) {
	switch {
	case at >= len(raw):
		return 0, 0
	case raw[at] == '%' && at+2 < len(raw) && isHex(raw[at+1]) && isHex(raw[at+2]):
		return unhex(raw[at+1])<<4 | unhex(raw[at+2]), 3
	}
	return raw[at], 1
}

// given are the fields that have a value by one of their exact names.
type given struct{ query, body map[int]bool }

func (p *parser) exact() given {
	g := given{map[int]bool{}, map[int]bool{}}
	for _, v := range p.Values {
		field, known := p.names.field(v.Name)
		switch {
		case !known || macro.IsUnresolved(v.Value):
		case v.InBody:
			g.body[field] = true
		default:
			g.query[field] = true
		}
	}
	return g
}

// has reports whether the field of a known name is given where it counts before a repaired one.
func (g given) has(names *Names, name string, inBody bool) bool {
	field, _ := names.field(name)
	return g.query[field] || inBody && g.body[field]
}

// repair gives known names to the parameters whose senders broke them. Exact names go first: a field that has a value
// by one of its own names is left alone, and so is everything that is no known name.
func (p *parser) repair() {
	exact, sent, raws := p.exact(), p.Values, p.raws
	p.Values, p.index, p.unknown, p.counted = make(Values, 0, len(sent)), nil, 0, 0
	var broken Values
	for _, v := range sent {
		if v.raw != 0 {
			var hidden Values
			v, hidden = p.split(v, raws[v.raw-1], exact)
			broken = append(broken, hidden...)
		}
		if _, known := p.names.field(v.Name); !known {
			if name, ok := p.names.repaired(v.Name); ok && !exact.has(p.names, name, v.InBody) {
				v.Name = name
				broken = append(broken, v)
				continue
			}
		}
		p.take(v)
	}
	for _, v := range broken { // Behind the exact names, which win where they are macros too.
		if !exact.has(p.names, v.Name, v.InBody) {
			p.warn(conversion.RequestRepaired)
			p.take(v)
		}
	}
}

// take adds a value that was read before.
func (p *parser) take(v Value) {
	p.inBody, p.guessed = v.InBody, v.guessed
	p.add(v.Name, v.Value, "", isClean(v.Name))
}

// maxHidden bounds how many parameters are looked for in one pair.
const maxHidden = 32

// split takes the parameters out of a pair that are hidden in it. A hidden name whose field has an exact one is left
// where it is: it belongs to the value, such as an address with a query of its own.
func (p *parser) split(v Value, raw string, exact given) (first Value, hidden Values) {
	wanted := func(name string) bool { return !exact.has(p.names, name, v.InBody) }
	at, found := p.names.hidden(raw, 0, wanted)
	if !found {
		return v, nil
	}
	p.inBody, p.guessed = v.InBody, false
	first = Value{InBody: v.InBody}
	first.Name, first.Value = p.pair(raw[:at.end])
	first.guessed = p.guessed
	for found && len(hidden) < maxHidden {
		one, end := Value{Name: at.name, InBody: v.InBody}, len(raw)
		next, more := p.names.hidden(raw, at.value, wanted)
		if more {
			end = next.end
		}
		p.guessed = false
		one.Value = p.unescape(raw[at.value:end])
		one.guessed = p.guessed
		hidden = append(hidden, one)
		at, found = next, more
	}
	return first, hidden
}
