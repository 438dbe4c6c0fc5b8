// Package credentials makes keys, tokens and ids from the system's randomness. It is the only source of them, so that the
// packages which decide when one is needed stay pure.
package credentials

import (
	"crypto/rand"
	"strings"
)

// NewKey returns a fresh postback key or click token: 26 lower-case letters and digits, at least 128 random bits, safe in a
// URL as it is.
func NewKey() string { return strings.ToLower(rand.Text()) }

// NewID returns a fresh id for a credential: 12 lower-case letters and digits. It says nothing about the credential.
func NewID() string { return strings.ToLower(rand.Text()[:12]) }
