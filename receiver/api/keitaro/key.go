package keitaro

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// minKey keeps keys from being guessed, in bytes. Keys that somebody thinks up are shorter.
const minKey = 24

// Wrong keys may come so fast; further ones are answered 429. A right one is always let in.
const (
	wrongPerSecond = 1
	wrongAtOnce    = 20
)

// Key authenticates scripts.
type Key struct {
	read  func() ([]byte, error)
	wrong *rate.Limiter
}

// NewKey returns the key that read returns now and whenever a request comes, so that a rotated one counts at once. It
// fails when there is no usable one now.
func NewKey(read func() ([]byte, error)) (*Key, error) {
	k := &Key{read: read, wrong: rate.NewLimiter(wrongPerSecond, wrongAtOnce)}
	_, err := k.current()
	return k, err
}

func (k *Key) current() ([]byte, error) {
	key, err := k.read()
	if err != nil {
		return nil, fmt.Errorf("key of the Admin API: %w", err)
	}
	if len(key) < minKey {
		return nil, errors.New("the key of the Admin API is too short: it needs 24 characters at least")
	}
	return key, nil
}

// is reports whether that is the key. It compares digests, so that not even its length can be measured.
func (k *Key) is(presented string) (bool, error) {
	if k == nil {
		return false, nil
	}
	key, err := k.current()
	want, got := sha256.Sum256(key), sha256.Sum256([]byte(presented))
	return err == nil && subtle.ConstantTimeCompare(want[:], got[:]) == 1, err
}

// guard lets through who presents a key, and to costs only who presents theirs.
func (h *handler) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := presented(r)
		reads, err := h.Key.is(key)
		changes, changesErr := h.CostKey.is(key)
		if err = errors.Join(err, changesErr); err != nil {
			h.Logger.Error("Refusing Keitaro's Admin API", "error", err)
			refuse(w, http.StatusServiceUnavailable, "the key cannot be read; see the receiver's log")
			return
		}
		switch {
		case changes, reads && r.URL.Path != Prefix+"clicks/update_costs":
			next.ServeHTTP(w, r)
		case reads:
			refuse(w, http.StatusForbidden, "this key only reads: costs are updated with the key that the receiver has in "+
				"--admin-cost-key-file")
		case !h.Key.wrong.AllowN(time.Now(), 1):
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, "too many requests with a wrong key")
		default:
			refuse(w, http.StatusUnauthorized, "send the key of the Admin API: Api-Key: KEY")
		}
	})
}

// presented is the key of a request, "" without one.
func presented(r *http.Request) string {
	if key := r.Header.Get("Api-Key"); key != "" {
		return key
	}
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}
