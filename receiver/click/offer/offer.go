// Package offer owns the templates of offer URLs: where a campaign sends its visitors. It is pure.
package offer

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Template is a compiled offer URL. It is immutable.
type Template struct {
	// parts alternate: text, macro, text, macro, …, text.
	parts []string
}

// Parse compiles an offer URL. A macro is `{name}`, a name of letters, digits, `_`, `-` and `.`; other braces are text.
// Scheme and host hold no macro, so that nothing a visitor sends decides where he goes.
// The error says what to correct.
func Parse(text string) (*Template, error) {
	t := &Template{}
	for {
		start, end := nextMacro(text)
		if start < 0 {
			t.parts = append(t.parts, ascii(text))
			return t, t.check()
		}
		t.parts = append(t.parts, ascii(text[:start]), text[start+1:end])
		text = text[end+1:]
	}
}

// ascii encodes what a header cannot hold, as browsers do with the address that a user types.
func ascii(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// nextMacro returns where the next macro's braces are, -1 if there is none.
func nextMacro(s string) (start, end int) {
	for from := 0; ; {
		open := strings.IndexByte(s[from:], '{')
		if open < 0 {
			return -1, -1
		}
		start = from + open
		end = start + 1
		for end < len(s) && isName(s[end]) {
			end++
		}
		if end < len(s) && s[end] == '}' && end > start+1 {
			return start, end
		}
		from = start + 1
	}
}

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
}

// check demands no more than the contract does, so that everything that is declared compiles.
func (t *Template) check() error {
	scheme, rest, _ := strings.Cut(t.parts[0], "://")
	if scheme != "http" && scheme != "https" {
		return errors.New("an offer URL must begin with http:// or https://")
	}
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	} else if len(t.parts) > 1 {
		return errors.New("an offer URL must not have a macro in its host")
	}
	if !isHost(host) {
		return errors.New("an offer URL must have a plain host name, without macros")
	}
	return nil
}

func isHost(text string) bool {
	for _, c := range []byte(text) {
		if !isName(c) && c != ':' && c != '[' && c != ']' {
			return false
		}
	}
	return text != ""
}

// Render returns the URL with each macro replaced by what value says of its name, encoded so that it stays one value
// wherever it stands: only letters, digits and `-_.~` remain as they are.
func (t *Template) Render(value func(macro string) string) string {
	var b strings.Builder
	for i, part := range t.parts {
		if i%2 == 1 {
			part = Encode(value(part))
		}
		b.WriteString(part)
	}
	return b.String()
}

// Encode encodes a value for any part of a URL: unlike in a form, a space is `%20`, which means the same in a path.
func Encode(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }
