package main

import (
	"fmt"
	"slices"
	"strings"
)

// weave returns source with all edits in it, each under its switch. The lines
// stay where they are, but for options that hold line ends.
func weave(source []byte, edits []*edit) []byte {
	slices.SortStableFunc(edits, func(a, b *edit) int { // outer ones first; a statement before its expression
		if a.from != b.from {
			return a.from - b.from
		}
		if a.to != b.to {
			return b.to - a.to
		}
		return len(a.typ) - len(b.typ)
	})
	w := weaver{source: source, rest: edits}
	w.until(len(source))
	return []byte(w.out.String())
}

type weaver struct {
	source []byte
	at     int
	rest   []*edit
	out    strings.Builder
	line   int // of out, from 0
}

func (w *weaver) write(s string) {
	w.out.WriteString(s)
	w.line += strings.Count(s, "\n")
}

func (w *weaver) copy(to int) {
	if to > w.at {
		w.write(string(w.source[w.at:to]))
		w.at = to
	}
}

// until writes source up to end, with the edits that begin before it.
func (w *weaver) until(end int) {
	for len(w.rest) > 0 && w.rest[0].from < end {
		e := w.rest[0]
		w.rest = w.rest[1:]
		w.copy(e.from)
		begin := w.line
		before, after := e.around()
		w.write(before)
		w.until(e.to)
		w.write(after)
		for _, o := range e.options {
			o.woven = [2]int{begin + 1, w.line + 1}
		}
	}
	w.copy(end)
}

// around returns what is written before and after the original of e.
func (e *edit) around() (before, after string) {
	var b strings.Builder
	if e.typ == "" {
		removed := ""
		for _, o := range e.options {
			if o.code == "" {
				removed += fmt.Sprintf(" && !mutant__(%d)", o.number)
				continue
			}
			fmt.Fprintf(&b, "if mutant__(%d) { %s }; ", o.number, o.code)
		}
		if removed == "" {
			return "{ " + b.String(), " }"
		}
		return b.String() + "if " + removed[4:] + " { ", " }"
	}
	negate, alternatives := "", 0
	for _, o := range e.options {
		if o.not {
			negate += fmt.Sprintf("mutant__(%d) != ", o.number)
			continue
		}
		alternatives++
		fmt.Fprintf(&b, "if mutant__(%d) { return %s }; ", o.number, o.code)
	}
	if negate != "" {
		before, after = "("+negate+"(", "))"
	}
	if alternatives > 0 {
		before += "(func() " + e.typ + " { " + b.String() + "return "
		after = " }())" + after
	}
	return before, after
}

// switches is the file that every package with mutants gets.
const switches = `package %s

import (
	"os"
	"strconv"
	"sync"
)

var (
	mutantOn__    = func() int { n, _ := strconv.Atoi(os.Getenv("MUTANT")); return n }()
	mutantTrace__ = os.Getenv("MUTANT_TRACE")
	mutantSeen__  sync.Map
)

func mutant__(n int) bool {
	return n == mutantOn__ || mutantTrace__ != "" && mutantReached__(n)
}

func mutantReached__(n int) bool {
	if _, before := mutantSeen__.LoadOrStore(n, true); !before {
		f, err := os.OpenFile(mutantTrace__, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, _ = f.WriteString(strconv.Itoa(n) + "\n")
			_ = f.Close()
		}
	}
	return false
}
`
