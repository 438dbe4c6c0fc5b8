// Package macro owns how the values of macros are written, in S2S postbacks and in offer URLs (docs/semantics.md §6).
// It is pure: time and randomness are arguments. Which macros there are is the contract's, what they stand for package
// rule's and package visit's.
package macro

import (
	"crypto/md5"  //nolint:gosec // Traffic sources ask for it; nothing is kept safe by it here.
	"crypto/sha1" //nolint:gosec // Likewise.
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Random writes a number of the range, or ten digits without one.
func Random(r *config.Range, random uint64) string {
	if r == nil {
		return strconv.FormatUint(1e9+random%9e9, 10)
	}
	return strconv.FormatUint(r.From+random%(r.To-r.From+1), 10)
}

// Hash writes the hash of a value as lower-case hex. The value is trimmed and in lower case, as traffic sources ask for
// it; an empty one stays empty.
func Hash(hash config.Hash, value string) string {
	value = strings.ToLower(strings.TrimSpace(value))
	if value == "" {
		return ""
	}
	switch hash {
	case config.HashMD5:
		sum := md5.Sum([]byte(value)) //nolint:gosec // See above.
		return hex.EncodeToString(sum[:])
	case config.HashSHA1:
		sum := sha1.Sum([]byte(value)) //nolint:gosec // See above.
		return hex.EncodeToString(sum[:])
	default:
		sum := sha256.Sum256([]byte(value))
		return hex.EncodeToString(sum[:])
	}
}
