package main

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	n := flag.Int("n", 400, "how many mutants")
	seed := flag.Uint64("seed", 1, "of the sample")
	parallel := flag.Int("parallel", 2, "test processes at once")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "alipayplus-mutate"), "where builds and results are kept")
	again := flag.Bool("again", false, "run the survivors of before once more")
	only := flag.String("only", "", "only the files whose path contains this")
	show := flag.Bool("report", false, "run nothing, report what is there")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	good, err := mutate(ctx, *n, *seed, *parallel, *dir, *only, *again, *show)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}

func mutate(ctx context.Context, n int, seed uint64, parallel int, dir, only string, again, show bool) (good bool, err error) {
	root, err := output(".", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return false, err
	}
	root = strings.TrimSpace(root)
	all := groups()
	files, owner := map[string]string{}, map[*mutant]*group{}
	byFile := map[string][]*mutant{}
	for _, g := range all {
		if err := g.build(root, filepath.Join(dir, strings.ReplaceAll(g.Dir, "/", "-"))); err != nil {
			return false, err
		}
		for name, subject := range g.Files {
			files[g.Dir+"/"+name] = subject
		}
		for _, m := range g.mutants {
			owner[m] = g
			byFile[m.File] = append(byFile[m.File], m)
		}
	}
	picked := sample(byFile, n, seed)
	fmt.Fprintf(os.Stderr, "%d mutants in %d files, %d picked\n", len(owner), len(byFile), len(picked))

	kept := filepath.Join(dir, "results.jsonl")
	known := map[string]result{}
	for _, r := range read[result](kept) {
		known[r.Hash+r.ID] = r
	}
	var pending []*mutant // in the order of the sample: what runs out of time is fair
	tests := map[*group][]test{}
	for _, m := range picked {
		g := owner[m]
		r, done := known[g.hashes[m.File]+m.ID]
		if show || !strings.Contains(m.File, only) || done && (!again || r.End == "killed" || r.End == "timeout") {
			continue
		}
		pending = append(pending, m)
		if tests[g] == nil {
			if tests[g], err = g.trace(ctx, filepath.Dir(g.suites[0].binary), parallel); err != nil {
				return false, err
			}
		}
	}
	each(parallel, pending, func(m *mutant) {
		if ctx.Err() != nil {
			return
		}
		r := owner[m].judge(ctx, m, tests[owner[m]])
		if ctx.Err() == nil {
			write(kept, r)
			fmt.Fprintf(os.Stderr, "%s\t%s\t%s\n", r.End, m.ID, r.By)
		}
	})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	for _, r := range read[result](kept) {
		known[r.Hash+r.ID] = r
	}
	var results []result
	for _, m := range picked {
		if r, ok := known[owner[m].hashes[m.File]+m.ID]; ok {
			results = append(results, r)
		}
	}
	var subjects []string
	for _, s := range files {
		if !slices.Contains(subjects, s) {
			subjects = append(subjects, s)
		}
	}
	slices.Sort(subjects)
	return report(os.Stdout, seed, subjects, files, results), nil
}

// sample draws n mutants, one of each file in turn, by the seed.
func sample(byFile map[string][]*mutant, n int, seed uint64) []*mutant {
	names := sorted(byFile)
	for _, name := range names {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name))
		random := rand.New(rand.NewPCG(seed, h.Sum64()))
		random.Shuffle(len(byFile[name]), func(i, j int) {
			byFile[name][i], byFile[name][j] = byFile[name][j], byFile[name][i]
		})
	}
	var picked []*mutant
	for turn := 0; len(picked) < n; turn++ {
		before := len(picked)
		for _, name := range names {
			if turn < len(byFile[name]) && len(picked) < n {
				picked = append(picked, byFile[name][turn])
			}
		}
		if len(picked) == before {
			break
		}
	}
	return picked
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
