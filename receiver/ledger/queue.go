package ledger

import (
	"container/list"
	"sync"
)

// queue holds what waits in a lane. Postbacks go before everything else, and the endpoints take turns, so that a flood
// of one endpoint's visits or postbacks delays the postbacks of another by a batch at most. Tasks of one key keep the
// order of their arrival.
type queue struct {
	// arrived has a token when there may be something to take.
	arrived chan struct{}

	mu sync.Mutex
	// postbacks are taken first; others are clicks, updates and upkeep, and the postbacks that arrived after one of these
	// for the same key. Each has the queue's room for itself.
	postbacks, others line
	// later counts the tasks of each key in others.
	later map[Key]int
	// freed is closed when something is taken; nil = nobody waits for that.
	freed  chan struct{}
	closed bool
}

func newQueue(room int) *queue {
	return &queue{arrived: make(chan struct{}, 1), postbacks: newLine(room), others: newLine(room), later: map[Key]int{}}
}

// push adds a task. It returns [ErrBusy] if there is no room for it, and what is closed when there may be.
func (q *queue) push(t *task) (freed <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrClosed
	}
	key := t.op.key()
	to := &q.others
	if _, ok := t.op.(*postbackOp); ok && q.later[key] == 0 {
		to = &q.postbacks
	}
	if !to.push(key.Endpoint, t) {
		if q.freed == nil {
			q.freed = make(chan struct{})
		}
		return q.freed, ErrBusy
	}
	if to == &q.others {
		q.later[key]++
	}
	select {
	case q.arrived <- struct{}{}:
	default:
	}
	return nil, nil
}

// take returns the next batch, of n tasks at most. Postbacks leave a quarter of it to what else waits.
func (q *queue) take(n int) []*task {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := make([]*task, 0, min(n, q.postbacks.size+q.others.size))
	batch = q.postbacks.take(batch, n-min(n/4, q.others.size))
	first := len(batch)
	batch = q.others.take(batch, n)
	for _, t := range batch[first:] {
		key := t.op.key()
		if q.later[key]--; q.later[key] == 0 {
			delete(q.later, key)
		}
	}
	if q.freed != nil {
		close(q.freed)
		q.freed = nil
	}
	return batch
}

// close refuses further tasks with [ErrClosed] and returns those that wait.
func (q *queue) close() []*task {
	q.mu.Lock()
	q.closed = true
	waiting := q.postbacks.size + q.others.size
	q.mu.Unlock()
	return q.take(waiting)
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.postbacks.size + q.others.size
}

// line holds tasks of one rank. Its endpoints take turns, and each one's tasks stay in order.
type line struct {
	room, size int
	// turns are the endpoints that have something waiting, as *share: the next one first.
	turns     *list.List
	endpoints map[string]*list.Element
}

// share is what waits of one endpoint; it is never empty.
type share struct {
	endpoint string
	tasks    []*task
}

func newLine(room int) line {
	return line{room: room, turns: list.New(), endpoints: map[string]*list.Element{}}
}

func (l *line) push(endpoint string, t *task) bool {
	turn, waits := l.endpoints[endpoint]
	own := 0
	if waits {
		own = len(turn.Value.(*share).tasks)
	}
	if !mayWait(own, l.size, l.room) {
		return false
	}
	if !waits {
		turn = l.turns.PushBack(&share{endpoint: endpoint})
		l.endpoints[endpoint] = turn
	}
	waiting := turn.Value.(*share)
	waiting.tasks = append(waiting.tasks, t)
	l.size++
	return true
}

// mayWait reports whether an endpoint of which own tasks wait, of size in all, may add another. While others wait it
// gets a quarter of the room, and alone three quarters. It never takes what is left to nothing: however many endpoints
// are greedy, the next one still finds room.
func mayWait(own, size, room int) bool {
	left := room - size
	if own == size {
		return own < 3*left
	}
	return own < min((room+3)/4, left)
}

// take adds tasks to the batch until it has n.
func (l *line) take(batch []*task, n int) []*task {
	for len(batch) < n && l.size > 0 {
		turn := l.turns.Front()
		waiting := turn.Value.(*share)
		batch = append(batch, waiting.tasks[0])
		waiting.tasks[0] = nil
		waiting.tasks = waiting.tasks[1:]
		l.size--
		if len(waiting.tasks) > 0 {
			l.turns.MoveToBack(turn)
		} else {
			l.turns.Remove(turn)
			delete(l.endpoints, waiting.endpoint)
		}
	}
	return batch
}
