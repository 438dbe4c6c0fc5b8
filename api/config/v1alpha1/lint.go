package v1alpha1

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	errAmpersand = errors.New("&amp; is how HTML writes it: write & alone")
	// lostZone is the name of a zone that there is none of.
	lostZone = regexp.MustCompile(`,\s*([A-Z][a-z]+/[A-Z][A-Za-z_/]+)\s*$`)
)

// Lint reports what a receiver would serve, and what can't be meant: a misspelt conversion type or zone in a template,
// HTML instead of an ampersand. Declarations are held to it. Documents are not, so that what was served before a rule
// was added here goes on being served. The error joins one sentence per problem, with the path of the field and without
// any secret.
func (e *Endpoint) Lint() error {
	p := newProblems().at("endpoint")
	for i := range e.Forwards {
		e.lintForward(p.at(".forwards[%d]", i), &e.Forwards[i])
	}
	for i := range e.Campaigns {
		if err := lintOfferURL(e.Campaigns[i].OfferURL); err != nil {
			p.at(".campaigns[%d].offerURL", i).addf("%v", err)
		}
	}
	return p.err()
}

func (e *Endpoint) lintForward(p problems, f *Forward) {
	e.lintQuery(p.at(".url"), f.URL)
	if f.Body == nil {
		return
	}
	e.lintQuery(p.at(".body.form"), f.Body.Form)
	if f.Body.JSON != "" {
		if parts, err := ParseJSONTemplate(f.Body.JSON); err == nil {
			e.lintParts(p.at(".body.json"), parts)
		}
	}
}

// lintQuery is about a URL or a form. What does not parse is the validation's to say.
func (e *Endpoint) lintQuery(p problems, template string) {
	if strings.Contains(template, "&amp;") {
		p.addf("%v", errAmpersand)
	}
	if parts, err := ParseTemplate(template); err == nil {
		e.lintParts(p, parts)
	}
}

func (e *Endpoint) lintParts(p problems, parts []TemplatePart) {
	types := BuiltinTypes()
	for _, t := range e.ConversionTypes {
		types = append(types, t.Name)
	}
	for _, part := range parts {
		for _, name := range slices.Sorted(maps.Keys(part.Words)) {
			if !slices.Contains(types, name) {
				p.addf("{status: %s=…}: there is no conversion type %s%s", name, name, orElse(didYouMean(name, types), types))
			}
		}
		if found := lostZone.FindStringSubmatch(part.Format); found != nil {
			p.addf("{date:…,%.64s}: there is no such zone: write an IANA name, like Europe/Kyiv", found[1])
		}
	}
}

// orElse is the suggestion, or where there is none the whole choice.
func orElse(suggestion string, known []string) string {
	if suggestion != "" {
		return suggestion
	}
	return fmt.Sprintf(": there are %s", strings.Join(known, ", "))
}

// Warnings are sentences about what works and may not be meant.
func (c *Campaign) Warnings() []string {
	if !namesClick(c.OfferURL) {
		return []string{"offerURL has no {subid}: no conversion will find its click, unless the subid gets to the offer " +
			"by another way."}
	}
	return nil
}
