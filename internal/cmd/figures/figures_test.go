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
{"Action":"output","Test":"TestA/part","Output":"    a_test.go:7: 12000 calls, 0 lost\n"}
{"Action":"fail","Test":"TestA/part"}
{"Action":"output","Test":"TestA/other/deep","Output":"    a_test.go:7: 3000 calls, 1 lost\n"}
{"Action":"output","Test":"TestA","Output":"    a_test.go:9: it took 1.23456ms\n"}
{"Action":"pass","Test":"TestA"}
no JSON
{"Action":"skip","Test":"TestB"}
{"Action":"pass","Test":"TestD/all/one"}
{"Action":"pass","Test":"TestD/all/two"}
{"Action":"pass","Test":"TestD/all"}
{"Action":"pass","Test":"TestD"}
{"Action":"pass","Test":"TestOther"}
`
	got := read(strings.NewReader(output), []string{"TestA", "TestB", "TestC", "TestD"})
	for _, test := range []struct {
		name, pattern string
		by            by
		now           string
		ok            bool
	}{
		{"TestA", `\d+ calls.*`, once, "12,000 calls, 0 lost; 3000 calls, 1 lost", true},
		{"TestA", `\d+ calls.*`, eachPart, "part: 12,000 calls, 0 lost; other: 3000 calls, 1 lost", true},
		{"TestA", `\d+ calls.*`, sumOfParts, "15,000 calls, 1 lost, in 2 parts", true},
		{"TestA", `.*(calls|ms).*`, sumOfParts, "CANNOT BE ADDED UP", false},
		{"TestA", `it took .*`, once, "it took 1.23456ms", true},
		{"TestA", "", once, "holds", true},
		{"TestA", "figures", once, "SHOWS NO FIGURE", false},
		{"TestB", "", once, "SKIP", false},
		{"TestD", "", once, "holds in 2 parts", true},
		{"TestC", "", once, "DID NOT RUN", false},
	} {
		if now, ok := got[test.name].figure(row{Seen: test.pattern, By: test.by}); now != test.now || ok != test.ok {
			t.Errorf("%s %q: %q, %v", test.name, test.pattern, now, ok)
		}
	}
	if got["TestOther"] != nil {
		t.Error("a test that nobody asked for")
	}
}

// What is read of benchmarks: the ratio, and whether it keeps the limit.
func TestRatio(t *testing.T) {
	const output = `goos: linux
BenchmarkA-2   	      20	     83645 ns/op	     28892 floor-ns	         1.245 x-floor
BenchmarkB/no-one-2         	      20	       871.0 ns/op	         0.02692 x-verify
BenchmarkB/bad-one-2        	      20	     94760 ns/op	         2.948 x-verify
BenchmarkB/no-other         	      20	       871.0 ns/op	         0.0711 x-verify
PASS
`
	got := readBenchmarks(output, []string{"BenchmarkA", "BenchmarkB", "BenchmarkC"})
	for _, test := range []struct {
		name, pattern, limit, now string
		ok                        bool
	}{
		{"BenchmarkA", `([\d.]+) x-floor`, "≤ 1.25", "1.25", true},
		{"BenchmarkA", `([\d.]+) x-floor`, "≤ 1.24", "1.25, WHICH IS NOT KEPT", false},
		{"BenchmarkA", `([\d.]+) x-floor`, "≥ 1.2", "1.25", true},
		{"BenchmarkA", `([\d.]+) x-floor`, "≥ 1.3", "1.25, WHICH IS NOT KEPT", false},
		{"BenchmarkA", `([\d.]+) x-floor`, "small", "NO LIMIT", false},
		{"BenchmarkA", `([\d.]+) x-verify`, "≤ 1.25", "SHOWS NO FIGURE", false},
		{"BenchmarkB", `/no.* ([\d.]+) x-verify`, "≤ 0.1", "0.03 to 0.07", true},
		{"BenchmarkB", `([\d.]+) x-verify`, "≤ 0.1", "0.03 to 2.95, WHICH IS NOT KEPT", false},
		{"BenchmarkB", `([\d.]+) x-verify`, "≥ 0.1", "0.03 to 2.95, WHICH IS NOT KEPT", false},
		{"BenchmarkC", `([\d.]+) x-verify`, "≥ 0.1", "DID NOT RUN", false},
	} {
		r := row{Test: test.name, Seen: test.pattern, Limit: test.limit}
		if now, ok := got[test.name].figure(r); now != test.now || ok != test.ok {
			t.Errorf("%s %q: %q, %v", test.name, test.pattern, now, ok)
		}
	}
}

// Rows that are measured alone take their places; the others stay.
func TestMerged(t *testing.T) {
	first, second := rows[0], rows[1]
	before := head(true) + label(second) + " figure | limit | old |\n| a row that there was | `TestGone`, x | | | |\n"
	after := merged(before, map[string]string{label(first): markdown(figure{first, "new"})})
	if want := head(true) + markdown(figure{first, "new"}) + label(second) + " figure | limit | old |\n"; after != want {
		t.Errorf("got %s\nwant %s", after, want)
	}
}
