package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// Who says for whom a change is made.
type Who struct {
	// Actor is a person's name. It is believed with the ops token of the fleet only.
	Actor string
	// Key names the request, so that one which is sent again changes nothing more; empty = it has no name.
	Key string
}

// Operations lists operations, newest first.
func (c *Client) Operations(ctx context.Context, parameters url.Values) (page read.Page[read.Operation], err error) {
	return page, c.get(ctx, "/api/v1/operations", parameters, &page)
}

// Operation returns one.
func (c *Client) Operation(ctx context.Context, id string) (op read.Operation, err error) {
	return op, c.get(ctx, "/api/v1/operations/"+url.PathEscape(id), nil, &op)
}

// OperationRows lists the rows of an operation, in their order.
func (c *Client) OperationRows(ctx context.Context, id string, parameters url.Values) (
	page read.Page[read.OperationRow], err error,
) {
	return page, c.get(ctx, "/api/v1/operations/"+url.PathEscape(id)+"/rows", parameters, &page)
}

// Operate asks for an operation.
func (c *Client) Operate(ctx context.Context, who Who, asked read.NewOperation) (op read.Operation, err error) {
	return op, c.change(ctx, http.MethodPost, "/api/v1/operations", who, "", asked, &op)
}

// RunOperation does what a dry run has told. Where rows would come out otherwise now, nothing is changed and the error
// is a *[Failure] of the status 409.
func (c *Client) RunOperation(ctx context.Context, id string) (op read.Operation, err error) {
	return op, c.change(ctx, http.MethodPost, "/api/v1/operations/"+url.PathEscape(id)+"/run", Who{}, "", nil, &op)
}

// CancelOperation ends an operation before its time.
func (c *Client) CancelOperation(ctx context.Context, id string) (op read.Operation, err error) {
	return op, c.change(ctx, http.MethodPost, "/api/v1/operations/"+url.PathEscape(id)+"/cancel", Who{}, "", nil, &op)
}

// change sends a body as JSON, if there is one, and reads the answer into v. match is the version that is changed,
// empty = whichever.
func (c *Client) change(ctx context.Context, method, path string, who Who, match string, body, v any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"X-Postback-Actor": who.Actor, "Idempotency-Key": who.Key,
		"If-Match": match} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return c.do(request, v)
}

// Correct changes the version of a conversion by hand. If it has another version now, the error is a *[Failure] of the
// status 412.
func (c *Client) Correct(ctx context.Context, who Who, id string, version int, what read.Correction) (
	corrected read.Conversion, err error,
) {
	return corrected, c.change(ctx, http.MethodPatch, "/api/v1/conversions/"+url.PathEscape(id), who,
		strconv.Itoa(version), what, &corrected)
}

// Adjust records what is added to a conversion's payout, as a conversion of its own.
func (c *Client) Adjust(ctx context.Context, who Who, id string, what read.Correction) (
	added read.Conversion, err error,
) {
	return added, c.change(ctx, http.MethodPost, "/api/v1/conversions/"+url.PathEscape(id)+"/adjustments", who, "", what,
		&added)
}

// Test records a postback for a test click, which is made unless there is one.
func (c *Client) Test(ctx context.Context, who Who, what read.NewTest) (row read.Postback, err error) {
	return row, c.change(ctx, http.MethodPost, "/api/v1/tests", who, "", what, &row)
}
