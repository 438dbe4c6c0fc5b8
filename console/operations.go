package console

import (
	"cmp"
	"context"
	"net/url"
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

// replay asks for a dry run of what the form selects, and leads to it.
func (c *console) replay(p *page) error {
	p.section("operations")
	said := p.request.PostForm
	made, err := c.API.Operate(p.ctx, client.Who{Actor: "console"}, read.NewOperation{
		Kind:     "replay",
		Endpoint: said.Get("endpoint"),
		DryRun:   true,
		Note:     strings.TrimSpace(said.Get("note")),
		Reason:   said.Get("reason"),
		Status:   said.Get("status"),
		From:     said.Get("from"),
		To:       said.Get("to"),
		Forwards: said.Get("forwards"),
		IDs:      ids(said),
	})
	if err != nil {
		p.template = ""
		return err
	}
	p.next = p.To("operations/" + made.ID)
	return nil
}

// ids are the rows that a form names, nil for none.
func ids(said url.Values) []string { return strings.Fields(said.Get("ids")) }

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
	if err != nil {
		p.template = ""
		return err
	}
	p.next = p.To("operations/" + changed.ID)
	return nil
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
