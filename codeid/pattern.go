package codeid

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file decides how the regular expression of a rule is admitted. It is
// written for Java's Pattern.matches without flags. Java and Go take many
// constructs for different things, some of them without an error. So none
// reaches Go as it is written: the pattern is read by a parser of its own, which
// knows a safe part of Java's syntax and writes the same meaning in Go's.
//
// Read alike by both, and copied:
//
//	literals, (…), (?:…), |, ?, *, +, {n}, {n,}, {n,m}, each of them also lazy:
//	    what matches the whole value does not depend on greed
//	^ at any place; [a-z], [^a-z]
//
// Rewritten:
//
//	.          Java stops at \n \r U+0085 U+2028 U+2029
//	$          Java also matches before a line terminator at the end of the
//	           value: see regex.matches. It must be last in its branch.
//	(?i)       Java folds ASCII letters only
//	(?s)       Java and Go agree; it is written out like (?i)
//	\d \w \s   and their complements: Java's \s has U+000B
//	\p{Alpha}  and its kind (POSIX, ASCII only in Java)
//	\Q…\E      \t \n \r \f \a \e \xhh \x{h…} \uhhhh, surrogate pairs
//	(?<name>…) is (?:…)
//	(?!…)      after a part of fixed length: "the pattern without the look-ahead
//	           matches; the part before it, followed by what is in it, does not"
//
// Everything else is skipped with a reason. Some of it Go cannot do: other
// look-arounds, back references, possessive quantifiers, atomic groups,
// intersections and classes in classes. Some of it would mean something else in
// Go: \0 and \1 to \9, \v, [[:alpha:]], (?P<name>…), the flags d m u x U. Some
// depends on the version of Java: \b, \p{L} and all other classes of Unicode.

// errForeign marks a pattern that is not admitted; a compiler for Java's dialect
// may know what to do with it.
var errForeign = errors.New("regular expression that is not admitted")

func foreign(what string) error { return fmt.Errorf("%w: %s", errForeign, what) }

// admitted is a pattern in Go's syntax: a value matches if it matches text and
// none of the texts in not matches the value's beginning.
type admitted struct {
	text string
	not  []string
}

// admit reads a pattern. With partial it may match any part of the value.
func admit(pattern string, partial bool) (a admitted, err error) {
	p := patternParser{rest: pattern, partial: partial, names: map[string]bool{}}
	all, err := p.branches(0)
	if err == nil && p.rest != "" {
		err = foreign("a parenthesis too many")
	}
	return admitted{all.text, p.not}, err
}

// anyLength is the length of a part that matches texts of different lengths.
const anyLength = -1

// maxLength bounds lengths; a pattern that is so long is refused for its size.
const maxLength = 1 << 20

// part is a part of the pattern, written in Go's syntax.
type part struct {
	text   string
	length int  // the number of characters of all texts that it matches
	ends   bool // it holds a $
}

type patternParser struct {
	rest         string // what was not read yet
	partial      bool
	fold, dotAll bool // the flags i and s
	not          []string
	names        map[string]bool
}

// take removes start from the rest, if it is there.
func (p *patternParser) take(start string) bool {
	rest, ok := strings.CutPrefix(p.rest, start)
	p.rest = rest
	return ok
}

// branches reads alternatives, up to a closing parenthesis or the end.
func (p *patternParser) branches(depth int) (all part, err error) {
	looked := len(p.not)
	for first := true; first || p.take("|"); first = false {
		one, err := p.branch(depth)
		if err != nil {
			return part{}, err
		}
		switch {
		case first:
			all = one
			continue
		case len(p.not) > looked:
			return part{}, foreign("a look-ahead in an alternative")
		case one.length != all.length:
			all.length = anyLength
		}
		all.text += "|" + one.text
		all.ends = all.ends || one.ends
	}
	return all, nil
}

// branch reads what follows one another.
func (p *patternParser) branch(depth int) (all part, err error) {
	for p.rest != "" && p.rest[0] != '|' && p.rest[0] != ')' {
		if strings.HasPrefix(p.rest, "(?!") {
			err = p.lookAhead(depth, all)
		} else {
			var one part
			one, err = p.repeated(depth)
			if err == nil && all.ends && one.text != "" && one.text != endOfText {
				err = foreign("something after $")
			}
			all.text += one.text
			all.length = addLengths(all.length, one.length)
			all.ends = all.ends || one.ends
		}
		if err != nil {
			return part{}, err
		}
	}
	return all, nil
}

