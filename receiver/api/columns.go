package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// column is a field of a view: what tables show and filters name.
type column struct {
	name  string
	index int
	// parameter of the field params; empty for a field of its own.
	parameter string
	// number: the values are compared as numbers, and no spreadsheet takes them for a formula.
	number bool
}

// amounts are fields with numbers that are strings.
var amounts = []string{"payout", "original_payout", "rate", "cost", "original_cost"}

// columnsOf returns the fields of a view in their order, by their names in JSON; where it has params, the click fields
// and the sub ids come after them.
func columnsOf[V any]() []column {
	var columns []column
	of := reflect.TypeFor[V]()
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		kind := of.Field(i).Type.Kind()
		if kind == reflect.Pointer {
			kind = of.Field(i).Type.Elem().Kind()
		}
		columns = append(columns, column{
			name: name, index: i, number: kind == reflect.Int || kind == reflect.Int64 || slices.Contains(amounts, name),
		})
		if kind == reflect.Map {
			for _, parameter := range slices.Concat(conversion.ClickFields(), []string{config.ParamFrom}) {
				columns = append(columns, column{name: parameter, index: i, parameter: parameter})
			}
		}
	}
	return columns
}

// values returns those of a field, none where there is nothing to say. view points to a view.
func (c *column) values(view any) []string {
	field := reflect.ValueOf(view).Elem().Field(c.index)
	if c.parameter != "" {
		params, _ := field.Interface().(map[string]string)
		return some(params[c.parameter])
	}
	if field.Kind() == reflect.Pointer {
		if field.IsNil() {
			return nil
		}
		field = field.Elem()
	}
	switch v := field.Interface().(type) {
	case string:
		return some(v)
	case []string:
		return v
	case time.Time:
		return []string{v.Format(time.RFC3339Nano)}
	case bool:
		return []string{strconv.FormatBool(v)}
	case int:
		return []string{strconv.Itoa(v)}
	}
	if field.Len() == 0 { // Everything else is a list or an object.
		return nil
	}
	text, err := json.Marshal(field.Interface())
	if err != nil {
		return nil
	}
	return []string{string(text)}
}

func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}
