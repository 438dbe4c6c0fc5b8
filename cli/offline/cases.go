package offline

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/shopspring/decimal"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
)

// Expectation is what somebody expects of a postback: an outcome, then the type of what is recorded and its payout, or
// the reason for ignoring it. Only what is said is compared.
type Expectation struct {
	Outcome string
	// Detail is a type or a reason, Payout an amount in the endpoint's currency; empty: any.
	Detail, Payout string
}

// ParseExpectation reads `recorded,sale,13.75` or `ignored,status_unknown`.
func ParseExpectation(text string) (Expectation, error) {
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	parts = append(parts, "", "")
	e := Expectation{parts[0], parts[1], parts[2]}
	switch e.Outcome {
	case "recorded", "duplicate":
	case "ignored", "refused":
		if e.Payout != "" {
			return e, fmt.Errorf("%q: what is %s has no payout", text, e.Outcome)
		}
	default:
		return e, fmt.Errorf("%q: write recorded, duplicate, ignored or refused, then a type and a payout, or a reason",
			text)
	}
	if e.Payout != "" {
		if _, err := decimal.NewFromString(e.Payout); err != nil || len(parts) > 5 {
			return e, fmt.Errorf("%q: the payout is no number; decimals are written with a point", text)
		}
	}
	return e, nil
}

// Met reports whether an outcome, with its type or reason and its payout, is the expected one.
func (e Expectation) Met(outcome, detail, payout string) bool {
	if outcome != e.Outcome || e.Detail != "" && e.Detail != detail {
		return false
	}
	if e.Payout == "" {
		return true
	}
	got, err := decimal.NewFromString(payout)
	return err == nil && got.Equal(decimal.RequireFromString(e.Payout))
}

// String writes the expectation as it is read.
func (e Expectation) String() string {
	return strings.TrimRight(e.Outcome+","+e.Detail+","+e.Payout, ",")
}

// Case is a line of a file of cases.
type Case struct {
	Line  int
	Query string
	// Expected is nil where the line expects nothing.
	Expected *Expectation
}

// maxCases bounds a file of cases, in bytes.
const maxCases = 4 << 20

// ReadCases reads a file of cases; "-" is stdin.
func ReadCases(path string, stdin io.Reader) ([]Case, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, exit.WithUsage(fmt.Errorf("--cases: %w", err))
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	cases, err := parseCases(io.LimitReader(in, maxCases))
	if err == nil && len(cases) == 0 {
		err = errors.New("there are no cases in it")
	}
	if err != nil {
		return nil, exit.WithUsage(fmt.Errorf("--cases %s: %w", path, err))
	}
	return cases, nil
}

func parseCases(in io.Reader) ([]Case, error) {
	var cases []Case
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxCases)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		query, expected, found := strings.Cut(line, "=>")
		c := Case{Line: number, Query: strings.TrimSpace(query)}
		if found {
			e, err := ParseExpectation(expected)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			c.Expected = &e
		}
		cases = append(cases, c)
	}
	return cases, lines.Err()
}

// Check returns what was expected instead, "" if all is as expected.
func (c Case) Check(e read.Explanation) string {
	outcome, detail, payout := parts(e)
	if c.Expected == nil || c.Expected.Met(outcome, detail, payout) {
		return ""
	}
	return c.Expected.String()
}

// Came is what became of a postback, written as an expectation.
func Came(e read.Explanation) string {
	outcome, detail, payout := parts(e)
	return Expectation{outcome, detail, payout}.String()
}

func parts(e read.Explanation) (outcome, detail, payout string) {
	if e.Outcome != nil {
		outcome = *e.Outcome
	}
	if e.Reason != nil {
		return outcome, *e.Reason, ""
	}
	now := e.After
	if now == nil {
		now = e.Before
	}
	if now == nil {
		return outcome, "", ""
	}
	if now.Payout != nil {
		payout = *now.Payout
	}
	return outcome, now.Type, payout
}
