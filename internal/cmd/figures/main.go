package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

//go:embed introduction.md
var introduction string

func main() {
	long := flag.Bool("long", false, "run the long forms")
	md := flag.Bool("md", false, "print Markdown")
	only := flag.String("only", "", "only rows whose promise, test or package contains this")
	flag.Parse()
	chosen := slices.DeleteFunc(slices.Clone(rows), func(r row) bool {
		return !strings.Contains(strings.ToLower(r.Promise+" "+r.Test+" "+r.Dir), strings.ToLower(*only))
	})
	root, err := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(2)
	}
	line := text
	if *md {
		_, _ = io.WriteString(os.Stdout, head(*long))
		line = markdown
	}
	// A long run shows what it has seen, and is not lost if it is interrupted.
	good := measure(strings.TrimSpace(string(root)), chosen, *long, func(f figure) { _, _ = io.WriteString(os.Stdout, line(f)) })
	if !good {
		os.Exit(1)
	}
}

// figure is a row with what was seen.
type figure struct {
	row
	Now string
}

// measure runs the tests, one package after the other, and reports whether all
// keep their promises.
func measure(root string, chosen []row, long bool, show func(figure)) (good bool) {
	good = true
	byDir := map[string]map[string]*outcome{}
	for _, r := range chosen {
		if byDir[r.Dir] == nil {
			byDir[r.Dir] = run(root, r.Dir, chosen, long)
		}
		now, ok := byDir[r.Dir][r.Test].figure(r.Seen)
		show(figure{r, now})
		good = good && ok
	}
	return good
}

// outcome is what a test did.
type outcome struct {
	end  string // pass, fail, skip
	logs []string
}

// figure returns what a test showed, and whether it kept its promise.
func (o *outcome) figure(pattern string) (now string, ok bool) {
	switch {
	case o == nil:
		return "DID NOT RUN", false
	case o.end != "pass":
		return strings.ToUpper(o.end), false
	case pattern == "":
		return "holds", true
	}
	var seen []string
	for _, line := range o.logs {
		if found := regexp.MustCompile(pattern).FindString(line); found != "" && !slices.Contains(seen, found) {
			seen = append(seen, found)
		}
	}
	switch {
	case len(seen) == 0:
		return "SHOWS NO FIGURE", false
	case len(seen) > 4:
		seen = append(seen[:3], fmt.Sprintf("and %d more", len(seen)-3))
	}
	return strings.Join(seen, "; "), true
}

var logLine = regexp.MustCompile(`^\s+\S+\.go:\d+: (.*)`)

// run runs the tests of dir that chosen names. Some directories are modules of
// their own.
func run(root, dir string, chosen []row, long bool) map[string]*outcome {
	var names []string
	for _, r := range chosen {
		if r.Dir == dir {
			names = append(names, r.Test)
		}
	}
	cmd := exec.CommandContext(context.Background(), "go", "test", "-json", "-count=1", "-timeout=2h", "-run", "^("+strings.Join(names, "|")+")$", ".") //nolint:gosec // rows.go
	cmd.Dir = filepath.Join(root, dir)
	cmd.Env = os.Environ()
	if long {
		cmd.Env = append(cmd.Env, "ALIPAYPLUS_LONG=1")
	}
	cmd.Stderr = os.Stderr
	began := time.Now()
	out, err := cmd.Output()
	fmt.Fprintf(os.Stderr, "figures: %s took %v\n", dir, time.Since(began).Round(time.Second))
	if err != nil {
		fmt.Fprintf(os.Stderr, "figures: %s: %v\n%s\n", dir, err, failures(out))
	}
	return read(bytes.NewReader(out), names)
}

// read reads the output of go test -json.
func read(r io.Reader, names []string) map[string]*outcome {
	outcomes := map[string]*outcome{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue
		}
		name, part, _ := strings.Cut(event.Test, "/")
		if !slices.Contains(names, name) {
			continue
		}
		if outcomes[name] == nil {
			outcomes[name] = &outcome{}
		}
		switch event.Action {
		case "output":
			if m := logLine.FindStringSubmatch(event.Output); m != nil {
				outcomes[name].logs = append(outcomes[name].logs, m[1])
			}
		case "pass", "fail", "skip":
			if part == "" {
				outcomes[name].end = event.Action
			}
		}
	}
	return outcomes
}

func text(f figure) string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%s\n", f.Promise)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "\ttest\t%s, %s\n\tfigure\t%s\n\tlimit\t%s\n\tseen now\t%s\n", f.Test, f.Dir, f.Figure, f.Limit, f.Now)
	_ = table.Flush()
	return w.String()
}

// head returns what Markdown begins with.
func head(long bool) string {
	form := "short"
	if long {
		form = "long"
	}
	return introduction + "\nWhat was seen is from the " + form + " forms.\n\n| promise | test | figure | limit | seen now |\n|---|---|---|---|---|\n"
}

func markdown(f figure) string {
	return fmt.Sprintf("| %s | `%s`, %s | %s | %s | %s |\n", cell(f.Promise), f.Test, f.Dir, cell(f.Figure), cell(f.Limit), cell(f.Now))
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// failures returns what the tests that failed printed, without those that
// passed.
func failures(out []byte) string {
	printed, failed := map[string]*strings.Builder{}, map[string]bool{}
	for line := range bytes.Lines(out) {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(line, &event) != nil {
			continue
		}
		if printed[event.Test] == nil {
			printed[event.Test] = &strings.Builder{}
		}
		printed[event.Test].WriteString(event.Output)
		failed[event.Test] = failed[event.Test] || event.Action == "fail"
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(printed)) {
		if failed[name] {
			all.WriteString(printed[name].String())
		}
	}
	return all.String()
}
