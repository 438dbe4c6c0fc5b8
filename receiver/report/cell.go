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

// CellKey tells cells apart.
type CellKey struct {
	Endpoint           string
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

// Cell is the sum of the clicks or conversions of one half hour and campaign.
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

func (c *Cells) add(key CellKey, column int, sum Amounts, sign int64) {
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

// Offset is that of the report's zone from a moment on.
type Offset struct {
	From    int64
	Seconds int64
}

// maxOffsets bounds how often clocks may change in the range of a report from cells.
const maxOffsets = 64

// fitCells completes the plan with what cells need, if they can serve it: they know endpoints, campaigns and half
// hours.
func (p *Plan) fitCells(zone *time.Location) {
	for _, field := range p.Fields {
		if field != Endpoint && field != Campaign {
			return
		}
	}
	for _, f := range p.Filters {
		if f.Field != Endpoint && f.Field != Campaign {
			return
		}
	}
	if !onHalfHour(p.From) || !onHalfHour(p.To) {
		return
	}
	if p.Quarters {
		if p.Offsets = offsets(zone, p.From, p.To); p.Offsets == nil {
			return
		}
	}
	p.Cells = true
}

// offsets returns those of the zone from a moment on; nil where half hours are not enough.
func offsets(zone *time.Location, from, to time.Time) (all []Offset) {
	for at := from.In(zone); at.Before(to); {
		_, seconds := at.Zone()
		all = append(all, Offset{at.Unix(), int64(seconds)})
		_, end := at.ZoneBounds()
		last := end.IsZero() || !end.Before(to)
		if seconds%int(CellSpan/time.Second) != 0 || len(all) > maxOffsets || !last && !onHalfHour(end) {
			return nil
		}
		if last {
			break
		}
		at = end.In(zone)
	}
	return all
}

func onHalfHour(t time.Time) bool {
	return t.Nanosecond() == 0 && t.Unix()%int64(CellSpan/time.Second) == 0
}
