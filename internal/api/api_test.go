// Package api shows what the module exports, in one file, so that a change of
// the API shows in review:
//
//	go test ./internal/api -update
package api

import (
	"bytes"
	"flag"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write api.txt")

const module = "github.com/alipayplus-mpp/alipayplus-go"

// The module's exported API is the one of api.txt.
func TestAPI(t *testing.T) {
	var text bytes.Buffer
	for _, p := range packages(t) {
		text.WriteString("package " + strings.TrimPrefix(p.ImportPath, module+"/") + "\n\n")
		for _, d := range declarations(p) {
			for _, line := range d.lines(t) {
				text.WriteString("\t" + line + "\n")
			}
		}
		text.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile("api.txt", text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("api.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text.String(), "\n")); diff != "" {
		t.Errorf("the API is not that of api.txt; if it should be: go test ./internal/api -update\n%s", diff)
	}
}

// Every package has a comment, and so has every function, method, type,
// constant and variable that it exports.
func TestDocumented(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		for _, d := range declarations(p) {
			for _, name := range d.undocumented() {
				t.Errorf("%s.%s has no comment", p.Name, name)
			}
		}
	}
}

// packages returns the module's packages that others can import.
func packages(t *testing.T) (all []*doc.Package) {
	t.Helper()
	root := os.DirFS("../..")
	fset := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); dir != "." && (name[0] == '.' || name == "internal" || name == "examples" || name == "testdata") {
			return fs.SkipDir
		}
		sources, err := fs.Glob(root, path.Join(dir, "*.go"))
		var files []*ast.File
		for _, source := range sources {
			if err != nil || strings.HasSuffix(source, "_test.go") {
				continue
			}
			var file *ast.File
			file, err = parser.ParseFile(fset, filepath.Join("../..", source), nil, parser.ParseComments)
			files = append(files, file)
		}
		if err != nil || len(files) == 0 {
			return err
		}
		p, err := doc.NewFromFiles(fset, files, path.Join(module, dir))
		all = append(all, p)
		return err
	})
	if err != nil || len(all) < 5 {
		t.Fatalf("%d packages, %v", len(all), err)
	}
	return all
}

// declaration is one declaration of a package, without what it does not export.
type declaration struct {
	ast.Decl
	comment string
}

// declarations returns those of p: constants, variables, functions, and types
// with what belongs to them.
func declarations(p *doc.Package) (all []declaration) {
	values := func(values []*doc.Value) {
		for _, v := range values {
			all = append(all, declaration{v.Decl, v.Doc})
		}
	}
	functions := func(functions []*doc.Func) {
		for _, f := range functions {
			all = append(all, declaration{f.Decl, f.Doc})
		}
	}
	values(p.Consts)
	values(p.Vars)
	functions(p.Funcs)
	for _, t := range p.Types {
		all = append(all, declaration{t.Decl, t.Doc})
		values(t.Consts)
		values(t.Vars)
		functions(t.Funcs)
		functions(t.Methods)
	}
	return all
}

// lines returns d as source text, without comments.
func (d declaration) lines(t *testing.T) []string {
	t.Helper()
	ast.Inspect(d.Decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			n.Doc = nil
		case *ast.FuncDecl:
			n.Doc, n.Body = nil, nil
		case *ast.TypeSpec:
			n.Doc, n.Comment = nil, nil
		case *ast.ValueSpec:
			n.Doc, n.Comment = nil, nil
			if d.Decl.(*ast.GenDecl).Tok == token.VAR && n.Type != nil || isError(n) {
				n.Values = nil
			}
		case *ast.CompositeLit:
			n.Elts = nil // an operation: its type says what it is
		case *ast.Field:
			n.Doc, n.Comment = nil, nil
		}
		return true
	})
	var text bytes.Buffer
	// A file set without positions lays the declaration out by its own rules.
	if err := format.Node(&text, token.NewFileSet(), d.Decl); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(text.String(), "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
}

// isError reports whether v is an error value: its text is no part of the API.
func isError(v *ast.ValueSpec) bool { return strings.HasPrefix(v.Names[0].Name, "Err") }

// undocumented returns the names of d that have no comment: of a function, of
// types, and of constants and variables, for which the comment of their group
// will do.
func (d declaration) undocumented() (names []string) {
	if d.comment != "" {
		return nil
	}
	switch decl := d.Decl.(type) {
	case *ast.FuncDecl:
		return []string{decl.Name.Name}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				if spec.Doc.Text() != "" || spec.Comment.Text() != "" {
					continue
				}
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// Only tests import the packages that tests share: what they need does not
// reach a program that imports the module.
func TestOnlyTestsImportTestSupport(t *testing.T) {
	root := os.DirFS("../..")
	seen := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			if text := i.Path.Value; text != `"`+module+`/internal/testkit"` && text != `"`+module+`/internal/canary"` {
				continue
			}
			seen++
			if !strings.HasSuffix(name, "_test.go") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("%d imports, %v", seen, err)
	}
}
