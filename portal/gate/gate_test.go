package gate

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// browser keeps cookies, as browsers do.
type browser struct {
	house   *house
	cookies map[string]*http.Cookie
	headers map[string]string
}

func (h *house) browser() *browser {
	return &browser{house: h, cookies: map[string]*http.Cookie{}, headers: map[string]string{}}
}

func (b *browser) send(t *testing.T, method, target string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://"+host+target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.headers {
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	for _, cookie := range b.cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	b.house.ServeHTTP(w, r)
	response := w.Result()
	_ = response.Body.Close()
	for _, cookie := range response.Cookies() {
		b.cookies[cookie.Name] = cookie
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
	}
	return w
}

func (b *browser) get(t *testing.T, target string) *httptest.ResponseRecorder {
	t.Helper()
	return b.send(t, http.MethodGet, target, nil)
}

// signedIn is a browser whose visitor has signed in.
func (h *house) signedIn(t *testing.T, token string) *browser {
	t.Helper()
	b := h.browser()
	if w := b.send(t, http.MethodPost, "/login", url.Values{"token": {token}}); w.Code != http.StatusSeeOther {
		t.Fatalf("signing in: status %d: %s", w.Code, w.Body)
	}
	return b
}

const (
	mine   = "/e/a/shop/"
	theirs = "/e/b/shop/"
)

func TestWhoSignsInGetsANewSession(t *testing.T) {
	h := newHouse("")
	_, token := person(t, "a", "reader")
	b := h.browser()
	if w := b.get(t, mine); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `action="/login`) {
		t.Errorf("a stranger: status %d", w.Code)
	}
	for _, wrong := range []string{"", "x", token[:len(token)-2], expired(t, token)} {
		w := b.send(t, http.MethodPost, "/login", url.Values{"token": {wrong}})
		if w.Code != http.StatusUnauthorized || len(b.cookies) != 0 {
			t.Errorf("the token %.9q: status %d, cookies %v", wrong, w.Code, b.cookies)
		}
	}
	// A session that somebody has planted stands for nobody, before and after.
	planted := &http.Cookie{Name: sessionCookie, Value: "PLANTED"}
	b.cookies[sessionCookie] = planted
	if w := b.get(t, "/"); w.Code != http.StatusUnauthorized {
		t.Errorf("a planted session: status %d", w.Code)
	}
	w := b.send(t, http.MethodPost, "/login", url.Values{"token": {token}})
	c := b.cookies[sessionCookie]
	if w.Code != http.StatusSeeOther || c.Value == "PLANTED" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" ||
		c.SameSite != http.SameSiteStrictMode || strings.Contains(token, c.Value) {
		t.Errorf("status %d, the cookie is %v", w.Code, c)
	}
	thief := h.browser()
	thief.cookies[sessionCookie] = planted
	if w := thief.get(t, "/"); w.Code != http.StatusUnauthorized {
		t.Errorf("the planted session after somebody has signed in with it: status %d", w.Code)
	}
	// Signed out, the cookie is nobody's, wherever it is kept.
	thief.cookies[sessionCookie] = c
	b.send(t, http.MethodPost, signOutPath, url.Values{})
	if w := thief.get(t, "/"); w.Code != http.StatusUnauthorized || len(b.cookies) != 0 {
		t.Errorf("after signing out: status %d, cookies %v", w.Code, b.cookies)
	}
}

