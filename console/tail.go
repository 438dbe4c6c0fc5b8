package console

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

const (
	// drawnRows is how many rows a second a page gets at most; further ones are counted.
	drawnRows = 50
	// tailHeartbeat is how long a page hears nothing at most.
	tailHeartbeat = 15 * time.Second
	// maxTails bounds the pages that watch at a time, tailRows what may wait for one of them.
	maxTails = 64
	tailRows = 1000
	// maxTailLine bounds a row of the API, in bytes.
	maxTailLine = 1 << 20
)

// tails hands what the receiver commits on to pages. One goroutine reads the API however many watch; it lives while
// somebody does.
type tails struct {
	// open opens the stream of the API.
	open func(context.Context) (*bufio.Scanner, func(), error)

	mu       sync.Mutex
	watchers map[chan read.Postback]bool // guarded by mu
	stop     context.CancelFunc          // guarded by mu; ends the reader
}

// watch returns what is committed from now on; false when too many watch. The channel is closed when the stream ends,
// and when its reader is too slow.
func (t *tails) watch() (rows chan read.Postback, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.watchers) >= maxTails {
		return nil, false, nil
	}
	if len(t.watchers) == 0 {
		ctx, stop := context.WithCancel(context.Background())
		lines, closeLines, err := t.open(ctx)
		if err != nil {
			stop()
			return nil, false, err
		}
		t.watchers, t.stop = map[chan read.Postback]bool{}, stop // A former reader keeps its own.
		go t.read(lines, closeLines, t.watchers)
	}
	rows = make(chan read.Postback, tailRows)
	t.watchers[rows] = true
	return rows, true, nil
}

// leave ends the watch, and the reader with the last one.
func (t *tails) leave(rows chan read.Postback) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if delete(t.watchers, rows); len(t.watchers) == 0 && t.stop != nil {
		t.stop()
	}
}

// read hands rows on until the stream ends, and then ends all watches.
func (t *tails) read(lines *bufio.Scanner, closeLines func(), watchers map[chan read.Postback]bool) {
	defer closeLines()
	for lines.Scan() {
		var row read.Postback
		if json.Unmarshal(lines.Bytes(), &row) == nil { // An empty line says that the stream lives.
			t.hand(row, watchers)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for rows := range watchers {
		close(rows)
		delete(watchers, rows)
	}
}

func (t *tails) hand(row read.Postback, watchers map[chan read.Postback]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for rows := range watchers {
		select {
		case rows <- row:
		default:
			close(rows)
			delete(watchers, rows)
		}
	}
}

// openTail opens the API's stream of what is committed.
func (c *console) openTail(ctx context.Context) (*bufio.Scanner, func(), error) {
	body, err := c.API.Stream(ctx, "postbacks", url.Values{"follow": {"1"}})
	if err != nil {
		return nil, nil, err
	}
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxTailLine)
	return lines, func() { _ = body.Close() }, nil
}

// tail answers with events: `row` is a row of the page's table, `more` says how many were left out until then.
func (c *console) tail(w http.ResponseWriter, r *http.Request) {
	p := c.newPage(r)
	rows, ok, err := c.tails.watch()
	if err != nil || !ok {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many watch already, or the receiver does not answer", http.StatusServiceUnavailable)
		return
	}
	defer c.tails.leave(rows)
	w.Header().Set("Content-Type", "text/event-stream")
	connection := http.NewResponseController(w)
	second, beat := time.NewTicker(time.Second), time.NewTicker(tailHeartbeat)
	defer second.Stop()
	defer beat.Stop()
	for drawn, more, told := 0, 0, 0; ; {
		_ = connection.SetWriteDeadline(time.Now().Add(tailHeartbeat))
		if connection.Flush() != nil {
			return
		}
		var event string
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			event = ":\n\n"
		case <-second.C:
			if drawn = 0; more > told {
				event, told = "event: more\ndata: "+p.N("live.more", more)+"\n\n", more
			}
		case row, open := <-rows:
			switch {
			case !open:
				return // The browser opens it again.
			case !p.wants(&row):
			case drawn == drawnRows:
				more++
			default:
				drawn++
				event = c.draw(p, &row)
			}
		}
		//nolint:gosec // An event is a stream's, and what is in it comes out of a template that escapes.
		if _, err := w.Write([]byte(event)); err != nil {
			return
		}
	}
}

// wants reports whether a row is in the page's list.
func (p *page) wants(row *read.Postback) bool {
	for name, value := range map[string]string{
		"endpoint": row.Endpoint, "subid": p.Or(row.SubID, ""), "tid": row.TID, "outcome": row.Outcome,
		"reason": p.Or(row.Reason, ""), "type": p.Or(row.Type, ""),
	} {
		if asked := p.Value(name); asked != "" && asked != value {
			return false
		}
	}
	return p.Value("list") != "conversions" || row.ConversionID != nil && row.Version != nil
}

// draw renders a row as an event; "" if it cannot be.
func (c *console) draw(p *page, row *read.Postback) string {
	var html bytes.Buffer
	var err error
	if p.Value("list") == "conversions" {
		err = c.drawConversion(p, row, &html)
	} else {
		err = templates.ExecuteTemplate(&html, "postback-row", line{Page: p, Postback: row})
	}
	if err != nil {
		c.Logger.Error("Drawing a row of the console", "error", err)
		return ""
	}
	return "event: row\ndata: " + strings.Join(strings.Split(html.String(), "\n"), "\ndata: ") + "\n\n"
}

func (c *console) drawConversion(p *page, row *read.Postback, html *bytes.Buffer) error {
	history, err := c.API.History(p.ctx, *row.ConversionID)
	if err != nil || len(history.Items) == 0 {
		return err
	}
	newest := &history.Items[len(history.Items)-1]
	return templates.ExecuteTemplate(html, "conversion-row", line{Page: p, Conversion: newest})
}

// line is a row of a table with the page that it is on.
type line struct {
	Page       *page
	Postback   *read.Postback
	Conversion *read.Conversion
}

// PostbackLine and ConversionLine return what the templates of rows need.
func (p *page) PostbackLine(row read.Postback) line { return line{Page: p, Postback: &row} }

// ConversionLine: see PostbackLine.
func (p *page) ConversionLine(row read.Conversion) line { return line{Page: p, Conversion: &row} }

// Live returns where the rows of a list come from while it is watched; "" while it is not, and on older pages.
func (p *page) Live(list string) string {
	if p.Value("live") == "" || p.Value("cursor") != "" || p.Section != list {
		return ""
	}
	query := p.asked("endpoint", "subid", "tid", "outcome", "reason", "type", "lang", "tz")
	query.Set("list", list)
	return withQuery(p.base+"tail", query)
}
