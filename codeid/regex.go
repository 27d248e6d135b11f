package codeid

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

const (
	maxPattern     = 512 // bytes of a pattern
	maxRegexCode   = 512 // characters of a code that regular expressions are matched with
	maxPatternSize = 1_000
	classRanges    = 16 // ranges of a character class that count as one instruction
	// All patterns of REGEX rules together, or of a list, and all different ones
	// in value expressions. Sizes are expanded, about the number of instructions.
	maxCodeRegexes  = 5_000
	maxValueRegexes = 20_000
)

// isLong reports whether regular expressions must not see code.
func isLong(code string) bool { return longer(code, maxRegexCode) }

// regex is a compiled pattern.
type regex struct {
	must    *regexp.Regexp
	mustNot []*regexp.Regexp // the negative look-aheads of the pattern
	foreign func(string) bool
	partial bool
	size    int // the expanded size of all parts
}

// matches reports whether value matches. Where the pattern of a rule has $, Java
// also matches before a line terminator that ends the value. What follows a $ is
// empty, so that is the same as matching the value without its terminator: of
// importance to look-aheads and to parts of a value, because the whole value
// ends nowhere else.
func (r *regex) matches(value string) bool {
	if r.foreign != nil {
		return r.foreign(value)
	}
	line := withoutTerminator(value)
	for _, not := range r.mustNot {
		if not.MatchString(value) || line != value && not.MatchString(line) {
			return false
		}
	}
	return r.must.MatchString(value) || r.partial && line != value && r.must.MatchString(line)
}

func withoutTerminator(value string) string {
	for _, end := range [...]string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if line, ok := strings.CutSuffix(value, end); ok {
			return line
		}
	}
	return value
}

// regexCompiler compiles the patterns of one rule set or list, as long as all
// together stay within a size. Errors never quote a pattern.
type regexCompiler struct {
	// foreign, unless nil, is asked for what is not admitted.
	foreign func(pattern string) (match func(value string) bool, err error)
	left    int
	// done, unless nil, holds the patterns so far: equal ones are then compiled,
	// and counted, once.
	done map[string]*regex
}

var (
	errTooLarge = errors.New("regular expression that is too large")
	errTogether = errors.New("regular expression that makes all of them together too large")
)

// java compiles a pattern of a rule, to match the whole value or, with partial,
// any part.
func (c *regexCompiler) java(pattern string, partial bool) (*regex, error) {
	if r, ok := c.done[pattern]; ok {
		return r, nil
	}
	if err := checkPattern(pattern); err != nil {
		return nil, err
	}
	r := &regex{partial: partial}
	a, err := admit(pattern, partial)
	switch {
	case err != nil && c.foreign == nil:
	case err != nil:
		if r.foreign, err = c.foreign(pattern); err != nil || r.foreign == nil {
			return nil, errors.New("regular expression that the configured compiler cannot compile")
		}
		r.size = len(pattern)
		err = c.spend(r.size)
	default:
		err = c.compileAll(r, a)
	}
	if err != nil {
		return nil, err
	}
	if c.done != nil {
		c.done[pattern] = r
	}
	return r, nil
}

func (c *regexCompiler) compileAll(r *regex, a admitted) (err error) {
	start, end := `\A`, `\z`
	if r.partial {
		start, end = "", ""
	}
	if r.must, err = c.compile(r, start, a.text, end); err != nil {
		return err
	}
	for _, text := range a.not {
		not, err := c.compile(r, `\A`, text, "")
		if err != nil {
			return err
		}
		r.mustNot = append(r.mustNot, not)
	}
	return nil
}

// golang compiles a pattern in Go's syntax, of the whole value.
func (c *regexCompiler) golang(pattern string) (*regex, error) {
	if err := checkPattern(pattern); err != nil {
		return nil, err
	}
	r := new(regex)
	var err error
	r.must, err = c.compile(r, `\A`, pattern, `\z`)
	return r, err
}

func checkPattern(pattern string) error {
	switch {
	case pattern == "":
		return errors.New("empty regular expression")
	case len(pattern) > maxPattern:
		return errors.New("regular expression of more than 512 bytes")
	}
	return nil
}

// compile compiles one part of r, in Go's syntax, unless it is too large.
func (c *regexCompiler) compile(r *regex, start, pattern, end string) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if bad, ok := errors.AsType[*syntax.Error](err); ok {
		switch bad.Code {
		case syntax.ErrInvalidRepeatSize, syntax.ErrLarge, syntax.ErrNestingDepth:
			return nil, errTooLarge
		default:
			return nil, errors.New("regular expression that Go cannot compile")
		}
	}
	size := expandedSize(tree, maxPatternSize)
	if r.size += size; r.size > maxPatternSize {
		return nil, errTooLarge
	}
	if err := c.spend(size); err != nil {
		return nil, err
	}
	// The tree's text, not the pattern, goes between the anchors: it is complete
	// in itself.
	return regexp.Compile(start + "(?:" + tree.String() + ")" + end)
}

func (c *regexCompiler) spend(size int) error {
	if size > c.left {
		return errTogether
	}
	c.left -= size
	return nil
}

// expandedSize estimates, from above, how many instructions tree compiles to,
// with its counters written out. It gives up above limit. A large character class
// counts for more, by the memory and the time that it takes.
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
