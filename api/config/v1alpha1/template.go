package v1alpha1

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Macros of templates (docs/semantics.md §6) that are no parameters; those that are bear their names.
const (
	MacroOriginalStatus = "original_status"
	MacroRevenue        = "revenue"
	MacroCampaign       = "campaign"
	MacroConversionID   = "conversion_id"
	MacroIP             = "ip"
	MacroUserAgent      = "user_agent"
	MacroClickDate      = "click_date"
	MacroRandom         = "random"
)

// Hash is a hash function that a macro's value goes through, as {sha256:sub_id_5} asks.
type Hash string

// The hash functions.
const (
	HashMD5    Hash = "md5"
	HashSHA1   Hash = "sha1"
	HashSHA256 Hash = "sha256"
)

// Hashes returns all hash functions.
func Hashes() []Hash { return []Hash{HashMD5, HashSHA1, HashSHA256} }

var macros = listMacros()

func listMacros() map[string]bool {
	known := map[string]bool{}
	for _, name := range []string{
		ParamSubid, ParamTid, ParamStatus, MacroOriginalStatus, ParamPayout, MacroRevenue, ParamCurrency, ParamCost,
		ParamExternalID, ParamKeyword, ParamSource, ParamCreativeID, ParamAdCampaignID, MacroCampaign, ParamDate,
		MacroConversionID, MacroIP, MacroUserAgent, MacroClickDate, MacroRandom,
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

// TemplatePart is a piece of a template: literal text, or a macro that is filled in.
type TemplatePart struct {
	// Literal is the text as it stands; empty for a macro.
	Literal string
	// Macro is one of [Macros], or in an offer URL the name of a parameter; empty for literal text.
	Macro string
	// Raw: the value goes in without URL-encoding, as {_name} asks.
	Raw bool
	// Hash of the value; empty for the value itself.
	Hash Hash
	// Format of {date:FORMAT} and {click_date:FORMAT}; empty for the default one.
	Format string
	// Zone of {date:FORMAT,ZONE}; nil for UTC.
	Zone *time.Location
	// Words are those of {status: type=word …}, by conversion type; nil without.
	Words map[string]string
	// Range of {random:FROM,TO}; nil without.
	Range *Range
	// Bare: the macro is not inside a string of a JSON body, so that its value is a number, null or a string of its own.
	Bare bool
}

// Range is a range of whole numbers, both ends included.
type Range struct{ From, To uint64 }

var (
	errBrace = errors.New(`a { begins a macro and a } ends it: write %7B and %7D for braces that are none`)
	errTwice = errors.New(`a macro has one pair of braces: write {subid} instead of {{subid}}`)
	errWords = errors.New("{status: …} takes pairs of a conversion type and a word, like {status: lead=install sale=bill}")
	errRange = errors.New("{random:…} takes two whole numbers, the smaller one first, like {random:1,9}")
)

// ParseTemplate reads a forward's URL or form: literal text and macros, {name}, raw as {_name}, {date:FORMAT},
// {date:FORMAT,ZONE}, {status: type=word type=word}, {random:FROM,TO} and {sha256:name}. The error says what to correct
// and repeats no more of the template than a macro's name.
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
		switch {
		case strings.HasPrefix(body, "{") && macros[body[1:]]:
			return nil, errTwice
		case template[open] == '}' || !closed || strings.Contains(body, "{"):
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

// parseMacro reads what is between a macro's braces.
func parseMacro(body string) (TemplatePart, error) {
	name, argument, hasArgument := strings.Cut(body, ":")
	part := TemplatePart{Macro: strings.TrimPrefix(name, "_"), Raw: strings.HasPrefix(name, "_")}
	if hash := Hash(part.Macro); slices.Contains(Hashes(), hash) {
		part.Macro, part.Hash = strings.TrimSpace(argument), hash
		if !macros[part.Macro] {
			return part, fmt.Errorf("{%s:…} takes the name of a macro, like {%s:sub_id_1}%s", hash, hash,
				didYouMean(part.Macro, Macros()))
		}
		return part, nil
	}
	if !macros[part.Macro] {
		return part, fmt.Errorf("{%.32s} is no macro%s", name, didYouMean(part.Macro, Macros()))
	}
	if !hasArgument {
		return part, nil
	}
	var err error
	switch {
	case (part.Macro == ParamDate || part.Macro == MacroClickDate) && argument != "":
		part.Format, part.Zone = splitZone(argument)
	case part.Macro == ParamStatus:
		part.Words, err = parseWords(argument)
	case part.Macro == MacroRandom:
		part.Range, err = parseRange(argument)
	default:
		err = fmt.Errorf("{%.32s} takes nothing behind a colon: only {date:FORMAT}, {status: type=word}, {random:1,9} "+
			"and {sha256:name} do", name)
	}
	return part, err
}

// zoneForm is how names of zones look: UTC, Europe/Kyiv. Letters of a format that follow a comma look otherwise.
var zoneForm = regexp.MustCompile(`^[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)*$`)

// splitZone takes a zone off the end of a date's format, where there is one behind the last comma.
func splitZone(argument string) (format string, zone *time.Location) {
	comma := strings.LastIndexByte(argument, ',')
	if comma <= 0 {
		return argument, nil
	}
	name := strings.TrimSpace(argument[comma+1:])
	if !zoneForm.MatchString(name) || name == "Local" {
		return argument, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return argument, nil
	}
	return argument[:comma], zone
}

func parseWords(argument string) (map[string]string, error) {
	words := map[string]string{}
	for pair := range strings.FieldsSeq(argument) {
		name, word, ok := strings.Cut(pair, "=")
		if !ok || !typeName.MatchString(name) {
			return nil, errWords
		}
		if _, twice := words[name]; twice {
			return nil, fmt.Errorf("{status: …} has two words for %s", name)
		}
		words[name] = word
	}
	if len(words) == 0 {
		return nil, errWords
	}
	return words, nil
}

func parseRange(argument string) (*Range, error) {
	from, to, ok := strings.Cut(argument, ",")
	const bits = 63 // so that the length of a range fits, too
	low, lowErr := strconv.ParseUint(strings.TrimSpace(from), 10, bits)
	high, highErr := strconv.ParseUint(strings.TrimSpace(to), 10, bits)
	if !ok || lowErr != nil || highErr != nil || low > high {
		return nil, errRange
	}
	return &Range{From: low, To: high}, nil
}
