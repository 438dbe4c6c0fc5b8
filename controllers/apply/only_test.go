package apply

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writing are the methods by which a client of the API server writes.
var writing = []string{"Create", "Update", "Patch", "Apply", "DeleteAllOf", "Delete"}

// Readers of a reconciler rely on it: every write goes through this package.
func TestNobodyElseWrites(t *testing.T) {
	looked := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		looked++
		if calls := writes(t, path); filepath.Dir(path) == filepath.Join("..", "apply") {
			return nil
		} else if len(calls) > 0 {
			t.Errorf("it writes: %v", calls)
		}
		return nil
	})
	if err != nil || looked < 20 {
		t.Errorf("%d files, %v", looked, err)
	}
	if len(writes(t, "apply.go")) < 3 {
		t.Error("the writes of this package are not found either")
	}
}

func writes(t *testing.T, path string) (places []string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains(writing, method.Sel.Name) {
			return true
		}
		if from, ok := method.X.(*ast.Ident); ok && from.Name == "slices" {
			return true
		}
		places = append(places, set.Position(call.Pos()).String())
		return true
	})
	return places
}
