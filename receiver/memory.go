package main

import (
	"errors"
	"math"
	"os"
	"runtime/debug"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/postback-dev/postback-operator/receiver/setup"
)

// ownShare is how much of a container's memory the Go runtime may take. The rest is for what it does not count: the
// embedded store's page cache, and the kernel's buffers of connections.
const ownShare = 0.9

// limitMemory makes the Go runtime keep within the memory of the container, unless GOMEMLIMIT says what to keep within.
// It returns that limit in bytes, 0 if there is none. Below it the heap grows by gcPercent, unless GOGC says how.
func limitMemory(o setup.Options) int64 {
	limit, err := memlimit.Set(memlimit.WithRatio(ownShare))
	if err != nil && !errors.Is(err, memlimit.ErrNoCgroup) && !errors.Is(err, memlimit.ErrCgroupsNotSupported) {
		o.Logger.Warn("The memory limit of the container cannot be read", "error", err)
	}
	if limit == math.MaxInt64 {
		limit = 0
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent(o, limit))
	}
	return limit
}

// roomy is the memory above which it is not worth while to collect the heap more often than a busy receiver needs.
const roomy = 1 << 30

// gcPercent lets the heap grow to some times what is alive before it is collected: a few MiB of configuration and of
// requests in flight, so that memory stays small, and much of the collector's processor time is spared. Beside the page
// cache of an embedded store, and in a small container, there is less room.
func gcPercent(o setup.Options, limit int64) int {
	switch {
	case limit > 0 && limit < roomy:
		return 100
	case strings.HasPrefix(o.Store, "sqlite:"):
		return 300
	}
	return 600
}
