package chart

import (
	"bytes"
	"html/template"
	"strings"
	"unicode"
)

// The head of a file, with the title and the legend.
const (
	head = 44.0
	// letter is how wide a letter of the legend is, about: nothing measures text here.
	letter = 6.4
)

// entry is one of a legend.
type entry struct{ X, TextX, Class, Name string }

// file is a drawing by itself: what the page's stylesheet says is in it, for a light page.
var file = template.Must(template.New("file").Parse(`{{.Prologue}}<svg xmlns="http://www.w3.org/2000/svg" ` +
	`width="{{.Width}}" height="{{.Height}}" viewBox="0 0 {{.Width}} {{.Height}}">` +
	`<style>text{font:11px system-ui,sans-serif;fill:#566069}.title{font-size:14px;font-weight:600;fill:#1a1f24}` +
	`.scale{text-anchor:end}.label{text-anchor:middle}.grid{stroke:#dde2e8}.zero{stroke:#8a949e}` +
	`polyline{fill:none;stroke-width:2}.good{fill:#2f9e63}.wait{fill:#e0a030}.bad{fill:#d2504a}.same{fill:#9aa7b4}` +
	`.held{fill:#7a6ad0}.cost{fill:#0b57d0}polyline.cost{fill:none;stroke:#0b57d0}</style>` +
	`<rect width="{{.Width}}" height="{{.Height}}" fill="#ffffff"/>` +
	`<text class="title" x="12" y="20">{{.Title}}</text>` +
	`{{range .Legend}}<rect class="{{.Class}}" x="{{.X}}" y="29" width="9" height="9" rx="2"/>` +
	`<text x="{{.TextX}}" y="37">{{.Name}}</text>{{end}}{{.Chart}}</svg>` + "\n"))

// File draws the chart as an SVG file, with its title and its legend.
func (c *Chart) File() []byte {
	clean := *c
	clean.Title, clean.Unit = printable(c.Title), printable(c.Unit)
	clean.Labels = make([]string, len(c.Labels))
	for i, label := range c.Labels {
		clean.Labels[i] = printable(label)
	}
	var legend []entry
	x := 12.0
	for _, s := range c.Series {
		legend = append(legend, entry{X: number(x), TextX: number(x + 14), Class: s.Class, Name: s.Name})
		x += 32 + letter*float64(len([]rune(s.Name)))
	}
	var b bytes.Buffer
	err := file.Execute(&b, map[string]any{
		"Prologue": template.HTML(`<?xml version="1.0" encoding="UTF-8"?>` + "\n"), //nolint:gosec // It is constant.
		"Width":    number(width),
		"Height":   number(height + head),
		"Title":    clean.Title,
		"Legend":   legend,
		"Chart":    clean.draw(number(head)),
	})
	if err != nil {
		panic(err) // The template fits its values: a test draws.
	}
	return b.Bytes()
}

// printable leaves out what XML forbids: control characters.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}