func addLengths(a, b int) int {
	if a == anyLength || b == anyLength || a+b > maxLength {
		return anyLength
	}
	return a + b
}

// lookAhead reads (?!…), after before.
func (p *patternParser) lookAhead(depth int, before part) error {
	switch {
	case depth > 0:
		return foreign("a look-ahead in a group")
	case before.length == anyLength:
		return foreign("a look-ahead after a part without a fixed length")
	case before.ends:
		return foreign("something after $")
	case p.partial && !strings.HasPrefix(before.text, startOfText):
		return foreign("a look-ahead without ^ in front")
	}
	p.rest = p.rest[len("(?!"):]
	inner, err := p.group(depth)
	if err != nil {
		return err
	}
	if p.rest != "" && strings.IndexByte("?*+{", p.rest[0]) >= 0 {
		return foreign("a look-ahead that is repeated")
	}
	p.not = append(p.not, before.text+inner.text)
	return nil
}

// group reads up to and including the closing parenthesis.
func (p *patternParser) group(depth int) (part, error) {
	fold, dotAll := p.fold, p.dotAll
	inner, err := p.branches(depth + 1)
	p.fold, p.dotAll = fold, dotAll // flags end with their group
	if err == nil && !p.take(")") {
		err = foreign("a group without an end")
	}
	inner.text = "(?:" + inner.text + ")"
	return inner, err
}

// repeated reads one item with its quantifier.
func (p *patternParser) repeated(depth int) (part, error) {
	one, err := p.item(depth)
	if err != nil || p.rest == "" {
		return one, err
	}
	least, most, text := 0, anyLength, p.rest[:1]
	switch text {
	case "?":
		most = 1
	case "*":
	case "+":
		least = 1
	case "{":
		end := strings.IndexByte(p.rest, '}')
		if end < 0 {
			return one, foreign("a brace that is no quantifier")
		}
		text = p.rest[:end+1]
		low, high, isRange := strings.Cut(text[1:end], ",")
		var ok bool
		least, ok = shortNumber(low)
		most = least
		if isRange && ok {
			most = anyLength
			if high != "" {
				most, ok = shortNumber(high)
				ok = ok && most >= least
			}
		}
		if !ok {
			return one, foreign("a brace that is no quantifier")
		}
	default:
		return one, nil
	}
	if one.text == "" || one.text == startOfText || one.ends {
		return one, foreign("a quantifier of nothing")
	}
	p.rest = p.rest[len(text):]
	p.take("?") // lazy
	if p.rest != "" && strings.IndexByte("?*+{", p.rest[0]) >= 0 {
		return one, foreign("a possessive or doubled quantifier")
	}
	if most == least && one.length != anyLength && one.length*least <= maxLength {
		one.length *= least
	} else {
		one.length = anyLength
	}
	one.text += text
	return one, nil
}

