package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// mutant is one change of the code.
type mutant struct {
	ID   string // stable while its function stays the same: file, function, kind, change, number
	File string // below the module's root
	Line int

	number int // in the package's test binary
	woven  [2]int
}

// edit is what mutants make of one range of a file's bytes.
type edit struct {
	from, to int
	typ      string // of an expression, "" for a statement
	options  []option
}

// option is one mutant of an edit.
type option struct {
	*mutant
	code string // of an expression: what is evaluated instead; of a statement: what runs instead, "" nothing
	not  bool   // a boolean expression is negated
}

// finder collects the edits of one file.
type finder struct {
	fset   *token.FileSet
	info   *types.Info
	pkg    *types.Package
	source []byte
	file   string
	edits  []*edit
	known  map[string]int

	function string
	results  *types.Tuple
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

// add makes a mutant of the bytes of n.
func (f *finder) add(n ast.Node, typ, kind, change string, o option) {
	change = strings.Join(strings.Fields(change), " ")
	id := fmt.Sprintf("%s|%s|%s|%s", f.file, f.function, kind, change)
	f.known[id]++
	id += "|" + strconv.Itoa(f.known[id])
	o.mutant = &mutant{ID: id, File: f.file, Line: f.fset.Position(n.Pos()).Line}
	from, to := f.offset(n.Pos()), f.offset(n.End())
	for _, e := range f.edits {
		if e.from == from && e.to == to && e.typ == typ {
			e.options = append(e.options, o)
			return
		}
	}
	f.edits = append(f.edits, &edit{from, to, typ, []option{o}})
}

// find walks a file. Constants, types and imports are no code that runs.
func (f *finder) find(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				f.function, f.results = "var", nil
				f.walk(d)
			}
		case *ast.FuncDecl:
			if d.Body == nil {
				continue
			}
			f.function = d.Name.Name
			if d.Recv != nil && len(d.Recv.List) > 0 {
				f.function = strings.TrimLeft(f.text(d.Recv.List[0].Type), "*") + "." + f.function
			}
			f.results = f.info.Defs[d.Name].Type().(*types.Signature).Results()
			f.walk(d.Body)
		}
	}
}

func (f *finder) walk(root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.FuncLit:
			before := f.results
			f.results = f.info.TypeOf(n).(*types.Signature).Results()
			f.walk(n.Body)
			f.results = before
			return false
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if _, field := f.info.TypeOf(n).Underlying().(*types.Struct); field {
						f.walk(kv.Value)
						continue
					}
				}
				f.walk(e)
			}
			return false
		case *ast.ArrayType, *ast.StructType, *ast.InterfaceType, *ast.FuncType:
			return false
		case *ast.SelectorExpr:
			f.constant(n)
			f.walk(n.X)
			return false
		case *ast.Ident:
			f.constant(n)
		case *ast.BlockStmt:
			f.statements(n.List, root == n)
		case *ast.CaseClause:
			f.statements(n.Body, false)
		case *ast.CommClause:
			f.statements(n.Body, false)
		case *ast.IfStmt:
			f.condition(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				f.condition(n.Cond)
			}
		case *ast.BinaryExpr:
			f.binary(n)
		case *ast.BasicLit:
			f.literal(n)
		}
		return true
	})
}

var flips = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL}, token.REM: {token.MUL},
	token.SHL: {token.SHR}, token.SHR: {token.SHL}, token.AND: {token.OR}, token.OR: {token.AND},
}

func (f *finder) binary(n *ast.BinaryExpr) {
	typ := f.plain(n)
	if typ == "" {
		return
	}
	if typ == "string" {
		return // concatenation: there is no other operator
	}
	for _, op := range flips[n.Op] {
		code := f.text(n.X) + " " + op.String() + " " + f.text(n.Y)
		f.add(n, typ, "operator", f.text(n)+" → "+op.String(), option{code: code})
	}
}

// condition negates what is no comparison; those are flipped.
func (f *finder) condition(n ast.Expr) {
	if b, ok := n.(*ast.BinaryExpr); ok && len(flips[b.Op]) > 0 {
		return
	}
	if f.plain(n) == "bool" {
		f.add(n, "bool", "condition", "!("+f.text(n)+")", option{not: true})
	}
}

func (f *finder) literal(n *ast.BasicLit) {
	if n.Kind != token.INT {
		return
	}
	basic, ok := f.info.TypeOf(n).Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsInteger == 0 {
		return
	}
	other := "1"
	if v, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
		other = strconv.FormatInt(v+1, 10)
		if v == 127 || v == 255 {
			other = strconv.FormatInt(v-1, 10)
		}
	}
	if typ := f.name(f.info.TypeOf(n)); typ != "" {
		f.add(n, typ, "constant", n.Value+" → "+other, option{code: other})
	}
}

