package ledgertest

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	queues   = 12
	versions = 12
)

// sendAll lets senders empty an outbox, some of which is to be sent again, or is written while they do. It fails when a
// row is with two senders at a time, or leaves before an older one of its conversion.
func (d *desk) sendAll(stores ...ledger.Store) {
	book := &outboxBook{desk: d, sending: map[string]int{}, done: map[string]int{}}
	var writers, workers sync.WaitGroup
	for q := range queues {
		writers.Go(func() {
			for v := 1; v <= versions; v++ {
				f := forward(q*versions+v, subid(q), "r", host, v)
				err := persist(d.Context(), stores[q%len(stores)], ledger.Want{}, func(*ledger.Book) *ledger.Changes {
					return &ledger.Changes{Forwards: []ledger.Forward{f}}
				})
				if err != nil {
					d.Errorf("writing: %v", err)
				}
			}
		})
	}
	for n := range 4 {
		workers.Go(func() { book.work(stores[n%len(stores)], n) })
	}
	writers.Wait()
	workers.Wait()
	d.same("rows delivered", queues*versions, len(d.forwards(ledger.OutboxFilter{State: ledger.ForwardDelivered})))
}

// outboxBook knows who sends what.
type outboxBook struct {
	*desk
	mu      sync.Mutex
	sending map[string]int
	done    map[string]int // the version that was delivered last, by subid
	total   int
}

// work claims and finishes until everything is delivered. Its clock runs by itself, so that whatever is put off comes
// soon.
func (b *outboxBook) work(store ledger.Store, n int) {
	random := rand.New(rand.NewPCG(uint64(n), 11))
	holder := string(rune('a' + n))
	for now := noon; !b.finished(); now = now.Add(500 * time.Millisecond) {
		rows := b.claimFor(store, holder, now, 1000*time.Hour, 5, host) // the others' clocks may be far ahead
		for i := range rows {
			b.begin(&rows[i])
		}
		for i := range rows {
			again := random.IntN(4) == 0
			b.end(&rows[i], again)
			if rows[i].Tries++; again {
				rows[i].Due = now.Add(time.Second)
			} else {
				rows[i] = delivered(rows[i], now)
			}
		}
		if len(rows) > 0 {
			b.finish(store, holder, now, rows...)
		}
		if b.Failed() {
			return
		}
	}
}

func (b *outboxBook) finished() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total == queues*versions
}

func (b *outboxBook) begin(row *ledger.OutboxRow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if other := b.sending[row.Slot.SubID]; other != 0 {
		b.Errorf("%s: versions %d and %d are sent at the same time", row.Slot.SubID, other, row.Version)
	}
	if last := b.done[row.Slot.SubID]; row.Version != last+1 {
		b.Errorf("%s: version %d leaves after version %d", row.Slot.SubID, row.Version, last)
	}
	b.sending[row.Slot.SubID] = row.Version
}

// end comes before the row is finished, since another may claim the next one as soon as it is.
func (b *outboxBook) end(row *ledger.OutboxRow, again bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sending, row.Slot.SubID)
	if !again {
		b.done[row.Slot.SubID] = row.Version
		b.total++
	}
}