// shortNumber reads up to four digits; more are too large in any case.
func shortNumber(text string) (n int, ok bool) {
	if len(text) == 0 || len(text) > 4 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

const (
	startOfText = `\A`
	endOfText   = `\z`
)

// item reads what a quantifier applies to.
func (p *patternParser) item(depth int) (part, error) {
	switch c := p.rest[0]; c {
	case '(':
		return p.parenthesis(depth)
	case '[':
		return p.class()
	case '\\':
		return p.escaped()
	case '?', '*', '+', '{':
		return part{}, foreign("a quantifier of nothing")
	case '^':
		p.rest = p.rest[1:]
		return part{text: startOfText}, nil
	case '$':
		p.rest = p.rest[1:]
		return part{text: endOfText, ends: true}, nil
	case '.':
		p.rest = p.rest[1:]
		if p.dotAll {
			return set{}.negated().part(), nil
		}
		return lineTerminators.negated().part(), nil
	}
	r, size := utf8.DecodeRuneInString(p.rest)
	if r == utf8.RuneError && size < 2 {
		return part{}, foreign("a character that is not UTF-8")
	}
	p.rest = p.rest[size:]
	return p.literal(r), nil
}

func (p *patternParser) literal(r rune) part { return p.folded(set{{r, r}}).part() }

// parenthesis reads a group, or flags, which are a part without text.
func (p *patternParser) parenthesis(depth int) (part, error) {
	p.rest = p.rest[1:]
	if !p.take("?") || p.take(":") {
		return p.group(depth)
	}
	if p.take("<") {
		name, rest, found := strings.Cut(p.rest, ">")
		if !found || !isGroupName(name) || p.names[name] {
			return part{}, errUnknownGroup
		}
		p.names[name] = true
		p.rest = rest
		return p.group(depth)
	}
	fold, dotAll, value := p.fold, p.dotAll, true
	for p.rest != "" {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case c == 'i':
			p.fold = value
		case c == 's':
			p.dotAll = value
		case c == '-' && value:
			value = false
		case c == ')':
			return part{}, nil
		case c == ':':
			inner, err := p.group(depth)
			p.fold, p.dotAll = fold, dotAll
			return inner, err
		default:
			return part{}, errUnknownGroup
		}
	}
	return part{}, foreign("a group without an end")
}

var errUnknownGroup = foreign("a look-around, an atomic group or a flag other than i and s")

