package table

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/money"
)

// amount describes the columns of an amount. name is its value in the endpoint's currency, null while no rate is known.
func amount[R any](name string, of func(*R) *money.Amount) []Column[R] {
	converted := Column[R]{
		Name:     name,
		Type:     Decimal,
		Optional: true,
		field: func(row *R) any {
			if value := of(row).Converted; value != nil {
				return value
			}
			return nil
		},
		target: func(row *R) any {
			a := of(row)
			a.Converted = new(decimal.Decimal)
			return a.Converted
		},
	}
	return []Column[R]{
		converted,
		Of(name+"_original", Decimal, func(row *R) *decimal.Decimal { return &of(row).Original }),
		Of(name+"_original_currency", Text, func(row *R) *string { return &of(row).Currency }),
		Of(name+"_rate", Decimal, func(row *R) *decimal.Decimal { return &of(row).Rate.Value }).Null(),
		Of(name+"_rate_date", Time, func(row *R) *time.Time { return &of(row).Rate.Date }).Null(),
		Of(name+"_rate_source", Text, func(row *R) *string { return &of(row).Rate.Source }).Null(),
	}
}

// optionalAmount describes the columns of an amount that a row may lack: then all of them are null.
func optionalAmount[R any](name string, of func(*R) **money.Amount) []Column[R] {
	columns := amount(name, func(a *money.Amount) *money.Amount { return a })
	optional := make([]Column[R], len(columns))
	for i, c := range columns {
		optional[i] = Column[R]{
			Name:     c.Name,
			Type:     c.Type,
			Optional: true,
			field: func(row *R) any {
				if a := *of(row); a != nil {
					return c.Value(a)
				}
				return nil
			},
			target: func(row *R) any {
				a := of(row)
				if *a == nil {
					*a = &money.Amount{}
				}
				return c.Target(*a)
			},
		}
	}
	return optional
}
