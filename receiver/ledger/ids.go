package ledger

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// IDSlack is by how much the time in an id may differ from the time of its row, which is read from the clock
// separately.
const IDSlack = time.Hour

// FirstID returns what no UUIDv7 of t's millisecond or later is less than, so that an index on ids serves for times as
// well. Times before 1970 count as 1970.
func FirstID(t time.Time) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], uint64(max(t.UnixMilli(), 0))<<16)
	return id
}

// IDs gives the ids of one receiver's rows: UUIDv7, each greater than the one before, also when the clock stands still
// or is put back a little. When it is put back further the ids follow it, or times could not be found by ids any more.
// It may be used concurrently.
type IDs struct {
	clock func() time.Time
	last  atomic.Int64
}

// idTicks are the parts of a millisecond that an id tells apart, in 12 bits.
const idTicks = 1 << 12

// NewIDs returns ids that go by clock.
func NewIDs(clock func() time.Time) *IDs { return &IDs{clock: clock} }

// Next returns the next id.
func (i *IDs) Next() uuid.UUID {
	id := uuid.New() // Its random bits stay.
	now := i.clock()
	at := max(now.UnixMilli(), 0)*idTicks + int64(now.Nanosecond()%int(time.Millisecond))*idTicks/int64(time.Millisecond)
	for {
		last := i.last.Load()
		next := max(at, last+1)
		if next-at > int64(IDSlack/2/time.Millisecond)*idTicks {
			next = at
		}
		if i.last.CompareAndSwap(last, next) {
			//nolint:gosec // not negative
			binary.BigEndian.PutUint64(id[:8], uint64(next/idTicks)<<16|0x7000|uint64(next%idTicks))
			return id
		}
	}
}
