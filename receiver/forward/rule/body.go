package rule

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/macro"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// body is the compiled body of a POST; without parts there is none.
type body struct {
	contentType string
	parts       []config.TemplatePart
}

func compileBody(f *config.Forward) (b body, err error) {
	switch {
	case f.Body == nil:
	case f.Body.JSON != "":
		b.contentType = jsonType
		b.parts, err = config.ParseJSONTemplate(f.Body.JSON)
	default:
		b.contentType = formType
		b.parts, err = config.ParseTemplate(f.Body.Form)
		for i := range b.parts {
			b.parts[i].Literal = macro.Wire(b.parts[i].Literal)
		}
	}
	return b, err
}

func (b *body) render(v *Values) string {
	var text strings.Builder
	for i := range b.parts {
		switch p := &b.parts[i]; {
		case p.Macro == "":
			text.WriteString(p.Literal)
		case b.contentType == jsonType:
			value, _ := v.fill(p)
			text.WriteString(jsonValue(value, p.Bare))
		default:
			text.WriteString(encoded(v, p))
		}
	}
	return text.String()
}

// jsonNumber is the grammar of numbers in JSON.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// jsonValue writes a value into JSON: inside a string as text of it. A bare one is a number if it is one, null if it is
// empty, and else a string, so that the whole stays JSON.
func jsonValue(value string, bare bool) string {
	switch {
	case bare && value == "":
		return "null"
	case bare && jsonNumber.MatchString(value):
		return value
	}
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // a string always encodes
	text := strings.TrimSuffix(quoted.String(), "\n")
	if bare {
		return text
	}
	return text[1 : len(text)-1]
}
