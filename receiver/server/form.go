package server

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"
)

// maxReturnBytes bounds the reply text that a sender may choose. A longer one is not honoured, since half of what a
// network waits for is not what it waits for: it gets the endpoint's own.
const maxReturnBytes = 1 << 10

// form is what a reply has to be for the program that loads it: plain text, unless it is one of these.
type form int

const (
	// script calls the page back.
	script form = iota + 1
	// image is a GIF of 1×1, which carries success and failure in a header only.
	image
)

// forms are the values of the `return` parameter that ask for a form, and are no reply text.
var forms = map[string]form{"jsonp": script, "gif": image}

// pixel is a transparent GIF of 1×1.
var pixel, _ = base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

// render returns a reply of the form.
func (f form) render(status int, text string) (rendered int, contentType string, body []byte) {
	switch f {
	case image:
		return http.StatusOK, "image/gif", pixel
	case script:
		return http.StatusOK, "application/javascript", []byte("KTracking.response(" + quoteJS(text) + ");")
	}
	return status, "text/plain; charset=utf-8", []byte(text)
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
