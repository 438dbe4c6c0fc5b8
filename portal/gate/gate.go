// Package gate owns the consoles of a cluster: it authenticates visitors, asks the cluster which endpoints they may see
// and change, and serves the console of each. Visitors are known by a token of Kubernetes, which is reviewed, or by a
// proxy. What they may do is a SubjectAccessReview of the virtual resource postbackendpoints/conversions: get to read,
// update to change.
//
// Receivers are asked with tokens that are made here, for one endpoint and for what the visitor may do. So a visitor
// needs no right to read a Secret, and a mistake in a page shows nobody else's rows: the receiver refuses them.
package gate

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/reach"
	"github.com/postback-dev/postback-operator/console"
)

const (
	// signOutPath is where a session is ended.
	signOutPath = "/logout"
	// maxToken bounds the form with a token, in bytes.
	maxToken = 32 << 10
	// watchFor bounds how long a page is watched before who watches is asked for again.
	watchFor = 5 * time.Minute
)

// Options are what the gate works with. Fields without a comment on nil are mandatory.
type Options struct {
	Cluster *reach.Cluster
	// Hosts are the names under which the consoles answer.
	Hosts []string
	// ProxySecret, if it is not empty, has a proxy that knows it believed; otherwise visitors sign in with a token.
	ProxySecret string
	// Receivers carries requests to receivers; nil = [http.DefaultTransport].
	Receivers http.RoundTripper
	Logger    *slog.Logger
	Clock     func() time.Time
}

// Gate is the handler of all consoles.
type Gate struct {
	Options
	lobby       console.Lobby
	sessions    sessions
	permissions permissions
	origin      *http.CrossOriginProtection

	mu       sync.Mutex
	consoles map[types.NamespacedName]http.Handler // guarded by mu
}

// New returns the gate.
func New(o Options) *Gate {
	if o.Receivers == nil {
		o.Receivers = http.DefaultTransport
	}
	g := &Gate{
		Options:     o,
		lobby:       console.Lobby{Logger: o.Logger, Clock: o.Clock},
		sessions:    sessions{core: o.Cluster.Core, clock: o.Clock},
		permissions: permissions{core: o.Cluster.Core, clock: o.Clock},
		origin:      http.NewCrossOriginProtection(),
		consoles:    map[types.NamespacedName]http.Handler{},
	}
	if o.ProxySecret == "" {
		g.lobby.SignOut = signOutPath
	}
	return g
}

// ServeHTTP implements [http.Handler].
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/livez": // Kubelets ask by the pod's address.
		w.WriteHeader(http.StatusOK)
	case !g.named(r.Host):
		http.Error(w, "the console does not answer under this name", http.StatusMisdirectedRequest)
	case g.origin.Check(r) != nil:
		http.Error(w, "this form is of another site", http.StatusForbidden)
	case strings.HasPrefix(r.URL.Path, "/static/"):
		g.lobby.Static().ServeHTTP(w, r)
	case g.ProxySecret == "" && r.Method == http.MethodPost && r.URL.Path == "/login":
		g.signIn(w, r)
	case g.ProxySecret == "" && r.Method == http.MethodPost && r.URL.Path == signOutPath:
		g.sessions.leave(w, r)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	default:
		g.admit(w, r)
	}
}

// named reports whether a request is for one of the gate's names: a web page could resolve one of its own to us.
func (g *Gate) named(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return slices.ContainsFunc(g.Hosts, func(own string) bool { return strings.EqualFold(own, host) })
}

func (g *Gate) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxToken)
	ok, err := g.sessions.enter(r.Context(), w, strings.TrimSpace(r.PostFormValue("token")))
	switch {
	case err != nil:
		g.broken(w, r, "", err)
	case !ok:
		g.lobby.SignIn(w, r, true)
	default:
		http.Redirect(w, r, "/?"+r.URL.RawQuery, http.StatusSeeOther) //nolint:gosec // The path is ours.
	}
}

// admit serves a request of somebody who is known.
func (g *Gate) admit(w http.ResponseWriter, r *http.Request) {
	user, known, err := g.visitor(r)
	switch {
	case err != nil:
		g.broken(w, r, "", err)
	case !known && g.ProxySecret != "":
		http.Error(w, "this console is reached through its proxy only", http.StatusUnauthorized)
	case !known:
		_, err := r.Cookie(sessionCookie)
		g.lobby.SignIn(w, r, err == nil)
	case r.URL.Path == "/" || r.URL.Path == "/login":
		g.choose(w, r, &user)
	default:
		g.open(w, r, &user)
	}
}

func (g *Gate) visitor(r *http.Request) (authenticationv1.UserInfo, bool, error) {
	if g.ProxySecret != "" {
		user, known := proxied(r, g.ProxySecret)
		return user, known, nil
	}
	return g.sessions.visitor(r)
}

