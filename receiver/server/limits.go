package server

// Limits bound what senders can make a receiver hold at a time.
type Limits struct {
	// Requests bounds the requests in flight: see [Gate].
	Requests int
}

const (
	// bytesPerRequest is what a request in flight may take at most: a body and a query of the greatest size, what they are
	// parsed into, and its connection.
	bytesPerRequest = 512 << 10
	minRequests     = 64
	maxRequests     = 2048
)

// LimitsFor returns the limits that fit into memory, in bytes; 0 means that memory is not limited.
func LimitsFor(memory int64) Limits {
	return Limits{Requests: within(memory/bytesPerRequest, memory, minRequests, maxRequests)}
}

// within returns n, at least low and at most high, which counts without a limit of memory.
func within(n, memory int64, low, high int) int {
	if memory <= 0 {
		return high
	}
	return int(min(max(n, int64(low)), int64(high)))
}
