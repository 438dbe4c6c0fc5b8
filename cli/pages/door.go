package pages

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/postback-dev/postback-operator/console"
)

// openPath is where the token of the URL becomes a session.
const openPath = "/open"

// door lets one browser in: the one that presents the token first. What it gets for it is a cookie with another secret,
// made here, so that nobody can plant one. Requests count only under the address that is listened on: a web page that
// resolves a name of its own to 127.0.0.1 gets nothing.
type door struct {
	pages  http.Handler
	host   string
	cookie string

	mu sync.Mutex
	// token is guarded by mu; empty once it was used. session is guarded by mu, and empty until then.
	token, session string
}

// newDoor returns the door to pages that are served at an address of 127.0.0.1.
func newDoor(address string, pages http.Handler) *door {
	_, port, _ := net.SplitHostPort(address)
	// Cookies know no ports: consoles of several endpoints side by side would take each other's.
	return &door{pages: pages, host: address, cookie: "postback_session_" + port, token: rand.Text()}
}

// url opens the door once.
func (d *door) url() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return "http://" + d.host + openPath + "?token=" + url.QueryEscape(d.token)
}

// ServeHTTP implements [http.Handler].
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Frame-Options", "DENY")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case !d.ours(r.Host):
		http.Error(w, "the console answers as http://"+d.host+" only", http.StatusForbidden)
	case r.URL.Path == openPath && r.Method == http.MethodGet:
		d.enter(w, r)
	case !d.knows(r):
		http.Error(w, "open the URL that kubectl postback console has printed; it opens the console once: "+
			"start the command again for a further browser", http.StatusUnauthorized)
	case r.URL.Path == "/":
		http.Redirect(w, r, console.Base, http.StatusFound)
	default:
		d.pages.ServeHTTP(w, r)
	}
}

func (d *door) ours(host string) bool {
	if name, ok := strings.CutPrefix(host, "localhost:"); ok {
		return "127.0.0.1:"+name == d.host
	}
	return host == d.host
}

// enter turns the token into a session. A browser that has one already goes on.
func (d *door) enter(w http.ResponseWriter, r *http.Request) {
	if !d.knows(r) {
		session, ok := d.take(r.URL.Query().Get("token"))
		if !ok {
			http.Error(w, "this URL was used already, or is another console's: start kubectl postback console again",
				http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure: loopback is served without TLS.
			Name:     d.cookie,
			Value:    session,
			Path:     "/",
			HttpOnly: true,
			SameSite: http.SameSiteStrictMode,
		})
	}
	http.Redirect(w, r, console.Base, http.StatusSeeOther) // The token is in no address from here on.
}

// take uses the token up, and returns the session that it stands for.
func (d *door) take(presented string) (session string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.token == "" || subtle.ConstantTimeCompare([]byte(presented), []byte(d.token)) == 0 {
		return "", false
	}
	d.token, d.session = "", rand.Text()
	return d.session, true
}

// knows reports whether the request has the cookie of the session.
func (d *door) knows(r *http.Request) bool {
	cookie, err := r.Cookie(d.cookie)
	if err != nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session != "" && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(d.session)) == 1
}
