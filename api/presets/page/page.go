// Package page writes the generated part of docs/presets.md.
package page

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postback-dev/postback-operator/api/presets"
)

// The lines around the generated part.
const (
	begin = "<!-- The tables are generated: make generate -->\n"
	end   = "<!-- The end of the generated tables -->\n"
)

var headings = map[presets.Kind]string{
	presets.KindPlatform: "Platforms",
	presets.KindNetwork:  "Networks",
	presets.KindTracker:  "Trackers that send to you",
	presets.KindSource:   "Traffic sources",
}

// Replace returns the page with its generated part made again from the catalog.
func Replace(page string, c *presets.Catalog) (string, error) {
	before, rest, opened := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		return "", errors.New("the page lacks the lines around its generated part")
	}
	return before + begin + tables(c) + "\n" + end + after, nil
}

func tables(c *presets.Catalog) string {
	var b strings.Builder
	var kind presets.Kind
	for _, e := range c.List() {
		if e.Kind != kind {
			kind = e.Kind
			fmt.Fprintf(&b, "\n### %s\n\n| preset | | facts | to do |\n|---|---|---|---|\n", headings[kind])
		}
		title := fmt.Sprintf("[%s](%s)", e.Title, link(e))
		if e.Family != "" {
			title += ", on " + e.Family
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.ID, title, confidences(e), cmp.Or(e.Needs, "–"))
	}
	fmt.Fprint(&b, "\n### Quirks\n\n| quirk | |\n|---|---|\n")
	for _, q := range presets.Quirks() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", q.Quirk, q.En)
	}
	return b.String()
}

// link is the first page of the owner's own, as seen from docs.
func link(e presets.Entry) string {
	address := e.Sources[0].URL
	for _, s := range e.Sources {
		if s.Kind == presets.Primary {
			address = s.URL
			break
		}
	}
	return strings.TrimPrefix(address, "docs/")
}

// confidences counts the facts by how sure they are, the surest first.
func confidences(e presets.Entry) string {
	counts := map[presets.Confidence]int{}
	for _, facts := range []map[string]presets.Fact{e.Postback, e.Extra} {
		for _, name := range slices.Sorted(maps.Keys(facts)) {
			counts[facts[name].Confidence]++
		}
	}
	for _, alias := range e.Aliases {
		counts[alias.Confidence]++
	}
	for _, s := range e.Statuses {
		counts[s.Confidence]++
	}
	for _, event := range e.Events {
		counts[event.Confidence]++
	}
	if e.Click != nil {
		counts[e.Click.Confidence]++
	}
	if e.Forward != nil {
		counts[e.Forward.Confidence]++
	}
	var parts []string
	for _, c := range []presets.Confidence{presets.Documented, presets.Inherited, presets.SecondHand, presets.Conflicted} {
		if counts[c] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[c], c))
		}
	}
	return strings.Join(parts, ", ")
}
