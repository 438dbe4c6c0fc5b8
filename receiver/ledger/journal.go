package ledger

import (
	"slices"
	"strings"

	"github.com/google/uuid"
)

// InVersionOrder puts the versions of each conversion into their order, and leaves everything else where it is: rows
// that are sorted by the transactions that wrote them are not sorted by version, since a transaction that gets its
// number first may get the row's lock last.
func InVersionOrder(rows []Received) {
	places := map[uuid.UUID][]int{}
	for i := range rows {
		if rows[i].Version > 0 {
			places[rows[i].Conversion] = append(places[rows[i].Conversion], i)
		}
	}
	for _, at := range places {
		byVersion := func(a, b int) int { return rows[a].Version - rows[b].Version }
		if slices.IsSortedFunc(at, byVersion) {
			continue
		}
		versions := make([]Received, len(at))
		for i, place := range slices.SortedFunc(slices.Values(at), byVersion) {
			versions[i] = rows[place]
		}
		for i, place := range at {
			rows[place] = versions[i]
		}
	}
}

// clip returns the beginning of a text that fits into so many bytes, in whole characters.
func clip(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	return strings.ToValidUTF8(text[:bytes], "")
}