// isGroupName reports whether name consists of ASCII letters and digits, a
// letter first.
func isGroupName(name string) bool {
	for i := range len(name) {
		c := lowerASCII(name[i])
		if (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// escaped reads an escape outside of a class.
func (p *patternParser) escaped() (part, error) {
	if p.take(`\Q`) {
		quoted, rest, _ := strings.Cut(p.rest, `\E`)
		if quoted == "" {
			return part{}, foreign(`an empty \Q\E`)
		}
		// Only the last character belongs to a quantifier that follows.
		last, size := utf8.DecodeLastRuneInString(quoted)
		all := part{}
		for _, r := range quoted[:len(quoted)-size] {
			all.text += p.literal(r).text
			all.length++
		}
		p.rest = rest
		one := p.literal(last)
		if all.text != "" && rest != "" && strings.IndexByte("?*+{", rest[0]) >= 0 {
			return part{}, foreign(`a quantifier after \E`)
		}
		return part{text: all.text + one.text, length: all.length + 1}, nil
	}
	s, r, err := p.escape()
	if err != nil {
		return part{}, err
	}
	if s == nil {
		return p.literal(r), nil
	}
	return s.part(), nil
}

// escape reads an escape: a set of characters, nil for a single one.
func (p *patternParser) escape() (s set, r rune, err error) {
	if len(p.rest) < 2 {
		return nil, 0, foreign("a backslash at the end")
	}
	c := p.rest[1]
	p.rest = p.rest[2:]
	switch c {
	case 'd', 'D', 'w', 'W', 's', 'S':
		s = perlClasses[c|0x20]
		if c < 'a' {
			s = s.negated()
		}
		return s, 0, nil
	case 'p', 'P':
		s, err = p.namedClass()
		if err == nil && c == 'P' {
			s = s.negated()
		}
		return s, 0, err
	case 't':
		return nil, '\t', nil
	case 'n':
		return nil, '\n', nil
	case 'r':
		return nil, '\r', nil
	case 'f':
		return nil, '\f', nil
	case 'a':
		return nil, '\a', nil
	case 'e':
		return nil, 0x1B, nil
	case 'x':
		if p.take("{") {
			digits, rest, found := strings.Cut(p.rest, "}")
			p.rest = rest
			if r, err = hexadecimal(digits); !found {
				err = errHexadecimal
			}
			return nil, r, err
		}
		r, err = p.hexDigits(2)
		return nil, r, err
	case 'u':
		r, err = p.utf16()
		return nil, r, err
	}
	if lower := lowerASCII(c); c >= utf8.RuneSelf || 'a' <= lower && lower <= 'z' || '0' <= c && c <= '9' {
		return nil, 0, foreign("an escape that Java and Go do not read alike")
	}
	return nil, rune(c), nil
}

// utf16 reads \uhhhh, of which \u was read, or a pair of surrogates.
func (p *patternParser) utf16() (rune, error) {
	r, err := p.hexUnit()
	if err != nil || r < 0xD800 || r > 0xDFFF {
		return r, err
	}
	if r < 0xDC00 && p.take(`\u`) {
		if low, err := p.hexUnit(); err == nil && low >= 0xDC00 && low <= 0xDFFF {
			return (r-0xD800)<<10 + (low - 0xDC00) + 0x10000, nil
		}
	}
	return 0, errHexadecimal
}

var errHexadecimal = foreign("a number that is no character")

// hexUnit reads four hexadecimal digits, which may be a surrogate.
func (p *patternParser) hexUnit() (rune, error) {
	if len(p.rest) < 4 {
		return 0, errHexadecimal
	}
	n, err := strconv.ParseUint(p.rest[:4], 16, 32)
	if err != nil {
		return 0, errHexadecimal
	}
	p.rest = p.rest[4:]
	return rune(n), nil
}

func (p *patternParser) hexDigits(n int) (rune, error) {
	if len(p.rest) < n {
		return 0, errHexadecimal
	}
	r, err := hexadecimal(p.rest[:n])
	p.rest = p.rest[n:]
	return r, err
}

func hexadecimal(digits string) (rune, error) {
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, errHexadecimal
	}
	return rune(n), nil
}

// namedClass reads the {Name} of \p{Name}.
func (p *patternParser) namedClass() (set, error) {
	name, rest, found := strings.Cut(p.rest, "}")
	s, known := posixClasses[strings.TrimPrefix(name, "{")]
	switch {
	case !found || !known || name[0] != '{':
		return nil, foreign("a class that depends on the version of Unicode")
	case p.fold && (name == "{Lower" || name == "{Upper"):
		return nil, foreign("upper or lower case without case") // depends on the version of Java
	}
	p.rest = rest
	return s, nil
}

// class reads a character class.
func (p *patternParser) class() (part, error) {
	p.rest = p.rest[1:]
	negated := p.take("^")
	var s set
	open := false // what was read last may begin a range
	for first := true; ; first = false {
		if p.rest == "" {
			return part{}, foreign("a class without an end")
		}
		if p.rest[0] == ']' && !first {
			p.rest = p.rest[1:]
			break
		}
		if p.rest[0] == '-' && !first && !strings.HasPrefix(p.rest, "-]") {
			if !open {
				return part{}, foreign("a hyphen in the middle of a class")
			}
			p.rest = p.rest[1:]
			inner, to, err := p.member(false)
			from := s[len(s)-1].from
			if err == nil && (inner != nil || to < from) {
				err = foreign("a range of characters without an end")
			}
			if err != nil {
				return part{}, err
			}
			s[len(s)-1].to = to
			open = false
			continue
		}
		inner, r, err := p.member(first)
		if err != nil {
			return part{}, err
		}
		open = inner == nil
		if open {
			inner = set{{r, r}}
		}
		s = append(s, inner...)
	}
	s = p.folded(s)
	if negated {
		s = s.negated()
	}
	return s.part(), nil
}

// member reads one character of a class or an escape for a set.
func (p *patternParser) member(first bool) (s set, r rune, err error) {
	switch {
	case strings.HasPrefix(p.rest, "["), strings.HasPrefix(p.rest, "&&"):
		return nil, 0, foreign("a class in a class")
	case strings.HasPrefix(p.rest, "^") && !first:
		return nil, 0, foreign("a caret in the middle of a class") // Java takes it for a negation after \[
	case strings.HasPrefix(p.rest, `\Q`):
		return nil, 0, foreign(`\Q in a class`)
	case strings.HasPrefix(p.rest, `\`):
		return p.escape()
	}
	r, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	if r == utf8.RuneError && size < 2 {
		err = foreign("a character that is not UTF-8")
	}
	return nil, r, err
}

// folded adds the other case of the ASCII letters in s, with the flag i.
func (p *patternParser) folded(s set) set {
	if !p.fold {
		return s
	}
	all := slices.Clone(s)
	for _, r := range s {
		for c := max(r.from, 'A'); c <= min(r.to, 'z'); c++ {
			if lower := c | 0x20; lower >= 'a' && lower <= 'z' {
				all = append(all, span{c ^ 0x20, c ^ 0x20})
			}
		}
	}
	return all
}
