package rule

import (
	"cmp"
	"slices"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// shortest is the length in bytes from which text of a declaration counts as a possible token.
const shortest = 6

// plainHeaders are those whose values are never secret, in lower case.
var plainHeaders = []string{"accept", "accept-language", "content-type", "user-agent"}

// secretTexts returns what of the declaration may be a token: literal text of the URL and the body, but for names of
// JSON members, and the values of headers. The longest go first, so that none is left in pieces.
func (r *Rule) secretTexts() []config.Redacted {
	var texts []string
	for i := range r.pieces {
		texts = append(texts, strings.FieldsFunc(r.pieces[i].Literal, isDelimiter)...)
	}
	if r.body.contentType == jsonType {
		texts = append(texts, config.JSONStrings(r.body.parts)...)
	} else {
		for _, part := range r.body.parts {
			texts = append(texts, strings.FieldsFunc(part.Literal, isDelimiter)...)
		}
	}
	for _, h := range r.headers {
		if !slices.Contains(plainHeaders, strings.ToLower(h.Name)) {
			texts = append(texts, h.Value.Reveal())
			texts = append(texts, strings.FieldsFunc(h.Value.Reveal(), isDelimiter)...)
		}
	}
	texts = slices.DeleteFunc(texts, func(text string) bool { return len(text) < shortest })
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var tokens []config.Redacted
	for _, text := range slices.Compact(texts) {
		tokens = append(tokens, config.Redacted(text))
	}
	return tokens
}

func isDelimiter(r rune) bool { return strings.ContainsRune("/?&=;, ", r) }

// Redact leaves out of an answer what it repeats of the declaration and may be a token.
func (r *Rule) Redact(answer string) string {
	for _, token := range r.tokens {
		answer = strings.ReplaceAll(answer, token.Reveal(), masked)
	}
	return answer
}
