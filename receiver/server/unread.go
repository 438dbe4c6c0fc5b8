package server

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// linger is how long the rest of a body that nobody wants may still come in after the reply. A connection that is
// closed while a body arrives is reset, and its sender may lose the reply.
const linger = 100 * time.Millisecond

// lastUnlessRead makes a reply the last on its connection if its request's body was not read to the end by then. By
// itself net/http waits for the rest, so that the connection can be used again: a slow sender with a wrong key would
// hold it for half a minute.
type lastUnlessRead struct {
	http.ResponseWriter
	body    io.ReadCloser
	read    bool // to the end
	replied bool
}

// watchBody returns what to answer an HTTP/1 request with. Streams of HTTP/2 end with their reply.
func watchBody(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	if r.ProtoMajor != 1 || r.ContentLength == 0 {
		return w
	}
	watched := &lastUnlessRead{ResponseWriter: w, body: r.Body}
	r.Body = watched
	return watched
}

// Read implements [io.Reader] for the body.
func (l *lastUnlessRead) Read(p []byte) (int, error) {
	n, err := l.body.Read(p)
	l.read = l.read || errors.Is(err, io.EOF)
	return n, err
}

// Close implements [io.Closer] for the body.
func (l *lastUnlessRead) Close() error { return l.body.Close() }

// WriteHeader implements [http.ResponseWriter].
func (l *lastUnlessRead) WriteHeader(status int) {
	if !l.replied && !l.read {
		l.Header().Set("Connection", "close")
		_ = http.NewResponseController(l.ResponseWriter).SetReadDeadline(time.Now().Add(linger)) // Fails in tests only.
	}
	l.replied = true
	l.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (l *lastUnlessRead) Write(p []byte) (int, error) {
	if !l.replied {
		l.WriteHeader(http.StatusOK)
	}
	return l.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (l *lastUnlessRead) Unwrap() http.ResponseWriter { return l.ResponseWriter }
