package postback

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// maxReturnBytes bounds the reply text that a sender may choose.
const maxReturnBytes = 1 << 10

// Form is what a reply has to be for whoever loads it.
type Form int

// The forms.
const (
	Text Form = iota
	// JSONP is a script that calls the page back.
	JSONP
	// GIF is an image of 1×1, which carries success and failure in a header only.
	GIF
)

// forms are the values of the `return` parameter that ask for a form, and are no reply text.
var forms = map[string]Form{"jsonp": JSONP, "gif": GIF}

// FormOf returns the form that a raw query asks for, for a postback that is refused before it is judged.
func FormOf(ep *endpoint.Endpoint, rawQuery string) Form {
	said, err := Read(ep, request.Request{RawQuery: rawQuery})
	if err != nil {
		return Text
	}
	var wish string
	for _, v := range said.Values {
		if field, _, known := ep.Lookup(v.Name); known && field == endpoint.FieldReturn {
			wish = v.Value
		}
	}
	return forms[wish]
}

// Response is the answer to a postback. The listener adds the headers that do not depend on what became of it.
type Response struct {
	// Status is the HTTP status.
	Status      int
	ContentType string
	// Body must not be changed.
	Body []byte
	// Outcome is the value of X-Postback-Outcome.
	Outcome string
}

// pixel is a transparent GIF of 1×1.
var pixel, _ = base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

// replyWish reads the `return` parameter. A text above 1 KiB is not honoured, since half of what a network waits for is
// not what it waits for: it gets the endpoint's own.
func replyWish(wish string) (string, Form) {
	if wish == "" {
		return "", Text
	}
	form, known := forms[wish]
	if known || len(wish) > maxReturnBytes {
		return "", form
	}
	return wish, Text
}

// Reply returns the answer of docs/semantics.md §7 for what became of a postback. Whatever is neither ignored nor refused
// is success to the sender: recorded, repeated, or durable and to be recorded. A script and an image are always answered
// with 200, as browsers take no others.
func Reply(ep *endpoint.Endpoint, v Verdict, outcome conversion.Outcome, reason conversion.Reason) Response {
	r := Response{Status: 200, ContentType: "text/plain; charset=utf-8", Outcome: outcomeHeader(outcome, reason)}
	var text string
	switch outcome {
	case conversion.Refused:
		r.Status, text = 403, "Refused: "+string(reason)
	case conversion.Ignored:
		text = "Ignored: " + string(reason)
		if ep.StrictReplies {
			r.Status = 422
		}
	default:
		text = ep.SuccessBody
		if v.Return != "" {
			text = v.Return
		}
	}
	switch v.Form {
	case GIF:
		r.Status, r.ContentType, r.Body = 200, "image/gif", pixel
	case JSONP:
		r.Status, r.ContentType = 200, "application/javascript"
		r.Body = []byte("KTracking.response(" + quoteJS(text) + ");")
	default:
		r.Body = []byte(text)
	}
	return r
}

func outcomeHeader(outcome conversion.Outcome, reason conversion.Reason) string {
	if reason == "" {
		return string(outcome)
	}
	return string(outcome) + "; reason=" + string(reason)
}

// quoteJS returns the text as a JavaScript string literal that is ASCII, whatever charset the page has, and that cannot
// end a script element or an attribute around it.
func quoteJS(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if r >= ' ' && r <= '~' && !strings.ContainsRune("\"'`\\<>&", r) {
			b.WriteRune(r)
			continue
		}
		if high, low := utf16.EncodeRune(r); r > 0xFFFF {
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
