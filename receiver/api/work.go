package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

// maxOperation bounds the body of a request for an operation, in bytes.
const maxOperation = 20 << 20

// maxKey bounds an Idempotency-Key, in bytes.
const maxKey = 200

// actorHeader says who wants a change. It is believed with the fleet's ops token only.
const actorHeader = "X-Postback-Actor"

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

// ask reads what is asked for. Nothing is ignored in silence.
func (a *api) ask(w http.ResponseWriter, r *http.Request) (asked work.Request, err error) {
	var body read.NewOperation
	if err := readBody(w, r, &body); err != nil {
		return asked, err
	}
	asked = work.Request{Kind: body.Kind, Note: strings.TrimSpace(body.Note), DryRun: body.DryRun}
	if asked.Endpoint, err = only(grantOf(r), body.Endpoint); err != nil {
		return asked, err
	}
	if asked.Actor, err = actorOf(r); err != nil {
		return asked, err
	}
	if asked.Key, err = keyOf(r); err != nil {
		return asked, err
	}
	for name, text := range map[string]string{"kind": body.Kind, "endpoint": asked.Endpoint, "note": asked.Note,
		"status": body.Status} {
		if !storable(text) {
			return asked, badRequest(name + ": must be UTF-8 without NUL")
		}
	}
	if err := fits(&body); err != nil {
		return asked, err
	}
	return asked, specOf(&body, &asked)
}

// fits reports what the kind does not have: it would be ignored.
func fits(body *read.NewOperation) error {
	replays := body.Kind == work.KindReplay
	imports := body.Kind == work.KindImport || body.Kind == work.KindReconcile
	for _, field := range []struct {
		name       string
		given, has bool
	}{
		{"outcome", body.Outcome != "", replays},
		{"reason", body.Reason != "", replays},
		{"status", body.Status != "", replays},
		{"ids", len(body.IDs) > 0, replays},
		{"include_refused", body.IncludeRefused, replays},
		{"include_recorded", body.IncludeRecorded, replays},
		{"text", body.Text != "", imports},
		{"orphans", body.Orphans, imports},
		{"from", body.From != "", body.Kind != work.KindImport},
		{"to", body.To != "", body.Kind != work.KindImport},
	} {
		if field.given && !field.has && slices.Contains(work.Kinds(), body.Kind) {
			return badRequest(field.name + ": is nothing that an operation of the kind " + body.Kind + " has")
		}
	}
	return nil
}

// specOf reads what of the body is about the kind.
func specOf(body *read.NewOperation, asked *work.Request) (err error) {
	s := &asked.Spec
	switch body.Forwards {
	case "":
		s.Forwards = work.SendsByDefault(body.Kind)
	case "send", "skip":
		s.Forwards = body.Forwards == "send"
	default:
		return badRequest("forwards: must be send or skip")
	}
	for _, bound := range []struct {
		name, text string
	}{{"from", body.From}, {"to", body.To}} {
		if bound.text == "" {
			continue
		}
		at, err := parseTime(bound.text)
		if err != nil {
			return badRequest(bound.name + ": " + err.Error())
		}
		if bound.name == "from" {
			s.From = at
		} else {
			s.To = at
		}
	}
	if !s.From.IsZero() && !s.To.IsZero() && !s.From.Before(s.To) {
		return badRequest("to: must be after from")
	}
	if s.Outcome = conversion.Outcome(body.Outcome); s.Outcome != "" && !s.Outcome.Valid() {
		return badRequest("outcome: must be one of " + joined(conversion.Outcomes()))
	}
	if s.Reason = conversion.Reason(body.Reason); s.Reason != "" && !s.Reason.Valid() {
		return badRequest("reason: must be one of " + joined(conversion.Reasons()))
	}
	asked.Input, s.Orphans = body.Text, body.Orphans
	s.Status, s.IncludeRefused, s.IncludeRecorded = body.Status, body.IncludeRefused, body.IncludeRecorded
	if len(body.IDs) > maxLimit {
		return badRequest("ids: must be at most " + strconv.Itoa(maxLimit))
	}
	for _, text := range body.IDs {
		id, err := uuid.Parse(text)
		if err != nil {
			return badRequest("ids: must be UUIDs")
		}
		s.IDs = append(s.IDs, id)
	}
	return nil
}

