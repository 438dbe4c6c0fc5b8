package request

import (
	"strings"
	"unicode/utf8"
)

// form reads urlencoded pairs. It looks at every byte once: most pairs are plain and their names clean, and then
// nothing is decoded or repaired.
func (p *parser) form(raw string) {
	for begin := 0; begin < len(raw); {
		end, equals, name, pair := begin, -1, plain|clean, plain|clean
		for ; end < len(raw) && raw[end] != '&'; end++ {
			if raw[end] == '=' && equals < 0 {
				equals, name = end, pair
			}
			pair &= properties[raw[end]]
		}
		p.guessed = false
		switch {
		case equals < 0: // Without a value it is absent, and can hide none that has one.
		case pair&plain != 0:
			p.add(raw[begin:equals], raw[equals+1:end], "", name&clean != 0)
		default:
			name, value := p.pair(raw[begin:end])
			p.add(name, value, raw[begin:end], isClean(name))
		}
		begin = end + 1
	}
}

// pair decodes one pair. Bracket names are paths, as in JSON: `payment[amount]` is `payment.amount`.
func (p *parser) pair(raw string) (name, value string) {
	name, value, _ = strings.Cut(raw, "=")
	return p.path(p.unescape(name)), p.unescape(value)
}

// path returns the dotted form of a bracket name, unless the endpoint knows the name as it is.
func (p *parser) path(name string) string {
	if strings.IndexByte(name, '[') <= 0 {
		return name
	}
	if _, known := p.names.field(name); known {
		return name
	}
	return flatten(name)
}

// flatten turns the bracket form of a path into the dotted one. Names that are no such path, and the empty brackets
// that PHP puts behind the name of a list, stay as they are.
func flatten(name string) string {
	head, rest, _ := strings.Cut(name, "[")
	path := head
	for {
		step, after, closed := strings.Cut(rest, "]")
		if !closed || step == "" {
			return name
		}
		path += "." + step
		if after == "" {
			return path
		}
		if after == "[]" {
			return path + after
		}
		if after[0] != '[' {
			return name
		}
		rest = after[1:]
	}
}

// unescape decodes `%XX`, `+` and the charset. It allocates nothing for plain text.
func (p *parser) unescape(s string) string {
	if isPlain(s) {
		return s
	}
	return p.decode(percentDecode(s))
}

// Unescape decodes `%XX` and `+` as a form has them, and no charset.
func Unescape(s string) string {
	if isPlain(s) {
		return s
	}
	return percentDecode(s)
}

func percentDecode(s string) string {
	var decoded strings.Builder
	decoded.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			decoded.WriteByte(' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			decoded.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		default:
			decoded.WriteByte(c)
		}
	}
	return decoded.String()
}

// The properties of bytes.
const (
	// plain: it stands for itself in a form, hides nothing and makes no path.
	plain uint8 = 1 << iota
	// clean: in a name it has nothing that could be repaired but its letter case: a to z, digits, _ . and -.
	clean
)

// properties has those of each byte.
var properties = func() (properties [256]uint8) {
	for c := byte(1); c < utf8.RuneSelf; c++ {
		if strings.IndexByte(`%+?[<>"`, c) < 0 {
			properties[c] |= plain
		}
		if strings.IndexByte("abcdefghijklmnopqrstuvwxyz0123456789_.-", c) >= 0 {
			properties[c] |= clean
		}
	}
	return properties
}()

func isPlain(s string) bool { return all(s, plain) }

// isClean reports whether a name has nothing that could be repaired but its letter case.
func isClean(name string) bool { return all(name, clean) }

func all(s string, property uint8) bool {
	for i := range len(s) {
		if properties[s[i]]&property == 0 {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unhex returns the value of a hex digit.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
