package money_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/money"
)

func TestParse(t *testing.T) {
	const missing, exact, ambiguous, unreadable = money.Missing, money.Exact, money.Ambiguous, money.Unreadable
	for name, c := range map[string]struct {
		text    string
		reading money.Reading
		want    string
	}{
		"nothing is missing":                          {"", missing, "0"},
		"blanks are missing":                          {" \t\u00a0 ", missing, "0"},
		"a list of two empty macros is missing":       {",", missing, "0"},
		"a list of blank macros is missing":           {" , ,", missing, "0"},
		"an integer":                                  {"10", exact, "10"},
		"a point is decimal":                          {"123.45", exact, "123.45"},
		"blanks around are trimmed":                   {"  7.5\n", exact, "7.5"},
		"a minus is accepted":                         {"-3", exact, "-3"},
		"a plus is accepted":                          {"+3.1", exact, "3.1"},
		"a typographic minus is accepted":             {"\u22123", exact, "-3"},
		"two signs are no number":                     {"--3", unreadable, "0"},
		"a minus behind is no number":                 {"3-", unreadable, "0"},
		"a lone minus is no number":                   {"-", unreadable, "0"},
		"zero":                                        {"0", exact, "0"},
		"minus zero is zero":                          {"-0.00", exact, "0"},
		"leading zeros don't count":                   {"00000000000000000012.50", exact, "12.5"},
		"no digit before the point":                   {".5", exact, "0.5"},
		"a minus and no digit before the point":       {"-.5", exact, "-0.5"},
		"no digit behind the point":                   {"5.", exact, "5"},
		"a lone point is no number":                   {".", unreadable, "0"},
		"a lone point with three digits is decimal":   {"1.234", exact, "1.234"},
		"a lone comma with two digits is decimal":     {"12,50", exact, "12.5"},
		"a lone comma with one digit is decimal":      {"12,5", exact, "12.5"},
		"a lone comma with four digits is decimal":    {"1,2345", exact, "1.2345"},
		"a lone comma with three digits is thousands": {"1,234", ambiguous, "1234"},
		"a negative lone comma with three digits":     {"-10,000", ambiguous, "-10000"},
		"no thousands begin with a zero":              {"0,125", ambiguous, "0.125"},
		"nor do they with a zero and another digit":   {"01,234", unreadable, "0"},
		"four digits before a group of three":         {"1234,567", unreadable, "0"},
		"a decimal comma needs a digit before it":     {"-,5", unreadable, "0"},
		"comma thousands and a decimal point":         {"1,234.56", exact, "1234.56"},
		"point thousands and a decimal comma":         {"1.234,56", exact, "1234.56"},
		"comma thousands and three decimals":          {"1,234.567", exact, "1234.567"},
		"point thousands and three decimals":          {"1.234,567", exact, "1234.567"},
		"several commas group":                        {"1,234,567", exact, "1234567"},
		"several points group":                        {"1.234.567", exact, "1234567"},
		"several commas and a point":                  {"1,234,567.89", exact, "1234567.89"},
		"several points and a comma":                  {"1.234.567,89", exact, "1234567.89"},
		"a group of two":                              {"1,23,456", unreadable, "0"},
		"a last group of two":                         {"1,234,56", unreadable, "0"},
		"a last group of four":                        {"1.234.5678", unreadable, "0"},
		"a first group of four":                       {"1234,567.8", unreadable, "0"},
		"an empty group":                              {"1,,234", unreadable, "0"},
		"a comma behind a point that is decimal":      {"12.5,0", unreadable, "0"},
		"kinds that take turns":                       {"1,234.567,890", unreadable, "0"},
		"a first group of zero":                       {"0,125.50", unreadable, "0"},
		"spaces group":                                {"1 234 567.8", exact, "1234567.8"},
		"a no-break space groups":                     {"1\u00a0234,50", exact, "1234.5"},
		"a thin space groups":                         {"10\u2009000", exact, "10000"},
		"a narrow no-break space groups":              {"10\u202f000,5", exact, "10000.5"},
		"apostrophes group":                           {"1'234'567.80", exact, "1234567.8"},
		"a typographic apostrophe groups":             {"1\u2019234", exact, "1234"},
		"a space and three decimals":                  {"1 234,567", exact, "1234.567"},
		"spaces and apostrophes don't mix":            {"1 234'567", unreadable, "0"},
		"two numbers":                                 {"10 20", unreadable, "0"},
		"two numbers in a list":                       {"10.5, 20.5", unreadable, "0"},
		"a range":                                     {"10-20", unreadable, "0"},
		"a list with one member, first":               {"12.5,", exact, "12.5"},
		"a list with one member, last":                {",12.5", exact, "12.5"},
		"a list with one member, amid":                {" , , 12.5 ,", exact, "12.5"},
		"a list with one member and a unit":           {"$12.5,", exact, "12.5"},
		"a list with one integer, first":              {"5,", exact, "5"},
		"a list with one integer, last":               {",5", ambiguous, "5"},
		"a list with one member that is no number":    {"foo,", unreadable, "0"},
		"a list with two members":                     {"1,234,", unreadable, "0"},
		"a list with an empty object":                 {",{},", unreadable, "0"},
		"a dollar sign before":                        {"$12.50", exact, "12.5"},
		"a euro sign behind":                          {"12,50\u20ac", exact, "12.5"},
		"a sign and a space":                          {"\u20bd 1 500", exact, "1500"},
		"a minus before the currency sign":            {"-$5", exact, "-5"},
		"a minus behind the currency sign":            {"$-5", exact, "-5"},
		"a minus on both sides of it":                 {"-$-5", unreadable, "0"},
		"the tenge sign":                              {"500\u20b8", exact, "500"},
		"letters that belong to a sign":               {"R$ 5,50", exact, "5.5"},
		"letters that belong to a sign, behind":       {"5.50 US$", exact, "5.5"},
		"a code before":                               {"USD 12.5", exact, "12.5"},
		"a code without a space":                      {"usd12.5", exact, "12.5"},
		"a code behind":                               {"12.5 EUR", exact, "12.5"},
		"a code behind thousands":                     {"1,234.56 USD", exact, "1234.56"},
		"a code of four letters":                      {"20USDT", exact, "20"},
		"a word in Cyrillic":                          {"150 \u0440\u0443\u0431", exact, "150"},
		"two units":                                   {"€5 USD", unreadable, "0"},
		"two signs of currency":                       {"$$5", unreadable, "0"},
		"a unit alone":                                {"USD", unreadable, "0"},
		"a sign alone":                                {"$", unreadable, "0"},
		"a code of one letter":                        {"5k", unreadable, "0"},
		"a code of six letters":                       {"5 dollar", unreadable, "0"},
		"a word of magnitude":                         {"5 mln", unreadable, "0"},
		"another word of magnitude":                   {"5KK", unreadable, "0"},
		"a percentage":                                {"5%", unreadable, "0"},
		"parentheses":                                 {"(5)", unreadable, "0"},
		"an exponent":                                 {"1e5", exact, "100000"},
		"a signed exponent":                           {"1.5E+3", exact, "1500"},
		"hexadecimal":                                 {"0x10", unreadable, "0"},
		"hexadecimal letters pass for no code":        {"-0xFF", unreadable, "0"},
		"NaN":                                         {"NaN", unreadable, "0"},
		"Infinity":                                    {"Infinity", unreadable, "0"},
		"minus infinity":                              {"-inf", unreadable, "0"},
		"undefined":                                   {"undefined", unreadable, "0"},
		"null":                                        {"null", unreadable, "0"},
		"an object":                                   {"[object Object]", unreadable, "0"},
		"a macro in braces":                           {"{payout}", unreadable, "0"},
		"a macro in dollars":                          {"$payout$", unreadable, "0"},
		"a macro in brackets":                         {"[[5]]", unreadable, "0"},
		"a macro in hashes":                           {"#payout#", unreadable, "0"},
		"fifteen integer digits":                      {"999999999999999.99", exact, "999999999999999.99"},
		"sixteen integer digits":                      {"1000000000000000", unreadable, "0"},
		"sixteen grouped integer digits":              {"1,000,000,000,000,000", unreadable, "0"},
		"fifteen grouped integer digits":              {"100,000,000,000,000.5", exact, "100000000000000.5"},
		"what a binary float prints":                  {"0.30000000000000004", exact, "0.30000000000000004"},
		"twenty-four decimals": {"0." + strings.Repeat("1", 24), exact,
			"0." + strings.Repeat("1", 24)},
		"twenty-five decimals":         {"0." + strings.Repeat("1", 25), unreadable, "0"},
		"more text than an amount has": {strings.Repeat("0", 200), unreadable, "0"},
		"digits of another script":     {"\u0661\u0662", unreadable, "0"},
		"text that isn't UTF-8":        {"5\xff", unreadable, "0"},
		"a NUL":                        {"5\x00", unreadable, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			got, reading := money.Parse(c.text)
			if reading != c.reading || !got.Equal(decimal.RequireFromString(c.want)) {
				t.Errorf("Parse(%q) = %v, %v; want %v, %v", c.text, got, reading, c.want, c.reading)
			}
		})
	}
}

