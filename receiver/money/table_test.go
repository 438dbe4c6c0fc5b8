package money_test

import (
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/money"
)

var (
	monday  = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	tuesday = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func set(source, base string, date time.Time, rates map[string]string) money.Set {
	s := money.Set{Source: source, Base: base, Date: date, Fetched: date, Rates: map[string]decimal.Decimal{}}
	for code, rate := range rates {
		s.Rates[code] = dec(rate)
	}
	return s
}

func sampleTable() *money.Table {
	return money.NewTable(
		[]money.FixedRate{
			{From: "USDT", To: "USD", Rate: dec("1")},
			{From: "usdt", To: "USD", Rate: dec("2")},
			{From: "KZT", To: "USD", Rate: dec("0.002")},
			{From: "COIN", To: "USDT", Rate: dec("3")},
			{From: "USD", To: "GBP", Rate: dec("0.8")},
			{From: "BAD", To: "USD", Rate: dec("-1")},
		},
		[]money.Set{
			set("ecb", "EUR", monday, map[string]string{"USD": "1.10", "GBP": "0.5", "PLN": "4.3", "NUL": "0", "EUR": "7"}),
			set("open", "USD", tuesday, map[string]string{"EUR": "0.9", "RUB": "80", "JPY": "150", "NUL": "3"}),
		},
	)
}

func TestRate(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		want     money.Rate
	}{
		"a currency to itself is one, from nobody": {"XYZ", "XYZ", money.Rate{Value: dec("1")}},
		"a fixed rate":                                {"KZT", "USD", money.Rate{Value: dec("0.002"), Source: "fixed"}},
		"the inverse of a fixed rate":                 {"USD", "KZT", money.Rate{Value: dec("500"), Source: "fixed"}},
		"the first of two fixed rates of a pair":      {"USDT", "USD", money.Rate{Value: dec("1"), Source: "fixed"}},
		"a fixed rate wins over a set":                {"USD", "GBP", money.Rate{Value: dec("0.8"), Source: "fixed"}},
		"the inverse of a fixed rate wins over a set": {"GBP", "USD", money.Rate{Value: dec("1.25"), Source: "fixed"}},
		"from the base, whatever the set says of the base": {"EUR", "USD",
			money.Rate{Value: dec("1.10"), Date: monday, Source: "ecb"}},
		"to the base": {"USD", "EUR",
			money.Rate{Value: dec("0.909090909090909091"), Date: monday, Source: "ecb"}},
		"across a set": {"GBP", "PLN",
			money.Rate{Value: dec("8.6"), Date: monday, Source: "ecb"}},
		"the second set has what the first lacks": {"RUB", "USD",
			money.Rate{Value: dec("0.0125"), Date: tuesday, Source: "open"}},
		"across the second set": {"RUB", "EUR",
			money.Rate{Value: dec("0.01125"), Date: tuesday, Source: "open"}},
		"a rate of zero is none, the next set counts": {"USD", "NUL",
			money.Rate{Value: dec("3"), Date: tuesday, Source: "open"}},
		"a fixed rate and a set": {"USDT", "PLN",
			money.Rate{Value: dec("3.909090909090909091"), Date: monday, Source: "fixed+ecb"}},
		"a set and a fixed rate": {"JPY", "USDT",
			money.Rate{Value: dec("0.00666666666666666667"), Date: tuesday, Source: "fixed+open"}},
		"two fixed rates": {"KZT", "USDT", money.Rate{Value: dec("0.002"), Source: "fixed"}},
		"a fixed rate below one and a set": {"KZT", "JPY",
			money.Rate{Value: dec("0.3"), Date: tuesday, Source: "fixed+open"}},
		"two declared fixed rates": {"COIN", "USD", money.Rate{Value: dec("3"), Source: "fixed"}},
	} {
		t.Run(name, func(t *testing.T) {
			table := sampleTable()
			for range 2 {
				got, ok := table.Rate(c.from, c.to)
				if !ok {
					t.Fatalf("no rate from %s to %s", c.from, c.to)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("rate from %s to %s (-want +got):\n%s", c.from, c.to, diff)
				}
			}
		})
	}
}

