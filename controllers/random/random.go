// Package random makes keys, tokens and ids from the system's randomness. It is the only source of them, so that the
// packages which decide when one is needed stay pure.
package random

import (
	"crypto/rand"
	"strings"

	"github.com/postback-dev/postback-operator/controllers/credential"
)

// Source returns what makes credentials and ids.
func Source() credential.Source { return credential.Source{Key: newKey, ID: newID} }

// newKey returns 26 lower-case letters and digits, at least 128 random bits, safe in a URL as it is.
func newKey() string { return strings.ToLower(rand.Text()) }

// newID returns 12 lower-case letters and digits. It says nothing about the credential.
func newID() string { return strings.ToLower(rand.Text()[:12]) }
