package console

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*.html"))

// page is what templates see.
type page struct {
	ctx      context.Context
	request  *http.Request
	template string
	// base is the path below which the console is. A page of a lobby is before all of them.
	base  string
	lobby bool
	// path is that of the page, which a form's own path may be below.
	path string
	// next is where the browser goes in place of the page, after a change; empty = the page is shown.
	next string
	// status is the HTTP status of a page that says why a form was refused; 0 = 200.
	status int

	// Lang is the language, en or ru. Zone is the time zone in which times are shown.
	Lang string
	Zone *time.Location
	Now  time.Time
	// Query are the parameters of the page's URL, without language and zone.
	Query url.Values
	// Title is the key of the page's title. Section is the part of the navigation that is open.
	Title, Section string
	// Failure says in words why there is nothing to see; empty when there is.
	Failure string

	Conversions []read.Conversion
	Postbacks   []read.Postback
	Forwards    []read.Forward
	Report      *read.Report
	Campaigns   *read.Report
	// Rest are the totals of the report without the rows that the URL leaves out; nil for none.
	Rest      []read.ReportRow
	Clicks    []read.Click
	Endpoints []read.Endpoint
	// CampaignRows are the declared campaigns; Campaigns is what the overview shows of all.
	CampaignRows []campaignRow
	Talkers      []read.Talker
	Statuses     *read.Statuses
	Trained      []trained
	Built        *built
	Tested       *tested
	// Token is what the page's forms carry, see [guard].
	Token string
	// Changes: the visitor may change something, so that the page has forms and links for it.
	Changes bool
	Figures []figure
	// Operations are those of a list, or the one that the page is about, with its rows.
	Operations    []read.Operation
	OperationRows []read.OperationRow
	// Differences are why a dry run was not run; nil for nothing.
	Differences *read.OperationDifferences
	Views       []View
	// Editable: the console itself keeps the views; otherwise ViewYAML is what to commit for one, empty for nothing.
	Editable bool
	ViewYAML string
	// HasViews: the console has a page of views.
	HasViews bool
	// Choices are the endpoints whose consoles the visitor may open.
	Choices []Choice
	// SignOut is where the session is ended that Who has; empty = there is none.
	SignOut, Who string
	// NextCursor continues a list; empty at its end.
	NextCursor string
}

// zones are offered to choose from. Others can be written into the URL.
var zones = []string{
	"UTC", "Europe/London", "Europe/Berlin", "Europe/Kyiv", "Europe/Moscow", "Asia/Almaty", "Asia/Kolkata",
	"Asia/Bangkok", "Asia/Shanghai", "America/Sao_Paulo", "America/New_York", "America/Los_Angeles",
}

func (c *console) newPage(r *http.Request) *page {
	p := newPage(r, c.Clock())
	p.base, p.SignOut, p.Who, p.Changes = c.Base, c.SignOut, c.ActorOf(r), !c.ReadOnly(r)
	return p
}

func newPage(r *http.Request, now time.Time) *page {
	p := &page{
		ctx:     r.Context(),
		request: r,
		base:    Base,
		path:    r.URL.Path,
		Now:     now,
		Query:   r.URL.Query(),
		Zone:    time.UTC,
	}
	p.Lang = chooseLanguage(p.Query.Get("lang"), r.Header.Get("Accept-Language"))
	if zone, err := time.LoadLocation(p.Query.Get("tz")); err == nil {
		p.Zone = zone
	}
	return p
}

// section chooses the template, whose name is also that of its part of the navigation and of its title.
func (p *page) section(name string) {
	p.template, p.Section, p.Title = name, name, "title."+name
}

func (p *page) render(w http.ResponseWriter, status int) error {
	var content bytes.Buffer
	if err := templates.ExecuteTemplate(&content, p.template+".html", p); err != nil {
		http.Error(w, "the page cannot be rendered; see the log", http.StatusInternalServerError)
		return err
	}
	w.WriteHeader(status)
	_, _ = content.WriteTo(w) // Fails only when the browser has gone.
	return nil
}

// asked returns the parameters among names that have a value: an empty field of a form asks for nothing.
func (p *page) asked(names ...string) url.Values {
	asked := url.Values{}
	for _, name := range names {
		for _, value := range p.Query[name] {
			if value = strings.TrimSpace(value); name == "from" || name == "to" {
				value = p.moment(value)
			}
			if value != "" {
				asked.Add(name, value)
			}
		}
	}
	return asked
}

// moment turns a date into its first moment in the page's zone. The API would take it for one in UTC.
func (p *page) moment(text string) string {
	if at, err := time.ParseInLocation(time.DateOnly, text, p.Zone); err == nil {
		return at.Format(time.RFC3339)
	}
	return text
}

// Sections returns the parts of the navigation.
func (p *page) Sections() []string {
	if p.lobby {
		return nil
	}
	return []string{
		"overview", "conversions", "received", "clicks", "campaigns", "s2s", "reports", "url", "endpoints", "operations",
	}
}

// Outcomes and States are what lists can be narrowed to.
func (p *page) Outcomes() []string {
	return []string{"recorded", "duplicate", "superseded", "ignored", "refused", "held"}
}

// States are those of S2S postbacks.
func (p *page) States() []string { return []string{"waiting", "delivered", "failed"} }

