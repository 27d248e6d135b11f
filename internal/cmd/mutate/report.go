package main

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
)

// survivors.txt has a line for each survivor that was looked at: its id, a tab,
// "equivalent" or "accepted", a tab, the reason.
//
//go:embed survivors.txt
var survivorsText string

type verdict struct{ kind, reason string }

func verdicts() map[string]verdict {
	all := map[string]verdict{}
	for line := range strings.Lines(survivorsText) {
		parts := strings.SplitN(strings.TrimSpace(line), "\t", 3)
		if len(parts) == 3 && !strings.HasPrefix(line, "#") {
			all[parts[0]] = verdict{parts[1], parts[2]}
		}
	}
	return all
}

// count is a row of the report.
type count struct{ all, killed, equivalent int }

func (c *count) share() string {
	if c.all == c.equivalent {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(c.killed)/float64(c.all-c.equivalent))
}

// report writes the results as Markdown. It is false if less than 90 % of what
// can be killed was.
func report(out io.Writer, seed uint64, subjects []string, files map[string]string, results []result) bool {
	w := &strings.Builder{}
	known := verdicts()
	byFile, bySubject, total := map[string]*count{}, map[string]*count{}, &count{}
	var alive []result
	for _, r := range results {
		file, _, _ := strings.Cut(r.ID, "|")
		subject := files[file]
		for _, c := range []*count{at(byFile, file), at(bySubject, subject), total} {
			c.all++
			switch {
			case r.End == "killed", r.End == "timeout":
				c.killed++
			case known[r.ID].kind == "equivalent":
				c.equivalent++
			}
		}
		if r.End == "survived" || r.End == "not reached" {
			alive = append(alive, r)
		}
	}
	fmt.Fprintf(w, "%d mutants, seed %d: %d killed, %d survived, %d of them equivalent: %s killed.\n\n",
		total.all, seed, total.killed, total.all-total.killed, total.equivalent, total.share())
	fmt.Fprintf(w, "| subject, file | mutants | killed | equivalent | killed ÷ (all − equivalent) |\n|---|---:|---:|---:|---:|\n")
	for _, subject := range subjects {
		c := at(bySubject, subject)
		fmt.Fprintf(w, "| **%s** | %d | %d | %d | %s |\n", subject, c.all, c.killed, c.equivalent, c.share())
		for _, file := range sorted(files) {
			if c := byFile[file]; c != nil && files[file] == subject {
				fmt.Fprintf(w, "| %s | %d | %d | %d | %s |\n", file, c.all, c.killed, c.equivalent, c.share())
			}
		}
	}
	fmt.Fprintf(w, "\n| survivor | where | change | verdict |\n|---|---|---|---|\n")
	for i, r := range alive {
		parts := strings.Split(strings.ReplaceAll(r.ID, "||", "\x00"), "|")
		for j := range parts {
			parts[j] = strings.ReplaceAll(strings.ReplaceAll(parts[j], "\x00", "||"), "|", `\|`)
		}
		reason := r.End
		if v, ok := known[r.ID]; ok {
			reason = v.kind + ": " + v.reason
		}
		fmt.Fprintf(w, "| %d | %s, %s | %s: `%s` | %s |\n", i+1, parts[0], parts[1], parts[2], strings.Join(parts[3:len(parts)-1], "\\|"), reason)
	}
	_, _ = io.WriteString(out, w.String())
	return total.killed*10 >= (total.all-total.equivalent)*9
}

func at(m map[string]*count, key string) *count {
	if m[key] == nil {
		m[key] = &count{}
	}
	return m[key]
}
