package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// CellBasis says what a cell counts, as stores keep it.
type CellBasis int64

// The kinds of cells. A conversion is in one cell at the slot of its click and in another one at its own.
const (
	CellVisits CellBasis = iota
	CellByClick
	CellByConversion
)

// bases is how many kinds of cells there are of each length.
const bases = 3

// CellSpans are the lengths of cells' slots in half hours, from the least: every change is in cells of each length, so
// that a report of a quarter of a year need not add up half hours. Days of UTC serve zones without offset; three hours
// serve most of the time of a day of any other zone.
var CellSpans = [...]int64{1, 6, 48}

// Of returns how stores keep the basis of cells whose length is CellSpans[level].
func (b CellBasis) Of(level int) CellBasis { return b + CellBasis(bases*level) }

// CellKey tells cells apart.
type CellKey struct {
	Endpoint string
	// Basis with the length of the slot, see [CellBasis.Of]. Slot counts such lengths since 1970.
	Basis              CellBasis
	Slot               int64
	Campaign, Currency string
	// Type is the custom type that the cell is of; empty for clicks, and for conversions of the built-in types, which
	// share a cell.
	Type string
}

// Compare orders keys, for locks.
func (k CellKey) Compare(other CellKey) int {
	return cmp.Or(
		strings.Compare(k.Endpoint, other.Endpoint),
		cmp.Compare(k.Basis, other.Basis),
		cmp.Compare(k.Slot, other.Slot),
		strings.Compare(k.Campaign, other.Campaign),
		strings.Compare(k.Currency, other.Currency),
		strings.Compare(k.Type, other.Type))
}

// CellTypes are the types that have columns of their own in a cell.
func CellTypes() []string { return config.BuiltinTypes() }

// Cell is the sum of the clicks or conversions of one slot and campaign.
type Cell struct {
	CellKey
	// Pending and Unique as in [Fact].
	Pending, Unique int64
	// Counts and Sums are of the clicks and their cost, or of the conversions of a custom type, then of [CellTypes].
	Counts []int64
	Sums   []decimal.Decimal
}

// Cells adds changes of endpoints up to changes of cells.
type Cells struct {
	types []string
	cells map[CellKey]*Cell
}

// NewCells returns no changes.
func NewCells() *Cells { return &Cells{types: CellTypes(), cells: map[CellKey]*Cell{}} }

// Add adds the changes of an endpoint, or takes them away if sign is -1.
func (c *Cells) Add(endpoint string, changes *Changes, sign int64) {
	for key, sum := range changes.sums {
		cell := CellKey{
			Endpoint: endpoint,
			Basis:    CellVisits,
			Slot:     key.Click,
			Campaign: key.Campaign,
			Currency: key.Currency,
		}
		if key.Type == "" {
			c.add(cell, 0, *sum, sign)
			continue
		}
		column := 1 + slices.Index(c.types, key.Type)
		if column == 0 {
			cell.Type = key.Type
		}
		cell.Basis = CellByClick
		c.add(cell, column, *sum, sign)
		cell.Basis, cell.Slot = CellByConversion, key.Conversion
		c.add(cell, column, *sum, sign)
	}
}

// add adds to the cells of every length that the half hour is in.
func (c *Cells) add(halfHour CellKey, column int, sum Amounts, sign int64) {
	for level, span := range CellSpans {
		key := halfHour
		key.Basis, key.Slot = halfHour.Basis.Of(level), floor(halfHour.Slot, span)
		c.addTo(key, column, sum, sign)
	}
}

func (c *Cells) addTo(key CellKey, column int, sum Amounts, sign int64) {
	cell := c.cells[key]
	if cell == nil {
		cell = &Cell{
			CellKey: key,
			Counts:  make([]int64, 1+len(c.types)),
			Sums:    make([]decimal.Decimal, 1+len(c.types)),
		}
		c.cells[key] = cell
	}
	at := Amounts{Rows: cell.Counts[column], Pending: cell.Pending, Unique: cell.Unique, Amount: cell.Sums[column]}
	at.add(sum, sign)
	cell.Counts[column], cell.Pending, cell.Unique, cell.Sums[column] = at.Rows, at.Pending, at.Unique, at.Amount
}

// Sorted returns what is to be added to the cells, in the order of their keys.
func (c *Cells) Sorted() []*Cell {
	sorted := make([]*Cell, 0, len(c.cells))
	for _, cell := range c.cells {
		sorted = append(sorted, cell)
	}
	slices.SortFunc(sorted, func(a, b *Cell) int { return a.Compare(b.CellKey) })
	return sorted
}

// Facts returns the cell, or a sum of cells, as facts with that time and those values.
func (c *Cell) Facts(slot time.Time, values []string) []Fact {
	var facts []Fact
	pending := c.Pending
	for column, rows := range c.Counts {
		fact := Fact{
			Slot:     slot,
			Values:   values,
			Endpoint: c.Endpoint,
			Currency: c.Currency,
			Type:     c.Type,
			Rows:     rows,
			Unique:   c.Unique,
			Amount:   c.Sums[column],
		}
		if column > 0 {
			fact.Type, fact.Unique = CellTypes()[column-1], 0
		}
		if rows == 0 && fact.Amount.IsZero() {
			continue
		}
		// Those that wait are not counted by type, and reports want their number only.
		fact.Pending, pending = pending, 0
		facts = append(facts, fact)
	}
	return facts
}
