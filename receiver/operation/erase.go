package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// OutcomeErased is the outcome of what an erasure has erased.
const OutcomeErased = "erased"

// erase forgets what is known of a person. Whom it is about is in the operation's input, which is deleted once the rows
// are selected: these name subids, and rows of the log and of operations, and nothing that is erased.
type erase struct{ *Operator }

func (e erase) check(_ *endpoint.Endpoint, q *Request) error {
	what := q.Erase
	what.Endpoint = q.Endpoint
	by, err := what.By()
	if err != nil {
		return Invalid("subid: " + err.Error())
	}
	if value, _ := what.Terms(); strings.Contains(strings.ToLower(q.Note), strings.ToLower(value)) {
		return Invalid("note: has in it what is to be erased, and is kept")
	}
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	q.Spec.By, q.Input = by, string(text)
	return nil
}

func (e erase) rows(ctx context.Context, op *ledger.Operation, s *Spec) ([]ledger.OperationRow, error) {
	var what ledger.Selection
	if err := json.Unmarshal([]byte(op.Input), &what); err != nil {
		return nil, fmt.Errorf("reading whom an erasure is about: %w", err)
	}
	found := map[ledger.Erasable]bool{}
	var rows []ledger.OperationRow
	add := func(of ledger.Erasable) error {
		if found[of] {
			return nil
		}
		if len(rows) == MaxRows {
			return Invalid(fmt.Sprintf("%s: more than %d clicks have it: it is not one person's", s.By, MaxRows))
		}
		found[of] = true
		rows = append(rows, rowOf(of, len(rows)+1))
		return nil
	}
	for of, err := range e.Store.Erasable(ctx, what) {
		if err == nil {
			err = add(of)
		}
		if err != nil {
			return nil, err
		}
	}
	return rows, e.addImports(ctx, what, found, add)
}

// addImports adds the lines of imports that name the clicks, or have the parameter.
func (e erase) addImports(
	ctx context.Context, what ledger.Selection, found map[ledger.Erasable]bool, add func(ledger.Erasable) error,
) error {
	for op, err := range e.Store.Operations(ctx, ledger.OperationFilter{Endpoint: what.Endpoint}) {
		if err != nil {
			return err
		}
		if op.Kind != KindImport && op.Kind != KindReconcile {
			continue
		}
		for row, err := range e.Store.OperationRows(ctx, ledger.OperationRowFilter{Operation: op.ID}) {
			if err != nil {
				return err
			}
			known := row.SubID != "" &&
				(row.SubID == what.SubID || found[ledger.Erasable{Key: ledger.KeyOf(op.Endpoint, row.SubID)}])
			if row.Input == "" || !known && !what.In(row.Input) {
				continue
			}
			if err := add(ledger.Erasable{Operation: op.ID, Number: row.Number}); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowOf makes the row of what is to be erased: see [erasableOf].
func rowOf(of ledger.Erasable, number int) ledger.OperationRow {
	row := ledger.OperationRow{Number: number, SubID: of.SubID, Origin: of.Received, Input: of.Endpoint}
	if of.Operation != uuid.Nil {
		row.Origin, row.Input = of.Operation, "line "+strconv.Itoa(of.Number)
	}
	return row
}

// erasableOf reads what [rowOf] made.
func erasableOf(row *ledger.OperationRow) (ledger.Erasable, error) {
	if number, ok := strings.CutPrefix(row.Input, "line "); ok {
		n, err := strconv.Atoi(number)
		return ledger.Erasable{Operation: row.Origin, Number: n}, err
	}
	return ledger.Erasable{Key: ledger.KeyOf(row.Input, row.SubID), Received: row.Origin}, nil
}

func (e erase) apply(ctx context.Context, j *job, rows []ledger.OperationRow) error {
	all := make([]ledger.Erasable, len(rows))
	for i := range rows {
		of, err := erasableOf(&rows[i])
		if err != nil {
			return fmt.Errorf("reading row %d of an erasure: %w", rows[i].Number, err)
		}
		counts, err := e.Store.CountErasable(ctx, of)
		if err != nil {
			return err
		}
		all[i], rows[i].Outcome = of, OutcomeErased
		if rows[i].Result, err = json.Marshal(Result{Erased: &counts}); err != nil {
			return err
		}
	}
	if j.trial != nil {
		return nil
	}
	return e.Ledger.Erase(ctx, all)
}

// finish comes when all rows are erased.
func (e erase) finish(ctx context.Context) error { return e.Store.Forget(ctx) }
