package console

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// filePatience bounds the wait for a browser that takes no more of a file.
const filePatience = time.Minute

// Parameters of the lists.
var (
	conversionFilters = []string{"endpoint", "subid", "tid", "type", "from", "to", "filter"}
	postbackFilters   = []string{"endpoint", "subid", "outcome", "reason", "from", "to", "filter"}
	forwardFilters    = []string{"endpoint", "subid", "rule", "state", "from", "to"}
)

// Download returns where this page's rows are as a table; excel: as Excel reads it in many countries.
func (p *page) Download(excel bool) string {
	query := maps.Clone(p.Query)
	for _, name := range []string{"cursor", "live", "lang", "out"} {
		query.Del(name)
	}
	if excel {
		query.Set("separator", ";")
		query.Set("bom", "1")
	}
	if p.template == "operation" {
		return withQuery(p.path+"/rows.csv", query)
	}
	return withQuery(p.path+".csv", query)
}

// download hands a table of the API on, while it is made.
func (c *console) download(w http.ResponseWriter, p *page, resource string, parameters url.Values) {
	for name, values := range p.asked("separator", "bom") {
		parameters[name] = values
	}
	table, err := c.API.Stream(p.ctx, resource, parameters)
	if err != nil {
		c.fail(w, p, err)
		return
	}
	defer func() { _ = table.Close() }()
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	name := strings.ReplaceAll(strings.TrimPrefix(p.path, p.base), "/", "-")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if _, err := io.Copy(&patient{w, http.NewResponseController(w)}, table); err != nil && p.ctx.Err() == nil {
		c.Logger.Error("Handing a table on", "path", p.request.URL.Path, "error", err)
		panic(http.ErrAbortHandler) // A table that ends too early must not look whole.
	}
}

// patient lets each write take a while, in place of the whole answer.
type patient struct {
	http.ResponseWriter
	connection *http.ResponseController
}

func (w *patient) Write(content []byte) (int, error) {
	_ = w.connection.SetWriteDeadline(time.Now().Add(filePatience)) // Fails in tests only.
	return w.ResponseWriter.Write(content)
}

// picture answers with one of the charts of a page as a file. The parameter n counts them from 0.
func (c *console) picture(fill func(*page) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := c.newPage(r)
		n, err := strconv.Atoi(p.Value("n"))
		if err != nil || n < 0 {
			n = 0
		}
		if err := fill(p); err != nil {
			c.fail(w, p, err)
			return
		}
		if n >= len(p.Figures) {
			c.fail(w, p, errNoPage)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Content-Disposition", `attachment; filename="chart.svg"`)
		_, _ = w.Write(p.Figures[n].Chart.File()) // Fails only when the browser has gone.
	}
}

// fail answers with the page that says what is wrong.
func (c *console) fail(w http.ResponseWriter, p *page, err error) {
	p.template = ""
	status := c.explain(p, err)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := p.render(w, status); err != nil {
		c.Logger.Error("Rendering a page of the console", "path", p.request.URL.Path, "error", err)
	}
}

// Picture returns where one of the page's charts is as a file.
func (p *page) Picture(n int) string {
	query := maps.Clone(p.Query)
	query.Set("n", strconv.Itoa(n))
	path := p.path
	if path == p.base {
		path += "overview"
	}
	return withQuery(path+"/chart.svg", query)
}
