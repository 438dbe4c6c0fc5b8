package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// fields returns so many header fields, in the form of a request.
func fields(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "\r\nX-%d: 1", i)
	}
	return text.String()
}

func TestManyHeaderFieldsAreRefused(t *testing.T) {
	c := newCrowd(t, ListenerOptions{MaxConnections: 10})
	caller := c.dial("127.0.0.1")
	c.send(caller, "GET "+sale+" HTTP/1.1"+fields(maxFields-1)+"\r\nX-Last: 1")
	if got := c.status(caller); got != 200 {
		t.Errorf("%d fields are answered %d", maxFields, got)
	}
	c.send(caller, "GET "+sale+" HTTP/1.1"+fields(maxFields)+"\r\nX-Last: 1")
	if got := c.status(caller); got != http.StatusRequestHeaderFieldsTooLarge || !c.isClosed(caller) {
		t.Errorf("%d fields are answered %d", maxFields+1, got)
	}
	c.await("counted", func(s ConnectionStatus) bool { return s.Unreadable == 1 })
}

func TestLongHeadersWaitForEachOther(t *testing.T) {
	c := newCrowd(t, ListenerOptions{MaxConnections: 64})
	long := "GET " + sale + " HTTP/1.1\r\nX-Long: " + strings.Repeat("x", 4*shortHead)
	var slow []caller
	for range minLongHeads {
		slow = append(slow, c.dial("127.0.0.1"))
		if _, err := fmt.Fprint(slow[len(slow)-1].Conn, long); err != nil {
			t.Fatal(err)
		}
	}
	heads := c.connections.longHeads
	c.await("the places are taken", func(ConnectionStatus) bool { return len(heads) == minLongHeads })
	waiting := c.dial("127.0.0.1")
	c.send(waiting, long)
	if got := c.call(c.dial("127.0.0.1")); got != 200 {
		t.Errorf("a short header is answered %d", got)
	}
	if err := slow[0].Close(); err != nil {
		t.Fatal(err)
	}
	if got := c.status(waiting); got != 200 {
		t.Errorf("a long header that had to wait is answered %d", got)
	}
	for _, caller := range slow[1:] {
		if _, err := fmt.Fprint(caller.Conn, "\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if got := c.status(caller); got != 200 {
			t.Errorf("a slow header is answered %d", got)
		}
	}
	c.await("the places are given back", func(ConnectionStatus) bool { return len(heads) == 0 })
	for range 3 * minLongHeads {
		c.send(waiting, long)
		if got := c.status(waiting); got != 200 {
			t.Fatalf("another on the same connection is answered %d", got)
		}
	}
}
