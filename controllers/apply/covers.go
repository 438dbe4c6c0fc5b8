package apply

import (
	"encoding/hex"
	"hash/fnv"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
)

// associative are the lists whose items have keys, so that others may add some of theirs.
var associative = map[string]bool{
	"containers": true, "initContainers": true, "volumes": true, "volumeMounts": true, "env": true, "ports": true,
	"ownerReferences": true, "topologySpreadConstraints": true, "imagePullSecrets": true,
}

// quantities are the fields whose values may be written in several ways, like 1024Mi and 1Gi.
var quantities = map[string]bool{"requests": true, "limits": true, "sizeLimit": true}

// exact are the maps in which a key of somebody else changes what ours mean: they select less. Of all of them the API
// server replaces the whole when one is applied.
var exact = map[string]bool{"selector": true, "podSelector": true, "labelSelector": true, "matchLabels": true}

// covers reports whether live holds everything that want holds. field is the name of the field that both are the value
// of. What the API server leaves out because it is empty counts as held.
func covers(live, want any, field string) bool {
	switch want := want.(type) {
	case map[string]any:
		held, ok := live.(map[string]any)
		if !ok {
			return live == nil && empty(want)
		}
		if exact[field] && len(held) > len(want) {
			return false
		}
		for key, value := range want {
			inner := key
			if quantities[field] {
				inner = field
			}
			if !covers(held[key], value, inner) {
				return false
			}
		}
		return true
	case []any:
		held, _ := live.([]any)
		return coversList(held, want, field)
	}
	if live == nil {
		return empty(want)
	}
	return sameValue(live, want, field)
}

func coversList(held, want []any, field string) bool {
	if !associative[field] {
		return len(held) == len(want) && slices.EqualFunc(held, want, func(h, w any) bool { return covers(h, w, field) })
	}
	for _, item := range want {
		if !slices.ContainsFunc(held, func(h any) bool { return covers(h, item, "") }) {
			return false
		}
	}
	return true
}

func sameValue(live, want any, field string) bool {
	if live == want {
		return true
	}
	if l, ok := number(live); ok {
		w, ok := number(want)
		return ok && l == w
	}
	l, isText := live.(string)
	w, wantsText := want.(string)
	if !quantities[field] || !isText || !wantsText {
		return false
	}
	a, errA := resource.ParseQuantity(l)
	b, errB := resource.ParseQuantity(w)
	return errA == nil && errB == nil && a.Cmp(b) == 0
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, value := range v {
			if !empty(value) {
				return false
			}
		}
		return true
	case []any:
		return len(v) == 0
	case nil:
		return true
	}
	return reflect.ValueOf(v).IsZero()
}

// fieldNames identifies the names of all fields of an object and the lengths of its lists, in 16 hex digits.
func fieldNames(object map[string]any) string {
	h := fnv.New64a()
	writeNames(h, object)
	return hex.EncodeToString(h.Sum(nil))
}

// writeNames can't fail: a hash takes everything.
func writeNames(w io.Writer, v any) {
	switch v := v.(type) {
	case map[string]any:
		_, _ = io.WriteString(w, "{")
		for _, key := range slices.Sorted(maps.Keys(v)) {
			_, _ = io.WriteString(w, strconv.Quote(key))
			writeNames(w, v[key])
		}
		_, _ = io.WriteString(w, "}")
	case []any:
		_, _ = io.WriteString(w, "[")
		for _, item := range v {
			writeNames(w, item)
			_, _ = io.WriteString(w, ",")
		}
		_, _ = io.WriteString(w, "]")
	}
}
