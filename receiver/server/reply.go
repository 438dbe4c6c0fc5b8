package server

import (
	"net/http"
	"strconv"

	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// situation is what became of a request: the reason or the outcome of a postback, or one of these.
type situation string

const (
	// Postbacks whose reply is not that of their reason or outcome.
	urlTooLong    situation = "url_too_long"
	strictIgnored situation = "ignored, strictly"
	// Requests that have no outcome.
	wrongKey      situation = "wrong key"
	overloaded    situation = "no room"
	unstored      situation = "not known to be durable"
	poisoned      situation = "the store refuses it"
	tooManyFields situation = "too many header fields"
)

// reply is how a situation is answered.
type reply struct {
	status int
	// says goes before the reason in the body. Without it the body is the text for success.
	says string
	// header, with its value, is besides those that every reply has.
	header, value string
}

// replies is docs/semantics.md §7. What is durable and neither ignored nor refused is success to its sender. Scripts
// and images get the status 200 all the same, since browsers take no others.
var replies = map[situation]reply{
	situation(conversion.Recorded):   {status: http.StatusOK},
	situation(conversion.Duplicate):  {status: http.StatusOK},
	situation(conversion.Held):       {status: http.StatusOK},
	situation(conversion.Spooled):    {status: http.StatusOK},
	situation(conversion.Superseded): {status: http.StatusOK},

	situation(conversion.Ignored): {status: http.StatusOK, says: "Ignored: "},
	strictIgnored:                 {status: http.StatusUnprocessableEntity, says: "Ignored: "},

	situation(conversion.Refused):           {status: http.StatusForbidden, says: "Refused: "},
	situation(conversion.MethodNotAllowed):  {http.StatusMethodNotAllowed, "Refused: ", "Allow", "GET, HEAD, POST"},
	situation(conversion.RequestUnreadable): {status: http.StatusBadRequest, says: "Refused: "},
	situation(conversion.RequestTooLarge):   {status: http.StatusRequestEntityTooLarge, says: "Refused: "},
	urlTooLong:                              {status: http.StatusRequestURITooLong, says: "Refused: "},
	situation(conversion.RateLimited):       {http.StatusTooManyRequests, "Refused: ", "Retry-After", "60"},

	// Their bodies are empty, also for scripts and images.
	wrongKey:      {status: http.StatusNotFound},
	overloaded:    {status: http.StatusServiceUnavailable, header: "Retry-After", value: "5"},
	unstored:      {status: http.StatusServiceUnavailable, header: "Retry-After", value: "5"},
	poisoned:      {status: http.StatusInternalServerError},
	tooManyFields: {status: http.StatusRequestHeaderFieldsTooLarge, header: "Connection", value: "close"},
}

// situationOf returns how a postback with that outcome, and reason if there is one, is answered.
func situationOf(a *access.Attempt, outcome conversion.Outcome, reason conversion.Reason) situation {
	_, special := replies[situation(reason)]
	switch {
	case reason == conversion.RequestTooLarge && a.Request.URLBytes > request.MaxURLBytes:
		return urlTooLong
	case outcome == conversion.Ignored && a.Endpoint.StrictReplies:
		return strictIgnored
	case outcome == conversion.Refused && special:
		return situation(reason)
	}
	return situation(outcome)
}

// answerEmpty answers a request that has no outcome.
func answerEmpty(w http.ResponseWriter, s situation) {
	r, header := replies[s], w.Header()
	if r.header != "" {
		header.Set(r.header, r.value)
	}
	header.Set("Content-Length", "0")
	w.WriteHeader(r.status)
}

// Answer answers a postback. wish is what its sender asked for, where it was judged. What was refused before is
// answered in the form that its query asks for, so that a page's callback is called all the same.
func Answer(w http.ResponseWriter, a *access.Attempt, gif bool, wish string, outcome conversion.Outcome,
	reason conversion.Reason) {
	r, header := replies[situationOf(a, outcome, reason)], w.Header()
	if r.header != "" {
		header.Set(r.header, r.value)
	}
	if wish == "" && outcome == conversion.Refused {
		wish = wishOf(a.Endpoint, a.Request.RawQuery)
	}
	asked, isForm := forms[wish]
	if gif {
		asked = image
	}
	var text string
	switch {
	case r.says != "":
		text = r.says + string(reason)
	case isForm || wish == "" || len(wish) > maxReturnBytes:
		text = a.Endpoint.SuccessBody
	default:
		text = wish
	}
	status, contentType, body := asked.render(r.status, text)
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Postback-Outcome", outcomeHeader(outcome, reason))
	w.WriteHeader(status)
	// Fails only when the sender has gone, which changes nothing. No browser takes the text for a page: it is text/plain
	// with nosniff, or a quoted string of a script.
	_, _ = w.Write(body) //nolint:gosec // See above.
}

func outcomeHeader(outcome conversion.Outcome, reason conversion.Reason) string {
	if reason == "" {
		return string(outcome)
	}
	return string(outcome) + "; reason=" + string(reason)
}

// wishOf returns what a raw query says by the parameter `return`, or one of its aliases.
func wishOf(ep *endpoint.Endpoint, rawQuery string) string {
	said, err := postback.Read(ep, &request.Request{RawQuery: rawQuery})
	if err != nil {
		return ""
	}
	var wish string
	for _, v := range said.Values {
		if field, _, known := ep.Lookup(v.Name); known && field == endpoint.FieldReturn {
			wish = v.Value
		}
	}
	return wish
}
