// Package paramtext owns the texts in which the stores keep parameters, a JSON object of strings, and lists of words.
// Every postback reads its click's parameters, and encoding/json takes ten times as long for them.
package paramtext

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Encode writes params as a JSON object of strings, in their order, so that SQL can look into it. Bytes from 0x80 stand
// as they are. It returns nil, for SQL's null, when there are none.
func Encode(params conversion.Params) []byte {
	if len(params) == 0 {
		return nil
	}
	size := 2
	for _, p := range params {
		size += len(p.Name) + len(p.Value) + 6
	}
	text := make([]byte, 0, size)
	sep := byte('{')
	for _, p := range params {
		text = append(text, sep)
		text = appendQuoted(text, p.Name)
		text = append(text, ':')
		text = appendQuoted(text, p.Value)
		sep = ','
	}
	return append(text, '}')
}

func appendQuoted(text []byte, s string) []byte {
	text = append(text, '"')
	for i := range len(s) {
		switch b := s[i]; {
		case b == '"' || b == '\\':
			text = append(text, '\\', b)
		case b < 0x20:
			text = fmt.Appendf(text, `\u%04x`, b)
		default:
			text = append(text, b)
		}
	}
	return append(text, '"')
}

// ErrForeign means that a text is not one that Encode wrote.
var ErrForeign = errors.New("params are not as they were written")

// Decode reads what Encode wrote; anything else is [ErrForeign]. The empty text has none.
func Decode(text string) (conversion.Params, error) {
	if text == "" {
		return nil, nil
	}
	params := make(conversion.Params, 0, strings.Count(text, `":"`))
	for sep := "{"; text != "}" || sep == "{"; sep = "," {
		var p conversion.Param
		rest, ok := strings.CutPrefix(text, sep)
		if !ok {
			return nil, ErrForeign
		}
		if p.Name, rest, ok = cutQuoted(rest); !ok {
			return nil, ErrForeign
		}
		if rest, ok = strings.CutPrefix(rest, ":"); !ok {
			return nil, ErrForeign
		}
		if p.Value, text, ok = cutQuoted(rest); !ok {
			return nil, ErrForeign
		}
		params = append(params, p)
	}
	return params, nil
}

// cutQuoted returns the string that text begins with, unquoted, and what follows it.
func cutQuoted(text string) (s, rest string, ok bool) {
	if text, ok = strings.CutPrefix(text, `"`); !ok {
		return "", "", false
	}
	end := strings.IndexAny(text, `"\`)
	if end >= 0 && text[end] == '"' {
		return text[:end], text[end+1:], true
	}
	var unquoted []byte
	for ; end >= 0; end = strings.IndexAny(text, `"\`) {
		unquoted = append(unquoted, text[:end]...)
		if text[end] == '"' {
			return string(unquoted), text[end+1:], true
		}
		b, size := unescape(text[end+1:])
		if size == 0 {
			return "", "", false
		}
		unquoted = append(unquoted, b)
		text = text[end+1+size:]
	}
	return "", "", false
}

// unescape reads the escape sequence behind a backslash; size 0 means there is none that Encode writes.
func unescape(text string) (b byte, size int) {
	switch {
	case strings.HasPrefix(text, `"`), strings.HasPrefix(text, `\`):
		return text[0], 1
	case strings.HasPrefix(text, "u00") && len(text) >= 5:
		code, err := strconv.ParseUint(text[3:5], 16, 8)
		if err == nil && code < 0x20 {
			return byte(code), 5
		}
	}
	return 0, 0
}
