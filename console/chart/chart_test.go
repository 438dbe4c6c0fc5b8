package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// shapes counts the elements of a drawing, which must be well-formed.
func shapes(t *testing.T, svg string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return counts
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if element, ok := token.(xml.StartElement); ok {
			counts[element.Name.Local]++
		}
	}
}

func TestAChartHasAShapeForEachValueAndNothingThatThePolicyForbids(t *testing.T) {
	for _, tc := range []struct {
		name          string
		chart         Chart
		bars, circles int
	}{
		{"nothing", Chart{}, 0, 0},
		{"stacked and a line", Chart{Labels: []string{"a", "b"}, Series: []Series{
			{Name: "x", Class: "c1", Values: []float64{1, 2}}, {Name: "y", Class: "c2", Values: []float64{0, 2}},
			{Name: "z", Class: "c3", Values: []float64{3, 1}, Line: true},
		}}, 3, 2},
		{"a loss", Chart{Labels: []string{"a"}, Series: []Series{{Name: "x", Values: []float64{-12.5}}}}, 1, 0},
		{"values that are none", Chart{Labels: []string{"a", "b", "c"}, Series: []Series{
			{Name: "x", Values: []float64{math.NaN(), math.Inf(1)}},
		}}, 0, 0},
		{"very great and very small", Chart{Labels: []string{"a"}, Series: []Series{
			{Name: "x", Values: []float64{1e18}}, {Name: "y", Values: []float64{1e-9}},
		}}, 2, 0},
		{"what strangers send", Chart{
			Title: `"><script>`, Labels: []string{`</svg><script>alert(1)</script>`}, Unit: `<b>`,
			Series: []Series{{Name: `"onload="x`, Class: "c1", Values: []float64{1}}},
		}, 1, 0},
	} {
		svg := string(tc.chart.SVG())
		counts := shapes(t, svg)
		if counts["rect"] != tc.bars || counts["circle"] != tc.circles || counts["script"] != 0 || counts["svg"] != 1 {
			t.Errorf("%s: %v", tc.name, counts)
		}
		if strings.Contains(svg, "style=") || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: %s", tc.name, svg)
		}
	}
}

func TestScalesHaveRoundNumbers(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 0.25: "0.25", 1234: "1234", 12345: "12.3k", -20000: "-20k", 2e6: "2M", 3e9: "3G", -0.001: "0",
	} {
		if got := Short(value); got != want {
			t.Errorf("%v is written %s, want %s", value, got, want)
		}
	}
	for step, want := range map[float64]float64{0.3: 0.5, 1: 1, 7: 10, 12: 20, 450: 500} {
		if got := nice(step); math.Abs(got-want) > 1e-9 {
			t.Errorf("a step of %v becomes %v, want %v", step, got, want)
		}
	}
}
