package request

import (
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Request is one HTTP request as everything behind the listener meets it.
type Request struct {
	// ID is under which the received log keeps it: a UUIDv7.
	ID uuid.UUID
	// At is when it arrived, as stores keep times: in UTC, without fractions of a microsecond.
	At     time.Time
	Method string
	// Path is clean, see [Clean].
	Path string
	// URLBytes is how long the URL was as sent.
	URLBytes int
	// RawQuery is as sent.
	RawQuery string
	// Repaired: RawQuery was not where a query belongs.
	Repaired bool
	// ContentType is the header's value. It matters for multipart bodies and for the charset.
	ContentType string
	// Source is who sent it, see [SourceIP]; the zero address if the peer has no IP address.
	Source netip.Addr
	// Secure: the sender speaks TLS, to the receiver itself or to a trusted proxy.
	Secure    bool
	UserAgent string
	// Origin is that of the page from which a browser sent it, see [PageOrigin]; empty if it does not say.
	Origin  string
	Cookies []Cookie

	// Unread is the body of a POST before [Request.ReadBody]; nil afterwards, and if there is none. Encoded: it is
	// compressed.
	Unread  io.Reader
	Encoded bool
	// Body is as sent, as far as it could be read.
	Body []byte
	// BodyError says why the body cannot be used; nil if it can.
	BodyError *Error
}

// Cookie is one cookie of a request.
type Cookie struct{ Name, Value string }

// Cookie returns the value of the first cookie of that name, empty if there is none.
func (r *Request) Cookie(name string) string {
	for _, c := range r.Cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// ReadBody reads the body unless that is done, and returns the BodyError. A sender who may not send anything is refused
// before.
func (r *Request) ReadBody() *Error {
	if r.Unread == nil {
		return r.BodyError
	}
	body, err := io.ReadAll(io.LimitReader(r.Unread, MaxBodyBytes+1))
	r.Unread, r.Body = nil, body[:min(len(body), MaxBodyBytes)]
	switch {
	case len(body) > MaxBodyBytes:
		r.BodyError = tooLarge("body", MaxBodyBytes)
	case err != nil:
		r.BodyError = unreadable("the body has not arrived whole")
	case len(body) > 0 && r.Encoded:
		r.BodyError = unreadable("the body is compressed")
	}
	return r.BodyError
}

// ParseVisit reads the parameters of a click, whose visitor must not be held up: it reads them like [Parse], and what
// cannot be read or is too long is absent. names may be nil: then nothing is repaired.
func ParseVisit(r *Request, names *Names) Values {
	_ = r.ReadBody() // Then only the query counts.
	short := *r
	short.RawQuery = r.RawQuery[:min(len(r.RawQuery), MaxURLBytes)]
	parsed, _ := Parse(&short, names, nil) // The error is that of a long query.
	return slices.DeleteFunc(parsed.Values, func(v Value) bool { return len(v.Value) > MaxValueBytes })
}
