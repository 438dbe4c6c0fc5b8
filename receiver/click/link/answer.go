package link

import (
	"net/http"
	"strconv"
	"time"
)

// CookieAge is how long a browser remembers its last click.
const CookieAge = 30 * 24 * time.Hour

// CookieSubID is the cookie that tells a browser's last click, CookieToken the one that tells its token.
const (
	CookieSubID = "subid"
	CookieToken = "token"
)

// setCookies remembers a click. Pages' scripts read these cookies where a proxy puts the receiver on the page's own host,
// so they are not HttpOnly; they open nothing but the click. Over TLS other sites' pages may send them along with a pixel
// (SameSite=None, which browsers accept with Secure only), where a browser has not turned such cookies off.
func setCookies(w http.ResponseWriter, subid, token string, secure bool) {
	sameSite := http.SameSiteLaxMode
	if secure {
		sameSite = http.SameSiteNoneMode
	}
	for _, cookie := range []http.Cookie{{Name: CookieSubID, Value: subid}, {Name: CookieToken, Value: token}} { //nolint:gosec // See above.
		cookie.Path, cookie.MaxAge, cookie.Secure, cookie.SameSite = "/", int(CookieAge/time.Second), secure, sameSite
		http.SetCookie(w, &cookie)
	}
}

// redirect answers without a body: one that repeats the address is one more thing to escape.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

func script(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/javascript")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(text)) // Fails only when the visitor has gone.
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	w.WriteHeader(http.StatusServiceUnavailable)
}
