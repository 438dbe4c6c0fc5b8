package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/postback-dev/postback-operator/api/read/client"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// tested is what somebody asks the tester, and its answer.
type tested struct {
	// Endpoint judges a query; the key of a whole URL names its own.
	Endpoint string
	// Text is a URL, or a query.
	Text               string
	Method, Type, Body string
	// Explained is nil until something was asked.
	Explained *read.Explanation
	Groups    []stepGroup
	Failure   string
	// Examples are for an endpoint that nobody has asked about yet.
	Examples []example
}

// stepGroup are neighbouring steps of the same name.
type stepGroup struct {
	Step  string
	Steps []read.ExplainStep
}

// example is a query to try. Name is the key of its title.
type example struct{ Name, Query string }

var examples = []example{
	{"lead", "subid=demo1&status=lead&payout=10"},
	{"sale", "subid=demo1&status=sale&payout=12,5&currency=eur&tid=1"},
	{"macro", "subid={clickid}&status=sale&payout=7"},
}

// urlAndTest shows how a network is set up, and what would become of a postback.
func (c *console) urlAndTest(p *page) error {
	p.section("url")
	endpoints, err := c.API.Endpoints(p.ctx)
	if err != nil {
		return err
	}
	p.Endpoints, p.Built, p.Tested = endpoints.Items, p.build(), &tested{Examples: examples, Method: http.MethodGet}
	said := p.Query
	if p.request.Method == http.MethodPost {
		said = p.request.PostForm
	}
	return c.test(p, said)
}

// test asks what would become of a postback, if one is said.
func (c *console) test(p *page, said url.Values) error {
	t := p.Tested
	t.Endpoint, t.Text = said.Get("endpoint"), strings.TrimSpace(said.Get("query"))
	t.Type, t.Body = said.Get("content_type"), said.Get("body")
	if said.Get("method") == http.MethodPost || t.Body != "" {
		t.Method = http.MethodPost
	}
	if t.Endpoint == "" && len(p.Endpoints) > 0 {
		t.Endpoint = p.Endpoints[0].Name
	}
	if t.Text == "" && t.Body == "" {
		return nil
	}
	asked := url.Values{"method": {t.Method}}
	if isURL(t.Text) && p.request.Method == http.MethodPost && !strings.Contains(t.Text, "/"+keyPlaceholder+"/") {
		asked.Set("url", t.Text) // Never in the address of a page: its key would be kept in the browser's history.
	} else {
		asked.Set("endpoint", t.Endpoint)
		asked.Set("query", queryOf(t.Text))
		asked.Set("access", "skip") // Who sends it is not known.
	}
	for name, value := range map[string]string{"content_type": t.Type, "body": t.Body, "at": said.Get("at")} {
		if value != "" {
			asked.Set(name, value)
		}
	}
	explained, err := c.API.Explain(p.ctx, asked)
	var failure *client.Failure
	if errors.As(err, &failure) && failure.Status == http.StatusBadRequest {
		t.Failure = failure.Message
		return nil
	}
	if err != nil {
		return err
	}
	t.Explained, t.Groups = &explained, groupSteps(explained.Steps)
	if p.request.Method == http.MethodPost && said.Has("send") && explained.Endpoint != nil {
		return c.sendTest(p, *explained.Endpoint)
	}
	return nil
}

// sendTest records what the tester has explained, for a test click, and leads to what came of it.
func (c *console) sendTest(p *page, endpoint string) error {
	t := p.Tested
	sent, err := c.API.Test(p.ctx, client.Who{Actor: p.Who}, read.NewTest{
		Endpoint:    endpoint,
		Method:      t.Method,
		Query:       queryOf(t.Text),
		ContentType: t.Type,
		Body:        t.Body,
		Note:        "sent by the tester",
	})
	var refused *client.Failure
	switch {
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		t.Failure, p.status = refused.Message, refused.Status
		return nil
	case err != nil:
		return err
	case sent.ConversionID != nil:
		p.next = p.To("conversions/" + *sent.ConversionID)
	default:
		p.next = p.ToPostback(&sent)
	}
	return nil
}

func isURL(text string) bool {
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
}

// queryOf is what follows the question mark, if there is one before the first parameter.
func queryOf(text string) string {
	if before, after, ok := strings.Cut(text, "?"); ok && !strings.ContainsAny(before, "=&") {
		return after
	}
	return text
}

func groupSteps(steps []read.ExplainStep) []stepGroup {
	var groups []stepGroup
	for _, step := range steps {
		if step.Step == "access" && step.Result != nil && *step.Result == "does not apply" {
			continue // A check that the endpoint does not have.
		}
		if last := len(groups) - 1; last >= 0 && groups[last].Step == step.Step {
			groups[last].Steps = append(groups[last].Steps, step)
			continue
		}
		groups = append(groups, stepGroup{step.Step, []read.ExplainStep{step}})
	}
	return groups
}

// Mark is the verdict as a sign; the word is beside it.
func (p *page) Mark(verdict string) string {
	return map[string]string{"ok": "✓", "stop": "✗", "skip": "–"}[verdict]
}

// Says is why a step is as it is, in the page's language where that is known.
func (p *page) Says(step read.ExplainStep) string {
	var words []string
	if step.Reason != nil {
		words = append(words, *step.Reason)
	} else if step.By != nil && step.Step == "s2s" {
		words = append(words, *step.By) // The field of the rule that keeps it from sending.
	}
	var said []string
	for _, word := range append(words, step.Warnings...) {
		if sentence := p.Word(word); sentence != "" {
			said = append(said, sentence)
		}
	}
	if len(said) == 0 && step.Note != nil {
		return *step.Note
	}
	return strings.Join(said, " ")
}

// Why returns the URL of the tester with a postback of the log. A secret that is masked in the log stays so.
func (p *page) Why(row *read.Postback) string {
	pairs := []string{"endpoint", row.Endpoint, "query", row.Query, "at", p.Machine(row.Time)}
	if row.Method == http.MethodPost {
		pairs = append(pairs, "method", row.Method, "body", row.Body)
		if row.ContentType != nil {
			pairs = append(pairs, "content_type", *row.ContentType)
		}
	}
	return p.To("url", pairs...) + "#tester"
}
