package space

import (
	"fmt"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Spool is a spool that hands on what its volume has room for.
type Spool struct {
	ledger.Spool
	Volume *Volume
}

// Append implements [ledger.Spool]: with as much of the rows as there is room for, or not at all, [ErrNoSpace].
func (s Spool) Append(postbacks []ledger.Postback) error {
	level := s.Volume.Level()
	if level >= NoPostbacks {
		return fmt.Errorf("spooling: %w", ErrNoSpace)
	}
	if level >= NoQueries {
		whole := postbacks
		postbacks = make([]ledger.Postback, len(whole))
		for i, p := range whole {
			postbacks[i] = level.Shorten(p)
		}
	}
	return s.Spool.Append(postbacks)
}

// Status implements [ledger.Spool]. A spool without room takes nothing.
func (s Spool) Status() ledger.SpoolStatus {
	status, volume := s.Spool.Status(), s.Volume.Status()
	if status.FailingSince.IsZero() && volume.Level >= NoPostbacks {
		status.FailingSince = volume.Since
	}
	return status
}
