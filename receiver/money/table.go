package money

import (
	"slices"
	"sync"

	"github.com/shopspring/decimal"
)

// SourceFixed is the source of rates that the configuration declares. A rate that a fixed one and a provider's make
// together has the source "fixed+<provider>".
const SourceFixed = "fixed"

// FixedRate declares that one unit of From is Rate units of To. A rate that isn't positive is left out.
type FixedRate struct {
	From, To string
	Rate     decimal.Decimal
}

// Table answers what one currency is worth in another. It never changes, may be used concurrently, and a nil *Table
// knows no rates. Currencies are given in the form of [Currency].
//
// A rate is looked for in this order, and the first that is found counts: 1 for a currency to itself; a fixed rate,
// then the inverse of one; the first set that has both currencies; a fixed rate, or the inverse of one, from or to a
// third currency together with a fixed rate or a set for the rest of the way. Nothing is ever taken as one to one.
type Table struct {
	sets     []Set
	declared []FixedRate
	fixed    map[pair]ratio
	// hops lists for a currency those that a fixed rate leads to, in declared order.
	hops map[string][]string

	// found caches what lookUp found: as many pairs as the sources make, whatever is asked for.
	mu    sync.RWMutex
	found map[pair]ratio
}

type pair struct{ from, to string }

// ratio is an exact rate: num/den.
type ratio struct {
	num, den decimal.Decimal
	// rate is the same for the record, its value a rounded quotient.
	rate Rate
}

var (
	one      = decimal.NewFromInt(1)
	identity = ratio{num: one, den: one, rate: Rate{Value: one}}
)

// NewTable makes a table of fixed rates and of sets in order of preference. It keeps the sets: don't change them later.
func NewTable(fixed []FixedRate, sets []Set) *Table {
	t := &Table{
		sets:     slices.Clone(sets),
		declared: slices.Clone(fixed),
		fixed:    map[pair]ratio{},
		hops:     map[string][]string{},
		found:    map[pair]ratio{},
	}
	for _, f := range fixed {
		if f.Rate.IsPositive() {
			t.declare(Currency(f.From), Currency(f.To), f.Rate, one)
		}
	}
	// Inverse rates come after all declared ones, which win over them.
	for _, f := range fixed {
		if f.Rate.IsPositive() {
			t.declare(Currency(f.To), Currency(f.From), one, f.Rate)
		}
	}
	return t
}

// declare adds a fixed rate, unless there is one for the pair.
func (t *Table) declare(from, to string, num, den decimal.Decimal) {
	p := pair{from, to}
	if _, ok := t.fixed[p]; ok || from == to {
		return
	}
	t.fixed[p] = newRatio(num, den, Rate{Source: SourceFixed})
	t.hops[from] = append(t.hops[from], to)
}

// Sets returns the sets that the table was made of, in order of preference.
func (t *Table) Sets() []Set {
	if t == nil {
		return nil
	}
	return slices.Clone(t.sets)
}

// Fixed returns the fixed rates that the table was made of, as they were declared.
func (t *Table) Fixed() []FixedRate {
	if t == nil {
		return nil
	}
	return slices.Clone(t.declared)
}

// Known reports whether any source has the currency.
func (t *Table) Known(currency string) bool {
	if t == nil {
		return false
	}
	return len(t.hops[currency]) > 0 || slices.ContainsFunc(t.sets, func(s Set) bool {
		_, ok := s.worth(currency)
		return ok
	})
}

// Rate returns what one unit of from is worth in to. Its value is exact when it was given so; a cross or inverse rate's
// is rounded to at least 18 significant digits, and its date is the one of the set that it came from.
func (t *Table) Rate(from, to string) (Rate, bool) {
	r, ok := t.ratio(from, to)
	return r.rate, ok
}

// Convert returns the amount in the currency to: multiplied with the exact rate, then rounded half-even to [Scale]
// decimals (docs/semantics.md §5). Without a rate the amount is pending.
func (t *Table) Convert(original decimal.Decimal, currency, to string) Amount {
	a := Amount{Original: original, Currency: currency}
	r, ok := t.ratio(currency, to)
	if !ok {
		return a
	}
	converted := original
	if currency != to {
		converted = divideHalfEven(original.Mul(r.num), r.den, Scale)
	} else if original.Exponent() < -Scale {
		converted = original.RoundBank(Scale)
	}
	a.Converted, a.Rate = &converted, r.rate
	return a
}

// ratio is lookUp, cached.
func (t *Table) ratio(from, to string) (ratio, bool) {
	if from == to {
		return identity, true
	}
	if t == nil {
		return ratio{}, false
	}
	p := pair{from, to}
	t.mu.RLock()
	r, ok := t.found[p]
	t.mu.RUnlock()
	if ok {
		return r, true
	}
	if r, ok = t.lookUp(p); ok {
		t.mu.Lock()
		t.found[p] = r
		t.mu.Unlock()
	}
	return r, ok
}

func (t *Table) lookUp(p pair) (ratio, bool) {
	if r, ok := t.direct(p); ok {
		return r, true
	}
	for _, via := range t.hops[p.from] {
		if rest, ok := t.direct(pair{via, p.to}); ok {
			return join(t.fixed[pair{p.from, via}], rest), true
		}
	}
	for _, via := range t.hops[p.to] {
		if rest, ok := t.direct(pair{p.from, via}); ok {
			return join(t.fixed[pair{via, p.to}], rest), true
		}
	}
	return ratio{}, false
}

// direct finds a rate in one source.
func (t *Table) direct(p pair) (ratio, bool) {
	if r, ok := t.fixed[p]; ok {
		return r, true
	}
	for _, s := range t.sets {
		from, ok := s.worth(p.from)
		if !ok {
			continue
		}
		if to, ok := s.worth(p.to); ok {
			return newRatio(to, from, Rate{Date: s.Date, Source: s.Source}), true
		}
	}
	return ratio{}, false
}

// worth returns how many units of the currency one unit of the set's base is worth.
func (s Set) worth(currency string) (decimal.Decimal, bool) {
	if currency == s.Base {
		return one, true
	}
	d, ok := s.Rates[currency]
	return d, ok && d.IsPositive()
}

// join makes one rate of a fixed one and the rest of the way.
func join(fixed, rest ratio) ratio {
	from := rest.rate
	if from.Source != SourceFixed {
		from.Source = SourceFixed + "+" + from.Source
	}
	return newRatio(fixed.num.Mul(rest.num), fixed.den.Mul(rest.den), from)
}

func newRatio(num, den decimal.Decimal, rate Rate) ratio {
	rate.Value = quotient(num, den)
	return ratio{num: num, den: den, rate: rate}
}
