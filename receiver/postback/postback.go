// Package postback owns what one HTTP request means: its parameters, who may send it, what it asks for under an endpoint's
// configuration, and how it is answered (docs/semantics.md §2, §3 steps 2-11, §7). What becomes of a slot is package
// conversion's. It is pure: no clock, no store, no network, and it must not import net/http.
package postback

import (
	"fmt"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Bounds of a request (docs/semantics.md §2). The listener enforces the first two as well, before it reads on.
const (
	MaxURLBytes  = 16 << 10
	MaxBodyBytes = 64 << 10
	// MaxParameters bounds the pairs in query and body together, repetitions included.
	MaxParameters = 200
	// MaxValueBytes bounds one decoded name and one decoded value.
	MaxValueBytes = 2 << 10
)

// RequestError is why a request cannot be read at all. Its text may be shown to the sender: it holds nothing of the request.
type RequestError struct {
	// Status is the HTTP status to answer with: 400, 413 or 414.
	Status int
	// Reason is conversion.RequestTooLarge or conversion.RequestUnreadable.
	Reason  conversion.Reason
	Message string
}

// Error implements error.
func (e *RequestError) Error() string { return e.Message }

func tooLarge(status int, format string, args ...any) error {
	return &RequestError{Status: status, Reason: conversion.RequestTooLarge, Message: fmt.Sprintf(format, args...)}
}

func unreadable(message string) error {
	return &RequestError{Status: 400, Reason: conversion.RequestUnreadable, Message: message}
}
