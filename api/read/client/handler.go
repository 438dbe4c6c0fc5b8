package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Local carries requests to a handler of the same process, as one that comes over loopback. Answers are read while they
// are written: a stream needs no end.
type Local struct{ Handler http.Handler }

// errBroken is what reading an answer gives when its handler has panicked.
var errBroken = errors.New("the answer broke off")

// RoundTrip implements [http.RoundTripper].
func (l Local) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	r = r.Clone(ctx)
	r.RemoteAddr, r.Host = "127.0.0.1:0", "localhost"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	w := &answer{header: http.Header{}, body: writer, begun: make(chan struct{})}
	go func() {
		defer func() {
			if recover() != nil {
				_ = writer.CloseWithError(errBroken)
			}
			w.WriteHeader(http.StatusOK) // Unless it has said something else.
			_ = writer.Close()
		}()
		l.Handler.ServeHTTP(w, r)
	}()
	<-w.begun
	return &http.Response{
		Status:        http.StatusText(w.status),
		StatusCode:    w.status,
		Header:        w.sent,
		Body:          &reading{reader, cancel},
		ContentLength: -1,
		Request:       r,
	}, nil
}

// reading is a body. Closing it ends the handler, as a client that goes away does.
type reading struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *reading) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// answer hands on what a handler writes.
type answer struct {
	header http.Header
	body   *io.PipeWriter

	once  sync.Once
	begun chan struct{} // closed when the status and the headers are final
	// status and sent are what was begun with.
	status int
	sent   http.Header
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.begun)
	})
}

func (a *answer) Write(content []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(content)
}

// Flush implements [http.Flusher]: nothing is held back.
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }
