package operation

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/access"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// MaxInput bounds the text of an import, in bytes.
const MaxInput = 16 << 20

// OutcomeMissing is the outcome of a conversion that a network's statement lacks.
const OutcomeMissing = "missing"

// keitaroOrder are the columns of a text without a header.
var keitaroOrder = []string{config.ParamSubid, config.ParamPayout, config.ParamTid, config.ParamStatus}

// imported records the conversions of a text. Of a statement, reconcile also finds what the text lacks.
type imported struct {
	*Operator
	reconcile bool
}

func (i imported) check(ep *endpoint.Endpoint, q *Request) error {
	if len(q.Input) > MaxInput {
		return Invalid(fmt.Sprintf("text: is longer than %d MiB", MaxInput>>20))
	}
	if i.reconcile && (q.Spec.From.IsZero() || q.Spec.To.IsZero()) {
		return Invalid("from: a statement has a first day, and needs to, the day behind its last one")
	}
	if i.reconcile && !q.DryRun {
		return Invalid("dry_run: a reconciliation changes nothing; run it when you have seen what it says")
	}
	lines, err := parseLines(ep, q.Input)
	if err == nil && len(lines) == 0 {
		err = Invalid("text: has no lines")
	}
	return err
}

// line is one conversion of a text, as the query of a postback.
type line struct {
	number     int
	query      string
	subid, tid string
}

// parseLines reads a text: columns separated by a comma, a semicolon or a tab, whichever the first line has, quoted as
// RFC 4180 says. A first line that names the subid is a header.
func parseLines(ep *endpoint.Endpoint, text string) ([]line, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if request.Storable(text, len(text)) != text {
		return nil, Invalid("text: must be UTF-8 without NUL")
	}
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma, reader.FieldsPerRecord, reader.ReuseRecord = separator(text), -1, true
	var lines []line
	columns, first := keitaroOrder, true
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, Invalid("text: " + err.Error())
		}
		number, _ := reader.FieldPos(0)
		if first {
			first = false
			if isHeader(ep, cells) {
				if columns, err = header(cells); err != nil {
					return nil, err
				}
				continue
			}
		}
		if len(cells) > len(columns) {
			return nil, Invalid(fmt.Sprintf("text: line %d has %d columns, and not %s", number, len(cells),
				strings.Join(columns, ", ")))
		}
		if len(lines) == MaxRows {
			return nil, Invalid(fmt.Sprintf("text: has more than %d lines", MaxRows))
		}
		if l, some := lineOf(ep, columns, cells); some {
			l.number = number
			lines = append(lines, l)
		}
	}
}

func separator(text string) rune {
	first, _, _ := strings.Cut(text, "\n")
	for _, r := range "\t;" {
		if strings.ContainsRune(first, r) {
			return r
		}
	}
	return ','
}

// isHeader reports whether a cell names the subid: no click has such an id.
func isHeader(ep *endpoint.Endpoint, cells []string) bool {
	for _, cell := range cells {
		if field, _, known := ep.Lookup(strings.TrimSpace(cell)); known && field == endpoint.FieldSubid {
			return true
		}
	}
	return false
}

func header(cells []string) ([]string, error) {
	columns := make([]string, len(cells))
	seen := map[string]bool{}
	for i, cell := range cells {
		name := strings.TrimSpace(cell)
		if name == "" || seen[name] {
			return nil, Invalid(fmt.Sprintf("text: column %d has no name of its own", i+1))
		}
		columns[i], seen[name] = name, true
	}
	return columns, nil
}

// lineOf makes the query of a postback of a line; false for an empty one. A line without a status is a sale, as in
// Keitaro.
func lineOf(ep *endpoint.Endpoint, columns, cells []string) (l line, some bool) {
	var query strings.Builder
	status := false
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			continue
		}
		if some {
			query.WriteByte('&')
		}
		some = true
		query.WriteString(url.QueryEscape(columns[i]) + "=" + url.QueryEscape(cell))
		switch field, _, known := ep.Lookup(columns[i]); {
		case !known:
		case field == endpoint.FieldSubid:
			l.subid = request.Storable(cell, ledger.MaxStatus*2)
		case field == endpoint.FieldTid:
			l.tid = request.Storable(cell, request.MaxValueBytes)
		case field == endpoint.FieldStatus:
			status = true
		}
	}
	if some && !status {
		query.WriteString("&" + config.ParamStatus + "=" + config.TypeSale)
	}
	l.query = query.String()
	return l, some
}

