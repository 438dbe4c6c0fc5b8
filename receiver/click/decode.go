package click

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// Bounds of one request.
const (
	MaxBodyBytes = 8 << 20
	MaxItems     = 10_000
)

// Errors of [Scope.Decode]: the body as a whole is refused. Their text may be shown to the sender.
var (
	// ErrUnreadable means that the body is neither a JSON object, a JSON array, nor lines of JSON objects.
	ErrUnreadable = errors.New("the body must be a JSON object, an array of them, or one on each line")
	// ErrTooMany means that there are more than [MaxItems].
	ErrTooMany = fmt.Errorf("more than %d clicks", MaxItems)
)

// Item is one click of a request: Click counts where Reason is empty.
type Item struct {
	Click  conversion.Click
	Reason Reason
}

// Decode reads the clicks of a body of at most [MaxBodyBytes], in their order. What the body is, an object, an array or
// lines (NDJSON), is told by its content. An item that is wrong by itself has its reason; of lines, empty ones don't
// count.
func (s Scope) Decode(body []byte) ([]Item, error) {
	raw, err := split(body)
	if err != nil {
		return nil, err
	}
	items := make([]Item, len(raw))
	for i := range raw {
		items[i].Click, items[i].Reason = s.read(raw[i])
	}
	return items, nil
}

// split returns the body's items; one that is no JSON is nil.
func split(body []byte) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\uFEFF")))
	switch {
	case len(body) == 0:
		return nil, ErrUnreadable
	case body[0] == '[':
		return splitArray(body)
	case body[0] != '{':
		return nil, ErrUnreadable
	case json.Valid(body):
		return []json.RawMessage{body}, nil
	}
	return splitLines(body)
}

// splitArray reads one element after the other, so that a long array of nothing much is not spread out in memory.
func splitArray(body []byte) ([]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if _, err := decoder.Token(); err != nil {
		return nil, ErrUnreadable
	}
	var items []json.RawMessage
	for decoder.More() {
		if len(items) == MaxItems {
			return nil, ErrTooMany
		}
		var item json.RawMessage
		if err := decoder.Decode(&item); err != nil {
			return nil, ErrUnreadable
		}
		items = append(items, item)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, ErrUnreadable
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrUnreadable
	}
	return items, nil
}

func splitLines(body []byte) ([]json.RawMessage, error) {
	var items []json.RawMessage
	readable := false
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if len(items) == MaxItems {
			return nil, ErrTooMany
		}
		if !json.Valid(line) {
			line = nil
		}
		readable = readable || line != nil
		items = append(items, line)
	}
	if !readable {
		return nil, ErrUnreadable
	}
	return items, nil
}
