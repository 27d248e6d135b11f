package regex

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// admitted is a pattern in Go's syntax: a value matches if it matches text and
// none of the texts in not matches the value's beginning.
type admitted struct {
	text string
	not  []string
}

// admit reads a pattern. With partial it may match any part of the value.
func admit(pattern string, partial bool) (admitted, error) {
	p := patternParser{rest: pattern, partial: partial}
	all := p.branches(0)
	switch {
	case p.rest != "":
		p.fail("a parenthesis too many")
	case p.alternatives && len(p.not) > 0:
		p.fail("a look-ahead in an alternative")
	}
	if p.why != "" {
		return admitted{}, fmt.Errorf("%w: %s", ErrForeign, p.why)
	}
	return admitted{all.text, p.not}, nil
}

// part is a part of the pattern, written in Go's syntax.
type part struct {
	text   string
	length int  // the number of characters of every text that it matches, or anyLength
	ends   bool // it holds a $
}

const (
	anyLength   = -1
	maxLength   = 1 << 20 // a pattern for longer texts is refused for its size
	startOfText = `\A`
	endOfText   = `\z`
)

type patternParser struct {
	rest         string // what was not read yet
	partial      bool
	fold, dotAll bool // the flags i and s
	not          []string
	names        []string // of groups
	alternatives bool     // outside of groups
	why          string   // the pattern is not admitted
}

// fail ends the reading.
func (p *patternParser) fail(why string) part {
	if p.why == "" {
		p.why = why
	}
	p.rest = ""
	return part{}
}

// take removes start from the rest, if it is there.
func (p *patternParser) take(start string) (ok bool) {
	p.rest, ok = strings.CutPrefix(p.rest, start)
	return ok
}

// at reports whether the next byte is one of these.
func (p *patternParser) at(bytes string) bool {
	return p.rest != "" && strings.IndexByte(bytes, p.rest[0]) >= 0
}

// character takes one character, 0 at the end.
func (p *patternParser) character() rune {
	r, size := utf8.DecodeRuneInString(p.rest)
	if size == 0 {
		r = 0
	} else if size == 1 && r == utf8.RuneError {
		p.fail("a character that is not UTF-8")
		return 0
	}
	p.rest = p.rest[size:]
	return r
}

// branches reads alternatives, up to a closing parenthesis or the end.
func (p *patternParser) branches(depth int) part {
	all := p.branch(depth)
	for p.take("|") {
		one := p.branch(depth)
		if one.length != all.length {
			all.length = anyLength
		}
		all.text += "|" + one.text
		all.ends = all.ends || one.ends
		p.alternatives = p.alternatives || depth == 0
	}
	return all
}

// branch reads what follows one another.
func (p *patternParser) branch(depth int) (all part) {
	for p.rest != "" && !p.at("|)") {
		if p.take("(?!") {
			p.lookAhead(depth, all)
			continue
		}
		one := p.repeated(depth)
		if all.ends && one.text != "" && one.text != endOfText {
			p.fail("something after $")
		}
		all.text += one.text
		all.ends = all.ends || one.ends
		if all.length += one.length; one.length == anyLength || all.length < one.length || all.length > maxLength {
			all.length = anyLength
		}
	}
	return all
}

// lookAhead reads the rest of a negative look-ahead, after before.
func (p *patternParser) lookAhead(depth int, before part) {
	inner := p.group(depth)
	switch {
	case depth > 0:
		p.fail("a look-ahead in a group")
	case before.length == anyLength:
		p.fail("a look-ahead after a part without a fixed length")
	case before.ends:
		p.fail("something after $")
	case p.partial && !strings.HasPrefix(before.text, startOfText):
		p.fail("a look-ahead without ^ in front")
	case p.at("?*+{"):
		p.fail("a look-ahead that is repeated")
	}
	p.not = append(p.not, before.text+inner.text)
}

// group reads up to and including the closing parenthesis.
func (p *patternParser) group(depth int) part {
	fold, dotAll := p.fold, p.dotAll
	inner := p.branches(depth + 1)
	p.fold, p.dotAll = fold, dotAll // flags end with their group
	if !p.take(")") {
		p.fail("a group without an end")
	}
	inner.text = "(?:" + inner.text + ")"
	return inner
}

// repeated reads one item with its quantifier.
func (p *patternParser) repeated(depth int) part {
	one := p.item(depth)
	if !p.at("?*+{") {
		return one
	}
	text := p.rest[:1]
	times := anyLength // a fixed number of times
	if text == "{" {
		count, _, closed := strings.Cut(p.rest[1:], "}")
		low, high, isRange := strings.Cut(count, ",")
		least, ok := shortNumber(low)
		if times = least; isRange {
			times = anyLength
			if high != "" {
				most, okHigh := shortNumber(high)
				ok = ok && okHigh && least <= most
			}
		}
		if !ok || !closed {
			return p.fail("a brace that is no quantifier")
		}
		text = p.rest[:len("{"+count+"}")]
	}
	if one.text == "" || one.text == startOfText || one.ends {
		return p.fail("a quantifier of nothing")
	}
	p.rest = p.rest[len(text):]
	p.take("?") // lazy
	if p.at("?*+{") {
		return p.fail("a possessive or doubled quantifier")
	}
	one.text += text
	if times == anyLength || one.length == anyLength || one.length*times > maxLength {
		one.length = anyLength
	} else {
		one.length *= times
	}
	return one
}

