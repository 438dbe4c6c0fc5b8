package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/postback-dev/postback-operator/api/read/client"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// operations lists what people had changed, and has the form of a replay.
func (c *console) operations(p *page) error {
	p.section("operations")
	if err := c.listEndpoints(p); err != nil {
		return err
	}
	found, err := c.API.Operations(p.ctx, p.asked("endpoint", "kind", "state", "cursor"))
	p.Operations, p.NextCursor = found.Items, cursor(found.NextCursor)
	return err
}

// operation shows one with its rows.
func (c *console) operation(p *page) error {
	p.section("operations")
	id := p.request.PathValue("id")
	found, err := c.API.Operation(p.ctx, id)
	if err != nil {
		return err
	}
	rows, err := c.API.OperationRows(p.ctx, id, p.asked("outcome", "cursor"))
	if err != nil {
		return err
	}
	p.template, p.Title = "operation", "title.operation"
	p.Operations, p.OperationRows, p.NextCursor = []read.Operation{found}, rows.Items, cursor(rows.NextCursor)
	return nil
}

// operate asks for a dry run of what a form says, and leads to it.
func (c *console) operate(p *page) error {
	p.section("operations")
	said := p.request.PostForm
	asked := read.NewOperation{
		Kind:     said.Get("kind"),
		Endpoint: said.Get("endpoint"),
		DryRun:   true,
		Note:     strings.TrimSpace(said.Get("note")),
		Forwards: said.Get("forwards"),
		From:     p.moment(strings.TrimSpace(said.Get("from"))),
		To:       p.moment(strings.TrimSpace(said.Get("to"))),
	}
	switch asked.Kind {
	case "import", "reconcile":
		text, err := textOf(p.request)
		if err != nil {
			return errForm
		}
		asked.Text, asked.Orphans = text, said.Has("orphans")
	case "erase":
		asked.SubID, asked.IP = strings.TrimSpace(said.Get("subid")), strings.TrimSpace(said.Get("ip"))
		asked.Parameter, asked.Value = strings.TrimSpace(said.Get("parameter")), said.Get("value")
	case "resend":
		asked.Rule, asked.Failure = strings.TrimSpace(said.Get("rule")), strings.TrimSpace(said.Get("failure"))
		asked.IDs = strings.Fields(said.Get("ids"))
		asked.PerSecond, _ = strconv.Atoi(said.Get("per_second")) // 0 is the API's default; browsers send numbers only.
	default:
		asked.Reason, asked.Status = strings.TrimSpace(said.Get("reason")), strings.TrimSpace(said.Get("status"))
		asked.IDs = strings.Fields(said.Get("ids"))
		asked.IncludeRefused, asked.IncludeRecorded = said.Has("include_refused"), said.Has("include_recorded")
	}
	made, err := c.API.Operate(p.ctx, c.who(p), asked)
	if err != nil {
		return err
	}
	p.next = p.To("operations/" + made.ID)
	return nil
}

// textOf returns the file that a form has sent, otherwise what was pasted.
func textOf(r *http.Request) (string, error) {
	file, header, err := r.FormFile("file")
	if err != nil || header.Size == 0 {
		return r.PostForm.Get("text"), nil // A form whose file is left out sends an empty one.
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(file)
	return string(text), err
}

// runOperation does what a dry run has told.
func (c *console) runOperation(p *page) error {
	return c.step(p, c.API.RunOperation)
}

// cancelOperation ends an operation.
func (c *console) cancelOperation(p *page) error {
	return c.step(p, c.API.CancelOperation)
}

// step changes the state of an operation, and leads back to it.
func (c *console) step(p *page, change func(context.Context, string) (read.Operation, error)) error {
	p.section("operations")
	changed, err := change(p.ctx, p.request.PathValue("id"))
	var refused *client.Failure
	if errors.As(err, &refused) && refused.Status == http.StatusConflict {
		p.Differences = differencesIn(refused.Body)
	}
	if err != nil {
		return err
	}
	p.next = p.To("operations/" + changed.ID)
	return nil
}

// differencesIn reads why a dry run was not run; nil if that is something else.
func differencesIn(body []byte) *read.OperationDifferences {
	var differ read.OperationDifferences
	if json.Unmarshal(body, &differ) != nil || len(differ.Differences) == 0 {
		return nil
	}
	return &differ
}

// Running reports whether the page shows an operation that goes on: it is loaded again until it has ended.
func (p *page) Running() bool { return p.template == "operation" && p.Operations[0].State == "running" }

// Total is how many rows an operation has, as far as is known.
func (p *page) Total(o read.Operation) int {
	if o.Total == nil {
		return max(1, o.Done)
	}
	return cmp.Or(*o.Total, 1)
}

// kindOf is a kind of operation with the page that has its form.
type kindOf struct {
	Page *page
	Kind string
}

// Form returns what the template of an operation's form needs.
func (p *page) Form(kind string) kindOf { return kindOf{p, kind} }

// resultOf is a row of an operation with the page that it is on.
type resultOf struct {
	Page *page
	Row  read.OperationRow
}

// Result returns what the template of a row's result needs.
func (p *page) Result(row read.OperationRow) resultOf { return resultOf{p, row} }
