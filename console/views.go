package console

import (
	"context"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// View is a page that people have named. Its URL is all of it.
type View struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Views lists the pages that people have named.
type Views interface {
	List(ctx context.Context) ([]View, error)
}

// ViewStore is [Views] that the console itself may change. Where views are declared instead, it shows what to commit.
type ViewStore interface {
	Views
	// Save adds a view, or replaces the one of that name.
	Save(ctx context.Context, v View) error
	// Delete forgets a view. One that is not there is none.
	Delete(ctx context.Context, name string) error
}

// Bounds of a view, in bytes.
const (
	maxViewName = 100
	maxViewURL  = 4 << 10
)

// ViewLabel marks the ConfigMaps of a cluster that are views.
const ViewLabel = "postback.dev/view"

// wrongView is why a view is not kept. Its text is a key of the catalog.
type wrongView string

func (e wrongView) Error() string { return string(e) }

// views lists them, and has the form that adds one.
func (c *console) views(p *page) error {
	p.section("views")
	if c.Views == nil {
		return errNoPage
	}
	_, p.Editable = c.Views.(ViewStore)
	found, err := c.Views.List(p.ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b View) int { return strings.Compare(a.Name, b.Name) })
	p.Views = found
	if p.Editable || p.Value("name") == "" {
		return nil
	}
	v, err := p.viewOf(p.Value("name"), p.Value("url"))
	if err != nil {
		p.Failure = p.T(err.Error())
		return nil
	}
	p.ViewYAML = viewYAML(v)
	return nil
}

// viewOf returns a view as it is kept: the state of a page, in whichever language.
func (p *page) viewOf(name, address string) (View, error) {
	v := View{Name: strings.TrimSpace(name)}
	if v.Name == "" || len(v.Name) > maxViewName || !utf8.ValidString(v.Name) ||
		strings.ContainsFunc(v.Name, unicode.IsControl) {
		return v, wrongView("view.wrong_name")
	}
	target, err := url.Parse(strings.TrimSpace(address))
	if err != nil || len(address) > maxViewURL || p.back(address, "") == "" {
		return v, wrongView("view.wrong_url")
	}
	query := target.Query()
	for _, passing := range []string{"lang", "cursor", "live"} {
		query.Del(passing)
	}
	v.URL = withQuery(target.EscapedPath(), query)
	return v, nil
}

// saveView keeps what the form says.
func (c *console) saveView(p *page) error {
	return c.editViews(p, func(store ViewStore) error {
		v, err := p.viewOf(p.Value("name"), p.Value("url"))
		if err != nil {
			return err
		}
		return store.Save(p.ctx, v)
	})
}

// deleteView forgets the view that the form names.
func (c *console) deleteView(p *page) error {
	return c.editViews(p, func(store ViewStore) error { return store.Delete(p.ctx, p.Value("name")) })
}

func (c *console) editViews(p *page, edit func(ViewStore) error) error {
	store, ok := c.Views.(ViewStore)
	if !ok {
		return errNoPage
	}
	err := edit(store)
	var wrong wrongView
	if errors.As(err, &wrong) {
		p.path, p.status = p.base+"views", 400
		err = c.views(p)
		p.Failure = p.T(wrong.Error())
		return err
	}
	p.next = p.To("views")
	return err
}

// ViewLink returns where a view leads to, in the page's language; "" if that is no page of the console.
func (p *page) ViewLink(v View) string {
	target, err := url.Parse(p.back(v.URL, ""))
	if err != nil || target.Path == "" {
		return ""
	}
	query := target.Query()
	if lang := p.Query.Get("lang"); lang != "" {
		query.Set("lang", lang)
	}
	return withQuery(target.EscapedPath(), query)
}

// plainName are the characters that a ConfigMap's name may have.
var plainName = regexp.MustCompile(`[a-z0-9]+`)

// viewYAML returns what to commit for a view.
func viewYAML(v View) string {
	words := plainName.FindAllString(strings.ToLower(v.Name), -1)
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(v.Name)) // It never fails.
	name := strings.Join(append([]string{"view"}, words...), "-")
	if strings.Join(words, " ") != v.Name { // Another name may have the same words.
		name += "-" + hex.EncodeToString(hash.Sum(nil))
	}
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  labels:\n    " + ViewLabel + ": \"\"\n" +
		"data:\n  name: " + quoted(v.Name) + "\n  url: " + quoted(v.URL) + "\n"
}