// shortNumber reads one to four digits; more are too large in any case.
func shortNumber(digits string) (n int, ok bool) {
	if len(digits) > 4 || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// item reads what a quantifier applies to.
func (p *patternParser) item(depth int) part {
	switch {
	case p.take("("):
		return p.parenthesis(depth)
	case p.take("["):
		return p.class()
	case p.take("^"):
		return part{text: startOfText}
	case p.take("$"):
		return part{text: endOfText, ends: true}
	case p.take("."):
		if p.dotAll {
			return allCharacters.part()
		}
		return lineTerminators.negated().part()
	case p.at("?*+{"):
		return p.fail("a quantifier of nothing")
	case p.take(`\Q`):
		quoted, rest, _ := strings.Cut(p.rest, `\E`)
		if quoted == "" {
			return p.fail(`an empty \Q\E`)
		}
		p.rest = regexp.QuoteMeta(quoted) + rest
		return p.item(depth)
	case p.take(`\`):
		if s, r := p.escape(); s != nil {
			return s.part()
		} else {
			return p.folded(set{{r, r}}).part()
		}
	}
	r := p.character()
	return p.folded(set{{r, r}}).part()
}

// parenthesis reads the rest of a group, or of flags, which are a part without
// text.
func (p *patternParser) parenthesis(depth int) part {
	if !p.take("?") || p.take(":") {
		return p.group(depth)
	}
	if p.take("<") {
		name, rest, _ := strings.Cut(p.rest, ">")
		if !groupName.MatchString(name) || slices.Contains(p.names, name) {
			return p.fail("a look-behind, or two groups of one name")
		}
		p.names = append(p.names, name)
		p.rest = rest
		return p.group(depth)
	}
	fold, dotAll := p.fold, p.dotAll
	for on := true; ; {
		switch {
		case p.take("i"):
			p.fold = on
		case p.take("s"):
			p.dotAll = on
		case on && p.take("-"):
			on = false
		case p.take(")"):
			return part{}
		case p.take(":"):
			inner := p.group(depth)
			p.fold, p.dotAll = fold, dotAll
			return inner
		default:
			return p.fail("a look-around, an atomic group or a flag other than i and s")
		}
	}
}

var groupName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

var plainEscapes = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': '\a', 'e': 0x1B}

// escape reads what follows a backslash: a set of characters, or one.
func (p *patternParser) escape() (set, rune) {
	c := p.character()
	switch {
	case perlClasses[c] != nil:
		return perlClasses[c], 0
	case perlClasses[c|0x20] != nil: // \D, \W, \S
		return perlClasses[c|0x20].negated(), 0
	case plainEscapes[c] != 0:
		return nil, plainEscapes[c]
	case c == 'p':
		return p.namedClass(), 0
	case c == 'P':
		return p.namedClass().negated(), 0
	case c == 'x' && p.take("{"):
		digits, _, closed := strings.Cut(p.rest, "}")
		r := p.hexadecimal(len(digits))
		if !closed || !utf8.ValidRune(r) {
			p.fail("a number that is no character")
		}
		p.take("}")
		return nil, r
	case c == 'x':
		return nil, p.hexadecimal(2)
	case c == 'u':
		r := p.hexadecimal(4)
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if p.take(`\u`) {
				low = p.hexadecimal(4)
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				p.fail("half of a character")
			}
		}
		return nil, r
	case c == 0 || c >= utf8.RuneSelf || wordCharacters.contains(c) && c != '_':
		p.fail("an escape that Java and Go do not read alike")
	}
	return nil, c
}

// hexadecimal takes so many digits.
func (p *patternParser) hexadecimal(digits int) rune {
	if digits > len(p.rest) || digits > 8 {
		p.fail("a number that is no character")
		return 0
	}
	n, err := strconv.ParseUint(p.rest[:digits], 16, 31)
	if err != nil {
		p.fail("a number that is no character")
		return 0
	}
	p.rest = p.rest[digits:]
	return rune(n)
}

// namedClass reads the {Name} of \p{Name}.
func (p *patternParser) namedClass() set {
	name, rest, _ := strings.Cut(p.rest, "}")
	s := posixClasses[strings.TrimPrefix(name, "{")]
	if s == nil || name[0] != '{' {
		p.fail("a class that depends on the version of Unicode")
		return set{}
	}
	if p.fold && (name == "{Lower" || name == "{Upper") {
		p.fail("upper or lower case without case, which depends on the version of Java")
	}
	p.rest = rest
	return s
}

// class reads the rest of a character class.
func (p *patternParser) class() part {
	negated := p.take("^")
	var s set
	open := false // what was read last may begin a range
	for first := true; first || !p.at("]"); first = false {
		isRange := !first && p.at("-") && !strings.HasPrefix(p.rest, "-]")
		if isRange {
			p.take("-")
		}
		switch {
		case p.rest == "":
			return p.fail("a class without an end")
		case p.at("["), strings.HasPrefix(p.rest, "&&"), strings.HasPrefix(p.rest, `\Q`):
			return p.fail("a class in a class")
		}
		var inner set
		var r rune
		if p.take(`\`) {
			inner, r = p.escape()
		} else {
			r = p.character()
		}
		switch {
		case !isRange && inner != nil:
			s = append(s, inner...)
		case !isRange:
			s = append(s, span{r, r})
		case !open || inner != nil || r < s[len(s)-1].from:
			return p.fail("a hyphen in the middle of a class")
		default:
			s[len(s)-1].to = r
		}
		open = !isRange && inner == nil
	}
	p.take("]")
	s = p.folded(s)
	if negated {
		s = s.negated()
	}
	return s.part()
}

// folded adds the other case of the ASCII letters in s, with the flag i.
func (p *patternParser) folded(s set) set {
	if !p.fold {
		return s
	}
	all := slices.Clone(s)
	for c := 'a'; c <= 'z'; c++ {
		if upper := c &^ 0x20; s.contains(c) {
			all = append(all, span{upper, upper})
		} else if s.contains(upper) {
			all = append(all, span{c, c})
		}
	}
	return all
}
