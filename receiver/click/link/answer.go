package link

import (
	"net/http"
	"strconv"
	"time"
)

// CookieSubID is the cookie with the subid of a browser's last click, CookieToken the one with its token.
const (
	CookieSubID = "subid"
	CookieToken = "token"
)

// setCookies remembers a click for as long as the campaign says. Pages' scripts read these cookies where a proxy puts
// the receiver on the page's own host, so they are not HttpOnly; they give access to nothing but the click. Over TLS
// other sites' pages may send them along with a pixel (SameSite=None, which browsers accept with Secure only), unless
// the browser blocks such cookies.
func setCookies(w http.ResponseWriter, age time.Duration, subid, token string, secure bool) {
	sameSite := http.SameSiteLaxMode
	if secure {
		sameSite = http.SameSiteNoneMode
	}
	//nolint:gosec // See above.
	for _, cookie := range []http.Cookie{{Name: CookieSubID, Value: subid}, {Name: CookieToken, Value: token}} {
		cookie.Path, cookie.MaxAge, cookie.Secure, cookie.SameSite = "/", int(age/time.Second), secure, sameSite
		http.SetCookie(w, &cookie)
	}
}

// redirect answers without a body: one that repeats the address is one more thing to escape. A browser that sent a form
// asks the offer by GET, so that the form's content does not go on.
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Location", to)
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusSeeOther)
		return
	}
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