// Zones returns the time zones to choose from, the page's own among them.
func (p *page) Zones() []string {
	if slices.Contains(zones, p.Zone.String()) {
		return zones
	}
	return append([]string{p.Zone.String()}, zones...)
}

// To returns the URL of another page in the same language and time zone, with pairs of parameters.
func (p *page) To(path string, pairs ...string) string {
	query := p.Kept()
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	if path == "overview" {
		path = ""
	}
	return withQuery((&url.URL{Path: p.base + path}).EscapedPath(), query)
}

// ToPostback returns the URL of a list that has one row of the received log only.
func (p *page) ToPostback(row *read.Postback) string {
	pairs := []string{"endpoint", row.Endpoint, "filter", "id eq " + row.ID}
	if row.Time != nil { // Within a few minutes it is found at once.
		pairs = append(pairs, "from", row.Time.UTC().Add(-time.Minute).Format(time.RFC3339),
			"to", row.Time.UTC().Add(time.Minute).Format(time.RFC3339))
	}
	return p.To("received", pairs...)
}

// ToViews returns the URL of the page of views, which offers to name this one.
func (p *page) ToViews() string {
	if p.template == "views" || p.template == "failure" {
		return p.To("views")
	}
	return p.To("views", "url", p.Address())
}

// With returns the URL of this page with one parameter changed; an empty value removes it. A list begins again.
func (p *page) With(name, value string) string {
	query := maps.Clone(p.Query)
	if name != "cursor" {
		query.Del("cursor")
	}
	query.Set(name, value)
	if value == "" {
		query.Del(name)
	}
	return withQuery(p.path, query)
}

// Base returns the path below which the console is.
func (p *page) Base() string { return p.base }

// Here returns the path of this page, for forms.
func (p *page) Here() string { return p.path }

// Address returns the page's own URL, for forms and links that lead back to it.
func (p *page) Address() string { return withQuery(p.path, p.Query) }

// Group returns by what a report is grouped: by day, unless the URL says otherwise.
func (p *page) Group() string {
	if p.Query.Has("group") {
		return p.Query.Get("group")
	}
	return "day"
}

// table is a report with the page that it is on. Label is the key of its name.
type table struct {
	Page   *page
	Report *read.Report
	Label  string
}

// Table returns what the template of a report's table needs.
func (p *page) Table(r *read.Report, label string) table { return table{p, r, label} }

// Ticks: rows can be left out of the sum. There is no report where it was refused.
func (t table) Ticks() bool {
	return t.Page.Section == "reports" && t.Report != nil && len(t.Report.Groups) > 0
}

// Wide is how many columns are before the currency.
func (t table) Wide() int {
	if t.Ticks() {
		return len(t.Report.Groups) + 1
	}
	return len(t.Report.Groups)
}

// Value returns what a form has said, otherwise a parameter of the URL.
func (p *page) Value(name string) string {
	if p.request.PostForm.Has(name) {
		return p.request.PostForm.Get(name)
	}
	return p.Query.Get(name)
}

// Kept are the language and the time zone, where the URL says them: links and forms send them along.
func (p *page) Kept() url.Values {
	kept := url.Values{}
	for _, name := range []string{"lang", "tz"} {
		if value := p.Query.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	return kept
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// Time shows a moment in the page's zone; a dash for none.
func (p *page) Time(t *time.Time) string {
	if t == nil {
		return "–"
	}
	return t.In(p.Zone).Format("2006-01-02 15:04:05")
}

// Machine is a moment for programs.
func (p *page) Machine(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// Text shows what may be null; a dash for nothing.
func (p *page) Text(s *string) string {
	if s == nil || *s == "" {
		return "–"
	}
	return *s
}

// Number shows a metric: money and shares with two decimals, a dash where it cannot be told.
func (p *page) Number(m read.Metric, value *string) string {
	if value == nil {
		return "–"
	}
	number, err := decimal.NewFromString(*value)
	if err != nil || m.Unit == "count" {
		return *value
	}
	return number.StringFixedBank(2)
}

// Sorted returns the names of parameters in order.
func (p *page) Sorted(params map[string]string) []string { return slices.Sorted(maps.Keys(params)) }

// Parameters reads a query into names and values, in its order, for people: what cannot be decoded is shown as it is.
func (p *page) Parameters(query string) []pair {
	var pairs []pair
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part != "" {
			pairs = append(pairs, pair{Name: decoded(name), Value: decoded(value)})
		}
	}
	return pairs
}

func decoded(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// pair is a parameter as it was sent.
type pair struct{ Name, Value string }

// row is a conversion with the page that it is on.
type row struct {
	Page *page
	C    *read.Conversion
}

// Row returns what the template of a version's cells needs.
func (p *page) Row(c *read.Conversion) row { return row{p, c} }

// ToForm returns where a form of the page is sent to, and where its answer is looked at.
func (p *page) ToForm(path, fragment string) string { return p.To(path) + "#" + fragment }

// namedCampaign is a campaign with the page that it is on.
type namedCampaign struct {
	Page *page
	Row  campaignRow
}

// Campaign returns what the template of a campaign's cells needs.
func (p *page) Campaign(row campaignRow) namedCampaign { return namedCampaign{p, row} }

// Or returns a text, or another one where there is none.
func (p *page) Or(s *string, other string) string {
	if s == nil || *s == "" {
		return other
	}
	return *s
}
