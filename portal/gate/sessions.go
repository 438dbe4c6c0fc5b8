package gate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	// sessionCookie is a cookie of this host alone, and of HTTPS.
	sessionCookie = "__Host-postback_session"
	// sessionFor is how long a session lasts at most, reviewedFor how long its token is believed before the cluster is
	// asked again.
	sessionFor  = 12 * time.Hour
	reviewedFor = time.Minute
	// maxSessions bounds those that are kept.
	maxSessions = 10_000
)

// errFull is the error of a session that there is no room for.
var errFull = errors.New("too many visitors are signed in")

// sessions keeps who has signed in with a token. They end with the process.
type sessions struct {
	core  kubernetes.Interface
	clock func() time.Time

	mu   sync.Mutex
	byID map[[sha256.Size]byte]*session // guarded by mu; by the digest of the cookie
}

type session struct {
	token string
	ends  time.Time

	mu       sync.Mutex
	user     authenticationv1.UserInfo // guarded by mu
	reviewed time.Time                 // guarded by mu
}

// enter makes a session of a token. Its id is always new: a cookie that somebody planted before stands for nothing.
func (s *sessions) enter(ctx context.Context, w http.ResponseWriter, token string) (ok bool, err error) {
	user, known, err := review(ctx, s.core, token)
	if err != nil || !known {
		return false, err
	}
	now, id := s.clock(), rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[[sha256.Size]byte]*session{}
	}
	for key, of := range s.byID {
		if !now.Before(of.ends) {
			delete(s.byID, key)
		}
	}
	if len(s.byID) >= maxSessions {
		return false, errFull
	}
	s.byID[sha256.Sum256([]byte(id))] = &session{token: token, user: user, reviewed: now, ends: now.Add(sessionFor)}
	setCookie(w, id, 0)
	return true, nil
}

// visitor returns who has sent the request; false for nobody. A token that the cluster does not know any more ends its
// session.
func (s *sessions) visitor(r *http.Request) (authenticationv1.UserInfo, bool, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return authenticationv1.UserInfo{}, false, nil
	}
	key, now := sha256.Sum256([]byte(cookie.Value)), s.clock()
	s.mu.Lock()
	of := s.byID[key]
	s.mu.Unlock()
	if of == nil {
		return authenticationv1.UserInfo{}, false, nil
	}
	if !now.Before(of.ends) {
		s.end(key)
		return authenticationv1.UserInfo{}, false, nil
	}
	of.mu.Lock()
	defer of.mu.Unlock()
	if now.Before(of.reviewed.Add(reviewedFor)) {
		return of.user, true, nil
	}
	user, known, err := review(r.Context(), s.core, of.token)
	if err != nil {
		return authenticationv1.UserInfo{}, false, err
	}
	if !known {
		s.end(key)
		return authenticationv1.UserInfo{}, false, nil
	}
	of.user, of.reviewed = user, now
	return user, true, nil
}

// leave ends the session of the request.
func (s *sessions) leave(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.end(sha256.Sum256([]byte(cookie.Value)))
	}
	setCookie(w, "", -1)
}

func (s *sessions) end(key [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, key)
}

func setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     sessionCookie,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	})
}
