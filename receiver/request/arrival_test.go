package request_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/request"
)

func TestReadBody(t *testing.T) {
	long := strings.Repeat("x", request.MaxBodyBytes)
	for _, c := range []struct {
		name    string
		unread  io.Reader
		encoded bool
		body    string
		reason  conversion.Reason
	}{
		{"none", nil, false, "", ""},
		{"a body", strings.NewReader("a=1"), false, "a=1", ""},
		{"the longest", strings.NewReader(long), false, long, ""},
		{"a longer one is kept as far as it may be long", strings.NewReader(long + "x"), false, long,
			conversion.RequestTooLarge},
		{"one that breaks off", io.MultiReader(strings.NewReader("a="), iotest.ErrReader(errors.New("reset"))), false, "a=",
			conversion.RequestUnreadable},
		{"a compressed one", strings.NewReader("a=1"), true, "a=1", conversion.RequestUnreadable},
		{"nothing, compressed", strings.NewReader(""), true, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request.Request{Unread: c.unread, Encoded: c.encoded}
			for range 2 {
				var reason conversion.Reason
				if err := r.ReadBody(); err != nil {
					reason = err.Reason
				}
				if string(r.Body) != c.body || reason != c.reason {
					t.Errorf("%d bytes, %q", len(r.Body), reason)
				}
			}
		})
	}
}
