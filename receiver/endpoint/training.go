package endpoint

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// trained is what an endpoint's training makes of a word.
type trained struct {
	conversionType string
	// ambiguous: more than one type lists the word.
	ambiguous bool
}

var builtinWords = func() map[string]string {
	words := map[string]string{}
	for _, builtin := range config.BuiltinTypes() {
		words[builtin] = builtin
	}
	return words
}()

// compileTraining settles once which type a listed word means: one that lists its own name, else the first in the order
// of types (docs/semantics.md §3.7).
func compileTraining(types []string, rules []config.TrainingRule) map[string]trained {
	words := map[string]trained{}
	for _, conversionType := range types {
		for _, rule := range rules {
			if rule.Type != conversionType {
				continue
			}
			for _, status := range rule.Statuses {
				learn(words, Fold(status), conversionType)
			}
		}
	}
	delete(words, "")
	return words
}

func learn(words map[string]trained, word, conversionType string) {
	known, listed := words[word]
	switch {
	case !listed:
		words[word] = trained{conversionType: conversionType}
	case known.conversionType == conversionType:
	case word == conversionType:
		words[word] = trained{conversionType: conversionType, ambiguous: true}
	default:
		known.ambiguous = true
		words[word] = known
	}
}

// compileCustomWords lists names before parameters: a name is the more specific of the two.
func compileCustomWords(types []config.ConversionType) map[string]string {
	words := map[string]string{}
	for _, custom := range slices.Backward(types) {
		words[custom.Parameter] = custom.Name
	}
	for _, custom := range types {
		words[custom.Name] = custom.Name
	}
	return words
}

// Level is what gives a status word its meaning (docs/semantics.md §3.7).
type Level string

// The levels, in their order.
const (
	LevelURL      Level = "training in the URL"
	LevelTraining Level = "training of the endpoint"
	LevelBuiltin  Level = "built-in type"
	LevelCustom   Level = "custom type"
	LevelPolicy   Level = "policy"
)

// TypeOf returns the conversion type that a status word means to the endpoint, or "" for none: by its training, else as
// a built-in type's name, else as a custom type's name or parameter (docs/semantics.md §3.7). The training in the URL
// goes before all that and is the caller's. ambiguous reports that the endpoint's training lists the word for several
// types.
func (e *Endpoint) TypeOf(word string) (conversionType string, by Level, ambiguous bool) {
	word = Fold(word)
	if t, ok := e.training[word]; ok {
		return t.conversionType, LevelTraining, t.ambiguous
	}
	if builtin, ok := builtinWords[word]; ok {
		return builtin, LevelBuiltin, false
	}
	return e.customWords[word], LevelCustom, false
}

// Fold returns the form in which words are compared: trimmed, without letter case by Unicode simple folding, and as
// [conversion.WholeNumber] has it. Otherwise two valid words have the same form exactly when [strings.EqualFold] holds
// for them trimmed. It allocates nothing for a word that is lower-case ASCII.
func Fold(word string) string {
	return conversion.WholeNumber(strings.Map(foldRune, strings.TrimSpace(word)))
}

// foldRune returns the least of the runes that differ in letter case only, in lower case if that is ASCII.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if least < utf8.RuneSelf {
		return foldRune(least)
	}
	return least
}
