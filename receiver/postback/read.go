package postback

import (
	"slices"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// Read reads the parameters of a postback to the endpoint (docs/semantics.md §2). A body that cannot be read is
// ignored, with a warning, when the query has a subid. The error is a [*request.Error].
func Read(ep *endpoint.Endpoint, r *request.Request) (request.Parsed, error) {
	parsed, err := request.Parse(r, ep.RequestNames(), ep.Charset)
	if err != nil || parsed.BodyError == nil {
		return parsed, err
	}
	if !NamesSubID(ep, parsed.Values) {
		return request.Parsed{}, parsed.BodyError
	}
	parsed.Warnings = append(parsed.Warnings, conversion.BodyIgnored)
	return parsed, nil
}

// NamesSubID reports whether a value stands for the subid, by any of its names.
func NamesSubID(ep *endpoint.Endpoint, values request.Values) bool {
	return slices.ContainsFunc(values, func(v request.Value) bool {
		field, _, known := ep.Lookup(v.Name)
		return known && field == endpoint.FieldSubid
	})
}
