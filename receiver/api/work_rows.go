package api

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

// without is the request without some parameters of its query.
func without(r *http.Request, names ...string) *http.Request {
	values := r.URL.Query()
	for _, name := range names {
		values.Del(name)
	}
	clone := r.Clone(r.Context())
	clone.URL.RawQuery = values.Encode()
	return clone
}

// operationRowsOf returns what lists the rows of the operation that the path names, and the request for it.
func (a *api) operationRowsOf(r *http.Request) (*listing[ledger.OperationRow, read.OperationRow], *http.Request,
	error) {
	op, err := a.operationOf(r)
	if err != nil {
		return nil, nil, err
	}
	outcome := r.URL.Query().Get("outcome")
	if outcome != "" && !slices.Contains(work.Outcomes(), outcome) {
		return nil, nil, badRequest("outcome: must be one of " + strings.Join(work.Outcomes(), ", "))
	}
	return &listing[ledger.OperationRow, read.OperationRow]{
		parameters: operationRowFilters,
		rows: func(ctx context.Context, f filters) iter.Seq2[ledger.OperationRow, error] {
			return a.Operator.Rows(ctx, ledger.OperationRowFilter{
				Operation: op.ID, Outcome: outcome, After: f.number, Limit: f.limit,
			})
		},
		cursor: func(row ledger.OperationRow) string { return strconv.Itoa(row.Number) },
		resume: func(f *filters, cursor string) (err error) {
			if f.number, err = strconv.Atoi(cursor); err != nil || f.number < 0 {
				return badRequest("cursor: is not the next_cursor of an answer")
			}
			return nil
		},
		view:    viewOperationRow,
		columns: columnsOf[read.OperationRow](),
	}, without(r, "outcome"), nil
}

func (a *api) operationPage(w http.ResponseWriter, r *http.Request) error {
	l, r, err := a.operationRowsOf(r)
	if err != nil {
		return err
	}
	return l.page(w, r)
}

func (a *api) operationTable(w http.ResponseWriter, r *http.Request) error {
	l, r, err := a.operationRowsOf(r)
	if err != nil {
		return err
	}
	return l.table(a, "rows")(w, r)
}
