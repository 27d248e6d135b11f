package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
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
	only := flag.String("only", "", "only rows whose promise, test or package contains one of these, separated by commas")
	update := flag.Bool("update", false, "write them into RELIABILITY.md; -long is implied")
	flag.Parse()
	*long = *long || *update
	chosen := slices.DeleteFunc(slices.Clone(rows), func(r row) bool {
		text := strings.ToLower(r.Promise + " " + r.Test + " " + r.Dir)
		return !slices.ContainsFunc(strings.Split(strings.ToLower(*only), ","), func(part string) bool { return strings.Contains(text, part) })
	})
	root, err := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(2)
	}
	if *update {
		document := filepath.Join(strings.TrimSpace(string(root)), "alipayplus", "RELIABILITY.md")
		if err := rewrite(document, chosen, strings.TrimSpace(string(root))); err != nil {
			fmt.Fprintln(os.Stderr, "figures:", err)
			os.Exit(1)
		}
		return
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

// rewrite measures the chosen rows in their long forms and puts them into the
// document. The other rows stay as they are.
func rewrite(document string, chosen []row, root string) error {
	lines := map[string]string{}
	good := measure(root, chosen, true, func(f figure) { lines[label(f.row)] = markdown(f) })
	if !good {
		return errors.New("RELIABILITY.md stays as it is: a test failed, was skipped or showed no figure")
	}
	before, err := os.ReadFile(document) //nolint:gosec // of the module
	if err != nil {
		return err
	}
	return os.WriteFile(document, []byte(merged(string(before), lines)), 0o644) //nolint:gosec // a document
}

// merged returns the whole document with some of its lines, by the label of
// their rows, in place of those that it has.
func merged(before string, lines map[string]string) string {
	after := head(true)
	for _, r := range rows {
		line := lines[label(r)]
		if line == "" {
			for old := range strings.Lines(before) {
				if strings.HasPrefix(old, label(r)) {
					line = old
				}
			}
		}
		after += line
	}
	return after
}

// label is how the line of a row begins.
func label(r row) string { return fmt.Sprintf("| %s | `%s`, %s |", cell(r.Promise), r.Test, r.Dir) }

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
		dir, start := r.Dir, run
		if r.isBenchmark() {
			dir, start = r.Dir+" benchmarks", benchmark
		}
		if byDir[dir] == nil {
			var names []string
			for _, other := range chosen {
				if other.Dir == r.Dir && other.isBenchmark() == r.isBenchmark() && !slices.Contains(names, other.Test) {
					names = append(names, other.Test)
				}
			}
			began := time.Now()
			byDir[dir] = start(root, r.Dir, names, long)
			fmt.Fprintf(os.Stderr, "figures: %s took %v\n", dir, time.Since(began).Round(time.Second))
		}
		now, ok := byDir[dir][r.Test].figure(r)
		show(figure{r, now})
		if !ok {
			fmt.Fprintf(os.Stderr, "figures: %s: %s\n", r.Test, now)
		}
		good = good && ok
	}
	return good
}

// run runs the tests of dir that names lists. Some directories are modules of
// their own.
func run(root, dir string, names []string, long bool) map[string]*outcome {
	cmd := exec.CommandContext(context.Background(), "go", "test", "-json", "-count=1", "-timeout=2h", "-run", "^("+strings.Join(names, "|")+")$", ".") //nolint:gosec // rows.go
	cmd.Dir = filepath.Join(root, dir)
	cmd.Env = os.Environ()
	if long {
		cmd.Env = append(cmd.Env, "ALIPAYPLUS_LONG=1")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		fmt.Fprintf(os.Stderr, "figures: %s: %v\n%s\n", dir, err, failures(out))
	}
	return read(bytes.NewReader(out), names)
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
	return fmt.Sprintf("%s %s | %s | %s |\n", label(f.row), cell(f.Figure), cell(f.Limit), cell(f.Now))
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
