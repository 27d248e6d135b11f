package main

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../../.."

// sources returns the test files of the module and of those below it, by
// directory.
func sources(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path) //nolint:gosec // of the module
		dir, _ := filepath.Rel(root, filepath.Dir(path))
		all[filepath.ToSlash(dir)] += string(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // of the module
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every test, benchmark and fuzz target that a document names exists. (The
// tests of examples/backend look whether README.md names the right packages.)
func TestNamedTestsExist(t *testing.T) {
	all := sources(t)
	named := regexp.MustCompile("`((?:Test|Benchmark|Fuzz)[A-Z]\\w*)(?:/[a-z-]+)?`")
	for _, name := range []string{"README.md", "alipayplus/PERFORMANCE.md", "alipayplus/RELIABILITY.md", "alipayplus/SIGNATURES.md", "mpm/DEPLOYMENT.md"} {
		found := 0
		for line := range strings.Lines(document(t, name)) {
			for _, m := range named.FindAllStringSubmatch(line, -1) {
				found++
				somewhere := false
				for _, source := range all {
					somewhere = somewhere || strings.Contains(source, "\nfunc "+m[1]+"(")
				}
				// The contracts of the test packages are no tests of this module.
				contract := regexp.MustCompile(`^Test(Ledger|RemoteLedger|Records|IdempotencyStore|Outbox|Queue|Stores)$`).MatchString(m[1])
				if !somewhere && !contract {
					t.Errorf("%s names %s, which is nowhere", name, m[1])
				}
			}
		}
		t.Logf("%s names %d", name, found)
	}
}

// Each promise of README.md is a row of the table: every test that README.md
// names for it is measured.
func TestPromisesAreMeasured(t *testing.T) {
	_, promises, _ := strings.Cut(document(t, "README.md"), "\n## What is guaranteed\n")
	promises, _, _ = strings.Cut(promises, "\n## ")
	measured := map[string]bool{}
	for _, r := range rows {
		measured[r.Test] = true
	}
	named := regexp.MustCompile("`(Test[A-Z]\\w*)`").FindAllStringSubmatch(promises, -1)
	for _, m := range named {
		if !measured[m[1]] {
			t.Errorf("README.md promises what %s shows, and no row measures it", m[1])
		}
	}
	if len(named) < 20 {
		t.Errorf("README.md names %d tests", len(named))
	}
}

// Every fuzz target has a corpus of seeds in testdata.
func TestFuzzTargetsHaveSeeds(t *testing.T) {
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	n := 0
	for dir, source := range sources(t) {
		for _, m := range target.FindAllStringSubmatch(source, -1) {
			n++
			seeds, err := filepath.Glob(filepath.Join(root, dir, "testdata/fuzz", m[1], "*"))
			if err != nil || len(seeds) < 2 {
				t.Errorf("%s: %s has %d seeds", dir, m[1], len(seeds))
			}
		}
	}
	if n < 30 {
		t.Errorf("%d targets", n)
	}
}

// A number that a document states and that the code or a test fixes is that
// one.
func TestNumbers(t *testing.T) {
	const performance = "alipayplus/PERFORMANCE.md"
	for _, c := range []struct{ document, says, file, code string }{
		{"README.md", "Go 1.26 or newer", "go.mod", "\ngo 1.26."},
		{"README.md", "PostgreSQL 13,", "alipayplus/sqlstore/dialect.go", "version < 130000"},
		{"README.md", "SQLite 3.35,", "alipayplus/sqlstore/dialect.go", "major == 3 && minor < 35"},
		{"README.md", "MariaDB 10.6 ", "alipayplus/sqlstore/mysql.go", "major == 10 && minor < 6"},
		{"README.md", "MySQL 8,", "alipayplus/sqlstore/mysql.go", `"MariaDB") && major < 8`},
		{"README.md", "OpenSSL 3, four times as fast", performance, "OpenSSL 3, a quarter of the time"},
		{"README.md", "OpenSSL 3, four times as fast", performance, "| 0.24 to 0.25 | ≤ 0.28 | `BenchmarkOpenSSLSign`"},
		{"alipayplus/RELIABILITY.md", "| ≤ 1.10; 0; ≤ 1 minute |", "alipayplus/outage_test.go", "ratio > 1.10"},
		{"alipayplus/RELIABILITY.md", "| ≤ +10 |", "alipayplus/transport_test.go", "- goroutines; n > 10"},
		{"alipayplus/RELIABILITY.md", "12 statements, 4 transactions; 13 with a Check", "internal/sqltest/growth_test.go", "c.statements > 12 || c.transactions > 4"},
		{"alipayplus/RELIABILITY.md", "12 statements, 4 transactions; 13 with a Check", "internal/sqltest/growth_test.go", "checked.statements > 13"},
		{"alipayplus/RELIABILITY.md", "≤ 1.2 × those beside 1,000", "internal/sqltest/growth_test.go", "1.2*float64(c[0])"},
		{performance, "keeps it under 150 and 20 KB", "alipayplus/bench_call_test.go", "objects > 150 || size > 20<<10"},
		{performance, "count what they allocate, 8 MiB each", "internal/wire/scanner.go", "maxMemory = 8 << 20"},
		{performance, "than 32 MiB in all", "alipayplus/bounded_test.go", "most = 32 << 20"},
		{performance, "1 MiB of a request", "alipayplus/handler.go", "maxRequest = 1 << 20"},
		{performance, "4 MiB of an answer", "alipayplus/attempt.go", "maxAnswer = 4 << 20"},
		{performance, "| 2,500 payments each | wallets killed |", "internal/sqltest/kill_test.go", "payments, kills = 2500, 24"},
		{performance, "leases of two seconds", "internal/sqltest/process_test.go", "shortly = 2 * time.Second"},
		{performance, "the busy_timeout is 10 s", "internal/sqltest/database.go", "busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"},
		{performance, "met 10,200 times on", "internal/sqltest/races_test.go", "n = 1700"},
		{performance, "and 1,020 times on", "internal/sqltest/races_test.go", "n = 170 "},
		{performance, "beside `Purge` of 400,000 old rows", "internal/sqltest/races_test.go", "old, each = 100_000, 1000"},
		{performance, "200 each 20 ms", "internal/sqltest/races_test.go", "purger.Purge(t.Context(), 200)"},
		{performance, "beside 1,000,000 stored payments instead of 1,000", "internal/sqltest/growth_test.go", "many = 1_000_000"},
		{performance, "| statements, in 4 transactions | 7 | 9 | 9 |", "internal/sqltest/growth_test.go", "PostgreSQL: {7, 9}, sqlstore.MySQL: {9, 11}, sqlstore.SQLite: {9, 11}"},
		{performance, "before the debit | 9 | 11 | 11 |", "internal/sqltest/growth_test.go", "PostgreSQL: {7, 9}, sqlstore.MySQL: {9, 11}, sqlstore.SQLite: {9, 11}"},
		{performance, "built-in transport keeps 100", "alipayplus/client.go", "MaxIdleConnsPerHost:    100,"},
		{performance, "a message (30 days, without its body)", "alipayplus/sqlstore/purge.go", "keepMessages = 30 * 24 * time.Hour"},
		{performance, "so payments stay 400", "alipayplus/sqlstore/purge.go", "keepPayments = 400 * 24 * time.Hour"},
	} {
		if !strings.Contains(document(t, c.document), c.says) {
			t.Errorf("%s does not say %q", c.document, c.says)
		}
		if !strings.Contains(document(t, c.file), c.code) {
			t.Errorf("%s says %q, and %s has no %q", c.document, c.says, c.file, c.code)
		}
	}
}

// The table of PERFORMANCE.md that is computed and not tried: from 2.5
// signatures of 0.8 ms, 0.7 ms of other work and 0.9 ms of PostgreSQL's, 10 ms
// of a connection, 4 commits, 20 KB of WAL, 3.5 KB of disk for 400 days and 6
// dead rows for each payment.
func TestPaperIsComputed(t *testing.T) {
	_, paper, _ := strings.Cut(document(t, "alipayplus/PERFORMANCE.md"), "### On paper")
	unit := map[string]float64{"": 1, "MB/s": 1e6, "TB": 1e12, "PB": 1e15, "billion": 1e9, "a second": 1}
	number := regexp.MustCompile(`^([0-9.,]+)(?: to [0-9,]+)? ?(.*)$`)
	for name, each := range map[string]float64{
		"cores that sign": 2.5 * 0.8e-3, "cores for the rest of the wallet, 0.7 ms each": 0.7e-3, "connections that are busy": 10e-3,
		"cores of PostgreSQL, 0.9 ms each, without vacuum and `Purge`": 0.9e-3,
		"commits a second": 4, "WAL, with full pages": 20e3, "WAL to archive or to send to a replica in a day": 20e3 * 86400,
		"payments after 400 days": 86400 * 400, "disk after 400 days": 3.5e3 * 86400 * 400,
		"rows for `Purge`, payments and messages":                                                   2,
		"dead rows for vacuum: those, and one of a payment, two of its message, one of the balance": 6,
	} {
		_, row, ok := strings.Cut(paper, "\n| "+name+" |")
		row, _, _ = strings.Cut(row, "\n")
		cells := strings.Split(strings.Trim(row, " |"), " | ")
		if !ok || len(cells) != 3 {
			t.Errorf("no row %q", name)
			continue
		}
		for i, cell := range cells {
			m := number.FindStringSubmatch(strings.TrimSpace(cell))
			if m == nil {
				t.Errorf("%s: %q", name, cell)
				continue
			}
			said, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
			want := each * math.Pow(10, float64(i+2))
			if said *= unit[m[2]]; err != nil || said < want/1.5 || said > want*1.5 {
				t.Errorf("%s: %q, computed %g", name, cell, want)
			}
		}
	}
}
