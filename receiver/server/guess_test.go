package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestWhoTriesManyKeysIsSlowedDown(t *testing.T) {
	log := &logBuffer{}
	g := newGuessing(slog.New(slog.NewTextHandler(log, nil)))
	guesser, network := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	count := func(source netip.Addr, at time.Time, keys ...string) (delayed int) {
		for _, key := range keys {
			if g.delay(source, key, at) > 0 {
				delayed++
			}
		}
		return delayed
	}
	var tried []string
	for i := range 100 {
		tried = append(tried, fmt.Sprint("wrong-key-", i))
	}
	if got := count(guesser, noon, tried...); got != 40 {
		t.Errorf("of 100 keys at once %d are delayed, want all but 60", got)
	}
	if got := count(network, noon, strings.Split(strings.Repeat("former-key ", 999), " ")...); got != 0 {
		t.Errorf("of a network's postbacks with a former key %d are delayed", got)
	}
	if got := count(guesser, noon.Add(10*time.Second), tried[:20]...); got != 0 {
		t.Errorf("of keys that were tried before %d are delayed", got)
	}
	more := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	if got := count(guesser, noon.Add(10*time.Second), more...); got != 2 {
		t.Errorf("of twelve more after ten seconds %d are delayed, want 2", got)
	}
	if text := log.String(); strings.Count(text, "tries many keys") != 1 || strings.Contains(text, "wrong-key") {
		t.Errorf("the log is %s", text)
	}
}

func TestWhoIsSlowedDownMakesRoom(t *testing.T) {
	h := newHarness(t)
	for i := range guesses.Burst {
		h.guessing.delay(netip.MustParseAddr("127.0.0.1"), fmt.Sprint(i), noon)
	}
	c := newCrowd(t, ListenerOptions{MaxConnections: 1, Handler: h})
	guesser := c.dial("127.0.0.1")
	c.send(guesser, "GET /one-too-many/postback")
	c.await("it is closed", func(s ConnectionStatus) bool { return s.Evicted == 1 })
	if got := c.call(c.dial("127.0.0.1")); got != http.StatusOK {
		t.Errorf("a postback with the right key is answered %d", got)
	}
	if !c.isClosed(guesser) {
		t.Error("the guesser's connection stays open")
	}
}
