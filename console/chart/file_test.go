package chart

import (
	"strings"
	"testing"
)

func TestAFileIsADrawingByItself(t *testing.T) {
	c := Chart{
		Title: `"><script>` + "\x01", Labels: []string{"a\x00\ufffe", `</svg><script>alert(1)</script>`}, Unit: "<b>",
		Series: []Series{
			{Name: "revenue", Class: "good", Values: []float64{1, 2}}, {Name: "cost", Class: "cost", Values: []float64{1, 1}, Line: true},
		},
	}
	svg := string(c.File())
	counts := shapes(t, svg) // It is well-formed.
	// The page itself, two of the legend, and two columns.
	if counts["svg"] != 2 || counts["rect"] != 5 || counts["script"] != 0 || counts["style"] != 1 {
		t.Errorf("%v in %s", counts, svg)
	}
	for _, want := range []string{`<?xml version="1.0"`, `xmlns="http://www.w3.org/2000/svg"`, ">revenue</text>", ".good{fill:", `y="44"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("the file lacks %s: %s", want, svg)
		}
	}
	if part := string(c.SVG()); strings.Contains(part, "xmlns") || strings.Contains(part, "<style") {
		t.Errorf("what is part of a page has what files have: %s", part)
	}
}
