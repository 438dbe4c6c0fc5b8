package server

// Limits bound what senders can make a receiver hold at a time.
type Limits struct {
	// Connections bounds those that are open, PerSource those from one address.
	Connections, PerSource int
	// Requests bounds the requests in flight: see [Gate].
	Requests int
}

const (
	// bytesPerRequest is what a request in flight may take at most: a body and a query of the greatest size, what they are
	// parsed into, and its connection.
	bytesPerRequest = 512 << 10
	minRequests     = 64
	maxRequests     = 2048
	// bytesPerConnection is what one may take before its request is in flight: two times the greatest header, and buffers.
	bytesPerConnection = 192 << 10
	minConnections     = 64
	maxConnections     = 4096
	minPerSource       = 16
)

// LimitsFor returns the limits that fit into memory, in bytes, and into so many open files, of which 256, or half, stay
// for the store, S2S postbacks and the ops port; 0 means that there is no limit.
func LimitsFor(memory, files int64) Limits {
	connections := within(memory/bytesPerConnection, memory, minConnections, maxConnections)
	if files > 0 {
		connections = int(min(int64(connections), max(files/2, files-256)))
	}
	return Limits{
		Connections: connections,
		PerSource:   PerSource(connections),
		Requests:    within(memory/bytesPerRequest, memory, minRequests, maxRequests),
	}
}

// PerSource returns how many of the connections one address may have.
func PerSource(connections int) int { return max(connections/4, min(connections, minPerSource)) }

// within returns n, at least low and at most high, which counts without a limit of memory.
func within(n, memory int64, low, high int) int {
	if memory <= 0 {
		return high
	}
	return int(min(max(n, int64(low)), int64(high)))
}
