package gate

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Headers of a proxy that has authenticated a visitor, as oauth2-proxy writes them.
const (
	userHeader   = "X-Forwarded-User"
	groupsHeader = "X-Forwarded-Groups"
	secretHeader = "X-Postback-Proxy-Secret" //nolint:gosec // It is the header's name.
)

// review returns who has a token, false if nobody has, or not any more.
func review(ctx context.Context, core kubernetes.Interface, token string) (authenticationv1.UserInfo, bool, error) {
	if token == "" {
		return authenticationv1.UserInfo{}, false, nil
	}
	asked := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	answer, err := core.AuthenticationV1().TokenReviews().Create(ctx, asked, metav1.CreateOptions{})
	if err != nil {
		return authenticationv1.UserInfo{}, false, err
	}
	return answer.Status.User, answer.Status.Authenticated && answer.Status.User.Username != "", nil
}

// proxied returns who a proxy says has sent the request. It is believed with the secret that only the proxy knows: in a
// header, or as the password of Basic, where oauth2-proxy writes it.
func proxied(r *http.Request, secret string) (authenticationv1.UserInfo, bool) {
	_, password, _ := r.BasicAuth()
	if !same(r.Header.Get(secretHeader), secret) && !same(password, secret) {
		return authenticationv1.UserInfo{}, false
	}
	user := authenticationv1.UserInfo{Username: r.Header.Get(userHeader)}
	for _, header := range r.Header.Values(groupsHeader) {
		for group := range strings.SplitSeq(header, ",") {
			if group = strings.TrimSpace(group); group != "" && !reserved(group) {
				user.Groups = append(user.Groups, group)
			}
		}
	}
	return user, user.Username != "" && !reserved(user.Username)
}

// reserved reports whether a name is one of the cluster's own, which no proxy gives.
func reserved(name string) bool { return strings.HasPrefix(name, "system:") }

// same compares in constant time, and digests, so that not even a length can be measured. Nothing is not the secret.
func same(presented, secret string) bool {
	got, want := sha256.Sum256([]byte(presented)), sha256.Sum256([]byte(secret))
	return presented != "" && secret != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

const (
	// allowedFor is for how long an answer about what somebody may do is kept.
	allowedFor = 30 * time.Second
	// maxAnswers bounds the answers that are kept.
	maxAnswers = 10_000
)

// Verbs of the virtual resource postbackendpoints/conversions: what a visitor may do with what an endpoint received.
const (
	verbRead   = "get"
	verbChange = "update"
)

// permissions asks the cluster who may do what.
type permissions struct {
	core  kubernetes.Interface
	clock func() time.Time

	mu      sync.Mutex
	answers map[question]answer // guarded by mu
}

type question struct{ user, namespace, name, verb string }

type answer struct {
	allowed bool
	until   time.Time
}

// may reports whether the user may use the verb with what an endpoint received; of a namespace, or of all, where names
// are empty.
func (p *permissions) may(ctx context.Context, user *authenticationv1.UserInfo, namespace, name, verb string,
) (bool, error) {
	// Groups decide too, and a name alone does not tell the visitors of a proxy apart.
	of := question{strings.Join(append([]string{user.Username, user.UID}, user.Groups...), "\x00"), namespace, name, verb}
	now := p.clock()
	p.mu.Lock()
	known, ok := p.answers[of]
	p.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.allowed, nil
	}
	asked := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:   user.Username,
		UID:    user.UID,
		Groups: user.Groups,
		Extra:  extraOf(user),
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace:   namespace,
			Name:        name,
			Verb:        verb,
			Group:       "postback.dev",
			Resource:    "postbackendpoints",
			Subresource: "conversions",
		},
	}}
	reviewed, err := p.core.AuthorizationV1().SubjectAccessReviews().Create(ctx, asked, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers == nil || len(p.answers) >= maxAnswers {
		p.answers = map[question]answer{}
	}
	p.answers[of] = answer{reviewed.Status.Allowed, now.Add(allowedFor)}
	return reviewed.Status.Allowed, nil
}

func extraOf(user *authenticationv1.UserInfo) map[string]authorizationv1.ExtraValue {
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for name, values := range user.Extra {
		extra[name] = authorizationv1.ExtraValue(values)
	}
	return extra
}
