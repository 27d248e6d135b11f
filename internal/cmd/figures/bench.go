package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// isBenchmark reports whether the row is a ratio that a benchmark measures.
func (r row) isBenchmark() bool { return strings.HasPrefix(r.Test, "Benchmark") }

// benchmark runs the benchmarks of dir that names lists, in the long form for
// more pairs. Where OpenSSL is installed, its signer is measured, too.
func benchmark(root, dir string, names []string, long bool) map[string]*outcome {
	args := []string{"test", "-timeout=2h", "-run", "^$", "-bench", "^(" + strings.Join(names, "|") + ")$", "."}
	if long {
		args = slices.Insert(args, 1, "-benchtime=5s")
	}
	if _, err := os.Stat("/usr/include/openssl/evp.h"); err == nil {
		args = slices.Insert(args, 1, "-tags=openssl")
	}
	cmd := exec.CommandContext(context.Background(), "go", args...) //nolint:gosec // rows.go
	cmd.Dir = filepath.Join(root, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		fmt.Fprintf(os.Stderr, "figures: %s: %v\n%s\n", dir, err, out)
		return map[string]*outcome{}
	}
	return readBenchmarks(string(out), names)
}

// readBenchmarks reads the output of go test -bench.
func readBenchmarks(out string, names []string) map[string]*outcome {
	outcomes := map[string]*outcome{}
	for line := range strings.Lines(out) {
		name := regexp.MustCompile(`^\w*`).FindString(line)
		if !slices.Contains(names, name) {
			continue
		}
		if outcomes[name] == nil {
			outcomes[name] = &outcome{end: "pass"}
		}
		outcomes[name].logs = append(outcomes[name].logs, logged{text: line})
	}
	return outcomes
}

// ratio returns what the lines of a benchmark say, as a range if it has parts,
// and whether all of it keeps the limit. The pattern's group is the number.
func (o *outcome) ratio(r row) (now string, ok bool) {
	var seen []float64
	for _, line := range o.logs {
		if m := regexp.MustCompile(r.Seen).FindStringSubmatch(line.text); m != nil {
			n, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return "NO NUMBER", false
			}
			seen = append(seen, n)
		}
	}
	if len(seen) == 0 {
		return "SHOWS NO FIGURE", false
	}
	slices.Sort(seen)
	least, most := seen[0], seen[len(seen)-1]
	if now = fmt.Sprintf("%.2f", least); least != most {
		now += fmt.Sprintf(" to %.2f", most)
	}
	sign, text, _ := strings.Cut(r.Limit, " ")
	limit, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return "NO LIMIT", false
	case sign == "≤" && most > limit, sign == "≥" && least < limit:
		return now + ", WHICH IS NOT KEPT", false
	}
	return now, sign == "≤" || sign == "≥"
}
