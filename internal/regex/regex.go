package regex

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// The limits of a pattern: its bytes, and its size with counters written out,
// which is about the number of instructions.
const (
	maxBytes    = 512
	maxSize     = 1_000
	classRanges = 16 // ranges of a character class that count as one instruction
)

// The errors of Java and Go quote no pattern. ErrForeign is wrapped by the
// error for a pattern that was written for Java and is not admitted: a compiler
// for Java's dialect may know what to do with it.
var (
	ErrForeign  = errors.New("regular expression that is not admitted")
	errTooLarge = errors.New("regular expression that is too large")
)

// Regexp is a compiled regular expression. It is safe for concurrent use.
type Regexp struct {
	// Size is the size with counters written out. Matching takes at most some 10
	// ns for each byte of the value and unit of size.
	Size int

	must    *regexp.Regexp
	mustNot []*regexp.Regexp // the negative look-aheads
	partial bool
}

// Java compiles a pattern that was written for Java, to match a whole value as
// Matcher.matches does or, with partial, any part as Matcher.find does.
func Java(pattern string, partial bool) (*Regexp, error) {
	if err := check(pattern); err != nil {
		return nil, err
	}
	a, err := admit(pattern, partial)
	if err != nil {
		return nil, err
	}
	r := &Regexp{partial: partial}
	r.must = r.compile(&err, a.text, !partial, !partial)
	for _, text := range a.not {
		r.mustNot = append(r.mustNot, r.compile(&err, text, true, false))
	}
	return r, err
}

// Go compiles a pattern in Go's syntax, to match a whole value.
func Go(pattern string) (*Regexp, error) {
	if err := check(pattern); err != nil {
		return nil, err
	}
	r := new(Regexp)
	var err error
	r.must = r.compile(&err, pattern, true, true)
	return r, err
}

func check(pattern string) error {
	switch {
	case pattern == "":
		return errors.New("empty regular expression")
	case len(pattern) > maxBytes:
		return errors.New("regular expression of more than 512 bytes")
	}
	return nil
}

// Match reports whether value matches. Where a pattern for Java has $, Java
// also matches before a line terminator that ends the value. What follows a $
// is empty, so that is the same as matching the value without its terminator:
// of importance to look-aheads and to parts of a value, because the whole value
// ends nowhere else.
func (r *Regexp) Match(value string) bool {
	line := withoutTerminator(value)
	if !r.must.MatchString(value) && (!r.partial || line == value || !r.must.MatchString(line)) {
		return false
	}
	for _, not := range r.mustNot {
		if not.MatchString(value) || line != value && not.MatchString(line) {
			return false
		}
	}
	return true
}

func withoutTerminator(value string) string {
	for _, end := range [...]string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if line, ok := strings.CutSuffix(value, end); ok {
			return line
		}
	}
	return value
}

// compile compiles one part of r, in Go's syntax, between the ends of the value
// or not. It does nothing after an error and if r would be too large.
func (r *Regexp) compile(err *error, pattern string, begin, end bool) *regexp.Regexp {
	if *err != nil {
		return nil
	}
	tree, wrong := syntax.Parse(pattern, syntax.Perl)
	if bad, ok := errors.AsType[*syntax.Error](wrong); ok {
		switch bad.Code {
		case syntax.ErrInvalidRepeatSize, syntax.ErrLarge, syntax.ErrNestingDepth:
			*err = errTooLarge
		default:
			*err = errors.New("regular expression that Go cannot compile")
		}
		return nil
	}
	if r.Size += expandedSize(tree, maxSize); r.Size > maxSize {
		*err = errTooLarge
		return nil
	}
	text := "(?:" + tree.String() + ")" // not the pattern: this is complete in itself
	if begin {
		text = startOfText + text
	}
	if end {
		text += endOfText
	}
	var re *regexp.Regexp
	re, *err = regexp.Compile(text)
	return re
}

// expandedSize estimates, from above, how many instructions tree compiles to,
// with its counters written out. It gives up above limit. A large character
// class counts for more, by the memory and the time that it takes.
func expandedSize(tree *syntax.Regexp, limit int) int {
	size := 1
	switch tree.Op {
	case syntax.OpLiteral:
		size = len(tree.Rune)
	case syntax.OpCharClass:
		size += len(tree.Rune) / 2 / classRanges
	case syntax.OpCapture:
		size = 2
	case syntax.OpRepeat:
		// x{2,4} is xx(x(x)?)?, x{2,} is xx+.
		times, choices := tree.Max, tree.Max-tree.Min
		if times < 0 {
			times, choices = tree.Min, 1
		}
		return min(limit+1, max(1, times)*expandedSize(tree.Sub[0], limit)+choices)
	default:
	}
	for _, sub := range tree.Sub {
		if size += expandedSize(sub, limit); size > limit {
			return limit + 1
		}
	}
	return size
}