func TestAVisitorSeesWhatTheClusterAllows(t *testing.T) {
	h := newHouse("")
	_, ofReader := person(t, "a", "reader")
	_, ofNobody := person(t, "a", "")
	_, ofOther := person(t, "b", "corrector")
	reader, nobody, other := h.signedIn(t, ofReader), h.signedIn(t, ofNobody), h.signedIn(t, ofOther)
	for _, tc := range []struct {
		who    *browser
		name   string
		target string
		status int
	}{
		{reader, "a reader's own", mine, 200},
		{reader, "a page of it", mine + "received?lang=ru", 200},
		{reader, "another tenant's", theirs, 404},
		{reader, "one that is not there", "/e/a/none/", 404},
		{reader, "one that is not there, of another tenant", "/e/b/none/", 404},
		{reader, "a path that climbs, which leads there", "/e/a/shop/../../b/shop/", 307},
		{reader, "no page", "/console/", 404},
		{nobody, "a tenant's person without a role", mine, 404},
		{other, "the other way round", mine, 404},
		{other, "one's own, whose fleet the console may not read", theirs, 502},
	} {
		before := len(h.fleet.asked)
		w := tc.who.get(t, tc.target)
		if w.Code != tc.status {
			t.Errorf("%s: status %d, want %d: %.300s", tc.name, w.Code, tc.status, w.Body)
		}
		if tc.status != 200 && len(h.fleet.asked) > before {
			t.Errorf("%s: receivers were asked %v", tc.name, h.fleet.last())
		}
		if strings.Contains(w.Body.String(), "ops-of-") {
			t.Errorf("%s: the page has a token", tc.name)
		}
	}
	for _, one := range h.fleet.asked {
		if one.grant.Endpoint != "a/shop" || !slices.Equal(one.grant.Scopes, []read.Scope{read.ScopeRead}) {
			t.Errorf("receivers are asked with %+v", one.grant)
		}
	}
	for who, want := range map[*browser][2]bool{reader: {true, false}, nobody: {false, false}, other: {false, true}} {
		page := who.get(t, "/").Body.String()
		if got := [2]bool{strings.Contains(page, mine), strings.Contains(page, theirs)}; got != want {
			t.Errorf("listed are %v, want %v", got, want)
		}
	}
	if size := len(reader.get(t, "/?lang=ru").Body.String()); size > 10_000 {
		t.Errorf("the list has %d bytes", size)
	}
}

