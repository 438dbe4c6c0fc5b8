package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// followEvery is how often the journal is looked at, followRows how many rows are read at a time.
	followEvery = 500 * time.Millisecond
	followRows  = 500
	// heartbeat is how long a watcher hears nothing at most.
	heartbeat = 15 * time.Second
	// maxWatchers bounds who may watch at a time, watcherRows what may wait for one of them.
	maxWatchers = 64
	watcherRows = 2 * followRows
)

var followFilters = []string{"endpoint", "follow", "filter"}

// tail reads the journal once, however many watch: a goroutine that lives while somebody does.
type tail struct {
	journal ledger.Journal

	mu       sync.Mutex
	watchers map[chan ledger.Received]bool // guarded by mu
}

// watch returns what is committed from now on. The channel is closed when its reader is too slow. It reports false when
// too many watch already.
func (t *tail) watch(ctx context.Context) (rows chan ledger.Received, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.watchers) >= maxWatchers {
		return nil, false, nil
	}
	if len(t.watchers) == 0 {
		end, err := t.journal.JournalEnd(ctx)
		if err != nil {
			return nil, false, err
		}
		t.watchers = map[chan ledger.Received]bool{} // A reader that has not ended yet has the former one.
		go t.read(end, t.watchers)                   //nolint:gosec // It serves those who come later, too.
	}
	rows = make(chan ledger.Received, watcherRows)
	t.watchers[rows] = true
	return rows, true, nil
}

func (t *tail) leave(rows chan ledger.Received) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.watchers, rows)
}

// read hands the journal on to the watchers until there are none.
func (t *tail) read(after ledger.Cursor, watchers map[chan ledger.Received]bool) {
	for pause := true; ; {
		if pause {
			time.Sleep(followEvery)
		}
		ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
		rows, next, err := t.journal.ReadJournal(ctx, after, followRows)
		cancel()
		if err == nil { // Otherwise the same is read again.
			after = next
		}
		if !t.hand(rows, watchers) {
			return
		}
		pause = len(rows) == 0
	}
}

// hand reports whether there are watchers.
func (t *tail) hand(rows []ledger.Received, watchers map[chan ledger.Received]bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for watcher := range watchers {
		for _, row := range rows {
			select {
			case watcher <- row:
				continue
			default:
				close(watcher)
				delete(watchers, watcher)
			}
			break
		}
	}
	return len(watchers) > 0
}

// follow answers with what is committed from now on, an object a line, and an empty line when nothing has been for
// long.
func (a *api) follow(w http.ResponseWriter, r *http.Request) error {
	f, err := filtersOf(r, followFilters)
	if err != nil {
		return err
	}
	terms, err := parseTerms(a.postbackList().columns, f.where)
	if err != nil {
		return err
	}
	rows, ok, err := a.tail.watch(r.Context())
	if err != nil {
		return err
	}
	if !ok {
		w.Header().Set("Retry-After", "5")
		WriteError(w, http.StatusServiceUnavailable, "too many watch already")
		return nil
	}
	defer a.tail.leave(rows)
	w.Header().Set("Content-Type", mediaLines)
	connection, encoder := http.NewResponseController(w), json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		_ = connection.SetWriteDeadline(time.Now().Add(exportPatience))
		if err := connection.Flush(); err != nil {
			return brokenAfter(1, err)
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-beat.C:
			_, err = io.WriteString(w, "\n")
		case row, more := <-rows:
			view := viewPostback(row)
			switch {
			case !more:
				return errBroken // The client reads too slowly.
			case f.endpoint != "" && row.Endpoint != f.endpoint || !pass(terms, &view):
				continue
			}
			err = encoder.Encode(view)
		}
		if err != nil {
			return brokenAfter(1, err)
		}
	}
}

// followed lets an operation be followed by the parameter `follow`.
func (a *api) followed(o *operation) {
	page, tail := o.handler, a.handleError(a.follow)
	o.parameters = slices.Concat(o.parameters, []string{"follow"})
	o.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("follow") {
			tail.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	})
}
