package postback

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// maxReturnBytes bounds the reply text that a sender may choose.
const maxReturnBytes = 1 << 10

// returnJSONP as the `return` parameter asks for a script.
const returnJSONP = "jsonp"

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
func replyWish(wish string) (text string, jsonp bool) {
	switch {
	case wish == returnJSONP:
		return "", true
	case len(wish) > maxReturnBytes:
		return "", false
	}
	return wish, false
}

// Reply returns the answer of docs/semantics.md §7 for what became of a postback. Whatever is neither ignored nor refused
// is success to the sender: recorded, repeated, or durable and to be recorded. gif says that the image was asked for,
// which carries success and failure in the header only. A script is always answered with 200, as browsers do not run others.
func Reply(
	ep *endpoint.Endpoint, v Verdict, outcome conversion.Outcome, reason conversion.Reason, gif bool,
) Response {
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
	switch {
	case gif:
		r.Status, r.ContentType, r.Body = 200, "image/gif", pixel
	case v.JSONP:
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
