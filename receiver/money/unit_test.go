package money_test

import (
	"testing"

	"github.com/postback-dev/postback-operator/receiver/money"
)

func TestReadAmount(t *testing.T) {
	for _, c := range []struct{ name, text, parameter, own, want string }{
		{"nothing said", "10", "", "USD", "10 USD"},
		{"the parameter", "10", "eur", "USD", "10 EUR"},
		{"the old code of the rouble", "10", "rur", "USD", "10 RUB"},

		{"a sign in front", "€12,50", "", "USD", "12.5 EUR"},
		{"a sign behind", "500 ₽", "", "USD", "500 RUB"},
		{"a sign behind without a space", "500₽", "", "USD", "500 RUB"},
		{"a minus before the sign", "-€5", "", "USD", "-5 EUR"},
		{"a minus behind the sign", "£-5", "", "USD", "-5 GBP"},
		{"a code in front", "USD5", "", "EUR", "5 USD"},
		{"a code behind, in small letters", "1500 rub", "", "USD", "1500 RUB"},
		{"a code before a fraction", "USD.50", "", "EUR", "0.5 USD"},
		{"a word for nothing", "10 null", "", "USD", "unreadable"},
		{"crypto", "5 USDT", "", "USD", "5 USDT"},
		{"rupiah with grouping", "Rp 1.500.000", "", "USD", "1500000 IDR"},
		{"real", "R$ 1.234,56", "", "USD", "1234.56 BRL"},
		{"zloty", "12 zł", "", "USD", "12 PLN"},
		{"roubles, abbreviated", "1500 руб.", "", "USD", "1500 RUB"},
		{"roubles, in one letter", "1500р.", "", "USD", "1500 RUB"},
		{"roubles, in words", "1500 рублей", "", "USD", "1500 RUB"},
		{"francs, abbreviated", "Fr. 5", "", "USD", "5 CHF"},
		{"hryvnia", "100 грн", "", "USD", "100 UAH"},

		{"a sign and its code", "$10.00 USD", "", "EUR", "10 USD"},
		{"a sign and the code of another country that has it", "$10 CAD", "", "USD", "10 CAD"},
		{"a code and its sign", "EUR €10", "", "USD", "10 EUR"},
		{"both behind", "10 USD $", "", "EUR", "10 USD"},
		{"a minus, a sign and its code", "-$1,234.50 USD", "", "EUR", "-1234.5 USD"},
		{"a sign and another's code", "€10 USD", "", "USD", "unreadable"},
		{"the same code twice", "USD 10 USD", "", "USD", "unreadable"},
		{"a dollar where the endpoint has one", "$5", "", "CAD", "5 CAD"},
		{"a dollar where it has none", "$5", "", "EUR", "5 USD"},
		{"a dollar with its country", "US$5", "", "CAD", "5 USD"},
		{"a yen or yuan sign", "¥5", "", "CNY", "5 CNY"},
		{"a yen or yuan sign elsewhere", "¥5", "", "USD", "5 JPY"},
		{"crowns where the endpoint has some", "100 kr.", "", "NOK", "100 NOK"},
		{"crowns that nobody can tell", "100 kr", "", "USD", "100 KR"},
		{"rupees where the endpoint has some", "Rs.500", "", "INR", "500 INR"},
		{"an unknown sign", "5¤", "", "USD", "5 ¤"},
		{"an unknown word", "5 pts", "", "USD", "5 PTS"},

		{"a conflict", "1500 RUB", "usd", "USD", "1500 USD conflict"},
		{"a conflict with a sign", "€5", "RUB", "USD", "5 RUB conflict"},
		{"no conflict of a dollar", "$5", "AUD", "USD", "5 AUD"},
		{"no conflict of an old code", "5 RUR", "RUB", "USD", "5 RUB"},
		{"no conflict of crowns", "5 kr", "SEK", "USD", "5 SEK"},
		{"a parameter that is a sign", "5", "₽", "USD", "5 RUB"},

		{"an exponent", "1.5E7", "", "USD", "15000000 USD"},
		{"an exponent with a decimal comma", "1,5E+07", "", "USD", "15000000 USD"},
		{"an exponent whose plus was not encoded", "1.5E 07", "", "USD", "15000000 USD"},
		{"an exponent with a unit", "1.5e3 eur", "", "USD", "1500 EUR"},
		{"an exponent behind a unit", "-€1e2", "", "USD", "-100 EUR"},
		{"zeros that are no decimals", "1.000e-11", "", "USD", "0.00000000001 USD"},
		{"two commas and an exponent", "1,5,0E3", "", "USD", "unreadable"},
		{"an exponent with two signs", "1e+-5", "", "USD", "unreadable"},
		{"an exponent with two spaces", "1e  5", "", "USD", "unreadable"},
		{"a small exponent", "5e-05", "", "USD", "0.00005 USD"},
		{"a negative number with an exponent", "-1e2", "", "USD", "-100 USD"},
		{"an exponent of zero", "0e9", "", "USD", "0 USD"},
		{"the largest exponent", "9e14", "", "USD", "900000000000000 USD"},
		{"a larger one", "1e15", "", "USD", "unreadable"},
		{"the smallest exponent", "1e-12", "", "USD", "0.000000000001 USD"},
		{"a smaller one", "1e-13", "", "USD", "unreadable"},
		{"an exponent bomb", "1e999999999", "", "USD", "unreadable"},
		{"an exponent without digits", "5e", "", "USD", "unreadable"},
		{"an exponent with a space", "5 E7", "", "USD", "unreadable"},

		{"two units", "$5 EUR", "", "USD", "unreadable"},
		{"a magnitude", "5 mln", "", "USD", "unreadable"},
		{"a parenthesis", "(5.00)", "", "USD", "unreadable"},
		{"nothing", " ", "eur", "USD", "missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := money.ReadAmount(c.text, c.parameter, c.own)
			text := got.Reading.String()
			if got.Reading == money.Exact {
				text = got.Value.String() + " " + got.Currency
			}
			if got.Conflict {
				text += " conflict"
			}
			if text != c.want {
				t.Errorf("%q in %q became %s, want %s", c.text, c.parameter, text, c.want)
			}
		})
	}
}