func TestReadingsHaveNames(t *testing.T) {
	for reading, want := range map[money.Reading]string{
		money.Missing: "missing", money.Exact: "exact", money.Ambiguous: "ambiguous", money.Unreadable: "unreadable",
	} {
		if got := reading.String(); got != want {
			t.Errorf("reading %d is called %q, want %q", reading, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "123.45", "1,234.56", "1.234,56", "1,234", "0,125", "12.5,", ",5", "-$5", "12,50\u20ac", "R$ 5", "20 USDT",
		"1 234", "1\u00a0234", "1'234", "1e5", "0x1F", "NaN", "[object Object]", "{payout}", "\u22125", "999999999999999",
		"1,2,3,4,5,6,7,8", strings.Repeat(",", 130), "\xff", "5\u20bd\u20bd",
	} {
		f.Add(s)
	}
	largest := decimal.New(1, money.MaxIntegerDigits)
	f.Fuzz(func(t *testing.T, s string) {
		d, reading := money.Parse(s)
		if reading == money.Missing || reading == money.Unreadable {
			if !d.IsZero() {
				t.Fatalf("Parse(%q) is %v and yet %v", s, reading, d)
			}
			return
		}
		if d.Abs().Cmp(largest) >= 0 || d.Exponent() < -money.MaxFractionDigits || d.Exponent() > 0 {
			t.Fatalf("Parse(%q) = %v is out of bounds", s, d)
		}
		again, reading := money.Parse(d.String())
		if reading != money.Exact || !again.Equal(d) {
			t.Fatalf("Parse(%q) = %v, which reads as %v, %v", s, d, again, reading)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"plain": "123.45", "grouped": "1,234.56", "unit": "$123.45"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, reading := money.Parse(text); reading != money.Exact {
					b.Fatal(reading)
				}
			}
		})
	}
}
