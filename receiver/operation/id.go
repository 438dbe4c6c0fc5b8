package operation

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// RowID returns the id of a row's line in the received log: a UUIDv8 of the first 48 bits of a moment, as in a UUIDv7,
// and of 18 bits of the row's number, so that the log stays in order; the rest is of the SHA-256 of both and the
// operation.
func RowID(at time.Time, operation uuid.UUID, number int) uuid.UUID {
	return hashed(at, "row", operation, number)
}

// conversionID returns the id of the conversion that the row may begin: of the time that the conversion is to have.
func conversionID(at time.Time, operation uuid.UUID, number int) uuid.UUID {
	return hashed(at, "conversion", operation, number)
}

func hashed(at time.Time, use string, operation uuid.UUID, number int) uuid.UUID {
	text := append([]byte(use), operation[:]...)
	text = binary.BigEndian.AppendUint64(text, uint64(number)) //nolint:gosec // a count
	sum := sha256.Sum256(text)
	id := ledger.FirstID(at)
	copy(id[9:], sum[:])
	n := uint(number)
	//nolint:gosec // a count of at most 18 bits
	id[6], id[7], id[8] = byte(n>>14)&0x0f|0x80, byte(n>>6), byte(n)&0x3f|0x80
	return id
}

// named returns what stands for a text wherever an id is wanted.
func named(use, text string) uuid.UUID {
	sum := sha256.Sum256([]byte(use + "\x00" + text))
	id := uuid.UUID(sum[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id
}
