package server

import (
	"context"
	"hash/maphash"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ratelimit"
)

// guessDelay is how long the answer to one wrong key too many waits.
const guessDelay = 2 * time.Second

// How many wrong keys a source may try without delay. One that it has tried within the last hour does not count: a
// network that still has a former key sends it with every postback.
var (
	guesses = ratelimit.Limit{PerSecond: 1, Burst: 60}
	anew    = ratelimit.Limit{PerSecond: 1.0 / 3600, Burst: 1}
)

// guessing slows down a source that tries many keys. A right key is never slowed down, no matter who shares the
// address.
type guessing struct {
	limiter  *ratelimit.Limiter
	seed     maphash.Seed
	logger   *slog.Logger
	reminded atomic.Int64 // when the log last said so, in nanoseconds since 1970
}

func newGuessing(logger *slog.Logger) *guessing {
	return &guessing{limiter: ratelimit.NewLimiter(), seed: maphash.MakeSeed(), logger: logger}
}

// delay returns how long the answer to a wrong key is to wait. It keeps no key, only its hash.
func (g *guessing) delay(source netip.Addr, key string, now time.Time) time.Duration {
	hash := strconv.FormatUint(maphash.String(g.seed, key), 36)
	if !g.limiter.Allow("key "+hash, anew, source, now) || g.limiter.Allow("guess", guesses, source, now) {
		return 0
	}
	if last := g.reminded.Load(); now.UnixNano()-last >= int64(remindEvery) &&
		g.reminded.CompareAndSwap(last, now.UnixNano()) {
		g.logger.Warn("A source tries many keys: its answers are delayed", "source", source)
	}
	return guessDelay
}

// rest waits, or until the sender has gone. Meanwhile the connection may be closed for another sender's.
func rest(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	if conn, _ := r.Context().Value(connectionKey{}).(*connection); conn != nil {
		conn.owner.waiting(conn)
		defer conn.answering()
	}
	ctx, cancel := context.WithTimeout(r.Context(), d)
	defer cancel()
	<-ctx.Done()
}
