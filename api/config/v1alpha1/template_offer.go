package v1alpha1

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// offerMacros are the macros of an offer URL that are no parameters of the link.
var offerMacros = listOfferMacros()

func listOfferMacros() map[string]bool {
	known := map[string]bool{ParamSubid: true, MacroCampaign: true, MacroIP: true, MacroRandom: true, ParamDate: true}
	for _, field := range clickFields {
		known[field] = true
	}
	return known
}

// IsOfferMacro reports whether {name} of an offer URL has a meaning of its own; else it is a parameter of the link.
func IsOfferMacro(name string) bool { return offerMacros[name] }

// ParseOfferURL reads an offer URL: literal text and macros, {name}, raw as {_name} where name is one of the macros,
// {date:FORMAT}, {date:FORMAT,ZONE} and {random:FROM,TO}. A name that is no macro is a parameter of the link. Braces
// around anything else are text.
func ParseOfferURL(template string) []TemplatePart {
	var parts []TemplatePart
	text := 0 // where the literal text begins
	for from := 0; ; {
		open := strings.IndexByte(template[from:], '{')
		if open < 0 {
			break
		}
		open += from
		from = open + 1
		body, _, closed := strings.Cut(template[from:], "}")
		macro, ok := parseOfferMacro(body)
		if !closed || !ok {
			continue
		}
		if open > text {
			parts = append(parts, TemplatePart{Literal: template[text:open]})
		}
		parts = append(parts, macro)
		from += len(body) + 1
		text = from
	}
	if text < len(template) {
		parts = append(parts, TemplatePart{Literal: template[text:]})
	}
	return parts
}

func parseOfferMacro(body string) (TemplatePart, bool) {
	name, argument, hasArgument := strings.Cut(body, ":")
	if !aliasName.MatchString(name) || strings.ContainsAny(name, ":[]") {
		return TemplatePart{}, false
	}
	plain := strings.TrimPrefix(name, "_")
	switch {
	case !hasArgument && plain != name && IsOfferMacro(plain):
		return TemplatePart{Macro: plain, Raw: true}, true
	case !hasArgument:
		return TemplatePart{Macro: name}, true
	case plain == ParamDate, plain == MacroRandom:
		part, err := parseMacro(body)
		return part, err == nil && argument != "" && !strings.Contains(argument, "{")
	}
	return TemplatePart{}, false
}

// lintOfferURL reports what of an offer URL can't be meant.
func lintOfferURL(template string) error {
	if strings.Contains(template, "&amp;") {
		return errAmpersand
	}
	if strings.Contains(template, "{{") {
		return errTwice
	}
	for _, part := range ParseOfferURL(template) {
		if part.Macro != "" {
			plain := strings.TrimPrefix(part.Macro, "_")
			if lower := strings.ToLower(plain); lower != plain && IsOfferMacro(lower) {
				return fmt.Errorf("{%.32s} is no macro: write {%s}", part.Macro, lower)
			}
			continue
		}
		for _, group := range strings.SplitAfter(part.Literal, "}") {
			open := strings.LastIndexByte(group, '{')
			name, _, hasArgument := strings.Cut(strings.TrimSuffix(group[open+1:], "}"), ":")
			if open < 0 || !hasArgument || !strings.HasSuffix(group, "}") {
				continue
			}
			switch plain := strings.TrimPrefix(name, "_"); {
			case plain == MacroRandom:
				return errRange
			case plain == ParamDate:
				return errors.New("{date:…} takes a format, like {date:Y-m-d}")
			case IsOfferMacro(plain), macros[plain], slices.Contains(Hashes(), Hash(plain)):
				return fmt.Errorf("{%.32s:…} takes nothing behind a colon in an offer URL: only {date:FORMAT} and {random:1,9} do",
					name)
			}
		}
	}
	return nil
}

// namesClick reports whether an offer gets the subid, without which no conversion finds its click.
func namesClick(offerURL string) bool {
	for _, part := range ParseOfferURL(offerURL) {
		if part.Macro == ParamSubid {
			return true
		}
	}
	return false
}
