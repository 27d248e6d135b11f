package wire

import (
	"strconv"
	"strings"
	"sync"
)

// InvalidError lists everything that is wrong with a message. It holds no value
// of the message.
type InvalidError struct {
	Problems []Problem
}

// Problem is one broken rule.
type Problem struct {
	// Path is the way to the field in wire names,
	// "order.goods[2].referenceGoodsId"; "" is the message itself. Names of map
	// entries are the sender's and are written as *.
	Path string
	// Rule says what is wrong, to be read after the path: "missing", "longer than
	// 64 characters".
	Rule string
}

// shownProblems is how many problems an error text names.
const shownProblems = 10

func (e *InvalidError) Error() string {
	var b strings.Builder
	b.WriteString("invalid message")
	for i, p := range e.Problems {
		if i == shownProblems {
			b.WriteString("; and " + strconv.Itoa(len(e.Problems)-i) + " more")
			break
		}
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Rule)
	}
	return b.String()
}

func invalid(rule string) *InvalidError {
	return &InvalidError{Problems: []Problem{{Rule: rule}}}
}

// report collects problems along a walk through a message.
type report struct {
	path     []step
	problems []Problem
}

// paths are used again: every message needs one, and no problem keeps it.
var paths = sync.Pool{New: func() any { return new([]step) }}

func newReport() (r report, path *[]step) {
	path = paths.Get().(*[]step)
	return report{path: (*path)[:0]}, path
}

// done gives the path back. The report must not walk on.
func (r *report) done(path *[]step) {
	*path = r.path[:0]
	paths.Put(path)
}

// step is one part of a path: a member, or, without a name, an item of a slice.
type step struct {
	name  string
	index int
}

func (r *report) enter(s step) { r.path = append(r.path, s) }
func (r *report) leave()       { r.path = r.path[:len(r.path)-1] }

func (r *report) problem(rule string) {
	var b strings.Builder
	for i, s := range r.path {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	r.problems = append(r.problems, Problem{Path: b.String(), Rule: rule})
}

func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return &InvalidError{Problems: r.problems}
}
