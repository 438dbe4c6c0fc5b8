package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/explain"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// maxQuestionBytes bounds the body of a question: a configuration of the largest size, and the largest postback,
// escaped.
const maxQuestionBytes = config.MaxDocumentBytes + 512<<10

// explainParameters of a question, in the query of a GET, and in the form or the JSON object of a POST.
var explainParameters = []string{
	"url", "endpoint", "query", "method", "content_type", "body", "ip", "origin", "cookie", "client", "access", "at",
	"configuration",
}

func (a *api) explain(w http.ResponseWriter, r *http.Request) error {
	said, err := questionParameters(w, r)
	if err != nil {
		return err
	}
	q, err := parseQuestion(said)
	if err != nil {
		return err
	}
	q.Only = grantOf(r).Endpoint
	if q.URL == "" {
		if q.Endpoint, err = only(grantOf(r), q.Endpoint); err != nil {
			return err
		}
	}
	answer, err := a.Explainer.Explain(r.Context(), q)
	var wrong explain.Invalid
	if errors.As(err, &wrong) {
		return badRequest(wrong)
	}
	if err != nil {
		return err
	}
	WriteJSON(w, http.StatusOK, ViewExplanation(&answer))
	return nil
}

// questionParameters returns the parameters by name. A configuration is its JSON.
func questionParameters(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	if r.Method != http.MethodPost {
		return once(r.URL.RawQuery, "query")
	}
	if r.URL.RawQuery != "" {
		return nil, badRequest("query: a POST has its parameters in the body")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuestionBytes))
	if err != nil {
		return nil, badRequest(fmt.Sprintf("body: cannot be read, or has more than %d bytes", maxQuestionBytes))
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		return once(string(body), "body")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, badRequest("body: must be a JSON object, or a form with its Content-Type")
	}
	said := make(map[string]string, len(object))
	for name, raw := range object {
		var text string
		if name == "configuration" {
			text = string(raw)
		} else if err := json.Unmarshal(raw, &text); err != nil {
			return nil, badRequest(name + ": must be a string")
		}
		said[name] = text
	}
	return said, nil
}

// once returns what a query or a form says, each parameter once.
func once(text, where string) (map[string]string, error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, badRequest(where + ": " + err.Error())
	}
	said := make(map[string]string, len(values))
	for name, given := range values {
		if len(given) > 1 {
			return nil, badRequest(name + ": given more than once")
		}
		said[name] = given[0]
	}
	return said, nil
}

// parseQuestion reads the parameters. Errors are badRequest.
func parseQuestion(said map[string]string) (q explain.Question, err error) {
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if !slices.Contains(explainParameters, name) {
			return q, badRequest(fmt.Sprintf("%s: unknown parameter; known here: %s", name,
				strings.Join(explainParameters, ", ")))
		}
	}
	q = explain.Question{
		URL:         said["url"],
		Endpoint:    said["endpoint"],
		Query:       strings.TrimPrefix(said["query"], "?"),
		Method:      said["method"],
		ContentType: said["content_type"],
		Body:        said["body"],
		IP:          said["ip"],
		Origin:      said["origin"],
		Cookie:      said["cookie"],
	}
	if q.Endpoint != "" {
		if _, err := parseEndpoint(q.Endpoint); err != nil {
			return q, badRequest("endpoint: " + err.Error())
		}
	}
	if q.IP != "" {
		if _, err := netip.ParseAddr(q.IP); err != nil {
			return q, badRequest("ip: must be an IP address")
		}
	}
	if q.ClientKey, err = oneOf(said, "client", "false", "true"); err != nil {
		return q, err
	}
	if q.Trusted, err = oneOf(said, "access", "check", "skip"); err != nil {
		return q, err
	}
	if at := said["at"]; at != "" {
		if q.At, err = parseTime(at); err != nil {
			return q, badRequest("at: " + err.Error())
		}
	}
	if text := said["configuration"]; text != "" && text != "null" {
		decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
		decoder.DisallowUnknownFields()
		q.Configuration = &config.Endpoint{}
		if err := decoder.Decode(q.Configuration); err != nil {
			return q, badRequest("configuration: must be an endpoint of the receivers' configuration: " + err.Error())
		}
	}
	return q, nil
}

// oneOf reports whether a parameter has the second of two values; without a value it has the first.
func oneOf(said map[string]string, name, first, second string) (bool, error) {
	switch said[name] {
	case "", first:
		return false, nil
	case second:
		return true, nil
	}
	return false, badRequest(name + ": must be " + first + " or " + second)
}

// ViewExplanation returns an answer as the API writes it.
func ViewExplanation(a *explain.Answer) read.Explanation {
	view := read.Explanation{
		Endpoint: read.Text(a.Endpoint),
		Steps:    make([]read.ExplainStep, len(a.Steps)),
		Outcome:  read.Text(string(a.Outcome)),
		Reason:   read.Text(string(a.Reason)),
		Warnings: warnings(a.Warnings),
		Before:   conversionOrNone(a.Before),
		After:    conversionOrNone(a.After),
		Reply:    read.ExplainReply{Status: a.Status, ContentType: a.ContentType, Body: a.Body},
	}
	for i := range a.Steps {
		view.Steps[i] = viewStep(&a.Steps[i])
	}
	return view
}

func viewStep(s *explain.Step) read.ExplainStep {
	view := read.ExplainStep{
		Step:     string(s.Name),
		About:    read.Text(s.About),
		Value:    read.Text(s.Value),
		From:     read.Text(s.From),
		By:       read.Text(s.By),
		Result:   read.Text(s.Result),
		Verdict:  "ok",
		Reason:   read.Text(s.Reason),
		Warnings: append([]string{}, s.Warnings...),
		Note:     read.Text(s.Note),
	}
	switch {
	case s.Reason != "":
		view.Verdict = "stop"
	case s.Name == trace.Forward && !s.Sent:
		view.Verdict = "skip"
	}
	return view
}

func conversionOrNone(c *conversion.Conversion) *read.Conversion {
	if c == nil {
		return nil
	}
	view := viewConversion(c)
	return &view
}
