package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// Clicks lists clicks, in the order of the store.
func (c *Client) Clicks(ctx context.Context, parameters url.Values) (page read.Page[read.Click], err error) {
	return page, c.get(ctx, "/api/v1/clicks", parameters, &page)
}

// Click returns a click with its conversions. The endpoint is "namespace/name".
func (c *Client) Click(ctx context.Context, endpoint, subid string) (click read.ClickDetails, err error) {
	return click, c.get(ctx, "/api/v1/clicks/"+endpoint+"/"+url.PathEscape(subid), nil, &click)
}

// Revenue sums conversions by endpoint and currency.
func (c *Client) Revenue(ctx context.Context, parameters url.Values) (page read.Page[read.Revenue], err error) {
	return page, c.get(ctx, "/api/v1/revenue", parameters, &page)
}

// Statuses counts the status words that no training knew.
func (c *Client) Statuses(ctx context.Context, parameters url.Values) (words read.Statuses, err error) {
	return words, c.get(ctx, "/api/v1/statuses", parameters, &words)
}

// Endpoints lists what the receiver serves, by name.
func (c *Client) Endpoints(ctx context.Context) (page read.Page[read.Endpoint], err error) {
	return page, c.get(ctx, "/api/v1/endpoints", nil, &page)
}

// Talkers returns who sends most.
func (c *Client) Talkers(ctx context.Context) (talkers read.Talkers, err error) {
	return talkers, c.get(ctx, "/api/v1/talkers", nil, &talkers)
}

// Explain says what would become of a postback. The parameters are those of POST /api/v1/explain.
func (c *Client) Explain(ctx context.Context, parameters url.Values) (explained read.Explanation, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/api/v1/explain",
		strings.NewReader(parameters.Encode()))
	if err != nil {
		return explained, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return explained, c.do(request, &explained)
}

// Resend has a failed S2S postback sent again.
func (c *Client) Resend(ctx context.Context, id string) (forward read.Forward, err error) {
	target := c.base + "/api/v1/forwards/" + url.PathEscape(id) + "/resend"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, http.NoBody)
	if err != nil {
		return forward, err
	}
	return forward, c.do(request, &forward)
}

// Stream returns a table or lines as they are answered, such as "conversions.csv". The caller closes it.
func (c *Client) Stream(ctx context.Context, resource string, parameters url.Values) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/"+resource+"?"+parameters.Encode(),
		http.NoBody)
	if err != nil {
		return nil, err
	}
	return c.open(request)
}

// All yields the rows of a list, from page to page: list is a method such as [Client.Postbacks].
func All[T any](
	ctx context.Context, list func(context.Context, url.Values) (read.Page[T], error), parameters url.Values,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		selected := url.Values{}
		for name, values := range parameters {
			selected[name] = values
		}
		for {
			page, err := list(ctx, selected)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, row := range page.Items {
				if !yield(row, nil) {
					return
				}
			}
			if page.NextCursor == nil {
				return
			}
			selected.Set("cursor", *page.NextCursor)
		}
	}
}
