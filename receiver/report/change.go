package report

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// CellSpan is the length of the slots of cells: what most zones' offsets are a multiple of.
const CellSpan = 30 * time.Minute

// SlotOf returns the slot of a moment: how many half hours have passed since 1970.
func SlotOf(t time.Time) int64 {
	return halfHours(t.Unix())
}

func halfHours(unix int64) int64 { return floor(unix, int64(CellSpan/time.Second)) }

// ChangeKey is what a [Change] is about: clicks, or conversions of one type, of one campaign.
type ChangeKey struct {
	Campaign, Currency string
	// Type of the conversions; empty for clicks.
	Type string
	// Click is the slot of the clicks, or of the conversions' clicks; conversions without one have their own.
	Click int64
	// Conversion is the slot of the conversions.
	Conversion int64
}

// Amounts is what is added up: see [Fact].
type Amounts struct {
	Rows, Pending, Unique int64
	Amount                decimal.Decimal
}

func (a *Amounts) add(other Amounts, sign int64) {
	a.Rows += sign * other.Rows
	a.Pending += sign * other.Pending
	a.Unique += sign * other.Unique
	if sign < 0 {
		a.Amount = a.Amount.Sub(other.Amount)
	} else {
		a.Amount = a.Amount.Add(other.Amount)
	}
}

func (a *Amounts) isZero() bool {
	return a.Rows == 0 && a.Pending == 0 && a.Unique == 0 && a.Amount.IsZero()
}

// Changes are what writes have changed in the clicks and conversions of one endpoint. The zero value is no change.
type Changes struct{ sums map[ChangeKey]*Amounts }

// Click takes down that now has taken the place of before; either may be nil. Tests count for nothing.
func (c *Changes) Click(before, now *conversion.Click) {
	c.addClick(before, -1)
	c.addClick(now, 1)
}

func (c *Changes) addClick(click *conversion.Click, sign int64) {
	if click == nil || click.Test {
		return
	}
	one := Amounts{Rows: 1}
	if click.Unique {
		one.Unique = 1
	}
	switch {
	case click.Cost == nil:
	case click.Cost.Pending():
		one.Pending = 1
	default:
		one.Amount = *click.Cost.Converted
	}
	c.add(ChangeKey{Campaign: click.Campaign, Click: SlotOf(click.Time)}, one, sign)
}

// Conversion takes down that now has taken the place of before; either may be nil. Tests count for nothing.
func (c *Changes) Conversion(before, now *conversion.Conversion) {
	c.addConversion(before, -1)
	c.addConversion(now, 1)
}

func (c *Changes) addConversion(of *conversion.Conversion, sign int64) {
	if of == nil || of.Test {
		return
	}
	key := ChangeKey{
		Campaign:   of.Campaign,
		Currency:   of.EndpointCurrency,
		Type:       of.Type,
		Click:      SlotOf(of.ConversionTime),
		Conversion: SlotOf(of.ConversionTime),
	}
	if !of.ClickTime.IsZero() {
		key.Click = SlotOf(of.ClickTime)
	}
	one := Amounts{Rows: 1}
	if of.Payout.Pending() {
		one.Pending = 1
	} else {
		one.Amount = *of.Payout.Converted
	}
	c.add(key, one, sign)
}

func (c *Changes) add(key ChangeKey, one Amounts, sign int64) {
	if c.sums == nil {
		c.sums = map[ChangeKey]*Amounts{}
	}
	sum := c.sums[key]
	if sum == nil {
		sum = &Amounts{}
		c.sums[key] = sum
	}
	sum.add(one, sign)
}

// Encode returns the changes as bytes, nil if there is none after all.
func (c *Changes) Encode() []byte {
	var data []byte
	text := func(s string) {
		data = binary.AppendUvarint(data, uint64(len(s)))
		data = append(data, s...)
	}
	for key, sum := range c.sums {
		if sum.isZero() {
			continue
		}
		text(key.Campaign)
		text(key.Currency)
		text(key.Type)
		for _, n := range [...]int64{key.Click, key.Conversion, sum.Rows, sum.Pending, sum.Unique} {
			data = binary.AppendVarint(data, n)
		}
		text(sum.Amount.String())
	}
	return data
}

// errChanges means that a store has changed what it was given to keep.
var errChanges = errors.New("changes of cells cannot be read")

// Decode adds what [Changes.Encode] has returned.
func (c *Changes) Decode(data []byte) error {
	broken := false
	number := func() int64 {
		n, size := binary.Varint(data)
		if size <= 0 {
			broken, data = true, nil
			return 0
		}
		data = data[size:]
		return n
	}
	text := func() string {
		n, size := binary.Uvarint(data)
		if size <= 0 || n > uint64(len(data)-size) { //nolint:gosec // size is at most the data's length
			broken, data = true, nil
			return ""
		}
		s := string(data[size : size+int(n)]) //nolint:gosec // bounded by the length of data
		data = data[size+int(n):]             //nolint:gosec // the same
		return s
	}
	for len(data) > 0 {
		key := ChangeKey{Campaign: text(), Currency: text(), Type: text(), Click: number(), Conversion: number()}
		sum := Amounts{Rows: number(), Pending: number(), Unique: number()}
		amount, err := decimal.NewFromString(text())
		if broken || err != nil {
			return errChanges
		}
		sum.Amount = amount
		c.add(key, sum, 1)
	}
	return nil
}