func TestRateIsNeverMadeUp(t *testing.T) {
	for name, c := range map[string]struct {
		table    *money.Table
		from, to string
	}{
		"no source has the first":          {sampleTable(), "XXX", "USD"},
		"no source has the second":         {sampleTable(), "USD", "XXX"},
		"a fixed rate that isn't positive": {sampleTable(), "BAD", "USD"},
		"two fixed rates and a set":        {sampleTable(), "COIN", "JPY"},
		"two sets":                         {sampleTable(), "PLN", "RUB"},
		"a code in lower case":             {sampleTable(), "eur", "USD"},
		"a list of codes":                  {sampleTable(), "RUB,USD,EUR", "USD"},
		"no code":                          {sampleTable(), "", "USD"},
		"an empty table":                   {money.NewTable(nil, nil), "EUR", "USD"},
		"no table":                         {nil, "EUR", "USD"},
		"an empty set has only its base":   {money.NewTable(nil, []money.Set{{Base: "EUR"}}), "EUR", "USD"},
		"a fixed rate of a currency to itself": {money.NewTable([]money.FixedRate{{From: "A", To: "A", Rate: dec("2")}}, nil),
			"A", "B"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := c.table.Rate(c.from, c.to); ok {
				t.Errorf("rate from %q to %q is %v by %q", c.from, c.to, got.Value, got.Source)
			}
			a := c.table.Convert(dec("12.5"), c.from, c.to)
			want := money.Amount{Original: dec("12.5"), Currency: c.from}
			if diff := cmp.Diff(want, a); diff != "" || !a.Pending() {
				t.Errorf("amount (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConvert(t *testing.T) {
	for name, c := range map[string]struct {
		original, from, to string
		want               string
	}{
		"the example of the semantics":                  {"10", "EUR", "USD", "11"},
		"the same currency":                             {"10.5", "USD", "USD", "10.5"},
		"the same currency, a tie goes to even, down":   {"0.0000005", "USD", "USD", "0"},
		"the same currency, a tie goes to even, up":     {"0.0000015", "USD", "USD", "0.000002"},
		"the same currency, a negative tie":             {"-0.0000025", "USD", "USD", "-0.000002"},
		"the same currency, just above a tie":           {"0.000000500000001", "USD", "USD", "0.000001"},
		"a quotient that never ends":                    {"1", "USD", "EUR", "0.909091"},
		"a negative quotient that never ends":           {"-1", "USD", "EUR", "-0.909091"},
		"a tie after the conversion goes to even, down": {"0.00025", "KZT", "USD", "0"},
		"a tie after the conversion goes to even, up":   {"0.00075", "KZT", "USD", "0.000002"},
		"a tie of a quotient goes to even":              {"0.00012", "RUB", "USD", "0.000002"},
		"the rate is not rounded before use":            {"999999999999999", "USD", "EUR", "909090909090908.181818"},
		"nothing stays nothing":                         {"0", "RUB", "USD", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			table := sampleTable()
			a := table.Convert(dec(c.original), c.from, c.to)
			if a.Pending() || !a.Converted.Equal(dec(c.want)) {
				t.Fatalf("%s %s is %v %s, want %s", c.original, c.from, a.Converted, c.to, c.want)
			}
			rate, _ := table.Rate(c.from, c.to)
			if diff := cmp.Diff(rate, a.Rate); diff != "" || a.Currency != c.from || !a.Original.Equal(dec(c.original)) {
				t.Errorf("the amount doesn't tell what it was made of: %+v\n%s", a, diff)
			}
		})
	}
}

// TestConvertAgreesWithRationals compares with arithmetic that has no rounding of its own.
func TestConvertAgreesWithRationals(t *testing.T) {
	const seed = 20260302
	random := rand.New(rand.NewPCG(seed, seed))
	for range 20_000 {
		original := decimal.New(random.Int64N(2e12)-1e12, -int32(random.IntN(9)))
		from := decimal.New(random.Int64N(1e6)+1, -int32(random.IntN(7)))
		to := decimal.New(random.Int64N(1e6)+1, -int32(random.IntN(7)))
		if random.IntN(2) == 0 {
			from = decimal.New(1<<random.IntN(10), 0) // quotients that end, so that there are ties
		}
		table := money.NewTable(nil, []money.Set{{
			Source: "s", Base: "AAA", Rates: map[string]decimal.Decimal{"BBB": from, "CCC": to},
		}})
		a := table.Convert(original, "BBB", "CCC")
		exact := new(big.Rat).Mul(original.Rat(), new(big.Rat).Quo(to.Rat(), from.Rat()))
		if want := roundHalfEven(exact, money.Scale); a.Converted.Rat().Cmp(want) != 0 {
			t.Fatalf("%v * %v / %v = %v, want %v", original, to, from, a.Converted, want.FloatString(money.Scale))
		}
		if off := relativeError(a.Rate.Value.Rat(),
			new(big.Rat).Quo(to.Rat(), from.Rat())); off.Cmp(big.NewRat(1, 1e17)) > 0 {
			t.Fatalf("rate %v / %v is recorded as %v", to, from, a.Rate.Value)
		}
	}
}

func roundHalfEven(x *big.Rat, places int) *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	scaled := new(big.Rat).Mul(x, new(big.Rat).SetInt(scale))
	floor, rest := new(big.Int).DivMod(scaled.Num(), scaled.Denom(), new(big.Int))
	up := rest.Lsh(rest, 1).Cmp(scaled.Denom())
	if up > 0 || up == 0 && floor.Bit(0) == 1 {
		floor.Add(floor, big.NewInt(1))
	}
	return new(big.Rat).SetFrac(floor, scale)
}

func relativeError(got, want *big.Rat) *big.Rat {
	off := new(big.Rat).Sub(got, want)
	return off.Quo(off, want).Abs(off)
}

func TestKnown(t *testing.T) {
	table := sampleTable()
	for code, want := range map[string]bool{
		"USD": true, "EUR": true, "RUB": true, "USDT": true, "COIN": true, "BAD": false, "XXX": false, "": false,
	} {
		if got := table.Known(code); got != want {
			t.Errorf("Known(%q) = %v", code, got)
		}
	}
	if (*money.Table)(nil).Known("USD") {
		t.Error("no table knows a currency")
	}
}

func TestSetsAreGivenInOrder(t *testing.T) {
	got := sampleTable().Sets()
	if len(got) != 2 || got[0].Source != "ecb" || got[1].Source != "open" {
		t.Errorf("sets = %v", got)
	}
	if sets := (*money.Table)(nil).Sets(); sets != nil {
		t.Errorf("no table has sets: %v", sets)
	}
}

func TestTableServesConcurrently(t *testing.T) {
	table := sampleTable()
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for _, from := range []string{"USD", "EUR", "RUB", "PLN", "XXX", "USDT", "KZT"} {
				if a := table.Convert(dec("1"), from, "JPY"); a.Pending() != (from == "XXX" || from == "PLN") {
					t.Errorf("%s is pending: %v", from, a.Pending())
				}
			}
		})
	}
	workers.Wait()
}

func BenchmarkConvert(b *testing.B) {
	for name, pair := range map[string][2]string{
		"same": {"USD", "USD"}, "fixed": {"KZT", "USD"}, "cross": {"GBP", "PLN"}, "unknown": {"XXX", "USD"},
	} {
		b.Run(name, func(b *testing.B) {
			table, amount := sampleTable(), dec("123.45")
			b.ReportAllocs()
			for b.Loop() {
				table.Convert(amount, pair[0], pair[1])
			}
		})
	}
}
