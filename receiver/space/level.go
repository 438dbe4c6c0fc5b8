package space

import "github.com/postback-dev/postback-operator/receiver/ledger"

// Level says what a volume has no room for. Each level includes those before it.
type Level int

// The levels, in the order in which a volume that fills up gets to them.
const (
	// Everything is recorded.
	Everything Level = iota
	// NoClicks: clicks are not recorded, nor updated. Visitors get to the offer.
	NoClicks
	// NoQueries: rows of the received log have neither query nor body, so that those postbacks cannot be judged again.
	NoQueries
	// NoPostbacks: postbacks are refused, for their senders to repeat.
	NoPostbacks
)

// String says in a few words what is given up.
func (l Level) String() string {
	switch l {
	case NoClicks:
		return "clicks are not recorded"
	case NoQueries:
		return "clicks are not recorded, and the received log keeps no queries and bodies"
	case NoPostbacks:
		return "neither clicks nor postbacks are recorded"
	}
	return "everything is recorded"
}

const (
	// mostReserve and reserveShare bound the reserve that a volume has by default: the lesser of the two.
	mostReserve  = 256 << 20
	reserveShare = 20
)

// Room is what a volume has for a store's files, in bytes.
type Room struct {
	// Free and Total are the file system's.
	Free, Total int64
	// Reusable is free within the files themselves.
	Reusable int64
}

// Level decides what is recorded, given a reserve in bytes; 0 = a twentieth of the volume, at most 256 MiB. Once less
// than the reserve is left clicks are given up, below half of it queries and bodies, below a quarter postbacks.
//
// A store grows into what is reusable within its files first. For its log, which comes before, it needs free space all
// the same: so what is reusable counts for no more than three times what is free.
func (r Room) Level(reserve int64) Level {
	if reserve <= 0 {
		reserve = min(mostReserve, r.Total/reserveShare)
	}
	left := r.Free + min(r.Reusable, 3*r.Free)
	switch {
	case left >= reserve:
		return Everything
	case left >= reserve/2:
		return NoClicks
	case left >= reserve/4:
		return NoQueries
	}
	return NoPostbacks
}

// Shorten returns the postback with as much of its row as there is room for.
func (l Level) Shorten(p ledger.Postback) ledger.Postback {
	if l >= NoQueries {
		p.Log.Query, p.Log.Body = "", ""
	}
	return p
}
