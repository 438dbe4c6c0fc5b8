package rates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/money"
)

const (
	// fetchTimeout bounds one attempt, redirects and body included.
	fetchTimeout = 10 * time.Second
	// maxBody bounds a provider's answer, in bytes.
	maxBody      = 1 << 20
	maxRedirects = 3
	// maxErrorText bounds what is kept of an error, in bytes.
	maxErrorText = 300
)

// statusError is an answer that is no 200.
type statusError struct {
	code       int
	retryAfter time.Duration
}

func (e *statusError) Error() string { return fmt.Sprintf("the provider answered %d", e.code) }

// retryAfter returns how long a provider asked to be left alone, 0 if it did not.
func retryAfter(err error) time.Duration {
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.retryAfter
	}
	return 0
}

func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect}
}

// checkRedirect follows a provider within its own host, and never from https to http. The Referer would carry the key.
func checkRedirect(r *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	r.Header.Del("Referer")
	switch {
	case len(via) > maxRedirects:
		return errors.New("too many redirects")
	case last.URL.Scheme == "https" && r.URL.Scheme != "https":
		return errors.New("redirected from https to " + r.URL.Scheme)
	case !strings.EqualFold(last.URL.Hostname(), r.URL.Hostname()):
		return fmt.Errorf("redirected to another host, %s: give that address in the configuration", r.URL.Hostname())
	}
	return nil
}

// fetch asks one provider. Errors are for [describe], not to be shown as they are: they may contain the key.
func fetch(ctx context.Context, client *http.Client, p config.RateProvider, now time.Time) (money.Set, error) {
	format, ok := formats[p.Type]
	if !ok {
		return money.Set{}, fmt.Errorf("unknown provider type %q", p.Type)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := newRequest(ctx, p, format)
	if err != nil {
		return money.Set{}, err
	}
	body, err := get(client, request, now)
	if err != nil {
		return money.Set{}, err
	}
	set, err := format.decode(body)
	if err != nil {
		return money.Set{}, err
	}
	now = now.UTC().Truncate(time.Microsecond)
	set.Source, set.Fetched = p.Name, now
	if set.Date.IsZero() {
		set.Date = day(now)
	}
	return set, nil
}

func newRequest(ctx context.Context, p config.RateProvider, f format) (*http.Request, error) {
	address := p.URL
	if address == "" {
		address = f.url
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "postback-receiver")
	request.Header.Set("Accept", f.accept)
	if key := keyOf(p); key != "" {
		f.authorize(request, key)
	}
	return request, nil
}

func get(client *http.Client, request *http.Request, now time.Time) ([]byte, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, &statusError{response.StatusCode, parseRetryAfter(response.Header.Get("Retry-After"), now)}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxBody)
	}
	return bytes.TrimPrefix(body, []byte("\ufeff")), nil
}

// parseRetryAfter reads both forms of the header: seconds and a date.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

func keyOf(p config.RateProvider) string {
	if p.Key == nil {
		return ""
	}
	return p.Key.Value.Reveal()
}

// describe says in one bounded line why a fetch failed, without the URL, which may carry a key, and without the key.
func describe(err error, p config.RateProvider) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", fetchTimeout)
	}
	for {
		outer, ok := errors.AsType[*url.Error](err)
		if !ok {
			break
		}
		err = outer.Err
	}
	text := err.Error()
	if key := keyOf(p); key != "" {
		text = strings.NewReplacer(key, "[redacted]", url.QueryEscape(key), "[redacted]").Replace(text)
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "")
	}
	return text
}
