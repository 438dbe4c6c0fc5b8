package money

import "github.com/shopspring/decimal"

// significantDigits is how many digits a quotient that is kept for the record has at least.
const significantDigits = 18

// quotient returns x/y for positive x and y: as it is when y is 1, else with at least [significantDigits] digits.
func quotient(x, y decimal.Decimal) decimal.Decimal {
	if y.Equal(one) {
		return x
	}
	places := significantDigits - (magnitude(x) - magnitude(y))
	return x.DivRound(y, int32(max(places, 0))) //nolint:gosec // as few as rates have digits
}

// magnitude returns how many digits d has before the decimal separator, negative for leading zeros behind it.
func magnitude(d decimal.Decimal) int { return d.NumDigits() + int(d.Exponent()) }

// divideHalfEven returns x/y rounded once to the given number of decimals, ties to the even neighbour. y is positive.
func divideHalfEven(x, y decimal.Decimal, places int32) decimal.Decimal {
	q, rest := x.QuoRem(y, places)
	if rest.IsZero() {
		return q
	}
	twice := rest.Abs().Add(rest.Abs())
	switch twice.Cmp(y.Shift(-places)) {
	case -1:
		return q
	case 0:
		if q.Coefficient().Bit(0) == 0 {
			return q
		}
	}
	return q.Add(decimal.New(int64(rest.Sign()), -places))
}
