// Package chart draws charts as SVG that is part of a page: shapes with classes, which the page's stylesheet colours,
// so that a chart follows the theme and needs no exception of a strict Content-Security-Policy. Chart libraries write
// colours and fonts into style attributes, which such a policy forbids.
//
// It is pure. Texts are escaped by html/template.
package chart

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"strconv"
)

// The size of the drawing, in its own units. The page scales it.
const (
	width, height = 760.0, 240.0
	left, right   = 62.0, 10.0
	top, bottom   = 10.0, 26.0
	// gap is the part of a column's width that is left free.
	gap = 0.28
	// widest is how wide a column is at most.
	widest = 56.0
	// ticks is how many lines a scale has at least, labels how many labels at most are below.
	ticks, labels = 3, 8
)

// Series are the values of one thing, one for each column.
type Series struct {
	// Name is shown in the legend and beside values, Class is the class of its shapes.
	Name, Class string
	Values      []float64
	// Line draws a line over the columns; otherwise values are stacked.
	Line bool
}

// Chart is columns of stacked values, with lines over them.
type Chart struct {
	// Title says what is drawn, for who cannot see it.
	Title string
	// Labels are those of the columns.
	Labels []string
	Series []Series
	// Unit follows the values, such as a currency; empty for none.
	Unit string
}

// shape is a column's part.
type shape struct {
	X, Y, W, H  string
	Class, Text string
}

// mark is a label at a place.
type mark struct{ X, Y, Text string }

// line goes through the middles of columns.
type line struct{ Class, Points string }

type drawing struct {
	Chart
	Width, Height, Left, Right, Zero string
	Bars                             []shape
	Dots                             []shape
	Lines                            []line
	Scale, Below                     []mark
	// Within places the drawing in one that is around it; empty for none.
	Within string
}

var svg = template.Must(template.New("svg").Parse(`<svg class="chart" viewBox="0 0 {{.Width}} {{.Height}}" ` +
	`{{with .Within}}y="{{.}}" width="{{$.Width}}" height="{{$.Height}}" {{end}}role="img" aria-label="{{.Title}}">` +
	`{{range .Scale}}<line class="grid" x1="{{$.Left}}" x2="{{$.Right}}" y1="{{.Y}}" y2="{{.Y}}"/>` +
	`<text class="scale" x="{{.X}}" y="{{.Y}}" dy="4">{{.Text}}</text>{{end}}` +
	`{{range .Bars}}<rect class="{{.Class}}" x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="{{.H}}">` +
	`<title>{{.Text}}</title></rect>{{end}}` +
	`<line class="zero" x1="{{.Left}}" x2="{{.Right}}" y1="{{.Zero}}" y2="{{.Zero}}"/>` +
	`{{range .Lines}}<polyline class="{{.Class}}" points="{{.Points}}"/>{{end}}` +
	`{{range .Dots}}<circle class="{{.Class}}" cx="{{.X}}" cy="{{.Y}}" r="3"><title>{{.Text}}</title></circle>{{end}}` +
	`{{range .Below}}<text class="label" x="{{.X}}" y="{{.Y}}">{{.Text}}</text>{{end}}</svg>`))

// SVG draws the chart as a part of a page.
func (c *Chart) SVG() template.HTML { return c.draw("") }

func (c *Chart) draw(within string) template.HTML {
	low, high := c.bounds()
	step := nice((high - low) / ticks)
	low, high = math.Floor(low/step)*step, math.Ceil(high/step)*step
	y := func(value float64) float64 { return top + (high-value)/(high-low)*(height-top-bottom) }
	column := (width - left - right) / float64(max(1, len(c.Labels)))
	d := drawing{
		Chart: *c, Width: number(width), Height: number(height), Left: number(left), Right: number(width - right),
		Zero: number(y(0)), Within: within,
	}
	for value := low; value <= high+step/2; value += step {
		d.Scale = append(d.Scale, mark{number(left - 8), number(y(value)), Short(value)})
	}
	every := (len(c.Labels) + labels - 1) / labels
	for i, label := range c.Labels {
		middle := left + column*(float64(i)+0.5)
		d.column(c, i, middle, min(widest, column*(1-gap)), y)
		if i%every == 0 {
			d.Below = append(d.Below, mark{number(middle), number(height - 8), label})
		}
	}
	for _, s := range c.Series {
		if s.Line {
			d.line(s, column, y)
		}
	}
	var b bytes.Buffer
	if err := svg.Execute(&b, d); err != nil {
		panic(err) // The template fits its values: a test draws.
	}
	return template.HTML(b.String()) //nolint:gosec // html/template made it.
}

// column stacks the values of one column: what is below zero goes down.
func (d *drawing) column(c *Chart, i int, middle, wide float64, y func(float64) float64) {
	up, down := 0.0, 0.0
	for _, s := range c.Series {
		value := at(s.Values, i)
		text := fmt.Sprintf("%s · %s %s %s", c.Labels[i], s.Name, Short(value), c.Unit)
		if s.Line {
			d.Dots = append(d.Dots, shape{X: number(middle), Y: number(y(value)), Class: s.Class, Text: text})
			continue
		}
		from := &up
		if value < 0 {
			from = &down
		}
		upper, lower := y(max(*from, *from+value)), y(min(*from, *from+value))
		*from += value
		if value != 0 {
			d.Bars = append(d.Bars, shape{
				X: number(middle - wide/2), Y: number(upper), W: number(wide), H: number(max(1, lower-upper)),
				Class: s.Class, Text: text,
			})
		}
	}
}

func (d *drawing) line(s Series, column float64, y func(float64) float64) {
	var points bytes.Buffer
	for i := range d.Labels {
		fmt.Fprintf(&points, "%s,%s ", number(left+column*(float64(i)+0.5)), number(y(at(s.Values, i))))
	}
	d.Lines = append(d.Lines, line{s.Class, points.String()})
}

// bounds are the least and the greatest height, zero between them, never the same.
func (c *Chart) bounds() (low, high float64) {
	for i := range c.Labels {
		up, down := 0.0, 0.0
		for _, s := range c.Series {
			value := at(s.Values, i)
			switch {
			case s.Line:
				low, high = min(low, value), max(high, value)
			case value < 0:
				down += value
			default:
				up += value
			}
		}
		low, high = min(low, down), max(high, up)
	}
	if low == high {
		high = 1
	}
	return low, high
}

// at returns a value, 0 for one that is missing or none that can be drawn.
func at(values []float64, i int) float64 {
	if i >= len(values) || math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
		return 0
	}
	return values[i]
}

// nice rounds a step up to 1, 2 or 5 times a power of ten.
func nice(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, factor := range []float64{1, 2, 5} {
		if step <= factor*power {
			return factor * power
		}
	}
	return 10 * power
}

// Short writes a number for a scale: 1.2k, 3M.
func Short(value float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if math.Abs(value) >= unit.size {
			size := unit.size
			if unit.name == "k" {
				size = 1e3
			}
			return trim(value/size, 1) + unit.name
		}
	}
	return trim(value, 2)
}

func trim(value float64, digits int) string {
	rounded := math.Round(value*math.Pow(10, float64(digits))) / math.Pow(10, float64(digits))
	if rounded == 0 {
		rounded = 0 // never -0
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// number writes a coordinate.
func number(value float64) string { return strconv.FormatFloat(math.Round(value*10)/10, 'f', -1, 64) }
