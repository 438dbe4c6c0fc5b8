package setup

import (
	"cmp"
	"math"
	"syscall"

	"github.com/postback-dev/postback-operator/receiver/server"
)

// limits are those that the options name, else those that fit.
func (o Options) limits() server.Limits {
	limits := server.LimitsFor(o.Memory, openFiles())
	if o.MaxConnections > 0 {
		limits.Connections, limits.PerSource = o.MaxConnections, server.PerSource(o.MaxConnections)
	}
	limits.PerSource = cmp.Or(o.MaxPerSource, limits.PerSource)
	limits.Requests = cmp.Or(o.MaxRequests, limits.Requests)
	return limits
}

// openFiles is how many files the process may have open; 0 = that is not known.
func openFiles() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int64(min(limit.Cur, math.MaxInt32))
}
