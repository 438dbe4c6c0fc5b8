package v1alpha1

import (
	"encoding/json"
	"errors"
	"strings"
)

var errJSON = errors.New(`is no JSON once its macros are filled in: write text in double quotes, ` +
	`like "id": "{subid}", and numbers like "value": {payout}`)

// standIn takes the place of a macro inside a string while a template is checked. It stands for itself in no template.
const standIn = "\uFFFC"

// ParseJSONTemplate reads a JSON body: JSON with the macros of [ParseTemplate] in it. A { with a letter or _ right
// behind it begins a macro, which JSON itself never has; all other braces are JSON's. A macro inside a string is text
// of it; one outside, which is Bare, is a value of its own. The error says what to correct and repeats no more of the
// template than a macro's name.
func ParseJSONTemplate(template string) ([]TemplatePart, error) {
	var parts []TemplatePart
	text, inString := 0, false
	for i := 0; i < len(template); i++ {
		switch c := template[i]; {
		case c == '"':
			inString = !inString
		case c == '\\' && inString:
			i++ // whatever it escapes ends no string
		case c == '{' && i+1 < len(template) && isMacroStart(template[i+1]):
			macro, length, err := cutMacro(template[i:])
			if err != nil {
				return nil, err
			}
			macro.Bare = !inString
			if i > text {
				parts = append(parts, TemplatePart{Literal: template[text:i]})
			}
			parts = append(parts, macro)
			text = i + length
			i = text - 1
		case c == '{' && inString && strings.HasPrefix(template[i:], "{{"):
			return nil, errTwice
		}
	}
	if text < len(template) {
		parts = append(parts, TemplatePart{Literal: template[text:]})
	}
	// A macro that is a part of a number, like 1{payout}, does not survive both.
	if !json.Valid([]byte(sampleJSON(parts, "0"))) || !json.Valid([]byte(sampleJSON(parts, "null"))) {
		return nil, errJSON
	}
	return parts, nil
}

// cutMacro reads the macro with which a text begins, and returns its length with both braces.
func cutMacro(text string) (macro TemplatePart, length int, err error) {
	body, _, closed := strings.Cut(text[1:], "}")
	if !closed {
		return macro, 0, errBrace
	}
	macro, err = parseMacro(body)
	return macro, len(body) + 2, err
}

func isMacroStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

// sampleJSON fills a JSON body in with something, with bare where a value of its own stands.
func sampleJSON(parts []TemplatePart, bare string) string {
	var sample strings.Builder
	for _, part := range parts {
		switch {
		case part.Macro == "":
			sample.WriteString(part.Literal)
		case part.Bare:
			sample.WriteString(bare)
		default:
			sample.WriteString(standIn)
		}
	}
	return sample.String()
}

// JSONStrings returns the texts that a parsed JSON body says in its values, apart from macros and from the names of
// members.
func JSONStrings(parts []TemplatePart) []string {
	var body any
	if json.Unmarshal([]byte(sampleJSON(parts, "0")), &body) != nil {
		return nil
	}
	return appendStrings(nil, body)
}

func appendStrings(found []string, value any) []string {
	switch value := value.(type) {
	case string:
		return append(found, strings.Split(value, standIn)...)
	case []any:
		for _, item := range value {
			found = appendStrings(found, item)
		}
	case map[string]any:
		for _, member := range value {
			found = appendStrings(found, member)
		}
	}
	return found
}
