package server

import (
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Observer observes what becomes of the requests. It must be quick and safe for concurrent use.
type Observer interface {
	// Postback is called for every postback that got its outcome, and how long the reply took.
	Postback(outcome conversion.Outcome, reason conversion.Reason, took time.Duration)
	// Unstored is called for every postback that was answered with a server error, for the sender to repeat.
	Unstored()
	// WrongKey is called for every request whose key, or path, belongs to no endpoint.
	WrongKey()
	// InFlight is called with +1 when a request past the key begins and -1 when it ends.
	InFlight(delta int)
}
