package output

import (
	"bytes"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestTimesAreRelativeOnATerminalOnly(t *testing.T) {
	at := func(d time.Duration) *time.Time { moment := noon.Add(d); return &moment }
	for _, c := range []struct {
		name            string
		time            *time.Time
		terminal, plain string
	}{
		{"none", nil, "-", "-"},
		{"seconds", at(-3 * time.Second), "3s ago", "2026-03-01T11:59:57Z"},
		{"minutes", at(-90 * time.Second), "1m ago", "2026-03-01T11:58:30Z"},
		{"hours, up to two days", at(-47 * time.Hour), "47h ago", "2026-02-27T13:00:00Z"},
		{"days", at(-48 * time.Hour), "2d ago", "2026-02-27T12:00:00Z"},
		{"to come", at(time.Hour), "in 1h", "2026-03-01T13:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (Style{Terminal: true, Now: noon}).Time(c.time); got != c.terminal {
				t.Errorf("on a terminal %q, want %q", got, c.terminal)
			}
			if got := (Style{Now: noon}).Time(c.time); got != c.plain {
				t.Errorf("elsewhere %q, want %q", got, c.plain)
			}
		})
	}
}

func TestOnlyATerminalGetsColoursAndSymbols(t *testing.T) {
	cmd := &cobra.Command{}
	cmd.SetOut(&bytes.Buffer{})
	if s := StyleOf(cmd, noon); s.Terminal || s.Color || s.Mark(Bad) != "FAILED " || s.Outcome("ignored", "x") != "x" {
		t.Errorf("a buffer counts as a terminal: %+v", s)
	}
	if got := (Style{Terminal: true}).Mark(Good); got != "✔" {
		t.Errorf("without colours: %q", got)
	}
	if got := (Style{Terminal: true, Color: true}).Outcome("failed", "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("with colours: %q", got)
	}
}

func TestTextOfStrangersCannotSteerATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"лид & €":          "лид & €",
		"\x1b]0;title\x07": `\x1b]0;title\x07`,
		"a\nb\rc":          `a\x0ab\x0dc`,
		"\u202egnp.exe":    `\u202egnp.exe`,
		"\u009b31m":        `\x9b31m`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
	}
}
