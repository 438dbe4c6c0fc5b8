package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/report"
)

// openAPIPath is where the document is served.
const openAPIPath = "/api/v1/openapi.json"

// Media types of answers.
const (
	mediaJSON  = "application/json"
	mediaLines = "application/x-ndjson"
	mediaTable = "text/csv"
)

// object is an object of the document.
type object = map[string]any

// document describes the operations as OpenAPI 3.1 does. The schemas are those of the types that are answered.
func document(operations []operation) ([]byte, error) {
	types := schemas{}
	paths := object{}
	for i := range operations {
		o := &operations[i]
		path, ok := paths[o.path].(object)
		if !ok {
			path = object{}
			paths[o.path] = path
		}
		path[strings.ToLower(o.method)] = o.describe(types)
	}
	types.of(reflect.TypeFor[read.Error]())
	return json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title":   "Postback",
			"version": "v1",
			"description": "What a receiver of postbacks has received and recorded. Fields are added over time, never " +
				"renamed or removed.",
		},
		"paths":    paths,
		"security": []any{object{"token": []any{}}},
		"components": object{
			"schemas":         object(types),
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
	}, "", "  ")
}

// openAPI answers with the document.
func (a *api) openAPI(w http.ResponseWriter, r *http.Request) error {
	if _, err := filtersOf(r, noFilters); err != nil {
		return err
	}
	text, err := document(a.operations())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaJSON)
	_, err = w.Write(text)
	return brokenAfter(1, err)
}

// describe returns the operation's part of the document.
func (o *operation) describe(types schemas) object {
	var parameters []any
	for segment := range strings.SplitSeq(o.path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			parameters = append(parameters, object{
				"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"},
			})
		}
	}
	for _, name := range o.headers {
		parameters = append(parameters, object{"name": name, "in": "header", "schema": object{"type": "string"}})
	}
	form := object{}
	for _, name := range o.parameters {
		says := parameterWords[name]
		schema := object{"type": "string", "description": says.text}
		if says.values != nil {
			schema["enum"] = says.values()
		}
		if name == "sort" && o.sorts != nil {
			schema["enum"] = o.sorts
		}
		if o.method == http.MethodPost {
			form[name] = schema
			continue
		}
		query := object{"name": name, "in": "query", "description": says.text, "schema": schema}
		delete(schema, "description")
		if most, several := map[string]int{"filter": maxTerms, "without": report.MaxWithout}[name]; several {
			query["schema"] = object{"type": "array", "items": schema, "maxItems": most}
		}
		parameters = append(parameters, query)
	}
	answer := object{"type": "string"}
	if o.answer != nil {
		answer = types.of(o.answer)
	}
	status := "200"
	if o.status != 0 {
		status = "202"
	}
	described := object{
		"summary":    o.summary,
		"parameters": append([]any{}, parameters...),
		"responses": object{
			status: object{"description": "what was asked for", "content": object{o.media: object{"schema": answer}}},
			"default": object{
				"description": "what is wrong, beginning with the name of the parameter that is",
				"content":     object{mediaJSON: object{"schema": types.of(reflect.TypeFor[read.Error]())}},
			},
		},
	}
	if o.body != nil {
		described["requestBody"] = object{"content": object{mediaJSON: object{"schema": types.of(o.body)}}}
	}
	if len(form) > 0 {
		described["requestBody"] = object{"content": object{
			"application/x-www-form-urlencoded": object{"schema": object{"type": "object", "properties": form}},
			mediaJSON:                           object{"schema": object{"type": "object", "properties": form}},
		}}
	}
	return described
}

// schemas are those of named types, by name.
type schemas map[string]any

// of returns the schema of a type, for structs a reference to one that it adds.
func (s schemas) of(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		schema := s.of(t.Elem())
		if kind, ok := schema["type"]; ok {
			schema["type"] = []any{kind, "null"}
			return schema
		}
		return object{"anyOf": []any{schema, object{"type": "null"}}}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Interface:
		return object{}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	}
	if t == reflect.TypeFor[time.Time]() {
		return object{"type": "string", "format": "date-time"}
	}
	name := schemaName(t)
	if _, known := s[name]; !known {
		s[name] = nil // A type may hold itself.
		properties, required := object{}, []string{}
		s.fields(t, properties, &required)
		slices.Sort(required)
		s[name] = object{"type": "object", "properties": properties, "required": required}
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// fields adds the fields of a struct, and those of the structs embedded in it.
func (s schemas) fields(t reflect.Type, properties object, required *[]string) {
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			s.fields(field.Type, properties, required)
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		properties[name] = s.of(field.Type)
		if !strings.Contains(options, "omitempty") {
			*required = append(*required, name)
		}
	}
}

// schemaName returns a type's name; that of a page of T is TPage.
func schemaName(t reflect.Type) string {
	name, of, generic := strings.Cut(t.Name(), "[")
	if !generic {
		return name
	}
	of = strings.TrimSuffix(of, "]")
	return of[strings.LastIndexByte(of, '.')+1:] + name
}
