package output

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"sigs.k8s.io/yaml"
)

// Style is how text for people looks: on a terminal with relative times, symbols and colours, elsewhere plain.
type Style struct {
	Terminal, Color bool
	// Now is the moment that relative times count from.
	Now time.Time
}

// StyleOf returns the style of a command's stdout. NO_COLOR and TERM=dumb turn colours off.
func StyleOf(cmd *cobra.Command, now time.Time) Style {
	terminal := IsTerminal(cmd.OutOrStdout())
	return Style{
		Terminal: terminal,
		Color:    terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Now:      now,
	}
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Time writes a time: relative on a terminal, otherwise RFC 3339 in UTC; "-" for none.
func (s Style) Time(t *time.Time) string {
	switch {
	case t == nil || t.IsZero():
		return "-"
	case !s.Terminal:
		return t.UTC().Format(time.RFC3339)
	case t.After(s.Now.Add(time.Second)):
		return "in " + Span(t.Sub(s.Now))
	}
	return Span(s.Now.Sub(*t)) + " ago"
}

// Span writes a duration as its greatest unit: 45s, 12m, 3h, 9d.
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(d, 0)/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// Mark begins a line that says how something went.
type Mark int

// The marks.
const (
	Good Mark = iota
	Bad
	Warning
	Note
)

// Mark returns the mark: a symbol on a terminal, a word elsewhere.
func (s Style) Mark(m Mark) string {
	if !s.Terminal {
		return [...]string{"ok     ", "FAILED ", "warning", "       "}[m]
	}
	symbol := [...]string{"✔", "✗", "!", "►"}[m]
	return s.paint([...]string{"32", "31", "33", "36"}[m], symbol)
}

// Outcome colours a line by the outcome of its postback, or by the state of its S2S postback.
func (s Style) Outcome(outcome, line string) string {
	switch outcome {
	case "recorded", "delivered":
		return s.paint("32", line)
	case "ignored", "waiting":
		return s.paint("33", line)
	case "refused", "failed":
		return s.paint("31", line)
	}
	return line
}

func (s Style) paint(color, text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// Printable makes text of strangers harmless for a terminal: control characters are written as \x1b.
func Printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069: // they change the direction of what follows
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Or returns the text, or "-" for none.
func Or(text *string) string {
	if text == nil || *text == "" {
		return "-"
	}
	return *text
}

// Document writes a value of the API as JSON or YAML, with the names of its JSON.
func Document(out io.Writer, format Format, value any) error {
	if format != YAML {
		return Data(out, JSON, value)
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}
