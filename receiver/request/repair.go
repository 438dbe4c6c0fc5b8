package request

import (
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/macro"
)

// Names are the parameter names that an endpoint knows: canonical ones, built-in aliases and its own. A name stands for a
// field, which has a number.
type Names struct {
	// parent has names that several endpoints share; nil if there are none.
	parent *Names
	fields map[string]int
	// folded has the names by their lower-case form.
	folded map[string]string
	// entities are the names that HTML breaks.
	entities []entity
}

// entity is what HTML makes of `&` and a name, because the name begins like an entity: `&currency` becomes `¤cy`.
type entity struct {
	// forms of the character, as it may arrive: raw and %-encoded, in UTF-8 and in one byte.
	forms []string
	// rest is what of the name is left.
	rest string
	name string
}

// NewNames returns the names with the numbers of their fields, on top of those of parent, which may be nil.
func NewNames(parent *Names, fields map[string]int) *Names {
	n := &Names{parent: parent, fields: fields, folded: make(map[string]string, len(fields))}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		lower := strings.ToLower(name)
		// Of two names that differ in letter case only, the first in the order of bytes counts.
		if _, taken := n.folded[lower]; !taken {
			n.folded[lower] = name
		}
		if e, broken := brokenByHTML(name); broken {
			n.entities = append(n.entities, e)
		}
	}
	return n
}

func brokenByHTML(name string) (entity, bool) {
	sent := "&" + name
	text := html.UnescapeString(sent)
	char, size := utf8.DecodeRuneInString(text)
	if text == sent || char == '&' || !strings.HasSuffix(name, text[size:]) {
		return entity{}, false
	}
	e := entity{rest: text[size:], name: name, forms: []string{text[:size], percentEncode(text[:size])}}
	if char >= utf8.RuneSelf && char <= 0xff {
		oneByte := string([]byte{byte(char)})
		e.forms = append(e.forms, oneByte, percentEncode(oneByte))
	}
	return e, true
}

func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// field returns the number of the field that the exact name stands for.
func (n *Names) field(name string) (int, bool) {
	for ; n != nil; n = n.parent {
		if field, ok := n.fields[name]; ok {
			return field, true
		}
	}
	return 0, false
}

// repaired returns the known name that a sender broke: it differs in letter case, in the space around it, by a leading
// `amp;` or by trailing brackets.
func (n *Names) repaired(name string) (string, bool) {
	lower := Trim(strings.ToLower(name))
	for strings.HasPrefix(lower, "amp;") {
		lower = strings.TrimPrefix(lower, "amp;")
	}
	lower = Trim(strings.TrimSuffix(Trim(lower), "[]"))
	for ; n != nil; n = n.parent {
		if known, ok := n.folded[lower]; ok {
			return known, true
		}
	}
	return "", false
}

// maxName bounds, in bytes, what is looked at behind a `?` for a known name and its `=`.
const maxName = 256

// hiding says where a known name is hidden in a raw pair.
type hiding struct {
	// end is where the pair before it ends, value where its own value begins.
	end, value int
	name       string
}

// hidden finds the first known name that is hidden in a raw pair, because something stands for the `&` before it.
func (n *Names) hidden(raw string) (first hiding, found bool) {
	if !mayHide(raw) {
		return hiding{}, false
	}
	first.end = len(raw)
	for i := 0; i < len(raw) && !found; i++ {
		if raw[i] != '?' {
			continue
		}
		candidate, _, assigned := strings.Cut(raw[i+1:min(len(raw), i+1+maxName)], "=")
		if !assigned {
			continue
		}
		if name, ok := n.repaired(percentDecode(candidate)); ok {
			first, found = hiding{end: i, value: i + 1 + len(candidate) + 1, name: name}, true
		}
	}
	for ; n != nil; n = n.parent {
		for _, e := range n.entities {
			if at, length := e.in(raw); at >= 0 && at < first.end {
				first, found = hiding{end: at, value: at + length, name: e.name}, true
			}
		}
	}
	return first, found
}

// in returns where in the raw pair the entity is, and how long it is with the `=` behind it; -1 if it is not there.
func (e entity) in(raw string) (at, length int) {
	at = -1
	for _, form := range e.forms {
		text := form + e.rest + "="
		i := strings.Index(raw, text)
		if i < 0 && form[0] == '%' {
			text = strings.ToLower(form) + e.rest + "="
			i = strings.Index(raw, text)
		}
		if i >= 0 && (at < 0 || i < at) {
			at, length = i, len(text)
		}
	}
	return at, length
}

// mayHide reports whether a raw pair may hide another one.
func mayHide(raw string) bool {
	for i := range len(raw) {
		if c := raw[i]; c == '?' || c == '%' || c == '<' || c == '>' || c == '"' || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
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

// repair gives known names to the parameters whose senders broke them. Exact names go first: a field that has a value by one
// of its own names is left alone, and so is everything that is no known name.
func (p *parser) repair() {
	exact, sent := p.exact(), p.Values
	p.Values, p.index, p.unknown = make(Values, 0, len(sent)), nil, 0
	var broken Values
	for _, v := range sent {
		v, hidden := p.split(v, exact)
		broken = append(broken, hidden...)
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
	p.add(v.Name, v.Value, "")
}

// maxHidden bounds how many parameters are looked for in one pair.
const maxHidden = 32

// split takes the parameters out of a pair that are hidden in it.
func (p *parser) split(v Value, exact given) (first Value, hidden Values) {
	at, found := p.names.hidden(v.raw)
	if !found || exact.has(p.names, at.name, v.InBody) {
		return v, nil
	}
	p.inBody, p.guessed = v.InBody, false
	raw := v.raw
	first = Value{InBody: v.InBody}
	first.Name, first.Value = p.pair(raw[:at.end])
	first.guessed = p.guessed
	for found && len(hidden) < maxHidden {
		one := Value{Name: at.name, InBody: v.InBody}
		raw = raw[at.value:]
		if at, found = p.names.hidden(raw); !found {
			at.end = len(raw)
		}
		p.guessed = false
		one.Value = p.unescape(raw[:at.end])
		one.guessed = p.guessed
		hidden = append(hidden, one)
	}
	return first, hidden
}
