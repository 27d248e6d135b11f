package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// test is one test of a package, alone.
type test struct {
	Name    string
	Took    time.Duration
	Reaches []int // numbers of mutants

	suite suite
}

// result is what became of a mutant.
type result struct {
	ID   string
	Hash string // of the file that was changed
	End  string // killed, timeout, survived, not reached
	By   string `json:",omitempty"` // the test that failed
}

// run runs these tests.
func (s suite) run(ctx context.Context, names []string, limit time.Duration, env ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args := append([]string{"-test.run", "^(" + strings.Join(names, "|") + ")$", "-test.failfast", "-test.count=1"}, s.flags...)
	cmd := exec.CommandContext(ctx, s.binary, args...) //nolint:gosec // built by this program
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return string(out), context.DeadlineExceeded
	}
	return string(out), err
}

// trace runs each test alone, unchanged. What fails then cannot kill.
func (g *group) trace(ctx context.Context, dir string, parallel int) (all []test, err error) {
	for _, s := range g.suites {
		tests, err := g.traceOne(ctx, s, dir, parallel)
		if err != nil {
			return nil, err
		}
		all = append(all, tests...)
	}
	slices.SortStableFunc(all, func(a, b test) int { return int(a.Took - b.Took) })
	return all, nil
}

func (g *group) traceOne(ctx context.Context, s suite, dir string, parallel int) ([]test, error) {
	list, err := output(s.dir, s.binary, "-test.list", ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range strings.Fields(list) {
		if !strings.HasPrefix(name, "Benchmark") {
			names = append(names, name)
		}
	}
	kept := filepath.Join(dir, filepath.Base(s.binary)+"-trace.jsonl")
	known := map[string]test{}
	for _, t := range read[test](kept) {
		known[t.Name] = t
	}
	var mu sync.Mutex
	var tests []test
	each(parallel, names, func(name string) {
		t, ok := known[g.hash+name]
		if !ok {
			file := filepath.Join(dir, filepath.Base(s.binary)+"-reached-"+name)
			_ = os.Remove(file)
			began := time.Now()
			out, err := s.run(ctx, []string{name}, 5*time.Minute, "MUTANT_TRACE="+file)
			if ctx.Err() != nil {
				return
			}
			t = test{Name: g.hash + name, Took: time.Since(began)}
			if err == nil {
				content, _ := os.ReadFile(file) //nolint:gosec // written by the test
				for _, n := range strings.Fields(string(content)) {
					number, _ := strconv.Atoi(n)
					t.Reaches = append(t.Reaches, number)
				}
			} else {
				fmt.Fprintf(os.Stderr, "%s: %s fails without a change and is left out:\n%.600s\n", g.Dir, name, out)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if !ok {
			write(kept, t)
		}
		t.Name, t.suite = name, s
		tests = append(tests, t)
	})
	return tests, ctx.Err()
}

// judge runs the tests that reach m, the fastest first, in steps.
func (g *group) judge(ctx context.Context, m *mutant, tests []test) result {
	r := result{ID: m.ID, Hash: g.hashes[m.File], End: "not reached"}
	var names []string
	var took time.Duration
	var of suite // that has the tests of names
	flush := func() bool {
		if len(names) == 0 {
			return false
		}
		r.End = "survived"
		out, err := of.run(ctx, names, 30*time.Second+10*took, "MUTANT="+strconv.Itoa(m.number))
		names, took = nil, 0
		switch {
		case err == nil:
			return false
		case errors.Is(err, context.DeadlineExceeded):
			r.End = "timeout"
			return true
		}
		r.End, r.By = "killed", "panic"
		for line := range strings.Lines(out) {
			if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
				r.By, _, _ = strings.Cut(name, " ")
				break
			}
		}
		return true
	}
	for _, t := range tests {
		if !slices.Contains(t.Reaches, m.number) {
			continue
		}
		if t.suite.binary != of.binary {
			if flush() {
				return r
			}
			of = t.suite
		}
		names, took = append(names, t.Name), took+t.Took
		if (len(names) >= 6 || took > 4*time.Second) && flush() {
			return r
		}
	}
	flush()
	return r
}

// each calls fn for all items, n at once.
func each[T any](n int, items []T, fn func(T)) {
	var running sync.WaitGroup
	tokens := make(chan struct{}, n)
	for _, item := range items {
		tokens <- struct{}{}
		running.Go(func() {
			defer func() { <-tokens }()
			fn(item)
		})
	}
	running.Wait()
}

// read returns the lines of a file of JSON, none if there is no file.
func read[T any](file string) (all []T) {
	f, err := os.Open(file) //nolint:gosec // below -dir
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var v T
		if json.Unmarshal(lines.Bytes(), &v) == nil {
			all = append(all, v)
		}
	}
	return all
}

// write appends one line to a file of JSON.
func write(file string, v any) {
	line, err := json.Marshal(v)
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil { //nolint:gosec // below -dir
			_, err = f.Write(append(line, '\n'))
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
