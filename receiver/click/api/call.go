package api

import (
	"cmp"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/click/link"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/request"
)

const (
	// paramToken is the campaign's credential, paramVersion the client's version.
	paramToken   = "token"
	paramVersion = "version"
)

// call is what a client says, whatever its version.
type call struct {
	// v4: the client is of version 4, which has answers of its own.
	v4    bool
	token string
	// tokenInQuery: the token came in the URL.
	tokenInQuery bool
	at           time.Time
	// values of the click, without the token: no macro of the offer can give it away.
	values request.Values
	// ip and userAgent are the visitor's; empty if the client does not say.
	ip, userAgent string
	// isNew: the visitor has no cookie of an earlier click.
	isNew bool
	// visitorToken is the cookie of the visitor's last click, empty if there is none.
	visitorToken string
	// prefetch: a browser fetched the page ahead of its visitor.
	prefetch bool
	// secure: the page is served over https. Known for version 4 only.
	secure bool
}

// readCall reads what a client says.
func readCall(said *request.Request, header http.Header) *call {
	query := request.ParseVisit(&request.Request{RawQuery: said.RawQuery}, nil)
	c := &call{token: query.Get(paramToken), tokenInQuery: true, at: said.At}
	sent := query
	if said.Method == http.MethodPost {
		// The query of a client that has its token in the body is not read.
		form := *said
		form.RawQuery = ""
		if sent = request.ParseVisit(&form, nil); sent.Get(paramToken) != "" {
			c.token, c.tokenInQuery = sent.Get(paramToken), false
		} else {
			sent = request.ParseVisit(said, nil)
		}
	}
	c.v4 = said.Path == pathV4 || sent.Get(paramVersion) == "4"
	if c.v4 {
		c.readV4(sent)
	} else {
		c.readV3(sent, said.UserAgent, header)
	}
	return c
}

// readV3 reads what clients up to version 3 send: everything is a parameter, and the visitor's cookies are the
// request's. A browser that calls the API itself is the visitor.
func (c *call) readV3(sent request.Values, userAgent string, header http.Header) {
	for _, value := range sent {
		if value.Name != paramToken {
			c.values = append(c.values, value)
		}
	}
	c.ip = address(sent.Get("ip"))
	c.userAgent = cmp.Or(sent.Get("ua"), sent.Get("user_agent"))
	if c.userAgent == "" && (header.Get("Origin") != "" || header.Get("Sec-Fetch-Mode") != "") {
		c.userAgent = userAgent
	}
	c.readCookies(header.Get("Cookie"))
	c.prefetch = sent.Get("prefetch") == "1" || visit.IsSpeculative(header.Get)
}

// readV4 reads what clients of version 4 send: the visitor's request, as headers[…], server[…], get_params[…] and
// post_params[…]. What the page's code says itself counts before its query, and that before its form.
func (c *call) readV4(sent request.Values) {
	headers, server := map[string]string{}, map[string]string{}
	var query, form request.Values
	for _, value := range sent {
		group, name := split(value.Name)
		switch group {
		case "headers":
			headers[strings.ToLower(name)] = value.Value
		case "server":
			server[strings.ToLower(name)] = value.Value
		case "get_params":
			query = append(query, request.Value{Name: name, Value: value.Value})
		case "post_params":
			form = append(form, request.Value{Name: name, Value: value.Value})
		default:
			if value.Name != paramToken {
				c.values = append(c.values, value)
			}
		}
	}
	for _, value := range append(query, form...) {
		if value.Name != paramToken && c.values.Get(value.Name) == "" {
			c.values = append(c.values, value)
		}
	}
	header := func(name string) string { return headers[strings.ToLower(name)] }
	c.ip = address(cmp.Or(sent.Get("ip"), server["remote_addr"]))
	c.userAgent = cmp.Or(sent.Get("ua"), header("User-Agent"))
	c.readCookies(header("Cookie"))
	c.prefetch = sent.Get("prefetch") == "1" || visit.IsSpeculative(header)
	c.secure = server["https"] != "" && !strings.EqualFold(server["https"], "off")
}

// split takes the name of a member apart: group[name], or group.name as it is known after reading. name is empty if
// there is no group.
func split(param string) (group, name string) {
	at := strings.IndexAny(param, "[.")
	if at <= 0 {
		return "", ""
	}
	group, name = param[:at], param[at+1:]
	if param[at] == '[' {
		name = strings.Replace(name, "]", "", 1)
	}
	return group, name
}

// address returns a visitor's address as the page says it, "" if it says none. The page knows the visitor: the
// connection is its server's.
func address(text string) string {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}

// readCookies reads the visitor's Cookie header.
func (c *call) readCookies(header string) {
	r := http.Request{Header: http.Header{"Cookie": {header}}}
	cookie, err := r.Cookie(link.CookieSubID)
	c.isNew = err != nil || cookie.Value == ""
	if cookie, err = r.Cookie(link.CookieToken); err == nil {
		c.visitorToken = cookie.Value
	}
}
