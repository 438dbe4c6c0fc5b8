package ledger

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// IDSlack is by how much the time in an id may differ from the time of its row, which is read from the clock separately.
const IDSlack = time.Hour

// FirstID returns what no UUIDv7 of t's millisecond or later is less than, so that an index on ids serves for times as
// well. Times before 1970 count as 1970.
func FirstID(t time.Time) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], uint64(max(t.UnixMilli(), 0))<<16)
	return id
}
