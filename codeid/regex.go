package codeid

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

const (
	maxPattern     = 512 // bytes of a pattern
	maxRegexCode   = 512 // characters of a code that regular expressions are matched with
	maxPatternSize = 1_000
	classRanges    = 16 // ranges of a character class that count as one instruction
	maxClasses     = 24 // Unicode classes in a pattern
	// All patterns of REGEX rules together, and all different ones in value expressions. Sizes are expanded, about the
	// number of instructions.
	maxCodeRegexes  = 5_000
	maxValueRegexes = 20_000
)

// regex is a compiled pattern of a rule.
type regex struct {
	must    *regexp.Regexp
	mustNot []*regexp.Regexp // the negative look-aheads of the pattern
	foreign func(string) bool
	size    int // the expanded size of all parts
}

// isLong reports whether regular expressions must not see code.
func isLong(code string) bool {
	return len(code) > maxRegexCode && utf8.RuneCountInString(code) > maxRegexCode
}

func (r *regex) matches(value string) bool {
	if r.foreign != nil {
		return r.foreign(value)
	}
	for _, n := range r.mustNot {
		if n.MatchString(value) {
			return false
		}
	}
	return r.must.MatchString(value)
}

// regexCompiler compiles the patterns of one rule set or list, as long as all together stay within a size.
type regexCompiler struct {
	// foreign, unless nil, is asked for what Go cannot compile.
	foreign func(pattern string) (match func(value string) bool, err error)
	left    int
	// done, unless nil, holds the patterns so far: equal ones are then compiled, and counted, once.
	done map[string]*regex
}

// errForeign marks a pattern that a compiler for Java's dialect may know what to do with.
var errForeign = errors.New("regular expression that Go cannot compile")

// compile returns the matcher of pattern: of the whole value, or, with partial, of any part. Errors never quote the
// pattern.
func (c *regexCompiler) compile(pattern string, partial bool) (*regex, error) {
	if r, ok := c.done[pattern]; ok {
		return r, nil
	}
	r, err := compileRegex(pattern, partial, c.left)
	if errors.Is(err, errForeign) && c.foreign != nil {
		r = &regex{size: len(pattern)}
		if r.foreign, err = c.foreign(pattern); err != nil || r.foreign == nil {
			return nil, errors.New("regular expression that neither Go nor the configured compiler can compile")
		}
	}
	switch {
	case err != nil:
		return nil, err
	case r.size > c.left:
		return nil, errTogether
	}
	c.left -= r.size
	if c.done != nil {
		c.done[pattern] = r
	}
	return r, nil
}

var (
	errTooLarge = errors.New("regular expression that is too large")
	errTogether = errors.New("regular expression that makes all of them together too large")
)

// compileRegex compiles nothing that would be larger than maxPatternSize or left.
func compileRegex(pattern string, partial bool, left int) (*regex, error) {
	if pattern == "" {
		return nil, errors.New("empty regular expression")
	}
	if len(pattern) > maxPattern {
		return nil, errors.New("regular expression of more than 512 bytes")
	}
	if classes(pattern) > maxClasses {
		return nil, errTooLarge // before parsing it: each of them has hundreds of ranges
	}
	rest, aheads, err := splitLookAheads(pattern, partial)
	if err != nil {
		return nil, err
	}
	r := new(regex)
	if partial {
		r.must, err = r.add("(?:", rest, ")", left)
	} else {
		r.must, err = r.add(`\A(?:`, rest, `)\z`, left)
	}
	for i := 0; err == nil && i < len(aheads); i++ {
		var not *regexp.Regexp
		not, err = r.add(`\A(?:`, aheads[i], ")", left)
		r.mustNot = append(r.mustNot, not)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// add compiles one part.
func (r *regex) add(start, pattern, end string, left int) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if bad, ok := errors.AsType[*syntax.Error](err); ok {
		if bad.Code == syntax.ErrInvalidRepeatSize || bad.Code == syntax.ErrLarge || bad.Code == syntax.ErrNestingDepth {
			return nil, errTooLarge
		}
		return nil, errForeign
	}
	r.size += expandedSize(tree, maxPatternSize)
	switch {
	case r.size > maxPatternSize:
		return nil, errTooLarge
	case r.size > left:
		return nil, errTogether
	}
	// The tree's text, not the pattern, goes between the anchors: it is complete in itself.
	re, err := regexp.Compile(start + tree.String() + end)
	if err != nil {
		return nil, errForeign
	}
	return re, nil
}

// expandedSize estimates, from above, how many instructions tree compiles to, with its counters written out. It gives up
// above limit. A large character class (\pL has some 650 ranges) counts for more, by the memory and the time that it takes.
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
