package regex

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// set is a set of characters, for patterns.
type set []span

// span is a range of characters, both ends included.
type span struct{ from, to rune }

var lineTerminators = set{{'\n', '\n'}, {'\r', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}

var allCharacters = set{{0, utf8.MaxRune}}

var perlClasses = map[rune]set{
	'd': {{'0', '9'}},
	'w': wordCharacters,
	's': {{'\t', '\r'}, {' ', ' '}},
}

var wordCharacters = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}

// posixClasses are Java's \p{Name}: ASCII only.
var posixClasses = map[string]set{
	"Lower":  {{'a', 'z'}},
	"Upper":  {{'A', 'Z'}},
	"ASCII":  {{0, 0x7F}},
	"Alpha":  {{'A', 'Z'}, {'a', 'z'}},
	"Digit":  {{'0', '9'}},
	"Alnum":  {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}},
	"Punct":  {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}},
	"Graph":  {{'!', '~'}},
	"Print":  {{' ', '~'}},
	"Blank":  {{'\t', '\t'}, {' ', ' '}},
	"Cntrl":  {{0, 0x1F}, {0x7F, 0x7F}},
	"XDigit": {{'0', '9'}, {'A', 'F'}, {'a', 'f'}},
	"Space":  {{'\t', '\r'}, {' ', ' '}},
}

func (s set) contains(r rune) bool {
	return slices.ContainsFunc(s, func(x span) bool { return x.from <= r && r <= x.to })
}

// negated returns all characters that are not in s.
func (s set) negated() set {
	s = slices.Clone(s)
	slices.SortFunc(s, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var all set
	next := rune(0) // the first that is not covered yet
	for _, r := range s {
		if r.from > next {
			all = append(all, span{next, r.from - 1})
		}
		next = max(next, r.to+1)
	}
	if next <= utf8.MaxRune {
		all = append(all, span{next, utf8.MaxRune})
	}
	return all
}

// part writes s in Go's syntax.
func (s set) part() part {
	switch {
	case len(s) == 0:
		return part{text: `[^\x{0}-\x{10ffff}]`, length: 1}
	case len(s) == 1 && s[0].from == s[0].to:
		return part{text: fmt.Sprintf(`\x{%x}`, s[0].from), length: 1}
	}
	var b strings.Builder
	b.WriteByte('[')
	for _, r := range s {
		fmt.Fprintf(&b, `\x{%x}-\x{%x}`, r.from, r.to)
	}
	b.WriteByte(']')
	return part{text: b.String(), length: 1}
}
