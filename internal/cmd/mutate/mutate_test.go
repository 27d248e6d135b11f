package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

const code = `package p

import "errors"

type kind int

const (
	first kind = iota
	second
)

func f(a, b int, ok bool) (n int, err error) {
	if a < b && ok {
		n = a + 2
	}
	for i := 0; i < a; i++ {
		if ok {
			continue
		}
		n++
	}
	if k := first; k == second {
		return n, errors.New("no")
	}
	return n, nil
}
`

// mutants finds the mutants of code.
func mutants(t *testing.T) (edits []*edit, fset *token.FileSet) {
	t.Helper()
	fset = token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", code, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
	}
	pkg, err := (&types.Config{Importer: importer.ForCompiler(fset, "source", nil)}).Check("p", fset, []*ast.File{file}, info)
	if err != nil {
		t.Fatal(err)
	}
	f := &finder{fset: fset, info: info, pkg: pkg, source: []byte(code), file: "p.go", known: map[string]int{}}
	f.find(file)
	return f.edits, fset
}

// Each kind of change is found, once for each place.
func TestFind(t *testing.T) {
	edits, _ := mutants(t)
	found := map[string]bool{}
	for _, e := range edits {
		for _, o := range e.options {
			id := strings.TrimPrefix(o.ID, "p.go|f|")
			if found[id] {
				t.Errorf("%s is found twice", id)
			}
			found[id] = true
		}
	}
	for _, want := range []string{
		"operator|a < b && ok → |||1", "operator|a < b → <=|1", "operator|a < b → >=|1", "operator|a + 2 → -|1", "constant|2 → 3|1",
		"removed|n = a + 2|1", "constant|0 → 1|1", "operator|i < a → <=|1", "condition|!(ok)|1", "removed|continue|1", "removed|n++|1",
		"constant|first → second|1", "operator|k == second → !=|1", `return|return n, errors.New("no") → return n, nil|1`,
	} {
		if !found[want] {
			t.Errorf("not found: %s", want)
		}
		delete(found, want)
	}
	for id := range found {
		if id != "operator|i < a → >=|1" && id != "constant|second → first|1" {
			t.Errorf("found, too: %s", id)
		}
	}
}

// What is woven compiles, with every line where it was.
func TestWeave(t *testing.T) {
	edits, _ := mutants(t)
	number := 0
	for _, e := range edits {
		for _, o := range e.options {
			number++
			o.number = number
		}
	}
	woven := string(weave([]byte(code), edits))
	if strings.Count(woven, "\n") != strings.Count(code, "\n") {
		t.Errorf("lines moved:\n%s", woven)
	}
	for n := range number {
		if strings.Count(woven, "mutant__("+itoa(n+1)+")") != 1 {
			t.Errorf("mutant %d has not one switch:\n%s", n+1, woven)
		}
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", woven+"\nfunc mutant__(int) bool { return false }\n", parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%v:\n%s", err, woven)
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	if _, err := config.Check("p", fset, []*ast.File{file}, nil); err != nil {
		t.Errorf("%v:\n%s", err, woven)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// The sample is drawn in turn and depends on the seed alone.
func TestSample(t *testing.T) {
	files := func() map[string][]*mutant {
		all := map[string][]*mutant{}
		for _, name := range []string{"a", "b", "c"} {
			for i := range 20 {
				all[name] = append(all[name], &mutant{ID: name + itoa(i), File: name})
			}
		}
		all["c"] = all["c"][:2]
		return all
	}
	ids := func(n int, seed uint64) string {
		var text strings.Builder
		for _, m := range sample(files(), n, seed) {
			text.WriteString(m.ID + " ")
		}
		return text.String()
	}
	if first, again := ids(10, 1), ids(10, 1); first != again || first == ids(10, 2) {
		t.Error("the seed does not decide")
	}
	if !strings.HasPrefix(ids(20, 1), ids(10, 1)) {
		t.Error("a larger sample is another one")
	}
	if got := ids(100, 1); strings.Count(got, "a") != 20 || strings.Count(got, "c") != 2 {
		t.Errorf("%s", got)
	}
}

// The report counts by file and subject, without what is equivalent.
func TestReport(t *testing.T) {
	var out strings.Builder
	good := report(&out, 1, []string{"amount"}, map[string]string{"p.go": "amount"}, []result{
		{ID: "p.go|f|removed|n++|1", End: "killed"}, {ID: "p.go|f|operator|a && b → |||1", End: "survived"}, {ID: "p.go|f|removed|n--|1", End: "timeout"},
	})
	if good || !strings.Contains(out.String(), "3 mutants, seed 1: 2 killed, 1 survived, 0 of them equivalent: 66.7 % killed.") ||
		!strings.Contains(out.String(), "| p.go | 3 | 2 | 0 | 66.7 % |") || !strings.Contains(out.String(), `a && b → \|\|`) {
		t.Errorf("%v:\n%s", good, out.String())
	}
}
