package operation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/operation"
)

func TestRowsHaveIDsInTheirOrder(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	one, other := uuid.New(), uuid.New()
	var before uuid.UUID
	for n := range 2 * operation.MaxRows {
		id := operation.RowID(at, one, n+1)
		if slices.Compare(id[:], before[:]) <= 0 || id.Version() != 8 || id.Variant() != uuid.RFC4122 {
			t.Fatalf("row %d: %s behind %s", n+1, id, before)
		}
		before = id
	}
	if first := operation.RowID(at, one, 1); first != operation.RowID(at, one, 1) ||
		first == operation.RowID(at, other, 1) {
		t.Error("an id is not that of its operation and row")
	}
	late := operation.RowID(at.Add(time.Millisecond), one, 1)
	if slices.Compare(late[:], before[:]) <= 0 {
		t.Error("a later row has a lesser id")
	}
}
