// Package rule owns what a forward sends: a declared rule compiled for the hot path, and its macros filled in
// (docs/semantics.md §6). It is pure: no network, no clock, no randomness of its own. Sending is package forward's.
package rule

import (
	"slices"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/macro"
)

// Rule is one compiled forward. It is immutable and may be shared.
type Rule struct {
	Name string
	// Method is GET or POST.
	Method string
	// Host is what limits are kept for: host:port, lower case, the port always given.
	Host string

	// origin is scheme://authority as declared.
	origin string
	pieces []piece
	body   body
	// headers of every request.
	headers []Header
	expect  []config.StatusRange
	// tokens are texts of the declaration that may be secret.
	tokens []config.Redacted
}

// piece is literal text of the request, or a macro.
type piece struct {
	config.TemplatePart
	// shown is in its place where no secret may be seen, unless it is a macro.
	shown string
}

// Header is one header of a request.
type Header struct {
	Name  string
	Value config.Redacted
}

// Request is a filled-in rule.
type Request struct {
	Method, URL string
	// Body of a POST, and what it is. Without a declared body it is a form: what of the template follows the question
	// mark. A GET has none.
	Body, ContentType string
	// Headers go before everything that a sender sets itself.
	Headers []Header
	// Shown is the URL as it may be kept and shown: values of macros, and the names of the parameters that have them.
	// All other text of the template is left out, since it may hold tokens.
	Shown string
}

// Compile builds a rule. Whatever the contract's validation accepts compiles.
func Compile(f config.Forward) (*Rule, error) {
	parts, err := config.ParseTemplate(f.URL)
	if err != nil {
		return nil, err
	}
	r := &Rule{Name: f.Name, Method: f.Method}
	if r.body, err = compileBody(&f); err != nil {
		return nil, err
	}
	if len(parts) > 0 {
		r.origin, parts[0].Literal = cutOrigin(parts[0].Literal)
	}
	r.Host = hostOf(r.origin)
	r.pieces = piecesOf(parts)
	for _, h := range f.Headers {
		header := Header{Name: h.Name, Value: config.Redacted(h.Value)}
		if h.Secret != nil {
			header.Value = h.Secret.Value
		}
		r.headers = append(r.headers, header)
	}
	for _, text := range f.Expect {
		if statuses, ok := config.ParseStatusRange(text); ok {
			r.expect = append(r.expect, statuses)
		}
	}
	r.tokens = r.secretTexts()
	return r, nil
}

// Expects reports whether an answer of that status means success.
func (r *Rule) Expects(status int) bool {
	if len(r.expect) == 0 {
		return status >= 200 && status < 300
	}
	return slices.ContainsFunc(r.expect, func(s config.StatusRange) bool { return s.From <= status && status <= s.To })
}

// cutOrigin splits the template's first literal behind the host: macros come later.
func cutOrigin(text string) (origin, rest string) {
	_, afterScheme, _ := strings.Cut(text, "://")
	end := strings.IndexAny(afterScheme, "/?#")
	if end < 0 {
		return text, ""
	}
	cut := len(text) - len(afterScheme) + end
	return text[:cut], text[cut:]
}

func hostOf(origin string) string {
	scheme, authority, _ := strings.Cut(strings.ToLower(origin), "://")
	if i := strings.LastIndexByte(authority, ':'); i < 0 || strings.HasSuffix(authority, "]") {
		return authority + map[string]string{"http": ":80", "https": ":443"}[scheme]
	}
	return authority
}

// piecesOf drops the fragment, which is never sent.
func piecesOf(parts []config.TemplatePart) []piece {
	var pieces []piece
	inQuery := false
	for i, part := range parts {
		literal, _, fragment := strings.Cut(part.Literal, "#")
		part.Literal = macro.Wire(literal)
		p := piece{TemplatePart: part}
		if part.Macro == "" {
			beforeMacro := i+1 < len(parts) && !fragment
			p.shown = mask(part.Literal, inQuery, beforeMacro)
			inQuery = inQuery || strings.Contains(part.Literal, "?")
		}
		if part.Macro != "" || part.Literal != "" {
			pieces = append(pieces, p)
		}
		if fragment {
			break
		}
	}
	return pieces
}

const masked = "…"

// mask returns what may be seen of literal text: that there is some and, right before a macro, the name of its
// parameter.
func mask(literal string, inQuery, beforeMacro bool) string {
	path, query, begins := strings.Cut(literal, "?")
	if inQuery {
		path, query = "", literal
	}
	var shown strings.Builder
	if strings.HasPrefix(path, "/") {
		shown.WriteByte('/')
	}
	if strings.TrimPrefix(path, "/") != "" {
		shown.WriteString(masked)
	}
	if begins && !inQuery {
		shown.WriteByte('?')
	}
	if query == "" || !inQuery && !begins {
		return shown.String()
	}
	start := strings.LastIndexByte(query, '&') + 1
	name, value, isPair := strings.Cut(query[start:], "=")
	switch {
	case !beforeMacro || !isPair || inQuery && start == 0: // what follows a macro at once is of its value
		shown.WriteString(masked)
	default:
		if start > 1 {
			shown.WriteString(masked)
		}
		if start > 0 {
			shown.WriteByte('&')
		}
		shown.WriteString(name + "=")
		if value != "" {
			shown.WriteString(masked)
		}
	}
	return shown.String()
}

// Render fills the rule in.
func (r *Rule) Render(v *Values) Request {
	var sent, shown strings.Builder
	sent.WriteString(r.origin)
	shown.WriteString(r.origin)
	for i := range r.pieces {
		p := &r.pieces[i]
		if p.Macro == "" {
			sent.WriteString(p.Literal)
			shown.WriteString(p.shown)
			continue
		}
		value := encoded(v, &p.TemplatePart)
		sent.WriteString(value)
		shown.WriteString(value)
	}
	request := Request{Method: r.Method, URL: sent.String(), Headers: r.headers, Shown: shown.String()}
	switch {
	case r.Method != config.MethodPost:
	case r.body.parts != nil:
		request.Body, request.ContentType = r.body.render(v), r.body.contentType
	default:
		request.URL, request.Body, _ = strings.Cut(request.URL, "?")
		request.ContentType = formType
	}
	return request
}

// encoded returns a macro's value as it goes into a URL or a form. Only text of the declaration itself may begin
// another parameter: everything else is what somebody has sent.
func encoded(v *Values, m *config.TemplatePart) string {
	value, declared := v.fill(m)
	switch {
	case !m.Raw:
		return macro.Escape(value)
	case declared:
		return macro.Wire(value)
	}
	return macro.Raw(value)
}
