package pages

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/cli/reach"
)

func TestAnotherReceiverIsAskedWhenOneIsGone(t *testing.T) {
	var asked []string
	answering := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") != "Bearer new" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer answering.Close()
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for _, tc := range []struct {
		name, method string
		first        reach.Receiver
		status       int // 0 = an error
		opened       int
	}{
		{"a pod that is gone", http.MethodGet, reach.Receiver{Base: dead.URL, Token: "new"}, 200, 2},
		{"a token that was changed", http.MethodGet, reach.Receiver{Base: answering.URL, Token: "old"}, 200, 2},
		{"a change is not sent twice", http.MethodPost, reach.Receiver{Base: dead.URL, Token: "new"}, 0, 1},
		{"a refused change is told", http.MethodPost, reach.Receiver{Base: answering.URL, Token: "old"}, 401, 1},
	} {
		opened := 0
		l := &line{open: func(context.Context) (*reach.Receiver, error) {
			next := tc.first
			if opened++; opened > 1 {
				next = reach.Receiver{Base: answering.URL, Token: "new"}
			}
			next.Ops = http.DefaultTransport
			return &next, nil
		}}
		request, err := http.NewRequestWithContext(t.Context(), tc.method, "http://receiver/api/v1/x", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		response, err := l.RoundTrip(request)
		status := 0
		if err == nil {
			status = response.StatusCode
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		if status != tc.status || opened != tc.opened {
			t.Errorf("%s: status %d (%v), %d receivers were looked for", tc.name, status, err, opened)
		}
		l.close()
	}
	none := &line{open: func(context.Context) (*reach.Receiver, error) { return nil, errors.New("no pod is ready") }}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://receiver/", nil)
	if response, err := none.RoundTrip(request); err == nil || err.Error() != "no pod is ready" {
		_ = response.Body.Close()
		t.Errorf("without a receiver: %v", err)
	}
	if len(asked) != 4 {
		t.Errorf("asked %q", asked)
	}
}
