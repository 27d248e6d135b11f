package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that the table names exists, and RELIABILITY.md is this table.
func TestRows(t *testing.T) {
	document, err := os.ReadFile("../../../alipayplus/RELIABILITY.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(document), introduction) {
		t.Error("RELIABILITY.md has another introduction")
	}
	lines := strings.Count(string(document), "\n| ") - 1
	if lines != len(rows) {
		t.Errorf("RELIABILITY.md has %d rows, want %d", lines, len(rows))
	}
	for _, r := range rows {
		if !strings.Contains(string(document), "| "+cell(r.Promise)+" | `"+r.Test+"`, "+r.Dir+" | ") {
			t.Errorf("RELIABILITY.md has no row %q", r.Promise)
		}
		files, err := filepath.Glob("../../../" + r.Dir + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(source), "\nfunc "+r.Test+"(")
		}
		if !found {
			t.Errorf("%s has no %s", r.Dir, r.Test)
		}
		regexp.MustCompile(r.Seen)
	}
}

// What is read of a run: how a test ended, and what it logged, parts included.
func TestRead(t *testing.T) {
	const output = `{"Action":"run","Test":"TestA"}
{"Action":"output","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Test":"TestA/part","Output":"    a_test.go:7: 12 calls, 0 lost\n"}
{"Action":"fail","Test":"TestA/part"}
{"Action":"pass","Test":"TestA"}
no JSON
{"Action":"skip","Test":"TestB"}
{"Action":"pass","Test":"TestOther"}
`
	got := read(strings.NewReader(output), []string{"TestA", "TestB", "TestC"})
	for _, test := range []struct {
		name, pattern, now string
		ok                 bool
	}{
		{"TestA", `\d+ calls.*`, "12 calls, 0 lost", true},
		{"TestA", "", "holds", true},
		{"TestA", "figures", "SHOWS NO FIGURE", false},
		{"TestB", "", "SKIP", false},
		{"TestC", "", "DID NOT RUN", false},
	} {
		if now, ok := got[test.name].figure(test.pattern); now != test.now || ok != test.ok {
			t.Errorf("%s %q: %q, %v", test.name, test.pattern, now, ok)
		}
	}
	if got["TestOther"] != nil {
		t.Error("a test that nobody asked for")
	}
}
