package codeid_test

import (
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// patternCase is a regular expression, and codes that it takes and refuses.
type patternCase struct {
	rule, pattern string
	yes, no       string // codes between blanks
	skipped       bool   // the pattern cannot be used
}

func patterns(t *testing.T, options codeid.RuleOptions, cases []patternCase) {
	t.Helper()
	for _, c := range cases {
		set := parse(t, ruleset(t, "v", regex(c.pattern)), options)
		if (len(set.Skipped()) == 1) != c.skipped {
			t.Errorf("%s: skipped %v", c.rule, set.Skipped())
			continue
		}
		for want, codes := range map[bool]string{true: c.yes, false: c.no} {
			for code := range strings.FieldsSeq(codes) {
				if id, err := set.Identify(code); err != nil || id.Supported != want {
					t.Errorf("%s: %q is %v, %v", c.rule, code, id.Supported, err)
				}
			}
		}
	}
}

func TestRegexPatterns(t *testing.T) {
	patterns(t, codeid.RuleOptions{}, []patternCase{
		{rule: "the whole code", pattern: `ab|cd`, yes: "ab cd", no: "abd acd xab abx"},
		{rule: "anchors change nothing", pattern: `^ab$`, yes: "ab", no: "xab abx"},
		{rule: "quoted text", pattern: `\Q[a\E.`, yes: "[ax", no: "ax [a"},
		{rule: "quoted to the end", pattern: `a\Qa.b`, yes: "aa.b", no: "aaxb"},
		{rule: "quoted parenthesis before a look-ahead", pattern: `^\Q(?!\E(?!x).`, yes: "(?!y", no: "(?!x y"},
		{rule: "a bracket first in a class", pattern: `[]a]+`, yes: "]a ]", no: "b"},
		{rule: "a bracket first in a negated class", pattern: `[^]a]+`, yes: "b", no: "] a"},
		{rule: "an escaped bracket in a class", pattern: `[\]a]+`, yes: "]a", no: "b"},
		{rule: "one ampersand in a class", pattern: `[a&]+`, yes: "a&a", no: "b"},
		{rule: "intersection", pattern: `[a&&b]`, skipped: true},
		{rule: "class in a class", pattern: `[a[b]`, skipped: true},
		{rule: "POSIX class, unknown to Java", pattern: `[[:alpha:]]`, skipped: true},
		{rule: "class without an end", pattern: `[ab`, skipped: true},
		{rule: "group without an end", pattern: `(ab`, skipped: true},
		{rule: "two patterns in one", pattern: `ab)|(cd`, skipped: true},
		{rule: "escaped bracket", pattern: `^\[(?!x).`, yes: "[y", no: "[x x"},
		{rule: "escaped parenthesis", pattern: `^\((?!x).`, yes: "(y", no: "(x x"},
		{rule: "escaped at the end", pattern: `ab\`, skipped: true},
		{rule: "parenthesis in a class in a look-ahead", pattern: `^a(?!b[)]c).*`, yes: "abc ab)d", no: "ab)c"},
		{rule: "escaped parenthesis in a look-ahead", pattern: `^a(?!b\)c).*`, yes: "abc", no: "ab)c"},
		{rule: "group in a look-ahead", pattern: `^a(?!(b|c)d).*`, yes: "abe ad", no: "abd acd"},
		{rule: "look-ahead in a look-ahead", pattern: `^a(?!b(?!c)).*`, skipped: true},
		{rule: "look-ahead in a group", pattern: `^a((?!b).*)`, skipped: true},
		{rule: "look-ahead after a group", pattern: `^(a)(?!b).*`, yes: "ac", no: "ab"},
		{rule: "look-ahead without an end", pattern: `^a(?!b`, skipped: true},
		{rule: "look-ahead with a class without an end", pattern: `^a(?![b)c`, skipped: true},
		{rule: "look-ahead repeated", pattern: `^a(?!b)*c`, skipped: true},
		{rule: "look-ahead counted", pattern: `^a(?!b){2}c`, skipped: true},
		{rule: "look-ahead at the end", pattern: `^a.(?!b)`, yes: "ac ab", no: "a"},
		{rule: "look-ahead without a caret", pattern: `a(?!b).*`, yes: "ac", no: "ab xac"},
		{rule: "look-ahead inside a counter", pattern: `a{2(?!x)}`, skipped: true},
		{rule: "look-ahead after flags", pattern: `(?i)ab(?!C).*`, yes: "ABd abd", no: "ABc abC"},
		{rule: "look-ahead after a class and a counter", pattern: `^[0-9]{3}(?!000).*`, yes: "123001", no: "123000 12"},
		{rule: "look-ahead after an optional part", pattern: `^a?(?!b).*`, skipped: true},
		{rule: "look-ahead after a counter with two ends", pattern: `^a{2,3}(?!b).*`, skipped: true},
		{rule: "look-ahead after alternatives of one length", pattern: `^(?:ab|cd)(?!0).*`, yes: "ab1 cd1", no: "ab0 cd0"},
		{rule: "look-ahead after alternatives of two lengths", pattern: `^(?:ab|c)(?!0).*`, skipped: true},
		{rule: "look-ahead and alternatives", pattern: `^a(?!b).*|c`, skipped: true},
		{rule: "look-ahead and alternatives in a group", pattern: `^a(?!b)(?:c|d)`, yes: "ac ad", no: "ab"},
		{rule: "boundary, not the same in all versions of Java", pattern: `^ab\b(?!-0).*`, skipped: true},
		{rule: "look-aheads in a row", pattern: `^(?!a)(?!b).*`, yes: "c", no: "a b"},
		{rule: "look-ahead of nothing", pattern: `^a(?!).*`, no: "a ab"},
		{rule: "positive look-ahead", pattern: `^a(?=b).*`, skipped: true},
		{rule: "look-behind", pattern: `(?<!a)b`, skipped: true},
		{rule: "back reference", pattern: `(a)\1`, skipped: true},
		{rule: "possessive", pattern: `a*+b`, skipped: true},
		{rule: "named group", pattern: `(?<name>a)b`, yes: "ab", no: "a"},
		{rule: "512 bytes", pattern: strings.Repeat("a", 512), yes: strings.Repeat("a", 512), no: "a"},
		{rule: "size of 1,000", pattern: `a{1000}`, no: "a"},
		{rule: "size of 1,001", pattern: `a{1000}b`, skipped: true},
		{rule: "size, counters written out", pattern: `(?:ab){500}`, no: "ab"},
		{rule: "size, counters written out, and one more", pattern: `(?:ab){500}c`, skipped: true},
		{rule: "size, optional parts", pattern: `a{0,500}`, yes: "a aaa", no: "b"},
		{rule: "size, optional parts, and one more", pattern: `a{0,500}b`, skipped: true},
		{rule: "size, no upper end", pattern: `a{999,}`, no: "a"},
		{rule: "class of Unicode", pattern: `\pL`, skipped: true},
	})
}

func TestPartialRegexPatterns(t *testing.T) {
	patterns(t, codeid.RuleOptions{PartialRegex: true}, []patternCase{
		{rule: "any part", pattern: `b`, yes: "abc b", no: "ac"},
		{rule: "alternatives", pattern: `a|b`, yes: "xay xby", no: "c"},
		{rule: "anchors count", pattern: `^ab$`, yes: "ab", no: "xab abx"},
		{rule: "look-ahead at a fixed place", pattern: `^ab(?!c)`, yes: "abd ab", no: "abc xabd"},
		{rule: "look-ahead at any place", pattern: `ab(?!c)`, skipped: true},
	})
}
