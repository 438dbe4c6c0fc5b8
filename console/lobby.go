package console

import (
	"log/slog"
	"net/http"
	"time"
)

// Lobby has the pages before consoles of several endpoints: who enters, and which console is opened. Who may do either
// is its caller's business.
type Lobby struct {
	Logger *slog.Logger
	// Clock tells the time.
	Clock func() time.Time
	// SignOut is where a form is sent that ends the visitor's session; empty = there is none to end.
	SignOut string
}

// Choice is an endpoint whose console may be opened. Base is the path of that.
type Choice struct{ Namespace, Name, Currency, Base string }

// Static answers /static/, which the pages of the lobby need.
func (l *Lobby) Static() http.Handler { return secure(http.FileServerFS(static)) }

// SignIn shows the form that takes a token. wrong: the one that was sent is not valid, or not any more.
func (l *Lobby) SignIn(w http.ResponseWriter, r *http.Request, wrong bool) {
	p := l.page(r, "")
	p.template, p.Title = "signin", "title.signin"
	if wrong {
		p.Failure = p.T("lobby.wrong")
	}
	l.show(w, p, http.StatusUnauthorized)
}

// Choose lists the endpoints that the visitor who may see.
func (l *Lobby) Choose(w http.ResponseWriter, r *http.Request, who string, choices []Choice) {
	p := l.page(r, who)
	p.template, p.Title, p.Choices = "choose", "title.choose", choices
	l.show(w, p, http.StatusOK)
}

// Refuse says that there is nothing for the visitor, without saying what others have.
func (l *Lobby) Refuse(w http.ResponseWriter, r *http.Request, who string, status int) {
	p := l.page(r, who)
	p.template, p.Title, p.Failure = "failure", "title.failure", p.T("lobby.nothing")
	if status >= http.StatusInternalServerError {
		p.Failure = p.T("lobby.broken")
	}
	l.show(w, p, status)
}

func (l *Lobby) page(r *http.Request, who string) *page {
	p := newPage(r, l.Clock())
	p.base, p.lobby = "/", true
	if p.path == "/login" {
		p.path = "/" // A link to the other language is no form.
	}
	if who != "" {
		p.Who, p.SignOut = who, l.SignOut
	}
	return p
}

func (l *Lobby) show(w http.ResponseWriter, p *page, status int) {
	secure(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Language", p.Lang)
		if err := p.render(w, status); err != nil {
			l.Logger.Error("Rendering a page of the lobby", "path", r.URL.Path, "error", err)
		}
	})).ServeHTTP(w, p.request)
}

// ToChoice returns the URL of the console of an endpoint, in the page's language and time zone.
func (p *page) ToChoice(c Choice) string { return withQuery(c.Base, p.Kept()) }

// ToSignIn returns where the form with the token is sent.
func (p *page) ToSignIn() string { return withQuery("/login", p.Kept()) }
