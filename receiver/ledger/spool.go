package ledger

import "time"

// Spool is a durable queue that takes postbacks while the store is away: see [Options.Spool]. All methods may be called
// concurrently.
type Spool interface {
	// Append adds postbacks at the end: all of them, durable when it returns nil, or none.
	Append([]Postback) error
	// Next returns the first records that were not removed, at most limit, in the order in which they were appended.
	Next(limit int) ([]SpooledPostback, error)
	// Remove forgets all records up to and including that one. After an error they may come again with the next process,
	// but not in this one.
	Remove(through int64) error
	// DeadLetter takes one record out of the queue and keeps it aside with the reason.
	DeadLetter(seq int64, reason error) error
	// Len is how many records Next has yet to return or that were not removed since.
	Len() int
	Status() SpoolStatus
}

// SpooledPostback is a record of a spool.
type SpooledPostback struct {
	// Seq grows with every record and is never used again.
	Seq int64
	Postback
}

// SpoolStatus is what a spool says about itself.
type SpoolStatus struct {
	// Postbacks that wait for the store.
	Postbacks int
	// Bytes that the records take, dead letters included, and their Limit.
	Bytes, Limit int64
	// Oldest is when the first of them was received; zero while there are none.
	Oldest time.Time
	// Dead counts the dead letters.
	Dead int
	// Missing counts the acknowledged postbacks that were not there any more when the spool was opened.
	Missing int64
	// FailingSince is when the spool began to take nothing; zero while it does.
	FailingSince time.Time
}
