// Package clientkey owns from which pages the keys are good that stand in web pages for everybody to read. How often they
// are is package ratelimit's business; which types they are good for only the judged postback tells.
package clientkey

import (
	"net/http"
	"net/url"
	"strings"
)

// Origin returns the origin of the page that a browser's request comes from, as browsers write it; "" when it does not
// say. Scripts of a page (`fetch`) and forms say it in Origin, images and script elements in Referer only, and a page can
// keep its browser from saying either, but not make it say another.
func Origin(header http.Header) string {
	if origin := header.Get("Origin"); origin != "" {
		if origin == "null" {
			return ""
		}
		return origin
	}
	page, err := url.Parse(header.Get("Referer"))
	if err != nil || page.Scheme == "" || page.Host == "" {
		return ""
	}
	return strings.ToLower(page.Scheme + "://" + page.Host)
}