var formToken = regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`)

func TestAChangeTakesARightAndIsLoggedByName(t *testing.T) {
	h := newHouse("")
	_, ofReader := person(t, "a", "reader")
	chief, ofChief := person(t, "a", "corrector")
	for who, want := range map[string]int{ofReader: 403, ofChief: 303} {
		b := h.signedIn(t, who)
		token := formToken.FindStringSubmatch(b.get(t, mine+"url").Body.String())[1]
		// Who may not change anything sees no form for it.
		offered := strings.Contains(b.get(t, mine+"operations").Body.String(), `name="kind"`)
		if offered != (want == 303) {
			t.Errorf("status %d is expected of a form, which the page has: %t", want, offered)
		}
		form := url.Values{"token": {token}, "kind": {"replay"}, "endpoint": {"a/shop"}, "note": {"n"}}
		w := b.send(t, http.MethodPost, mine+"operations", form)
		if w.Code != want {
			t.Errorf("status %d, want %d: %.300s", w.Code, want, w.Body)
		}
		if want != 303 {
			continue
		}
		if got := h.fleet.last(); got.actor != "system:serviceaccount:a:"+chief || got.grant.Endpoint != "a/shop" ||
			!got.grant.May(read.ScopeActor) || w.Header().Get("Location") != mine+"operations/o1" {
			t.Errorf("asked %+v, leads to %s", got, w.Header().Get("Location"))
		}
		// Forms of other sites, and forms without the page's token, change nothing.
		asked := len(h.fleet.asked)
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			b.headers = map[string]string{name: value}
			if w := b.send(t, http.MethodPost, mine+"operations", form); w.Code != http.StatusForbidden {
				t.Errorf("%s: %s: status %d", name, value, w.Code)
			}
			if b.send(t, http.MethodPost, signOutPath, url.Values{}); b.cookies[sessionCookie] == nil {
				t.Error("another site has signed the visitor out")
			}
			stranger := &browser{house: h, cookies: map[string]*http.Cookie{}, headers: b.headers}
			if stranger.send(t, http.MethodPost, "/login", url.Values{"token": {who}}); len(stranger.cookies) != 0 {
				t.Error("another site has signed a visitor in")
			}
		}
		b.headers = nil
		form.Set("token", strings.Repeat("0", 64))
		if w := b.send(t, http.MethodPost, mine+"operations", form); w.Code != 403 || len(h.fleet.asked) != asked {
			t.Errorf("a form without the page's token: status %d", w.Code)
		}
	}
}

func TestTheConsoleAnswersUnderItsOwnNamesOnly(t *testing.T) {
	h := newHouse("")
	_, token := person(t, "a", "reader")
	b := h.signedIn(t, token)
	for name, want := range map[string]int{
		host: 200, strings.ToUpper(host): 200, host + ":8443": 200, "rebound.example": 421, "127.0.0.1": 421, "": 421,
		host + ".evil.example": 421,
	} {
		b.headers["Host"] = name
		if name == "" {
			b.headers["Host"] = " "
		}
		for _, target := range []string{mine, "/", "/static/console.css"} {
			if w := b.get(t, target); w.Code != want {
				t.Errorf("%s under %q: status %d, want %d", target, name, w.Code, want)
			}
		}
	}
}

func TestWhatIsWithdrawnEnds(t *testing.T) {
	h := newHouse("")
	name, token := person(t, "a", "reader")
	b := h.signedIn(t, token)
	if w := b.get(t, mine); w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	if err := admin.RbacV1().RoleBindings("a").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wait(t, "the role is withdrawn", func() bool {
		h.now = h.now.Add(allowedFor + time.Second)
		return b.get(t, mine).Code == http.StatusNotFound
	})
	if err := admin.CoreV1().ServiceAccounts("a").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wait(t, "the token is not valid any more", func() bool {
		h.now = h.now.Add(reviewedFor + time.Second)
		return b.get(t, "/").Code == http.StatusUnauthorized
	})
	_, token = person(t, "a", "reader")
	b = h.signedIn(t, token)
	if h.now = h.now.Add(sessionFor); b.get(t, "/").Code != http.StatusUnauthorized {
		t.Error("a session lasts too long")
	}
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s, and nothing changes", what)
		}
	}
}

func TestAProxyIsBelievedWithItsSecretOnly(t *testing.T) {
	const secret = "a-secret-of-the-proxy"
	h := newHouse(secret)
	group := rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "buyers"}
	if err := bind(t.Context(), "a", "buyers", "ClusterRole", "postback-operator-console-reader", group); err != nil {
		t.Fatal(err)
	}
	wait(t, "the role is there", func() bool {
		h.now = h.now.Add(allowedFor + time.Second)
		b := h.browser()
		b.headers = map[string]string{userHeader: "ann", groupsHeader: "x, buyers", secretHeader: secret}
		return b.get(t, mine).Code == http.StatusOK
	})
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+secret))
	for _, tc := range []struct {
		name    string
		headers map[string]string
		status  int
	}{
		{"nobody", nil, 401},
		{"without the secret", map[string]string{userHeader: "ann", groupsHeader: "buyers"}, 401},
		{"with another one", map[string]string{userHeader: "ann", groupsHeader: "buyers", secretHeader: "x"}, 401},
		{"with an empty one", map[string]string{userHeader: "ann", groupsHeader: "buyers", secretHeader: ""}, 401},
		{"without a name", map[string]string{groupsHeader: "buyers", secretHeader: secret}, 401},
		{"as the proxy says", map[string]string{userHeader: "ann", groupsHeader: "x, buyers", secretHeader: secret}, 200},
		{"as oauth2-proxy says", map[string]string{userHeader: "ann", groupsHeader: "buyers", "Authorization": basic}, 200},
		{"of another group", map[string]string{userHeader: "ann", groupsHeader: "x", secretHeader: secret}, 404},
		{"who would be the cluster", map[string]string{userHeader: "ann", groupsHeader: "system:masters", secretHeader: secret}, 404},
		{"as an administrator", map[string]string{userHeader: "system:admin", secretHeader: secret}, 401},
		{"a token is no way in", map[string]string{"Authorization": "Bearer x"}, 401},
	} {
		b := h.browser()
		b.headers = tc.headers
		if w := b.get(t, mine); w.Code != tc.status {
			t.Errorf("%s: status %d, want %d", tc.name, w.Code, tc.status)
		}
		if w := b.send(t, http.MethodPost, "/login", url.Values{"token": {"x"}}); w.Code == http.StatusSeeOther {
			t.Errorf("%s: there is a sign-in", tc.name)
		}
	}
}

// expired returns a token that was valid until a minute ago, signed as the API server signs.
func expired(t *testing.T, token string) string {
	t.Helper()
	text, err := os.ReadFile(signingKey)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key := parsed.(*ecdsa.PrivateKey)
	sign := func(until time.Time) string {
		parts := strings.Split(token, ".")
		said, err := base64.RawURLEncoding.DecodeString(parts[1])
		claims := map[string]any{}
		if err != nil || json.Unmarshal(said, &claims) != nil {
			t.Fatal("the token cannot be read")
		}
		claims["exp"], claims["iat"], claims["nbf"] = until.Unix(), until.Add(-time.Hour).Unix(), until.Add(-time.Hour).Unix()
		changed, _ := json.Marshal(claims)
		signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(changed)
		digest := sha256.Sum256([]byte(signed))
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	// With a later end it would be valid: it is refused for its age.
	if _, known, err := review(t.Context(), admin, sign(time.Now().Add(10*time.Minute))); !known || err != nil {
		t.Fatalf("a token that is signed here is unknown: %v", err)
	}
	return sign(time.Now().Add(-time.Minute))
}
