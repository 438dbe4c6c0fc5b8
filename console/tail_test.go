package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// stream is an API whose rows the test writes.
type stream struct {
	opened atomic.Int64
	rows   chan read.Postback
}

// serve returns a console over the stream, and what serves it over a real connection.
func (s *stream) serve(t *testing.T) (*console, *httptest.Server) {
	t.Helper()
	c := newConsole(Options{Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return at }})
	c.tails.open = func(ctx context.Context) (*bufio.Scanner, func(), error) {
		s.opened.Add(1)
		reader, writer := io.Pipe()
		go func() {
			for {
				select {
				case <-ctx.Done():
					_ = writer.Close()
					return
				case row := <-s.rows:
					_ = json.NewEncoder(writer).Encode(row)
				}
			}
		}()
		return bufio.NewScanner(reader), func() { _ = reader.Close() }, nil
	}
	server := httptest.NewServer(c.handler())
	t.Cleanup(server.Close)
	return c, server
}

func watchPage(t *testing.T, server *httptest.Server, query string) *bufio.Scanner {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/console/tail?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return bufio.NewScanner(response.Body)
}

// next returns the next event's name and its data.
func next(t *testing.T, lines *bufio.Scanner) (event, data string) {
	t.Helper()
	for lines.Scan() {
		text := lines.Text()
		switch {
		case text == "" && event != "":
			return event, data
		case strings.HasPrefix(text, "event: "):
			event = strings.TrimPrefix(text, "event: ")
		case strings.HasPrefix(text, "data: "):
			data += strings.TrimPrefix(text, "data: ") + "\n"
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return "", ""
}

func postback(subid string) read.Postback {
	return read.Postback{ID: "id", Time: &at, Endpoint: "shop/main", SubID: &subid, Outcome: "recorded", Method: "GET"}
}

func TestOneReaderServesAllWhoWatchAndEveryTextStaysText(t *testing.T) {
	s := &stream{rows: make(chan read.Postback)}
	_, server := s.serve(t)
	all, narrowed := watchPage(t, server, "list=received"), watchPage(t, server, "list=received&subid=c2")
	s.rows <- postback(hostile + "\ndata: x\n\nevent: more")
	s.rows <- postback("c2")
	event, data := next(t, all)
	if event != "row" || !strings.HasPrefix(data, "<tr>") || strings.Contains(data, "<script>") {
		t.Errorf("%s: %s", event, data)
	}
	for _, lines := range []*bufio.Scanner{all, narrowed} {
		if event, data := next(t, lines); event != "row" || !strings.Contains(data, ">c2<") {
			t.Errorf("%s: %s", event, data)
		}
	}
	if got := s.opened.Load(); got != 1 {
		t.Errorf("the API was opened %d times", got)
	}
}

func TestAFloodIsCountedNotDrawn(t *testing.T) {
	s := &stream{rows: make(chan read.Postback)}
	_, server := s.serve(t)
	lines := watchPage(t, server, "list=received")
	const sent = 10 * drawnRows
	go func() {
		for range sent {
			s.rows <- postback("c1")
		}
	}()
	drawn, counted := 0, 0
	for drawn+counted < sent {
		event, data := next(t, lines)
		if event == "row" {
			drawn++
			continue
		}
		if _, err := fmt.Sscanf(data, "%d more", &counted); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
	}
	if drawn+counted != sent || counted == 0 {
		t.Errorf("%d drawn, %d counted", drawn, counted)
	}
}

func TestTooManyWatchersAreToldSo(t *testing.T) {
	s := &stream{rows: make(chan read.Postback)}
	c, server := s.serve(t)
	for range maxTails {
		if _, ok, err := c.tails.watch(); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	response, err := http.Get(server.URL + "/console/tail")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", response.StatusCode)
	}
}
