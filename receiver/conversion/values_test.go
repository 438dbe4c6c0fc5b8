package conversion

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

func TestEveryDeclaredOutcomeAndReasonIsListed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "outcome.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := spec.Type.(*ast.Ident); ok {
				declared[kind.Name]++
			}
		}
		return true
	})
	if got, want := len(Outcomes()), declared["Outcome"]; got != want {
		t.Errorf("%d outcomes are listed, %d declared", got, want)
	}
	if got, want := len(Reasons()), declared["Reason"]; got != want {
		t.Errorf("%d reasons are listed, %d declared", got, want)
	}
	if got, want := len(Warnings()), declared["Warning"]; got != want {
		t.Errorf("%d warnings are listed, %d declared", got, want)
	}
	for _, reason := range Reasons() {
		if !reason.Valid() || !reason.Outcome().Valid() {
			t.Errorf("%s is not valid", reason)
		}
	}
}
