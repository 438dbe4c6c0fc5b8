package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
)

const (
	// cookiePrefix begins the name of the cookie that tells one browser from another. It opens nothing: forms are bound
	// to it.
	cookiePrefix = "postback_console"
	// tokenField is the form field that shows that a page of the console has sent the form.
	tokenField = "token"
)

// errForm is the error of a form that no page of this console has sent.
var errForm = errors.New("the form is of no page of this console")

// guard lets forms through that the console's own pages have sent, and no others. A browser's POST has to say that it
// comes from the same origin, and to carry a token that is bound to the browser's cookie. Cookies that the console has
// not made count as none, so that nobody can plant one whose token they know.
type guard struct {
	// key signs cookies and tokens. It ends with the process: forms of before are refused, and loaded again.
	key    [32]byte
	base   string
	origin *http.CrossOriginProtection
}

// cookieName returns the name of the cookie of the console that is asked. Cookies know no ports: consoles side by side
// on one host would take each other's, and refuse each other's forms.
func cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
		return cookiePrefix
	}
	return cookiePrefix + "_" + port
}

func newGuard(base string) *guard {
	g := &guard{base: base, origin: http.NewCrossOriginProtection()}
	_, _ = rand.Read(g.key[:]) // It never fails.
	return g
}

// session returns the browser's cookie, and makes one if there is none of ours.
func (g *guard) session(w http.ResponseWriter, r *http.Request) string {
	if id, ours := g.known(r); ours {
		return id
	}
	var random [16]byte
	_, _ = rand.Read(random[:])
	id := hex.EncodeToString(random[:])
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure: loopback is served without TLS.
		Name:     cookieName(r),
		Value:    id + "." + g.sign("session", id),
		Path:     g.base,
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	})
	return id
}

// known returns the id in the request's cookie, if this console has made it.
func (g *guard) known(r *http.Request) (id string, ours bool) {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return "", false
	}
	id, signature, _ := strings.Cut(cookie.Value, ".")
	return id, hmac.Equal([]byte(signature), []byte(g.sign("session", id)))
}

// token returns what the forms of a session carry.
func (g *guard) token(session string) string { return g.sign("form", session) }

func (g *guard) sign(purpose, id string) string {
	mac := hmac.New(sha256.New, g.key[:])
	mac.Write([]byte(purpose + "\x00" + id))
	return hex.EncodeToString(mac.Sum(nil))
}

// maxForm and maxUpload bound the body of a form, in bytes: the greatest postback, escaped; and the greatest import.
const (
	maxForm   = 512 << 10
	maxUpload = 17 << 20
)

// limitOf returns how long the body of a form may be. All of it is kept in memory.
func (g *guard) limitOf(r *http.Request) int64 {
	if r.URL.Path == g.base+"operations" {
		return maxUpload
	}
	return maxForm
}

// check returns [errForm] unless a page of this console, in this browser, has sent the form. It reads the form.
func (g *guard) check(r *http.Request) error {
	if err := g.origin.Check(r); err != nil {
		return errForm
	}
	id, ours := g.known(r)
	if !ours {
		return errForm
	}
	if r.ParseForm() != nil {
		return errForm
	}
	//nolint:gosec // The body is bounded before it gets here.
	if err := r.ParseMultipartForm(g.limitOf(r)); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return errForm
	}
	if !hmac.Equal([]byte(r.PostForm.Get(tokenField)), []byte(g.token(id))) {
		return errForm
	}
	return nil
}
