package table

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger/paramtext"
)

// params are a JSON object of strings.
type params struct{ *conversion.Params }

func (p params) Encode() ([]byte, error) { return paramtext.Encode(*p.Params), nil }

// Decode also reads parameters that another program wrote into the column.
func (p params) Decode(text string) (err error) {
	if *p.Params, err = paramtext.Decode(text); err == nil {
		return nil
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return err
	}
	*p.Params = make(conversion.Params, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		*p.Params = append(*p.Params, conversion.Param{Name: name, Value: values[name]})
	}
	return nil
}

// words are separated by commas.
type words[W ~string] struct{ list *[]W }

func (w words[W]) Encode() ([]byte, error) {
	if len(*w.list) == 0 {
		return nil, nil
	}
	return []byte(paramtext.JoinWords(*w.list)), nil
}

func (w words[W]) Decode(text string) error {
	*w.list = paramtext.SplitWords[W](text)
	return nil
}

// document is anything as JSON; a nil pointer is null.
type document[T any] struct{ value **T }

func (d document[T]) Encode() ([]byte, error) {
	if *d.value == nil {
		return nil, nil
	}
	return json.Marshal(*d.value)
}

func (d document[T]) Decode(text string) error {
	*d.value = new(T)
	return json.Unmarshal([]byte(text), *d.value)
}

// list is a slice as JSON; an empty one is null.
type list[T any] struct{ items *[]T }

func (l list[T]) Encode() ([]byte, error) {
	if len(*l.items) == 0 {
		return nil, nil
	}
	return json.Marshal(*l.items)
}

func (l list[T]) Decode(text string) error { return json.Unmarshal([]byte(text), l.items) }

// object is a map as JSON.
type object[V any] struct{ values *map[string]V }

func (o object[V]) Encode() ([]byte, error) { return json.Marshal(*o.values) }

func (o object[V]) Decode(text string) error { return json.Unmarshal([]byte(text), o.values) }

// raw is JSON as it is; none is null.
type raw struct{ text *json.RawMessage }

func (r raw) Encode() ([]byte, error) {
	if len(*r.text) == 0 {
		return nil, nil
	}
	return *r.text, nil
}

func (r raw) Decode(text string) error {
	*r.text = json.RawMessage(text)
	return nil
}
