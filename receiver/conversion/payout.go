package conversion

import (
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/money"
)

var (
	zero = decimal.Zero
	one  = decimal.NewFromInt(1)
)

// firstPayout is the payout of a new conversion: the postback's, else its campaign's, else the endpoint's default, else
// 0.
func firstPayout(in *Intent, click *Click) money.Amount {
	if in.Payout != nil {
		return *in.Payout
	}
	if click != nil {
		if payout, ok := in.Rules.CampaignPayouts[click.Campaign]; ok {
			return own(payout, in.Rules.Currency)
		}
	}
	switch {
	case in.Rules.DefaultPayout != nil:
		return own(*in.Rules.DefaultPayout, in.Rules.Currency)
	default:
		return own(zero, in.Rules.Currency)
	}
}

// own is an amount in the endpoint's own currency.
func own(value decimal.Decimal, currency string) money.Amount {
	converted := value.RoundBank(money.Scale)
	return money.Amount{Original: value, Currency: currency, Converted: &converted, Rate: money.Rate{Value: one}}
}

// revalue is an amount that was converted into another currency than the endpoint has now. It waits for a rate again,
// because the one it was converted at led elsewhere.
func revalue(a money.Amount, currency string) money.Amount {
	if a.Currency == currency {
		return own(a.Original, currency)
	}
	return money.Amount{Original: a.Original, Currency: a.Currency}
}

// overLimit reports whether the converted amount is above the limit, as far as that is known yet.
func overLimit(a money.Amount, limit *decimal.Decimal) bool {
	return limit != nil && a.Converted != nil && a.Converted.Abs().GreaterThan(*limit)
}

// adds reports whether the postback has a payout that changes a sum.
func adds(in *Intent) bool { return in.Payout != nil && !in.Payout.Original.IsZero() }

// add returns the sum of both amounts for [config.RepeatAdd]; false when they have different currencies and not both
// are converted. Amounts of one currency stay in it and carry the newer rate; others add up in the endpoint's currency.
func add(a, b money.Amount, currency string) (money.Amount, bool) {
	converted := !a.Pending() && !b.Pending()
	switch {
	case a.Original.IsZero():
		return b, true
	case a.Currency == b.Currency:
		sum := money.Amount{Original: a.Original.Add(b.Original), Currency: a.Currency}
		if converted {
			value := a.Converted.Add(*b.Converted)
			sum.Converted, sum.Rate = &value, b.Rate
		}
		return sum, true
	case converted:
		return own(a.Converted.Add(*b.Converted), currency), true
	default:
		return money.Amount{}, false
	}
}
