package codeid

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// Rules are written for Java, whose regular expressions know look-aheads; Go's do not, and never take exponential time in
// return. Live rules use them in two shapes:
//
//	^(?!0000$).*$
//	^NCHL(?!00000000).{8}.*
//
// Both mean: the pattern without the look-ahead matches, and what stands before the look-ahead, followed by what stands
// in it, does not. That holds whenever the part before it has one fixed length, so that it ends at one place only.

// splitLookAheads takes the negative look-aheads out of a pattern. rest is the pattern without them; each of aheads must
// not match the beginning of the value. The error is errForeign for patterns that cannot be taken apart and for those that
// Go would read in another way than Java does.
func splitLookAheads(pattern string, partial bool) (rest string, aheads []string, err error) {
	var out strings.Builder // pattern without the look-aheads
	depth, alternatives, folds := 0, false, false
	for i := 0; i < len(pattern); {
		n := 1
		switch pattern[i] {
		case '\\':
			n = escapeLength(pattern[i:])
		case '[':
			if n = classLength(pattern[i:]); n == 0 {
				return "", nil, errForeign
			}
		case '(':
			if depth > 0 || !strings.HasPrefix(pattern[i:], "(?!") {
				folds = folds || ignoresCase(pattern[i:])
				depth++
				break
			}
			if n = groupLength(pattern[i:]); n == 0 {
				return "", nil, errForeign
			}
			before, ahead := out.String(), pattern[i+len("(?!"):i+n-1]
			if !hasFixedLength(before) || partial && !strings.HasPrefix(before, "^") || isRepeated(pattern[i+n:]) {
				return "", nil, errForeign
			}
			aheads = append(aheads, before+"(?:"+ahead+")")
			out.WriteString("(?:)") // so that what stands around it does not grow together
			i += n
			continue
		case ')':
			depth--
		case '|':
			alternatives = alternatives || depth == 0
		}
		out.WriteString(pattern[i : i+n])
		i += n
	}
	if len(aheads) > 0 && alternatives || folds && !isPlain(pattern) {
		return "", nil, errForeign
	}
	return out.String(), aheads, nil
}

// isRepeated reports whether what stands before text is repeated.
func isRepeated(text string) bool { return text != "" && strings.Contains("*+?{", text[:1]) }

// ignoresCase reports whether text begins with a group that sets the flag i, such as "(?i)" or "(?is:".
func ignoresCase(text string) bool {
	flags, ok := strings.CutPrefix(text, "(?")
	end := strings.IndexAny(flags, "-:)<!=P")
	return ok && end >= 0 && strings.Contains(flags[:end], "i")
}

// isPlain reports whether a pattern names ASCII characters only. With the flag i, Java takes only those for equal in upper
// and lower case; Go takes all, and needs long to find them in wide ranges.
func isPlain(pattern string) bool {
	for i := range len(pattern) {
		if pattern[i] >= utf8.RuneSelf {
			return false
		}
	}
	return !strings.Contains(pattern, `\x{`) && classes(pattern) == 0
}

// classes is the number of Unicode classes, such as \pL, in pattern, or more.
func classes(pattern string) int { return strings.Count(pattern, `\p`) + strings.Count(pattern, `\P`) }

// escapeLength is the length of the escape that text begins with, \Q…\E included.
func escapeLength(text string) int {
	if strings.HasPrefix(text, `\Q`) {
		if i := strings.Index(text, `\E`); i >= 0 {
			return i + 2
		}
		return len(text)
	}
	return min(2, len(text))
}

// classLength is the length of the character class that text begins with; 0 if it does not end, or holds what Java takes
// for a class in the class or for an intersection, and Go for plain characters.
func classLength(text string) int {
	i := 1
	if strings.HasPrefix(text[i:], "^") {
		i++
	}
	if strings.HasPrefix(text[i:], "]") { // first in a class it is a plain character
		i++
	}
	for i < len(text) {
		n := 1
		switch text[i] {
		case '\\':
			n = escapeLength(text[i:])
		case '[':
			return 0
		case '&':
			if strings.HasPrefix(text[i:], "&&") {
				return 0
			}
		case ']':
			return i + 1
		}
		i += n
	}
	return 0
}

// groupLength is the length of the group that text begins with, 0 if it does not end.
func groupLength(text string) int {
	depth := 0
	for i := 0; i < len(text); {
		n := 1
		switch text[i] {
		case '\\':
			n = escapeLength(text[i:])
		case '[':
			if n = classLength(text[i:]); n == 0 {
				return 0
			}
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i += n
	}
	return 0
}

// hasFixedLength reports whether all texts that pattern matches have the same number of characters.
func hasFixedLength(pattern string) bool {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return false
	}
	_, fixed := fixedLength(tree)
	return fixed
}

func fixedLength(tree *syntax.Regexp) (length int, fixed bool) {
	switch tree.Op {
	case syntax.OpLiteral:
		return len(tree.Rune), true
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1, true
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEndText, syntax.OpEndLine,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return 0, true
	case syntax.OpCapture:
		return fixedLength(tree.Sub[0])
	case syntax.OpRepeat:
		length, fixed = fixedLength(tree.Sub[0])
		return length * tree.Min, fixed && tree.Min == tree.Max
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			n, ok := fixedLength(sub)
			if !ok {
				return 0, false
			}
			length += n
		}
		return length, true
	case syntax.OpAlternate:
		for i, sub := range tree.Sub {
			n, ok := fixedLength(sub)
			if !ok || i > 0 && n != length {
				return 0, false
			}
			length = n
		}
		return length, true
	default: // a repetition of any length
		return 0, false
	}
}
