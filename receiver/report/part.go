package report

import "time"

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
	p.Cells, p.Parts = true, p.parts()
}

// maxListed bounds the slots that a part lists.
const maxListed = 5000

// Part is what a report needs of the cells of one length.
type Part struct {
	// Level is the index of their length in [CellSpans].
	Level int
	// From (inclusive) and To (exclusive) bound the slots; Slots are those that are wanted, nil for all.
	From, To int64
	Slots    []int64
}

// parts divides the time of the plan into the longest cells that are within it and within one of its days or hours
// each.
func (p *Plan) parts() []Part {
	ranges := make([]slotRanges, len(CellSpans))
	if !p.Quarters {
		divide(ranges, SlotOf(p.From), SlotOf(p.To))
	}
	step := int64(p.Step / time.Second)
	for i, offset := range p.Offsets {
		end := p.To.Unix()
		if i+1 < len(p.Offsets) {
			end = p.Offsets[i+1].From
		}
		for from := offset.From; from < end; {
			to := min(end, (floor(from+offset.Seconds, step)+1)*step-offset.Seconds)
			divide(ranges, halfHours(from), halfHours(to))
			from = to
		}
	}
	var parts []Part
	for level, r := range ranges {
		part, ok := r.part(level)
		if !ok { // A longer list than a statement should have: half hours do.
			return []Part{{From: SlotOf(p.From), To: SlotOf(p.To)}}
		}
		if part.From < part.To {
			parts = append(parts, part)
		}
	}
	return parts
}

// divide takes half hours into the longest cells that fit, and what is left on either side into shorter ones. There is
// a list for each length.
func divide(ranges []slotRanges, from, to int64) {
	level := len(ranges) - 1
	if from >= to || level < 0 {
		return
	}
	span := CellSpans[level]
	first, end := -floor(-from, span), floor(to, span)
	if first >= end {
		divide(ranges[:level], from, to)
		return
	}
	ranges[level].add(first, end)
	divide(ranges[:level], from, first*span)
	divide(ranges[:level], end*span, to)
}

// slotRanges are ranges of slots from the least, that do not touch.
type slotRanges []slotRange

// slotRange is from from, inclusive, to to, exclusive.
type slotRange struct{ from, to int64 }

func (r *slotRanges) add(from, to int64) {
	if last := len(*r) - 1; last >= 0 && (*r)[last].to == from {
		(*r)[last].to = to
		return
	}
	*r = append(*r, slotRange{from, to})
}

// part returns an empty part for no ranges; false if it would list too many slots.
func (r slotRanges) part(level int) (Part, bool) {
	if len(r) == 0 {
		return Part{}, true
	}
	part := Part{Level: level, From: r[0].from, To: r[len(r)-1].to}
	if len(r) == 1 {
		return part, true
	}
	for _, one := range r {
		if one.to-one.from > maxListed-int64(len(part.Slots)) {
			return Part{}, false
		}
		for slot := one.from; slot < one.to; slot++ {
			part.Slots = append(part.Slots, slot)
		}
	}
	return part, true
}

// floor divides, rounding down.
func floor(n, by int64) int64 {
	quotient := n / by
	if n%by < 0 {
		quotient--
	}
	return quotient
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
