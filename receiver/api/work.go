package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

var (
	operationFilters    = []string{"endpoint", "kind", "state", "limit", "cursor"}
	operationRowFilters = []string{"outcome", "limit", "cursor"}
)

// work are the resources of operations.
func (a *api) work() []operation {
	reads := func(answer resource) http.Handler { return a.scoped(read.ScopeRead, a.handle(answer)) }
	create := answering[read.Operation]("operations", "Asks for an operation", noFilters, a.changes(a.createOperation))
	create.method, create.status = http.MethodPost, http.StatusAccepted
	create.body, create.headers = bodyOf[read.NewOperation](), []string{"Idempotency-Key", actorHeader}
	run := answering[read.Operation]("operations/{id}/run", "Does what a dry run has told", noFilters,
		a.changes(a.runOperation))
	run.method, run.status = http.MethodPost, http.StatusAccepted
	cancel := answering[read.Operation]("operations/{id}/cancel", "Ends an operation before its time", noFilters,
		a.changes(a.cancelOperation))
	cancel.method, cancel.status = http.MethodPost, http.StatusAccepted
	table := answering[read.OperationRow]("operations/{id}/rows.csv", "The rows of an operation as a table",
		[]string{"outcome", "limit", "separator", "bom"}, a.scoped(read.ScopeRead, a.handleError(a.operationTable)))
	table.media, table.answer = mediaTable, nil
	return []operation{
		answering[read.Page[read.Operation]]("operations", "Operations, the newest first", operationFilters,
			reads(a.listOperations)),
		create,
		answering[read.Operation]("operations/{id}", "One operation", noFilters, reads(a.showOperation)),
		answering[read.Page[read.OperationRow]]("operations/{id}/rows", "The rows of an operation, in their order",
			operationRowFilters, reads(a.operationPage)),
		table, run, cancel,
	}
}

func (a *api) createOperation(w http.ResponseWriter, r *http.Request) error {
	asked, err := a.ask(w, r)
	if err != nil {
		return err
	}
	op, _, err := a.Operator.Create(r.Context(), asked)
	return a.answerOperation(w, &op, err)
}

// answerOperation answers with an operation that was changed, or with why it was not.
func (a *api) answerOperation(w http.ResponseWriter, op *ledger.Operation, err error) error {
	var wrong work.Invalid
	var state work.StateError
	switch {
	case errors.As(err, &wrong):
		return badRequest(wrong)
	case errors.As(err, &state):
		WriteError(w, http.StatusConflict, state.Error())
		return nil
	case err != nil:
		return err
	}
	view, err := viewOperation(op)
	if err == nil {
		WriteJSON(w, http.StatusAccepted, view)
	}
	return err
}

// errNoOperation is answered for an operation that there is not, or not for this token.
var errNoOperation = errors.New("no such operation")

// operationOf returns the operation that the path names.
func (a *api) operationOf(r *http.Request) (ledger.Operation, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return ledger.Operation{}, badRequest("id: must be an operation's id, a UUID")
	}
	op, err := a.Operator.Get(r.Context(), id)
	only := grantOf(r).Endpoint
	if errors.Is(err, ledger.ErrNotFound) || err == nil && only != "" && op.Endpoint != only {
		return ledger.Operation{}, errNoOperation
	}
	return op, err
}

func (a *api) showOperation(w http.ResponseWriter, r *http.Request) error {
	if _, err := filtersOf(r, noFilters); err != nil {
		return err
	}
	op, err := a.operationOf(r)
	if err != nil {
		return err
	}
	view, err := viewOperation(&op)
	if err == nil {
		WriteJSON(w, http.StatusOK, view)
	}
	return err
}

func (a *api) cancelOperation(w http.ResponseWriter, r *http.Request) error {
	op, err := a.operationOf(r)
	if err != nil {
		return err
	}
	op, err = a.Operator.Cancel(r.Context(), op.ID)
	return a.answerOperation(w, &op, err)
}

func (a *api) runOperation(w http.ResponseWriter, r *http.Request) error {
	op, err := a.operationOf(r)
	if err != nil {
		return err
	}
	op, differ, total, err := a.Operator.Start(r.Context(), op.ID)
	if err != nil || total == 0 {
		return a.answerOperation(w, &op, err)
	}
	answer := read.OperationDifferences{
		Error: "rows would come out otherwise than the dry run said: ask for a new dry run",
		Total: total, Differences: make([]read.OperationDifference, len(differ)),
	}
	for i := range differ {
		answer.Differences[i] = read.OperationDifference{
			Then: viewOperationRow(differ[i].Then), Now: viewOperationRow(differ[i].Now),
		}
	}
	WriteJSON(w, http.StatusConflict, answer)
	return nil
}

func (a *api) listOperations(w http.ResponseWriter, r *http.Request) error {
	values, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	by := ledger.OperationFilter{Kind: values.Get("kind"), State: ledger.OperationState(values.Get("state"))}
	if by.Kind != "" && !slices.Contains(work.Kinds(), by.Kind) {
		return badRequest("kind: must be one of " + strings.Join(work.Kinds(), ", "))
	}
	if by.State != "" && !slices.Contains(ledger.OperationStates(), by.State) {
		return badRequest("state: must be one of " + joined(ledger.OperationStates()))
	}
	f, err := filtersOf(without(r, "kind", "state"), operationFilters)
	if err != nil {
		return err
	}
	if f.resumed != "" {
		if err := resumeByID(&f, f.resumed); err != nil {
			return err
		}
	}
	by.Endpoint, by.Before, by.Limit = f.endpoint, f.cursor, f.limit+1
	var broken error
	err = writePage(w, a.Operator.List(r.Context(), by), f.limit,
		func(op ledger.Operation) string { return op.ID.String() },
		func(op ledger.Operation) read.Operation {
			view, err := viewOperation(&op)
			broken = errors.Join(broken, err)
			return view
		})
	return errors.Join(err, broken)
}
