package report

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestEachHalfHourIsInOnePart takes random ranges and checks that the parts have each half hour of them once, and that
// no cell is of two days.
func TestEachHalfHourIsInOnePart(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "Europe/Moscow", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe",
		"America/Santiago", "Africa/Cairo", "Pacific/Apia"}
	start := time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 300 {
		zone, err := time.LoadLocation(zones[rand.IntN(len(zones))])
		if err != nil {
			t.Fatal(err)
		}
		from := start.Add(time.Duration(rand.IntN(48*365*10)) * CellSpan)
		q := Query{
			Zone: zone, Basis: ByClick, From: from, To: from.Add(time.Duration(1+rand.IntN(48*200)) * CellSpan),
			Groups: [][]Dimension{{Day}, {Hour}, {Week}, {Campaign}}[rand.IntN(4)],
		}
		checkParts(t, q)
	}
}

func checkParts(t *testing.T, q Query) {
	t.Helper()
	plan := q.Plan()
	if !plan.Cells {
		t.Fatalf("%v to %v: cells do not serve it", q.From, q.To)
	}
	seen := map[int64]int{}
	for _, part := range plan.Parts {
		span := CellSpans[part.Level]
		take := func(slot int64) {
			first := time.Unix(slot*span*1800, 0).In(q.Zone)
			last := first.Add(time.Duration(span)*CellSpan - 1)
			if label := labels[q.Groups[0]]; label != nil && label(first) != label(last) {
				t.Errorf("%v: a cell is from %v to %v", q.Groups, first, last)
			}
			for half := slot * span; half < (slot+1)*span; half++ {
				seen[half]++
			}
		}
		if part.Slots == nil {
			for slot := part.From; slot < part.To; slot++ {
				take(slot)
			}
		}
		for _, slot := range part.Slots {
			if slot < part.From || slot >= part.To {
				t.Errorf("slot %d is not within its part, %d to %d", slot, part.From, part.To)
			}
			take(slot)
		}
	}
	for half := SlotOf(q.From); half < SlotOf(q.To); half++ {
		if seen[half] != 1 {
			t.Fatalf("%v of %v: the half hour of %v is counted %d times", q.Groups, q.Zone, time.Unix(half*1800, 0),
				seen[half])
		}
		delete(seen, half)
	}
	if len(seen) > 0 {
		t.Errorf("%d half hours are outside the range", len(seen))
	}
}

func TestDaysAreServedByTheLongestCells(t *testing.T) {
	winter := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		zone         string
		parts, slots int
	}{
		"days of UTC are one range of days":                  {"UTC", 1, 0},
		"three hours serve all of Moscow's":                  {"Europe/Moscow", 1, 0},
		"Berlin's are three hours, and half hours around it": {"Europe/Berlin", 2, 90 * 7},
		"three hours are of two days nowhere in Kolkata":     {"Asia/Kolkata", 2, 90 * 7},
	} {
		t.Run(name, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			from := midnight(winter.In(zone))
			q := Query{Zone: zone, Basis: ByClick, Groups: []Dimension{Day}, From: from, To: from.AddDate(0, 0, 90)}
			parts := q.Plan().Parts
			if len(parts) != c.parts || len(parts[len(parts)-1].Slots) != c.slots {
				t.Errorf("%d parts, the last with %d slots; want %d and %d", len(parts), len(parts[len(parts)-1].Slots),
					c.parts, c.slots)
			}
		})
	}
}

func TestALongListIsNotWritten(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2015, 1, 1, 0, 0, 0, 0, zone)
	q := Query{Zone: zone, Basis: ByClick, Groups: []Dimension{Day}, From: from, To: from.AddDate(10, 0, 0)}
	if parts := q.Plan().Parts; len(parts) != 1 || parts[0].Slots != nil || parts[0].Level != 0 {
		t.Errorf("%d parts", len(parts))
	}
}
