package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// readme returns README.md and the Go code in it.
func readme(t *testing.T) (text string, code []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		code = append(code, found[1])
	}
	if len(code) != 3 {
		t.Fatalf("README.md has %d pieces of Go", len(code))
	}
	return string(data), code
}

// The backend of README.md compiles, and its test passes.
func TestReadmeBackend(t *testing.T) {
	_, code := readme(t)
	folder := t.TempDir()
	files := []string{filepath.Join(folder, "main.go"), filepath.Join(folder, "main_test.go")}
	for i, text := range []string{code[0], code[2]} {
		if err := os.WriteFile(files[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, what := range []string{"vet", "test"} {
		if out, err := exec.CommandContext(t.Context(), "go", append([]string{what}, files...)...).CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", what, err, out)
		}
	}
}

// What README.md shows of this program is in it, line by line and in this order.
func TestReadmeIsThisProgram(t *testing.T) {
	_, code := readme(t)
	_, ledger, _ := strings.Cut(code[0], "func (bank) Debit")
	ledger, _, _ = strings.Cut(ledger, "func must")
	for file, shown := range map[string]string{"main.go": code[1], "bank.go": ledger} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rest := string(data)
		for line := range strings.Lines(shown) {
			line = strings.TrimSpace(line)
			_, after, ok := strings.Cut(rest, line)
			if !ok {
				t.Errorf("%s does not have, or not in this order:\n%s", file, line)
				continue
			}
			rest = after
		}
	}
}

// The tests that README.md names exist, and its links lead somewhere.
func TestReadmeNamesWhatExists(t *testing.T) {
	text, _ := readme(t)
	folders := map[string]string{
		"alipayplus": "alipayplus", "payment": "alipayplus/payment", "mpm": "mpm", "easypay": "easypay", "auth": "auth",
		"internal/sqltest": "internal/sqltest", "examples/backend": "examples/backend",
	}
	_, table, _ := strings.Cut(text, "## What is guaranteed")
	table, _, _ = strings.Cut(table, "What it cannot do")
	named := 0
	for _, found := range regexp.MustCompile("([a-z/]+): ((?:`Test[A-Za-z]+`(?:, )?)+)").FindAllStringSubmatch(table, -1) {
		for _, test := range regexp.MustCompile("Test[A-Za-z]+").FindAllString(found[2], -1) {
			named++
			folder, ok := folders[found[1]]
			if found[1] == "package" { // "in every package"
				folder, ok = "mpm", true
			}
			if !ok || !hasTest(t, folder, test) {
				t.Errorf("%s has no %s", found[1], test)
			}
		}
	}
	if all := strings.Count(table, "`Test"); named != all || all < 20 {
		t.Errorf("%d of %d named tests were looked for", named, all)
	}
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(prose, -1) {
		if strings.HasPrefix(link[1], "https:") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, link[1])); err != nil {
			t.Error(err)
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "func "+name+"(") {
			return true
		}
	}
	return false
}
