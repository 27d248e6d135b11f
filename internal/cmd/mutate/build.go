package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// group is a package whose files are mutated, and the tests that run against it.
type group struct {
	Dir   string            // below the module's root
	Also  string            // a folder of further tests, with a go.mod of its own
	Files map[string]string // name → subject

	suites  []suite
	mutants []*mutant
	hash    string            // of all files with mutants: their numbers
	hashes  map[string]string // of each of them
}

// suite is a test binary.
type suite struct {
	dir    string // of its tests
	binary string
	flags  []string
}

// groups returns the code that decides about money and keys.
func groups() []*group {
	return []*group{
		{Dir: "alipayplus", Files: map[string]string{
			"content.go": "signature", "signature.go": "signature", "keyring.go": "signature", "signer.go": "signature", "freshness.go": "signature",
			"amount.go": "amount",
			"retry.go":  "retry", "exchange.go": "retry", "attempt.go": "retry", "transport.go": "retry",
			"idempotency.go": "idempotency", "dispatch.go": "idempotency", "inbound.go": "idempotency", "result.go": "idempotency",
			"outbox.go": "outbox", "relay.go": "outbox", "memory.go": "outbox",
		}},
		{Dir: "alipayplus/payment", Files: map[string]string{
			"money.go": "amount", "quote.go": "amount",
			"record.go": "payment state", "opening.go": "payment state", "debit.go": "payment state", "credit.go": "payment state",
			"cancelling.go": "payment state", "refunding.go": "payment state", "verifying.go": "payment state", "reporting.go": "payment state",
			"answer.go": "payment state", "match.go": "payment state", "change.go": "payment state", "remote.go": "payment state", "checking.go": "payment state", "terms.go": "payment state",
		}},
		{Dir: "alipayplus/sqlstore", Also: "internal/sqltest", Files: map[string]string{
			"conflict.go": "database", "dialect.go": "database", "idempotency.go": "database", "ledger.go": "database", "mysql.go": "database",
			"outbox.go": "database", "payments.go": "database", "purge.go": "database", "schema.go": "database", "statements.go": "database",
			"store.go": "database", "text.go": "database", "tx.go": "database",
		}},
		{Dir: "codeid", Files: map[string]string{
			"rule.go": "rule", "ruleset.go": "rule", "condition.go": "rule", "action.go": "rule", "document.go": "rule",
			"prefix.go": "rule", "regex.go": "rule", "list.go": "rule", "identifier.go": "rule",
		}},
		{Dir: "auth", Files: map[string]string{
			"code.go": "token", "grant.go": "token", "issue.go": "token", "redeem.go": "token", "token.go": "token", "check.go": "token",
			"cancel.go": "token", "paid.go": "token", "random.go": "token", "memory.go": "token", "service.go": "token",
		}},
		{Dir: "easypay", Files: map[string]string{
			"service.go": "verification", "page.go": "verification", "account.go": "verification", "kinds.go": "verification", "redirect.go": "verification",
		}},
	}
}

// exports returns the compiled packages that dir imports, by path.
func exports(root, dir string) (map[string]string, error) {
	out, err := output(root, "go", "list", "-deps", "-export", "-f", "{{.ImportPath}}\t{{.Export}}", "./"+dir)
	if err != nil {
		return nil, err
	}
	files := make(map[string]string)
	for line := range strings.Lines(out) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	return files, nil
}

func output(dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(context.Background(), name, args...) //nolint:gosec // go, or a binary that this program built
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return stderr.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}