func (i imported) rows(ctx context.Context, op *ledger.Operation, s *Spec) ([]ledger.OperationRow, error) {
	ep := i.Endpoints().ByName(op.Endpoint)
	if ep == nil {
		return nil, errNotServed
	}
	lines, err := parseLines(ep, op.Input)
	if err != nil {
		return nil, err
	}
	rows := make([]ledger.OperationRow, len(lines))
	named := map[ledger.Slot]bool{}
	for n, l := range lines {
		rows[n] = ledger.OperationRow{Number: l.number, SubID: l.subid, TID: l.tid, Input: l.query}
		if in := i.judge(op, ep, &rows[n]).Intent; i.reconcile && in != nil {
			named[ledger.Slot{Key: ledger.KeyOf(in.Endpoint, in.SubID), SlotKey: in.Slot}] = true
		}
	}
	if !i.reconcile {
		return rows, nil
	}
	return i.missing(ctx, op, s, rows, named)
}

// missing adds the conversions of the time that the text does not name.
func (i imported) missing(
	ctx context.Context, op *ledger.Operation, s *Spec, rows []ledger.OperationRow, named map[ledger.Slot]bool,
) ([]ledger.OperationRow, error) {
	number := rows[len(rows)-1].Number
	filter := ledger.ConversionFilter{Endpoint: op.Endpoint, From: s.From, To: s.To}
	for c, err := range i.Store.Conversions(ctx, filter) {
		if err != nil {
			return nil, err
		}
		if c.Test || named[ledger.Slot{Key: ledger.KeyOf(c.Endpoint, c.SubID), SlotKey: c.Slot}] {
			continue
		}
		if len(rows) == 2*MaxRows {
			return nil, Invalid(fmt.Sprintf("from: the text lacks more than %d conversions; reconcile a shorter time", MaxRows))
		}
		result, err := json.Marshal(Result{
			Conversion: c.ID, PreviousType: c.Type, PreviousPayout: payout(c), PreviousCurrency: c.EndpointCurrency,
			Type: c.Type, Payout: payout(c), Currency: c.EndpointCurrency,
		})
		if err != nil {
			return nil, err
		}
		number++
		rows = append(rows, ledger.OperationRow{Number: number, SubID: c.SubID, TID: c.Slot.TID, Result: result})
	}
	return rows, nil
}

// judge judges a line as a postback that arrives now, from somebody who may send everything.
func (i imported) judge(op *ledger.Operation, ep *endpoint.Endpoint, row *ledger.OperationRow) postback.Verdict {
	at := appliedAt(op)
	said := &request.Request{
		ID: conversionID(at, op.ID, row.Number), At: at, Method: "GET", RawQuery: row.Input, URLBytes: len(row.Input),
	}
	attempt := access.To(ep, said, false)
	attempt.Trusted = true
	return attempt.Judge(at.UnixMicro()+int64(row.Number), i.Rates())
}

func (i imported) apply(ctx context.Context, j *job, rows []ledger.OperationRow) error {
	return j.record(ctx, i, rows)
}

func (i imported) postback(
	_ context.Context, op *ledger.Operation, s *Spec, ep *endpoint.Endpoint, row *ledger.OperationRow,
) (ledger.Postback, string, error) {
	if row.Input == "" {
		return ledger.Postback{}, OutcomeMissing, nil
	}
	verdict := i.judge(op, ep, row)
	p := i.line(op, row, verdict, ledger.KindImport)
	p.Log.Method, p.Log.Query, p.Log.Stamp = "", row.Input, appliedAt(op).UnixMicro()+int64(row.Number)
	if in := p.Intent; in != nil {
		in.Writer, in.ReceivedIP = conversion.WriterImport, ""
		in.Rules = rulesFor(ep.Rules, s, s.Orphans)
	}
	return p, "", nil
}
