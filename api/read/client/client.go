// Package client speaks the product API of a receiver. It needs the standard library and the contract in
// api/read/v1alpha1 only.
package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// maxAnswer bounds an answer, in bytes. The greatest page of a list stays far below.
const maxAnswer = 64 << 20

// maxFailure bounds an answer that says what is wrong, in bytes: one with a hundred differences fits.
const maxFailure = 1 << 20

// Client asks one receiver. The zero value is not usable: see [New].
type Client struct {
	base, token string
	transport   http.RoundTripper
}

// New returns a client of the receiver at base, such as http://127.0.0.1:8081. token is the bearer token, empty for
// none. transport carries the requests; nil = [http.DefaultTransport].
func New(base, token string, transport http.RoundTripper) *Client {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &Client{base: strings.TrimSuffix(base, "/"), token: token, transport: transport}
}

// Failure is an answer that says what is wrong.
type Failure struct {
	// Status is the HTTP status.
	Status int
	// Message is for people. For 400 it begins with the name of the parameter that is wrong.
	Message string
	// Body is the whole answer: some have more than a message.
	Body []byte
}

// Error implements error.
func (f *Failure) Error() string { return f.Message }

// Conversions lists conversions, newest first unless sorted. The parameters are those of GET /api/v1/conversions.
func (c *Client) Conversions(ctx context.Context, parameters url.Values) (page read.Page[read.Conversion], err error) {
	return page, c.get(ctx, "/api/v1/conversions", parameters, &page)
}

// History lists the versions of a conversion, oldest first.
func (c *Client) History(ctx context.Context, id string) (page read.Page[read.Conversion], err error) {
	return page, c.get(ctx, "/api/v1/conversions/"+url.PathEscape(id)+"/history", nil, &page)
}

// Postbacks lists the log of received postbacks, newest first unless sorted.
func (c *Client) Postbacks(ctx context.Context, parameters url.Values) (page read.Page[read.Postback], err error) {
	return page, c.get(ctx, "/api/v1/postbacks", parameters, &page)
}

// Forwards lists S2S postbacks, newest first unless sorted.
func (c *Client) Forwards(ctx context.Context, parameters url.Values) (page read.Page[read.Forward], err error) {
	return page, c.get(ctx, "/api/v1/forwards", parameters, &page)
}

// Report makes a report.
func (c *Client) Report(ctx context.Context, parameters url.Values) (report read.Report, err error) {
	return report, c.get(ctx, "/api/v1/report", parameters, &report)
}

// get reads an answer into v. What the receiver says of its own accord is a *[Failure].
func (c *Client) get(ctx context.Context, path string, parameters url.Values, v any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+parameters.Encode(), nil)
	if err != nil {
		return err
	}
	return c.do(request, v)
}

// do reads the answer to a request into v.
func (c *Client) do(request *http.Request, v any) error {
	answered, err := c.open(request)
	if err != nil {
		return err
	}
	defer func() { _ = answered.Close() }()
	body, err := io.ReadAll(io.LimitReader(answered, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the receiver's answer: %w", err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("reading the receiver's answer: %w", err)
	}
	return nil
}

// open returns the body of an answer that is a success. What the receiver says of its own accord is a *[Failure].
func (c *Client) open(request *http.Request) (io.ReadCloser, error) {
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("asking the receiver: %w", err)
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return response.Body, nil
	}
	defer func() { _ = response.Body.Close() }()
	failure := &Failure{Status: response.StatusCode, Message: response.Status}
	var told read.Error
	if failure.Body, err = io.ReadAll(io.LimitReader(response.Body, maxFailure)); err == nil &&
		json.Unmarshal(failure.Body, &told) == nil && told.Error != "" {
		failure.Message = told.Error
	}
	return nil, failure
}