// constant swaps true and false, and a named constant for the next of its type.
func (f *finder) constant(n ast.Expr) {
	id, ok := n.(*ast.Ident)
	if s, selector := n.(*ast.SelectorExpr); selector {
		id, ok = s.Sel, true
	}
	if !ok {
		return
	}
	c, ok := f.info.Uses[id].(*types.Const)
	if !ok {
		return
	}
	if c.Parent() == types.Universe {
		if id.Name != "iota" && f.name(f.info.TypeOf(n)) == "bool" {
			f.add(n, "bool", "constant", "!"+id.Name, option{not: true})
		}
		return
	}
	named, ok := c.Type().(*types.Named)
	if !ok || named.Obj().Pkg() != c.Pkg() || c.Parent() != c.Pkg().Scope() {
		return
	}
	var all []*types.Const
	for _, name := range c.Pkg().Scope().Names() {
		if other, ok := c.Pkg().Scope().Lookup(name).(*types.Const); ok && types.Identical(other.Type(), named) {
			if other.Exported() || c.Pkg() == f.pkg {
				all = append(all, other)
			}
		}
	}
	slices.SortFunc(all, func(a, b *types.Const) int { return int(a.Pos() - b.Pos()) })
	at := slices.Index(all, c)
	typ := f.name(named)
	if len(all) < 2 || at < 0 || typ == "" {
		return
	}
	other := all[(at+1)%len(all)].Name()
	if s, ok := n.(*ast.SelectorExpr); ok {
		other = f.text(s.X) + "." + other
	}
	f.add(n, typ, "constant", f.text(n)+" → "+other, option{code: other})
}

// statements removes calls, assignments and jumps, and drops what is returned.
func (f *finder) statements(list []ast.Stmt, body bool) {
	for i, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok && f.text(call.Fun) == "panic" {
				continue
			}
			f.add(s, "", "removed", f.text(s), option{})
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE && !blank(s) {
				f.add(s, "", "removed", f.text(s), option{})
			}
		case *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt:
			f.add(s, "", "removed", f.text(s), option{})
		case *ast.BranchStmt:
			if s.Tok == token.CONTINUE || s.Tok == token.BREAK {
				f.add(s, "", "removed", f.text(s), option{})
			}
		case *ast.ReturnStmt:
			f.returned(s, body && i == len(list)-1)
		}
	}
}

func blank(s *ast.AssignStmt) bool {
	for _, l := range s.Lhs {
		if id, ok := l.(*ast.Ident); !ok || id.Name != "_" {
			return false
		}
	}
	return true
}

func (f *finder) returned(s *ast.ReturnStmt, last bool) {
	if f.results == nil {
		return
	}
	if len(s.Results) == 0 {
		if !last && f.results.Len() == 0 {
			f.add(s, "", "return", "return removed", option{})
		}
		return
	}
	if len(s.Results) != f.results.Len() {
		return
	}
	change := func(i int, text string) {
		parts := make([]string, len(s.Results))
		for j, r := range s.Results {
			parts[j] = f.text(r)
		}
		parts[i] = text
		code := "return " + strings.Join(parts, ", ")
		f.add(s, "", "return", f.text(s)+" → "+code, option{code: code})
	}
	for i, r := range s.Results {
		if f.info.Types[r].IsNil() {
			continue
		}
		switch t := f.results.At(i).Type().Underlying().(type) {
		case *types.Interface, *types.Pointer, *types.Slice, *types.Map:
			if _, parameter := f.results.At(i).Type().(*types.TypeParam); !parameter {
				change(i, "nil")
			}
		case *types.Basic:
			switch {
			case t.Kind() == types.Bool && f.info.Types[r].Value == nil:
				change(i, "!("+f.text(r)+")")
			case t.Kind() == types.String && f.text(r) != `""`:
				change(i, `""`)
			}
		}
	}
}

// plain returns the type of an expression that is no constant, "" for one that
// has none to write down.
func (f *finder) plain(n ast.Expr) string {
	tv, ok := f.info.Types[n]
	if !ok || tv.Value != nil {
		return ""
	}
	return f.name(tv.Type)
}

// name returns how this file writes a basic or named type, "" if it cannot.
func (f *finder) name(t types.Type) string {
	switch t := t.(type) {
	case *types.Basic:
		switch {
		case t.Kind() == types.UntypedBool:
			return "bool"
		case t.Kind() == types.UntypedInt:
			return "int"
		case t.Info()&types.IsUntyped != 0:
			return ""
		}
		return t.Name()
	case *types.Named:
		if t.TypeArgs().Len() > 0 || t.Obj().Pkg() == nil || t.Obj().Parent() != t.Obj().Pkg().Scope() {
			return ""
		}
		if t.Obj().Pkg() == f.pkg {
			return t.Obj().Name()
		}
		return t.Obj().Pkg().Name() + "." + t.Obj().Name() // if it is not imported, the build drops the mutant
	}
	return ""
}
