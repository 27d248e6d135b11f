package codeid

import (
	"errors"

	"github.com/alipayplus-mpp/alipayplus-go/internal/regex"
)

const (
	maxRegexCode = 512 // characters of a code that regular expressions are matched with
	// All patterns of REGEX rules together, or of a list, and all different ones
	// in value expressions, by their sizes.
	maxCodeRegexes  = 5_000
	maxValueRegexes = 20_000
)

// isLong reports whether regular expressions must not see code.
func isLong(code string) bool { return longer(code, maxRegexCode) }

// pattern is a compiled regular expression.
type pattern struct {
	match func(value string) bool
	size  int
}

// patternCompiler compiles the patterns of one rule set or list, as long as all
// together stay within a size. Errors never quote a pattern.
type patternCompiler struct {
	// foreign, unless nil, is asked for what is not admitted.
	foreign func(pattern string) (match func(value string) bool, err error)
	left    int
	// done, unless nil, holds the patterns so far: equal ones are then compiled,
	// and counted, once.
	done map[string]*pattern
}

// java compiles a pattern of a rule, to match the whole value or, with partial,
// any part.
func (c *patternCompiler) java(text string, partial bool) (*pattern, error) {
	if p, ok := c.done[text]; ok {
		return p, nil
	}
	re, err := regex.Java(text, partial)
	p, err := c.keep(re, err)
	if errors.Is(err, regex.ErrForeign) && c.foreign != nil {
		p = &pattern{size: len(text)}
		if p.match, err = c.foreign(text); err != nil || p.match == nil {
			return nil, errors.New("regular expression that the configured compiler cannot compile")
		}
	}
	if c.done != nil && err == nil {
		c.done[text] = p
	}
	return p, err
}

// golang compiles a pattern of a list, to match the whole value.
func (c *patternCompiler) golang(text string) (*pattern, error) {
	return c.keep(regex.Go(text))
}

func (c *patternCompiler) keep(re *regex.Regexp, err error) (*pattern, error) {
	if err != nil {
		return nil, err
	}
	if re.Size > c.left {
		return nil, errors.New("regular expression that makes all of them together too large")
	}
	c.left -= re.Size
	return &pattern{re.Match, re.Size}, nil
}
