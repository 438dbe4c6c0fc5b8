package request

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"github.com/postback-dev/postback-operator/receiver/macro"
)

const (
	byteOrderMark  = '\uFEFF'
	zeroWidthSpace = '\u200B'
)

// Trim removes Unicode space, byte order marks and zero-width spaces from both ends.
func Trim(s string) string {
	if s == "" || isInk(s[0]) && isInk(s[len(s)-1]) {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r == byteOrderMark || r == zeroWidthSpace
	})
}

// isInk reports whether the byte is a printing ASCII character.
func isInk(c byte) bool { return ' ' < c && c < 0x7f }

// Currency returns what a currency parameter says: "" and true for an unresolved macro, which counts as missing. `$`
// and `US$` are signs, and no macros.
func Currency(text string) (currency string, unresolved bool) {
	if macro.IsUnresolved(strings.TrimSuffix(text, "$")) {
		return "", true
	}
	return text, false
}

// Storable returns at most n bytes of what a sender sent, as text that every store takes: UTF-8 and without NUL.
func Storable(text string, n int) string {
	text = text[:min(len(text), n)]
	// A character that the cut went through is dropped, and not replaced.
	for i := 1; i < utf8.UTFMax && i <= len(text) && len(text) == n; i++ {
		if c := text[len(text)-i]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(text[len(text)-i:]) {
				text = text[:len(text)-i]
			}
			break
		}
	}
	return storable(text)
}

// storable replaces what a database refuses in a text.
func storable(s string) string {
	const replacement = "\uFFFD"
	return strings.ReplaceAll(strings.ToValidUTF8(s, replacement), "\x00", replacement)
}

// decode returns the text as UTF-8: by the declared charset of the body, else as it is, else by the endpoint's charset,
// else as windows-1251, which keeps every byte distinct.
func (p *parser) decode(text string) string {
	switch {
	case isASCII(text):
		return text
	case p.inBody && p.declared != nil:
		return storable(decodeAs(p.declared, text))
	case utf8.ValidString(text):
		return storable(text)
	}
	if p.charset != nil {
		return storable(decodeAs(p.charset, text))
	}
	p.guessed = true
	return storable(decodeAs(charmap.Windows1251, text))
}

// isASCII reports whether a text is the same in every charset, and storable: no NUL, and no escape, by which some
// charsets are switched.
func isASCII(text string) bool {
	for i := range len(text) {
		if c := text[i]; c == 0 || c == 0x1b || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func decodeAs(charset encoding.Encoding, text string) string {
	decoded, err := charset.NewDecoder().String(text)
	if err != nil {
		return text
	}
	return decoded
}
