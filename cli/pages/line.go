package pages

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/postback-dev/postback-operator/cli/reach"
)

// line carries the console's requests to a receiver, and to another one when that is gone: pods come and go while a
// page is open. Tokens change too: each receiver is asked with the token of when it was found.
type line struct {
	open func(context.Context) (*reach.Receiver, error)

	mu       sync.Mutex
	receiver *reach.Receiver // guarded by mu; nil until there is one
}

// current returns the receiver, and finds one if there is none.
func (l *line) current(ctx context.Context) (*reach.Receiver, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.receiver != nil {
		return l.receiver, nil
	}
	receiver, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	l.receiver = receiver
	return receiver, nil
}

// drop forgets a receiver that does not answer, unless another request has done so.
func (l *line) drop(gone *reach.Receiver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.receiver == gone {
		l.receiver = nil
		gone.Close()
	}
}

// close ends the connection.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.receiver != nil {
		l.receiver.Close()
		l.receiver = nil
	}
}

// RoundTrip implements [http.RoundTripper]. What only reads is asked a second time, of another receiver.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	for tries := 0; ; tries++ {
		receiver, err := l.current(r.Context())
		if err != nil {
			return nil, err
		}
		asked, err := addressed(r, receiver)
		if err != nil {
			return nil, err
		}
		response, err := receiver.Ops.RoundTrip(asked)
		if err == nil && response.StatusCode != http.StatusUnauthorized {
			return response, nil
		}
		if r.Context().Err() != nil {
			return response, err
		}
		l.drop(receiver) // It is gone, or the token was changed.
		if tries > 0 || r.Method != http.MethodGet {
			return response, err
		}
		if err == nil {
			_ = response.Body.Close()
		}
	}
}

// addressed is the request as the receiver wants it.
func addressed(r *http.Request, receiver *reach.Receiver) (*http.Request, error) {
	base, err := url.Parse(receiver.Base)
	if err != nil {
		return nil, err
	}
	asked := r.Clone(r.Context())
	asked.URL.Scheme, asked.URL.Host, asked.Host = base.Scheme, base.Host, base.Host
	if receiver.Token != "" {
		asked.Header.Set("Authorization", "Bearer "+receiver.Token)
	}
	return asked, nil
}
