package api

import (
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// writePage streams rows, so that memory does not grow with the page. rows yields up to limit+1 of them.
func writePage[T, V any](
	w http.ResponseWriter, rows iter.Seq2[T, error], limit int, cursor func(T) string, view func(T) V,
) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	var last string
	written := 0
	for row, err := range rows {
		if err != nil {
			return brokenAfter(written, err)
		}
		if written == limit {
			return brokenAfter(written, endPage(w, encoder, &last))
		}
		if _, err := io.WriteString(w, startOf(w, written)); err != nil {
			return brokenAfter(1, err)
		}
		if err := encoder.Encode(view(row)); err != nil {
			return brokenAfter(1, err)
		}
		last = cursor(row)
		written++
	}
	if written == 0 {
		WriteJSON(w, http.StatusOK, read.Page[V]{Items: []V{}})
		return nil
	}
	return brokenAfter(written, endPage(w, encoder, nil))
}

// startOf returns what stands before an item, which is on a line of its own.
func startOf(w http.ResponseWriter, item int) string {
	if item > 0 {
		return ","
	}
	w.Header().Set("Content-Type", "application/json")
	return `{"items":[` + "\n"
}

func endPage(w io.Writer, encoder *json.Encoder, cursor *string) error {
	if _, err := io.WriteString(w, `],"next_cursor":`); err != nil {
		return err
	}
	if err := encoder.Encode(cursor); err != nil {
		return err
	}
	_, err := io.WriteString(w, "}\n")
	return err
}

// errBroken marks an answer that failed after its status had been sent.
var errBroken = errors.New("answer broken off")

func brokenAfter(written int, err error) error {
	if written == 0 || err == nil {
		return err
	}
	return errors.Join(errBroken, err)
}

// WriteJSON answers with v as it is: queries keep their "&" readable.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // Fails only when the client has gone.
}

// WriteError answers with a message for the caller.
func WriteError(w http.ResponseWriter, status int, message string) {
	WriteJSON(w, status, read.Error{Error: message})
}

// ReadOnly refuses everything but GET and HEAD.
func ReadOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			WriteError(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// NoStore keeps answers out of caches and of browsers' guesses.
func NoStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
