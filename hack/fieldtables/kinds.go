package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// structs are the types of the kinds by name.
type structs map[string][]field

// field is a field of a struct, or an embedded struct when its name is empty.
type field struct {
	// Name in declarations, and GoName, with which its comment begins.
	Name, GoName string
	// Type is the name of the type of the field or, for a list, of its items; empty when that is no type of this package.
	Type     string
	List     bool
	Text     string
	Default  string
	Required bool
}

// parse reads the structs of a package in the order of their fields.
func parse(dir string) (structs, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*_types.go"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("%s has no kinds: %w", dir, fs.ErrNotExist)
	}
	found := structs{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			general, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				named, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				if structure, ok := named.Type.(*ast.StructType); ok {
					found[named.Name.Name] = fieldsOf(structure)
				}
			}
		}
	}
	return found, nil
}

func fieldsOf(structure *ast.StructType) []field {
	var fields []field
	for _, f := range structure.Fields.List {
		next := field{}
		next.Type, next.List = typeOf(f.Type)
		if f.Tag != nil {
			tag, _ := strconv.Unquote(f.Tag.Value) // the parser has checked it
			next.Name, _, _ = strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		}
		if len(f.Names) > 0 {
			next.GoName = f.Names[0].Name
		}
		next.comment(f.Doc)
		fields = append(fields, next)
	}
	return fields
}

func typeOf(expression ast.Expr) (name string, list bool) {
	switch e := expression.(type) {
	case *ast.StarExpr:
		return typeOf(e.X)
	case *ast.ArrayType:
		name, _ = typeOf(e.Elt)
		return name, true
	case *ast.Ident:
		return e.Name, false
	}
	return "", false
}

// comment takes over text and markers.
func (f *field) comment(doc *ast.CommentGroup) {
	if doc == nil {
		return
	}
	var text []string
	for line := range strings.Lines(doc.Text()) {
		line = strings.TrimSpace(line)
		marker, isMarker := strings.CutPrefix(line, "+")
		switch value, isDefault := strings.CutPrefix(marker, "kubebuilder:default="); {
		case !isMarker:
			text = append(text, line)
		case isDefault && value != "{}":
			f.Default = strings.Trim(value, `"`)
		case marker == "required":
			f.Required = true
		}
	}
	f.Text = strings.TrimSpace(strings.Join(text, " "))
}

// beginning is a field's name in Go before what is said of it.
var beginning = regexp.MustCompile(`^(?:( (?:is|are) )|(: )| )`)

// meaning is the comment as a cell of a table, in which the field's own name stands already.
func (f *field) meaning() string {
	text := f.Text
	if rest, ok := strings.CutPrefix(text, f.GoName); ok {
		text = strings.TrimPrefix(rest, beginning.FindString(rest))
	}
	return strings.ReplaceAll(text, "|", `\|`)
}
