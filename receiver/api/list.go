package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// scanRows is how many rows are asked of the store at a time where not all of them may be wanted, or all there are: no
// query lasts longer than its rows take to be written.
const scanRows = 500

// listing is a resource that lists rows of T as V: a page in JSON, or all of them as CSV or NDJSON.
type listing[T, V any] struct {
	// parameters that select rows by what the store's indexes serve.
	parameters []string
	// sorts are the values of the parameter `sort`.
	sorts []string
	// rows yields those that the filters select, up to their limit.
	rows func(ctx context.Context, f filters) iter.Seq2[T, error]
	// cursor continues behind a row, and resume makes the filters do so.
	cursor func(T) string
	resume func(f *filters, cursor string) error
	view   func(T) V
	// columns are the fields of V.
	columns []column
}

func (a *api) conversionList() *listing[*conversion.Conversion, read.Conversion] {
	return &listing[*conversion.Conversion, read.Conversion]{
		parameters: conversionFilters,
		sorts:      []string{"-created_at", "created_at"},
		rows: func(ctx context.Context, f filters) iter.Seq2[*conversion.Conversion, error] {
			return a.Store.Conversions(ctx, f.conversions())
		},
		cursor:  func(c *conversion.Conversion) string { return c.ID.String() },
		resume:  resumeByID,
		view:    viewConversion,
		columns: columnsOf[read.Conversion](),
	}
}

func (a *api) postbackList() *listing[ledger.Received, read.Postback] {
	return &listing[ledger.Received, read.Postback]{
		parameters: postbackFilters,
		sorts:      []string{"-time", "time"},
		rows: func(ctx context.Context, f filters) iter.Seq2[ledger.Received, error] {
			return a.Store.Received(ctx, f.received())
		},
		cursor:  func(r ledger.Received) string { return r.ID.String() },
		resume:  resumeByID,
		view:    viewPostback,
		columns: columnsOf[read.Postback](),
	}
}

func (a *api) forwardList() *listing[ledger.OutboxRow, read.Forward] {
	return &listing[ledger.OutboxRow, read.Forward]{
		parameters: forwardFilters,
		sorts:      []string{"-created_at", "created_at"},
		rows: func(ctx context.Context, f filters) iter.Seq2[ledger.OutboxRow, error] {
			return a.Store.Forwards(ctx, f.outbox())
		},
		cursor:  func(r ledger.OutboxRow) string { return r.ID.String() },
		resume:  resumeByID,
		view:    viewForward,
		columns: columnsOf[read.Forward](),
	}
}

func (a *api) clickList() *listing[*conversion.Click, read.Click] {
	return &listing[*conversion.Click, read.Click]{
		parameters: clickFilters,
		sorts:      []string{"-time", "time"},
		rows: func(ctx context.Context, f filters) iter.Seq2[*conversion.Click, error] {
			return a.Store.Clicks(ctx, f.clicks())
		},
		cursor:  clickCursor,
		resume:  resumeByClick,
		view:    viewClick,
		columns: columnsOf[read.Click](),
	}
}

func resumeByID(f *filters, cursor string) (err error) {
	if f.cursor, err = uuid.Parse(cursor); err != nil {
		return badRequest("cursor: is not the next_cursor of an answer")
	}
	return nil
}

// clickCursor names a click's place in every order.
func clickCursor(c *conversion.Click) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s %s", c.Time.UnixMicro(), c.Endpoint, c.SubID))
}

func resumeByClick(f *filters, cursor string) error {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	at, key, _ := strings.Cut(string(text), " ")
	micros, notANumber := strconv.ParseInt(at, 10, 64)
	endpoint, subid, ok := strings.Cut(key, " ")
	if err != nil || notANumber != nil || !ok || !utf8.Valid(text) || f.endpoint != "" && f.endpoint != endpoint {
		return badRequest("cursor: is not the next_cursor of an answer")
	}
	f.after, f.afterTime = ledger.KeyOf(endpoint, subid), time.UnixMicro(micros).UTC()
	return nil
}

// parse reads the filters of a request.
func (l *listing[T, V]) parse(r *http.Request, more ...string) (filters, []term, error) {
	f, err := filtersOf(r, slices.Concat(l.parameters, []string{"filter"}, more))
	if err != nil {
		return filters{}, nil, err
	}
	if f.sort != "" && !slices.Contains(l.sorts, f.sort) {
		return filters{}, nil, badRequest(fmt.Sprintf("sort: must be one of %s: other orders are in no index",
			strings.Join(l.sorts, ", ")))
	}
	if f.resumed != "" {
		if err := l.resume(&f, f.resumed); err != nil {
			return filters{}, nil, err
		}
	}
	terms, err := parseTerms(l.columns, f.where)
	return f, terms, err
}

// page answers with a page in JSON.
func (l *listing[T, V]) page(w http.ResponseWriter, r *http.Request) error {
	f, terms, err := l.parse(r)
	if err != nil {
		return err
	}
	limit := f.limit
	if f.limit++; len(terms) > 0 { // One more tells whether there is a next page.
		f.limit = scanRows
	}
	return writePage(w, l.scan(r.Context(), f, terms), limit, func(row listed[T, V]) string { return l.cursor(row.row) },
		func(row listed[T, V]) V { return row.view })
}

// listed is a row and its view.
type listed[T, V any] struct {
	row  T
	view V
}

// scan yields every row that passes the terms, so many at a time as the limit of the filters says.
func (l *listing[T, V]) scan(ctx context.Context, f filters, terms []term) iter.Seq2[listed[T, V], error] {
	return func(yield func(listed[T, V], error) bool) {
		for {
			n := 0
			for row, err := range l.rows(ctx, f) {
				if err != nil {
					yield(listed[T, V]{}, err)
					return
				}
				n++
				found := listed[T, V]{row, l.view(row)}
				if pass(terms, &found.view) && !yield(found, nil) {
					return
				}
				if n == f.limit {
					if err := l.resume(&f, l.cursor(row)); err != nil {
						yield(listed[T, V]{}, err)
						return
					}
				}
			}
			if n < f.limit || f.limit == 0 {
				return
			}
		}
	}
}
