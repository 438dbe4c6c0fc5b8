package v1alpha1

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Macros of a forward's URL template (docs/semantics.md §6) that are no parameters; those that are bear their names.
const (
	MacroOriginalStatus = "original_status"
	MacroRevenue        = "revenue"
	MacroCampaign       = "campaign"
	MacroConversionID   = "conversion_id"
	MacroIP             = "ip"
	MacroRandom         = "random"
)

var macros = listMacros()

func listMacros() map[string]bool {
	known := map[string]bool{}
	for _, name := range []string{
		ParamSubid, ParamTid, ParamStatus, MacroOriginalStatus, ParamPayout, MacroRevenue, ParamCurrency, ParamCost,
		ParamExternalID, ParamKeyword, ParamSource, ParamCreativeID, ParamAdCampaignID, MacroCampaign, ParamDate,
		MacroConversionID, MacroIP, MacroRandom,
	} {
		known[name] = true
	}
	for n := range SubIDs {
		known[ParamSubIDPrefix+strconv.Itoa(n+1)] = true
	}
	return known
}

// Macros returns the names of all macros, sorted.
func Macros() []string { return slices.Sorted(maps.Keys(macros)) }

// TemplatePart is a piece of a forward's URL template: literal text, or a macro that is filled in.
type TemplatePart struct {
	// Literal is the text as it stands; empty for a macro.
	Literal string
	// Macro is one of [Macros]; empty for literal text.
	Macro string
	// Raw: the value goes in without URL-encoding, as {_name} asks.
	Raw bool
	// Format of {date:FORMAT}; empty for the default one.
	Format string
	// Words are those of {status: type=word …}, by conversion type; nil without.
	Words map[string]string
}

var errBrace = errors.New(`a { begins a macro and a } ends it: write %7B and %7D for braces that are none`)

// ParseTemplate reads a forward's URL template: literal text and macros, {name}, raw as {_name}, {date:FORMAT} and
// {status: type=word type=word}. The error says what to correct and repeats no more of the template than a macro's name.
func ParseTemplate(template string) ([]TemplatePart, error) {
	var parts []TemplatePart
	for template != "" {
		open := strings.IndexAny(template, "{}")
		if open < 0 {
			return append(parts, TemplatePart{Literal: template}), nil
		}
		if open > 0 {
			parts = append(parts, TemplatePart{Literal: template[:open]})
		}
		body, rest, closed := strings.Cut(template[open+1:], "}")
		if template[open] == '}' || !closed || strings.Contains(body, "{") {
			return nil, errBrace
		}
		macro, err := parseMacro(body)
		if err != nil {
			return nil, err
		}
		parts = append(parts, macro)
		template = rest
	}
	return parts, nil
}

func parseMacro(body string) (TemplatePart, error) {
	name, argument, hasArgument := strings.Cut(body, ":")
	part := TemplatePart{Macro: strings.TrimPrefix(name, "_"), Raw: strings.HasPrefix(name, "_")}
	if !macros[part.Macro] {
		return part, fmt.Errorf("{%.32s} is no macro", name)
	}
	switch {
	case !hasArgument:
		return part, nil
	case part.Macro == ParamDate && argument != "":
		part.Format = argument
		return part, nil
	case part.Macro == ParamStatus:
		var err error
		part.Words, err = parseWords(argument)
		return part, err
	}
	return part, fmt.Errorf("{%.32s} takes nothing behind a colon: only {date:FORMAT} and {status: type=word} do", name)
}

func parseWords(argument string) (map[string]string, error) {
	words := map[string]string{}
	for pair := range strings.FieldsSeq(argument) {
		name, word, ok := strings.Cut(pair, "=")
		if !ok || !typeName.MatchString(name) {
			return nil, errors.New("{status: …} takes pairs of a conversion type and a word, like {status: lead=install sale=bill}")
		}
		if _, twice := words[name]; twice {
			return nil, fmt.Errorf("{status: …} has two words for %s", name)
		}
		words[name] = word
	}
	if len(words) == 0 {
		return nil, errors.New("{status: …} takes pairs of a conversion type and a word, like {status: lead=install sale=bill}")
	}
	return words, nil
}