// choose lists the endpoints that the visitor may see.
func (g *Gate) choose(w http.ResponseWriter, r *http.Request, user *authenticationv1.UserInfo) {
	endpoints, err := g.Cluster.Endpoints(r.Context(), "")
	if err != nil {
		g.broken(w, r, user.Username, err)
		return
	}
	var choices []console.Choice
	for i := range endpoints {
		name := types.NamespacedName{Namespace: endpoints[i].Namespace, Name: endpoints[i].Name}
		allowed, err := g.sees(r.Context(), user, name)
		if err != nil {
			g.broken(w, r, user.Username, err)
			return
		}
		if allowed {
			choices = append(choices, console.Choice{
				Namespace: name.Namespace, Name: name.Name, Currency: endpoints[i].Spec.Currency, Base: baseOf(name),
			})
		}
	}
	slices.SortFunc(choices, func(a, b console.Choice) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	g.lobby.Choose(w, r, user.Username, choices)
}

// sees reports whether the visitor may read what an endpoint received: all, those of the namespace, or this one.
func (g *Gate) sees(ctx context.Context, user *authenticationv1.UserInfo, name types.NamespacedName) (bool, error) {
	for _, of := range []types.NamespacedName{{}, {Namespace: name.Namespace}, name} {
		allowed, err := g.permissions.may(ctx, user, of.Namespace, of.Name, verbRead)
		if allowed || err != nil {
			return allowed, err
		}
	}
	return false, nil
}

// open serves the console of the endpoint that the path names. Nobody learns whether there is what they may not see.
func (g *Gate) open(w http.ResponseWriter, r *http.Request, user *authenticationv1.UserInfo) {
	name, ok := endpointOf(r.URL.Path)
	if !ok {
		g.lobby.Refuse(w, r, user.Username, http.StatusNotFound)
		return
	}
	allowed, err := g.permissions.may(r.Context(), user, name.Namespace, name.Name, verbRead)
	if err == nil && allowed {
		_, err = g.Cluster.Endpoint(r.Context(), name.String())
	}
	changes := false
	if err == nil && allowed {
		changes, err = g.permissions.may(r.Context(), user, name.Namespace, name.Name, verbChange)
	}
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		g.broken(w, r, user.Username, err)
		return
	case err != nil || !allowed:
		g.lobby.Refuse(w, r, user.Username, http.StatusNotFound)
		return
	}
	scopes := []read.Scope{read.ScopeRead}
	if changes {
		scopes = append(scopes, read.ScopeWrite, read.ScopeActor)
	}
	ctx := context.WithValue(context.WithValue(r.Context(), scopesKey{}, scopes), userKey{}, user.Username)
	if strings.HasSuffix(r.URL.Path, "/tail") {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, watchFor)
		defer cancel()
	}
	g.console(name).ServeHTTP(w, r.WithContext(ctx))
}

// userKey is the context's key of the visitor's name.
type userKey struct{}

// console returns the console of an endpoint.
func (g *Gate) console(name types.NamespacedName) http.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	if pages := g.consoles[name]; pages != nil {
		return pages
	}
	over := &line{endpoint: name, cluster: g.Cluster, clock: g.Clock, over: g.Receivers}
	pages := console.New(console.Options{
		API:     client.New("http://receiver", "", over),
		Logger:  g.Logger.With("endpoint", name.String()),
		Clock:   g.Clock,
		Base:    baseOf(name),
		SignOut: g.lobby.SignOut,
		ReadOnly: func(r *http.Request) bool {
			scopes, _ := r.Context().Value(scopesKey{}).([]read.Scope)
			return !slices.Contains(scopes, read.ScopeWrite)
		},
		ActorOf: func(r *http.Request) string {
			who, _ := r.Context().Value(userKey{}).(string)
			return who
		},
	})
	g.consoles[name] = pages
	return pages
}

// broken says that the cluster does not answer. Why is in the log only.
func (g *Gate) broken(w http.ResponseWriter, r *http.Request, who string, err error) {
	if r.Context().Err() == nil {
		g.Logger.Error("Asking the cluster", "path", r.URL.Path, "error", err)
	}
	g.lobby.Refuse(w, r, who, http.StatusBadGateway)
}

func baseOf(name types.NamespacedName) string { return "/e/" + name.Namespace + "/" + name.Name + "/" }

// endpointOf returns the endpoint that a path below /e/ is of.
func endpointOf(path string) (types.NamespacedName, bool) {
	parts := strings.SplitN(path, "/", 5)
	if len(parts) != 5 || parts[1] != "e" || parts[2] == "" || parts[3] == "" {
		return types.NamespacedName{}, false
	}
	return types.NamespacedName{Namespace: parts[2], Name: parts[3]}, true
}
