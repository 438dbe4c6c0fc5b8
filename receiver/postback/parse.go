package postback

import (
	"strings"
	"unicode/utf8"
)

// Value is one parameter of a request: decoded, trimmed and not empty.
type Value struct {
	Name, Value string
	// InBody tells a body's parameter from the query's.
	InBody bool
}

// Values are the parameters of a request, each name once.
type Values []Value

// Parse reads the parameters of a request (docs/semantics.md §2). Of a name that comes several times the last non-empty
// value counts, and one in the query before any in the body. `+` is a space, `;` is no separator, a broken `%` sequence
// stays as it is; what is not UTF-8, and NUL, which no store takes, becomes U+FFFD. Values are trimmed; a parameter
// without a value is as good as absent.
//
// body is that of a POST, nil otherwise. Its type decides how it is read: a urlencoded or multipart form (files are
// passed over) or a JSON object; without a type, what begins with `{` is JSON and the rest a form. A body of another type
// has no parameters, since some senders put a report beside a query that says everything.
//
// The error is a [*RequestError]: a bound is exceeded, or the body is not what its type says.
func Parse(rawQuery, contentType string, body []byte) (Values, error) {
	if len(rawQuery) > MaxURLBytes {
		return nil, tooLarge(414, "the URL is longer than %d bytes", MaxURLBytes)
	}
	if len(body) > MaxBodyBytes {
		return nil, tooLarge(413, "the body is longer than %d bytes", MaxBodyBytes)
	}
	p := parser{values: make(Values, 0, min(strings.Count(rawQuery, "&")+1, MaxParameters))}
	if err := p.form(rawQuery); err != nil {
		return nil, err
	}
	if len(body) > 0 {
		p.inBody = true
		if err := p.body(contentType, body); err != nil {
			return nil, err
		}
	}
	return p.values, nil
}

type parser struct {
	values Values
	// pairs counts what was read, empty and repeated parameters too.
	pairs  int
	inBody bool
	// lenient passes over what exceeds a bound.
	lenient bool
}

func (p *parser) form(raw string) error {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if err := p.add(unescape(name), unescape(value)); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) add(name, value string) error {
	p.pairs++
	switch {
	case p.lenient && (p.pairs > MaxParameters || len(name) > MaxValueBytes || len(value) > MaxValueBytes):
		return nil
	case p.pairs > MaxParameters:
		return tooLarge(400, "more than %d parameters", MaxParameters)
	case len(name) > MaxValueBytes:
		return tooLarge(400, "a parameter name is longer than %d bytes", MaxValueBytes)
	case len(value) > MaxValueBytes:
		return tooLarge(400, "a parameter value is longer than %d bytes", MaxValueBytes)
	}
	value = strings.TrimSpace(value)
	if name == "" || value == "" {
		return nil
	}
	for i := range p.values {
		known := &p.values[i]
		if known.Name != name {
			continue
		}
		if known.InBody == p.inBody {
			known.Value = value
		}
		return nil
	}
	p.values = append(p.values, Value{Name: name, Value: value, InBody: p.inBody})
	return nil
}

// unescape decodes `%XX` and `+`. It allocates nothing for plain text.
func unescape(s string) string {
	if isPlain(s) {
		return s
	}
	decoded := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			decoded = append(decoded, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			decoded = append(decoded, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			decoded = append(decoded, c)
		}
	}
	return storable(string(decoded))
}

func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == '%' || c == '+' || c == 0 || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// storable replaces what a database refuses in a text.
func storable(s string) string {
	const replacement = "\uFFFD"
	return strings.ReplaceAll(strings.ToValidUTF8(s, replacement), "\x00", replacement)
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
