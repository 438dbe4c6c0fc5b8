package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/postback-dev/postback-operator/receiver/egress"
	"github.com/postback-dev/postback-operator/receiver/forward/rule"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// maxAnswer bounds, in bytes, what is read of an answer's body; maxKept what is kept of it.
	maxAnswer = 64 << 10
	maxKept   = 1 << 10
	userAgent = "postback-receiver"
)

// sender sends requests. It follows no redirect, knows no proxy, and keeps no cookie.
type sender struct {
	// public connects to public addresses only, private to all.
	public, private *http.Transport
	timeout         time.Duration
}

func newSender(timeout time.Duration, idle int) *sender {
	return &sender{
		public: egress.NewDirectTransport(false, idle), private: egress.NewDirectTransport(true, idle), timeout: timeout,
	}
}

func (s *sender) close() {
	s.public.CloseIdleConnections()
	s.private.CloseIdleConnections()
}

// answer is what came back.
type answer struct {
	status int
	// retryAfter is what the host asked for, 0 if it asked for nothing.
	retryAfter time.Duration
	body       string
	// location is where a redirect points, without its query; empty without one.
	location string
	err      ledger.AttemptError
}

// send makes one request. An answer is one whose headers came in time, whatever becomes of its body.
func (s *sender) send(ctx context.Context, r rule.Request, allowPrivate bool, now time.Time) answer {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	request, err := newRequest(ctx, r)
	if err != nil {
		return answer{err: ledger.AttemptURL}
	}
	transport := s.private
	if !allowPrivate {
		if transport = s.public; !allowedPort(request.URL) {
			return answer{err: ledger.AttemptPort}
		}
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return answer{err: wordFor(err)}
	}
	defer func() { _ = response.Body.Close() }()
	return answer{
		status: response.StatusCode, retryAfter: retryAfter(response.Header, now), body: beginning(response.Body),
		location: location(response),
	}
}

// maxLocation bounds, in bytes, what is kept of where a redirect points.
const maxLocation = 512

// location says where a redirect points. Its query, which repeats that of the request, is left out, and so are
// credentials.
func location(response *http.Response) string {
	if response.StatusCode < 300 || response.StatusCode > 399 {
		return ""
	}
	to, err := response.Location()
	if err != nil {
		return ""
	}
	shown := url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}
	text := shown.String()
	return text[:min(len(text), maxLocation)]
}

func newRequest(ctx context.Context, r rule.Request) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil || request.URL.Host == "" || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return nil, errors.Join(errors.New("no URL"), err)
	}
	request.Header.Set("User-Agent", userAgent)
	if r.ContentType != "" {
		request.Header.Set("Content-Type", r.ContentType)
	}
	for _, h := range r.Headers {
		request.Header.Set(h.Name, h.Value.Reveal())
	}
	return request, nil
}

// allowedPort keeps to the ports of HTTP below 1024: a mail server, say, would read a request line by line.
func allowedPort(u *url.URL) bool {
	if u.Port() == "" {
		return true
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && (port == 80 || port == 443 || port >= 1024)
}

// beginning reads a body as far as the bound and the request's time allow, and returns its beginning as text. It reads
// beyond what it keeps so that the connection can be used again.
func beginning(body io.Reader) string {
	kept := make([]byte, maxKept)
	n, err := io.ReadFull(body, kept)
	if err == nil {
		_, _ = io.CopyN(io.Discard, body, maxAnswer-maxKept)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(kept[:n]), "�"))
}

// retryAfter reads the header in both of its forms.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// wordFor says what went wrong in a word: the error itself may repeat the URL.
func wordFor(err error) ledger.AttemptError {
	var (
		lookup *net.DNSError
		timing interface{ Timeout() bool }
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
		dial   *net.OpError
	)
	switch {
	case errors.Is(err, egress.ErrNotPublic):
		return ledger.AttemptPrivate
	case errors.As(err, &lookup) && !lookup.IsTimeout:
		return ledger.AttemptDNS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timing) && timing.Timeout():
		return ledger.AttemptTimeout
	case errors.As(err, &verify), errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "tls: "):
		return ledger.AttemptTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return ledger.AttemptRefused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &dial),
		errors.Is(err, syscall.ECONNRESET):
		return ledger.AttemptNetwork
	case strings.Contains(err.Error(), "malformed"), strings.Contains(err.Error(), "exceeded"):
		return ledger.AttemptNoHTTP
	}
	return ledger.AttemptNetwork
}
