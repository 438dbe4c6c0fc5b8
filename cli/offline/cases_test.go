package offline

import (
	"strings"
	"testing"
)

func TestAnExpectationIsMet(t *testing.T) {
	for _, c := range []struct {
		name, expected, outcome, detail, payout string
		met                                     bool
	}{
		{"only the outcome is said", "recorded", "recorded", "sale", "10", true},
		{"the type is another", "recorded,sale", "recorded", "lead", "10", false},
		{"the amount is the same number", "recorded,sale,13.750", "recorded", "sale", "13.75", true},
		{"the amount is another", "recorded,sale,13.7", "recorded", "sale", "13.75", false},
		{"the amount waits for a rate", "recorded,sale,1", "recorded", "sale", "", false},
		{"the reason is the right one", "ignored, status_unknown", "ignored", "status_unknown", "", true},
		{"the outcome is another", "ignored", "recorded", "sale", "1", false},
		{"any type with this amount", "recorded,,5", "recorded", "lead", "5.00", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := ParseExpectation(c.expected)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Met(c.outcome, c.detail, c.payout); got != c.met {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestAnExpectationThatCannotBeMetIsAnError(t *testing.T) {
	for _, text := range []string{"", "success", "recorded,sale,ten", "ignored,status_unknown,5", "recorded,sale,1,2"} {
		if e, err := ParseExpectation(text); err == nil {
			t.Errorf("%q is read as %+v", text, e)
		}
	}
}

func TestCasesAreReadLineByLine(t *testing.T) {
	cases, err := parseCases(strings.NewReader("\ufeff# comment\n\nsubid=a&x=1=>recorded\r\n  subid=b  \n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 2 || cases[0].Line != 3 || cases[0].Query != "subid=a&x=1" || cases[0].Expected == nil ||
		cases[1].Query != "subid=b" || cases[1].Expected != nil {
		t.Errorf("%+v", cases)
	}
	_, err = parseCases(strings.NewReader("subid=a\nsubid=b => maybe"))
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
}
