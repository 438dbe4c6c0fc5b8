package server

import (
	"net/http"
	"sync"
)

// Class says what a request is worth when there is more to do than a receiver can hold.
type Class string

// The classes.
const (
	// ClassPostback is a request with an endpoint's key.
	ClassPostback Class = "postback"
	// ClassVisit is a request that everybody may send: for a campaign, or with a client key.
	ClassVisit Class = "visit"
	// ClassClicks is a request with a click token.
	ClassClicks Class = "clicks"
)

// Classes returns all classes.
func Classes() []Class { return []Class{ClassPostback, ClassVisit, ClassClicks} }

// Gate bounds the requests in flight, so that no number of senders makes the receiver run out of memory. It never
// waits: who does not get in is answered 503, before the body is read. Postbacks go before visits, which may take half
// of the room, and one endpoint leaves room for the others. A nil Gate lets everything in.
type Gate struct {
	room    int
	refused func(Class)

	mu sync.Mutex
	// taken is how much of the room is in use: in all, by visits, and by each endpoint.
	taken, visits int
	endpoints     map[string]int
}

// NewGate returns a gate with room for so many requests. It calls refused for each that does not get in.
func NewGate(room int, refused func(Class)) *Gate {
	return &Gate{room: room, refused: refused, endpoints: map[string]int{}}
}

// bytesPerPlace is how much of a body one place of the room is for.
const bytesPerPlace = 32 << 10

// places returns how much of the room a request takes. A body of unknown length counts as the greatest that is allowed.
func places(contentLength, maxBody int64) int {
	if contentLength < 0 || contentLength > maxBody {
		contentLength = maxBody
	}
	return 1 + int(contentLength/bytesPerPlace)
}

// Clicks takes room for a request to the click intake, whose bodies are large. If ok, the caller calls leave at the
// end.
func (g *Gate) Clicks(r *http.Request, endpoint string, maxBody int64) (leave func(), ok bool) {
	isFor(r, endpoint)
	if g == nil {
		return func() {}, true
	}
	n := min(places(r.ContentLength, maxBody), max(g.room/3, 1))
	if !g.enter(ClassClicks, endpoint, n) {
		return nil, false
	}
	return func() { g.leave(ClassClicks, endpoint, n) }, true
}

func (g *Gate) enter(class Class, endpoint string, n int) bool {
	if g == nil {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.admitsLocked(class, endpoint, n) {
		g.refused(class)
		return false
	}
	g.addLocked(class, endpoint, n)
	return true
}

func (g *Gate) leave(class Class, endpoint string, n int) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addLocked(class, endpoint, -n)
	if g.endpoints[endpoint] == 0 {
		delete(g.endpoints, endpoint)
	}
}

// admitsLocked reports whether there is room for n more. An endpoint may take three times what it leaves to the others:
// one alone gets three quarters, and however many are greedy, the next one still finds room.
func (g *Gate) admitsLocked(class Class, endpoint string, n int) bool {
	left := g.room - g.taken
	if class == ClassVisit {
		left = min(left, g.room/2-g.visits)
	}
	return n <= left && g.endpoints[endpoint]+n <= 3*(left-n+1)
}

func (g *Gate) addLocked(class Class, endpoint string, n int) {
	g.taken += n
	g.endpoints[endpoint] += n
	if class == ClassVisit {
		g.visits += n
	}
}
