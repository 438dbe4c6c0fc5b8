package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
)

func paid(amount string) money.Amount {
	value := dec(amount)
	return money.Amount{Original: value, Currency: "USD", Converted: &value}
}

func sale(amount string) *conversion.Conversion {
	return &conversion.Conversion{
		Type: "sale", Payout: paid(amount), EndpointCurrency: "USD", Campaign: "spring",
		ClickTime: time.Unix(1799, 0), ConversionTime: time.Unix(3600, 0),
	}
}

// folded returns the facts of the cells of half hours that the changes make, each cell by itself. It fails unless the
// longer ones have the same sums.
func folded(t *testing.T, change func(*Changes)) []Fact {
	t.Helper()
	var changes, decoded Changes
	change(&changes)
	if err := decoded.Decode(changes.Encode()); err != nil {
		t.Fatal(err)
	}
	cells := NewCells()
	cells.Add("a/shop", &decoded, 1)
	var facts []Fact
	sums := map[CellKey]int64{}
	for _, cell := range cells.Sorted() {
		level := int64(cell.Basis) / bases
		day := cell.CellKey
		day.Basis, day.Slot = cell.Basis%bases, floor(cell.Slot*CellSpans[level], CellSpans[len(CellSpans)-1])
		sign := int64(1)
		if level > 0 {
			sign = -1
		}
		for i, n := range cell.Counts {
			sums[day] += sign * (n + cell.Sums[i].Shift(6).IntPart()) * []int64{2, 1, 1}[level]
		}
		if level > 0 {
			continue
		}
		facts = append(facts, cell.Facts(time.Unix(cell.Slot*1800, 0), []string{cell.Campaign})...)
	}
	for day, rest := range sums {
		if rest != 0 {
			t.Errorf("the cells of half hours and the longer ones differ by %d on %+v", rest, day)
		}
	}
	return facts
}

func TestWhatChangesBecomeOfCells(t *testing.T) {
	cost := paid("0.5")
	click := &conversion.Click{Time: time.Unix(-1, 0), Campaign: "spring", Unique: true, Cost: &cost}
	fact := func(slot int64, f Fact) Fact {
		f.Slot, f.Values, f.Endpoint = time.Unix(slot, 0), []string{"spring"}, "a/shop"
		return f
	}
	test, vip, testClick := *sale("7"), *sale("7"), *click
	testClick.Test = true
	test.Test, vip.Type, vip.Payout = true, "vip", money.Amount{Original: dec("1"), Currency: "RUB"}
	for name, c := range map[string]struct {
		change func(*Changes)
		want   []Fact
	}{
		"a click, before 1970": {func(c *Changes) { c.Click(nil, click) },
			[]Fact{fact(-1800, Fact{Rows: 1, Unique: 1, Amount: dec("0.5")})}},
		"a click that stays as it is": {func(c *Changes) { c.Click(click, click) }, nil},
		"a conversion is in two cells": {func(c *Changes) { c.Conversion(nil, sale("7")) }, []Fact{
			fact(0, Fact{Currency: "USD", Type: "sale", Rows: 1, Amount: dec("7")}),
			fact(3600, Fact{Currency: "USD", Type: "sale", Rows: 1, Amount: dec("7")}),
		}},
		"another payout": {func(c *Changes) { c.Conversion(sale("7"), sale("9")) }, []Fact{
			fact(0, Fact{Currency: "USD", Type: "sale", Amount: dec("2")}),
			fact(3600, Fact{Currency: "USD", Type: "sale", Amount: dec("2")}),
		}},
		"a test click counts for nothing": {func(c *Changes) { c.Click(nil, &testClick) }, nil},
		"a test counts for nothing":       {func(c *Changes) { c.Conversion(nil, &test) }, nil},
		"what becomes a test is taken away": {func(c *Changes) { c.Conversion(sale("7"), &test) }, []Fact{
			fact(0, Fact{Currency: "USD", Type: "sale", Rows: -1, Amount: dec("-7")}),
			fact(3600, Fact{Currency: "USD", Type: "sale", Rows: -1, Amount: dec("-7")}),
		}},
		"a custom type that waits for a rate": {func(c *Changes) { c.Conversion(nil, &vip) }, []Fact{
			fact(0, Fact{Currency: "USD", Type: "vip", Rows: 1, Pending: 1}),
			fact(3600, Fact{Currency: "USD", Type: "vip", Rows: 1, Pending: 1}),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, folded(t, c.change)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzChangesThatCannotBeReadAreRefused(f *testing.F) {
	var changes Changes
	changes.Conversion(nil, sale("12.5"))
	f.Add(changes.Encode())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		var read, again Changes
		if read.Decode(data) != nil {
			return
		}
		if err := again.Decode(read.Encode()); err != nil {
			t.Errorf("what was read cannot be written and read again: %v", err)
		}
	})
}