// readBody reads a JSON object. Its errors are badRequest.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	if r.URL.RawQuery != "" {
		return badRequest("query: takes no parameters; they belong in the body, as JSON")
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOperation))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("has more than one object")
	}
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return badRequest("body: is longer than 20 MiB")
	}
	return badRequest("body: must be a JSON object: " + strings.TrimPrefix(err.Error(), "json: "))
}

// keyOf returns what names the request, empty for nothing.
func keyOf(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey || !storable(key) {
		return "", badRequest("Idempotency-Key: must be text of at most " + strconv.Itoa(maxKey) + " bytes")
	}
	return key, nil
}

// actorOf returns who wants a change: who the header names, with the ops token, and else the token that is used.
func actorOf(r *http.Request) (string, error) {
	if only := grantOf(r).Endpoint; only != "" {
		return "token of " + only, nil
	}
	actor := r.Header.Get(actorHeader)
	if utf8.RuneCountInString(actor) > work.MaxActor || !storable(actor) ||
		strings.ContainsFunc(actor, unicode.IsControl) {
		return "", badRequest(actorHeader + ": must be a name of at most " + strconv.Itoa(work.MaxActor) + " characters")
	}
	return actor, nil
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

func viewOperation(op *ledger.Operation) (read.Operation, error) {
	counts, err := work.CountsOf(op)
	view := read.Operation{
		ID:        op.ID.String(),
		Kind:      op.Kind,
		Endpoint:  read.Text(op.Endpoint),
		State:     string(op.State),
		DryRun:    op.DryRun,
		Actor:     read.Text(op.Actor),
		Note:      read.Text(op.Note),
		CreatedAt: read.UTC(op.Created),
		StartedAt: read.UTC(op.Started),
		EndedAt:   read.UTC(op.Ended),
		Done:      counts.Rows,
		Outcomes:  orEmpty(counts.Outcomes),
		Reasons:   orEmpty(counts.Reasons),
		Money:     []read.OperationMoney{},
		Forwards:  orEmpty(counts.Forwards),
		Error:     read.Text(op.Error),
	}
	if op.Total >= 0 {
		view.Total = &op.Total
	}
	for _, metric := range slices.Sorted(maps.Keys(counts.Money)) {
		for _, currency := range slices.Sorted(maps.Keys(counts.Money[metric])) {
			view.Money = append(view.Money, read.OperationMoney{
				Metric: metric, Currency: currency, Amount: counts.Money[metric][currency].String(),
			})
		}
	}
	return view, err
}

func orEmpty(counts map[string]int) map[string]int {
	if counts == nil {
		return map[string]int{}
	}
	return counts
}

func viewOperationRow(row ledger.OperationRow) read.OperationRow {
	result, _ := work.ResultOf(&row) // A result that cannot be read is shown as none.
	view := read.OperationRow{
		Number:         row.Number,
		SubID:          read.Text(row.SubID),
		TID:            row.TID,
		Input:          read.Text(row.Input),
		Outcome:        read.Text(row.Outcome),
		Reason:         read.Text(row.Reason),
		Warnings:       warnings(result.Warnings),
		PreviousType:   read.Text(result.PreviousType),
		Type:           read.Text(result.Type),
		PreviousPayout: read.Text(result.PreviousPayout),
		Payout:         read.Text(result.Payout),
		Currency:       read.Text(result.Currency),
		Forwards:       append([]string{}, result.Forwards...),
	}
	if row.Origin != uuid.Nil {
		view.Origin = read.Text(row.Origin.String())
	}
	if result.Conversion != uuid.Nil {
		view.ConversionID = read.Text(result.Conversion.String())
	}
	if result.Version > 0 {
		view.Version = &result.Version
	}
	return view
}