// build finds the mutants of g, weaves them in and compiles the tests with
// them. Mutants that do not compile are dropped.
func (g *group) build(root, dir string) error {
	dependencies, err := exports(root, g.Dir)
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	names, err := output(root, "go", "list", "-f", `{{join .GoFiles "\n"}}`, "./"+g.Dir)
	if err != nil {
		return err
	}
	sources, files := map[string][]byte{}, map[string]*ast.File{}
	var parsed []*ast.File
	for _, name := range strings.Fields(names) {
		source, err := os.ReadFile(filepath.Join(root, g.Dir, name)) //nolint:gosec // what go list says
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		sources[name], files[name], parsed = source, file, append(parsed, file)
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(dependencies[path]) //nolint:gosec // what go list says
	})}
	pkg, err := config.Check(g.Dir, fset, parsed, info)
	if err != nil {
		return err
	}
	edits, sum := map[string][]*edit{}, []byte(nil)
	g.hashes = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(g.Files)) {
		if files[name] == nil {
			return fmt.Errorf("%s/%s: no such file", g.Dir, name)
		}
		f := &finder{fset: fset, info: info, pkg: pkg, source: sources[name], file: g.Dir + "/" + name, known: map[string]int{}}
		f.find(files[name])
		edits[name] = f.edits
		g.hashes[f.file] = hash(sources[name])
		sum = append(sum, g.hashes[f.file]...)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	g.hash = hash(sum)
	g.suites = []suite{{dir: filepath.Join(root, g.Dir), binary: filepath.Join(dir, "tests")}}
	if g.Also != "" {
		g.suites = append(g.suites, suite{dir: filepath.Join(root, g.Also), binary: filepath.Join(dir, "also")})
	}
	for range 30 {
		dropped, err := g.compile(root, dir, pkg.Name(), sources, edits)
		if err != nil {
			return err
		}
		if dropped == 0 {
			// A changed program fails for reasons that nobody wants to keep.
			const quiet = "-rapid.nofailfile"
			for i, s := range g.suites {
				if _, err := output(root, s.binary, quiet, "-test.list", "^$"); err == nil {
					g.suites[i].flags = []string{quiet}
				}
			}
			return nil
		}
		fmt.Fprintf(os.Stderr, "%s: %d changes do not compile\n", g.Dir, dropped)
	}
	return errors.New("it does not compile")
}

// compile builds the tests with edits and returns how many mutants the compiler
// refused; those are gone from edits then.
func (g *group) compile(root, dir, pkg string, sources map[string][]byte, edits map[string][]*edit) (dropped int, err error) {
	g.mutants = nil
	replace := map[string]string{}
	put := func(name string, content []byte) error {
		path := filepath.Join(dir, name)
		replace[filepath.Join(root, g.Dir, name)] = path
		return os.WriteFile(path, content, 0o600)
	}
	for _, name := range slices.Sorted(maps.Keys(edits)) {
		for _, e := range edits[name] {
			for _, o := range e.options {
				o.number = len(g.mutants) + 1
				g.mutants = append(g.mutants, o.mutant)
			}
		}
		if err := put(name, weave(sources[name], edits[name])); err != nil {
			return 0, err
		}
	}
	if err := put("mutant__.go", fmt.Appendf(nil, switches, pkg)); err != nil {
		return 0, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return 0, err
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return 0, err
	}
	var text string
	for _, s := range g.suites {
		if text, err = output(s.dir, "go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", overlayFile, "-o", s.binary, "."); err != nil {
			break
		}
	}
	if err == nil {
		return 0, nil
	}
	for name, all := range edits {
		wrong := map[int]bool{}
		for _, m := range regexp.MustCompile(`(?m)(?:^|/)`+regexp.QuoteMeta(name)+`:(\d+):(?:\d+:)? `).FindAllStringSubmatch(text, -1) {
			line, _ := strconv.Atoi(m[1])
			wrong[line] = true
		}
		if len(wrong) == 0 {
			continue
		}
		// A statement holds others: drop the smallest that explain the line.
		smallest := map[int]int{}
		for _, e := range all {
			lines := e.options[0].woven
			for line := range wrong {
				if lines[0] <= line && line <= lines[1] {
					if size, ok := smallest[line]; !ok || lines[1]-lines[0] < size {
						smallest[line] = lines[1] - lines[0]
					}
				}
			}
		}
		edits[name] = slices.DeleteFunc(all, func(e *edit) bool {
			lines := e.options[0].woven
			for line, size := range smallest {
				if lines[0] <= line && line <= lines[1] && lines[1]-lines[0] == size {
					dropped += len(e.options)
					return true
				}
			}
			return false
		})
	}
	if dropped == 0 {
		return 0, err
	}
	return dropped, nil
}

func hash(text []byte) string {
	sum := fnv.New64a()
	_, _ = sum.Write(text)
	return strconv.FormatUint(sum.Sum64(), 16)
}
