package money_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/postback-dev/postback-operator/receiver/money"
)

func TestCurrency(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a code stays":                 {"USD", "USD"},
		"lower case is raised":         {"eur", "EUR"},
		"blanks are trimmed":           {" rub\u00a0", "RUB"},
		"nothing stays nothing":        {"  ", ""},
		"a list is kept as sent":       {"rub,usd,eur", "RUB,USD,EUR"},
		"a code of crypto stays":       {"USDT", "USDT"},
		"control characters are taken": {"u\x00s\nd", "USD"},
		"what is too long is cut":      {strings.Repeat("x", 100), strings.Repeat("X", 32)},
		"no blank is left at the cut":  {strings.Repeat("x", 31) + " y", strings.Repeat("X", 31)},
		"broken UTF-8 is replaced":     {"us\xff", "US\ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := money.Currency(c.text); got != c.want {
				t.Errorf("Currency(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func FuzzCurrency(f *testing.F) {
	for _, s := range []string{"USD", "eur ", "rub,usd", "{currency}", "\x00", "\xff", strings.Repeat("\u00e4", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := money.Currency(s)
		if utf8.RuneCountInString(got) > 32 || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("Currency(%q) = %q is out of bounds", s, got)
		}
		if again := money.Currency(got); again != got {
			t.Fatalf("Currency(%q) = %q, whose own form is %q", s, got, again)
		}
	})
}
