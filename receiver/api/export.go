package api

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// exportsAtATime bounds how many streams are written at a time, so that they do not keep a store from postbacks.
const exportsAtATime = 2

// exportPatience is how long the client may take for a part of a stream.
const exportPatience = time.Minute

// streamRows answers with all rows: head writes what comes before the first one, and row each of them.
func (l *listing[T, V]) stream(
	a *api, w http.ResponseWriter, r *http.Request, more []string,
	format func(f filters, w io.Writer) (rowWriter[V], error),
) error {
	f, terms, err := l.parse(r, more...)
	if err != nil {
		return err
	}
	limit := f.limit
	if !f.limited {
		limit = 0
	}
	select {
	case a.exports <- struct{}{}:
		defer func() { <-a.exports }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	out, err := format(f, w)
	if err != nil {
		return brokenAfter(1, err)
	}
	f.limit = scanRows
	written, connection := 0, http.NewResponseController(w)
	for row, err := range l.scan(r.Context(), f, terms) {
		if err != nil {
			return brokenAfter(1, err)
		}
		if limit > 0 && written == limit {
			break
		}
		if written%scanRows == 0 {
			// By the clock of the machine, as connections are. It fails where there is none.
			_ = connection.SetWriteDeadline(time.Now().Add(exportPatience))
		}
		if err := out.write(&row.view); err != nil {
			return brokenAfter(1, err)
		}
		written++
	}
	return brokenAfter(1, out.end())
}

// rowWriter writes rows in some format.
type rowWriter[V any] struct {
	write func(*V) error
	end   func() error
}

// lines answers with one JSON object a line.
func (l *listing[T, V]) lines(a *api) resource {
	return func(w http.ResponseWriter, r *http.Request) error {
		return l.stream(a, w, r, nil, func(_ filters, out io.Writer) (rowWriter[V], error) {
			w.Header().Set("Content-Type", "application/x-ndjson")
			encoder := json.NewEncoder(out)
			encoder.SetEscapeHTML(false)
			return rowWriter[V]{
				write: func(view *V) error { return encoder.Encode(view) },
				end:   func() error { return nil },
			}, nil
		})
	}
}

// table answers with a CSV for spreadsheets, which has every field.
func (l *listing[T, V]) table(a *api, name string) resource {
	return func(w http.ResponseWriter, r *http.Request) error {
		return l.stream(a, w, r, []string{"separator", "bom"}, func(f filters, out io.Writer) (rowWriter[V], error) {
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
			if f.bom {
				if _, err := io.WriteString(out, "\ufeff"); err != nil {
					return rowWriter[V]{}, err
				}
			}
			sheet := csv.NewWriter(out)
			if f.separator != 0 {
				sheet.Comma = f.separator
			}
			cells := make([]string, len(l.columns))
			for i, c := range l.columns {
				cells[i] = c.name
			}
			return rowWriter[V]{
				write: func(view *V) error {
					for i := range l.columns {
						cells[i] = l.columns[i].cell(view)
					}
					return sheet.Write(cells)
				},
				end: func() error { sheet.Flush(); return sheet.Error() },
			}, sheet.Write(cells)
		})
	}
}

// cell returns the text of a field.
func (c *column) cell(view any) string {
	text := strings.Join(c.values(view), " ")
	if c.number {
		return text
	}
	return inert(text)
}
