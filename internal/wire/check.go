package wire

import "strconv"

// maxDepth is how many objects and arrays may be open at once.
const maxDepth = 32

// linearKeys is how many keys of an object are compared one by one before a map
// takes over.
const linearKeys = 16

// SyntaxError says which rule a text breaks first, and where. It never quotes
// the text.
type SyntaxError struct {
	// Rule is one of: not-an-object, utf8, control-character, escape, surrogate,
	// number, duplicate-key, depth, trailing-data, memory, syntax.
	Rule string
	// Offset is the byte at which the rule is broken.
	Offset int
}

func (e *SyntaxError) Error() string {
	return "unusable JSON: " + e.Rule + " at byte " + strconv.Itoa(e.Offset)
}

// Check reports the first rule that data breaks, as a *SyntaxError. Nil means
// that data is one JSON object that every parser reads alike: valid UTF-8, no
// key twice in an object, no lone surrogate, at most 32 levels, nothing after
// it, and not so many members that telling them apart takes more than 8 MiB.
func Check(data []byte) error {
	s := scanner{data: data}
	if !s.check() {
		return &SyntaxError{s.rule, s.offset}
	}
	return nil
}

// check reports whether the data is one object; else it calls fail.
func (s *scanner) check() bool {
	i := s.space(0)
	if i == len(s.data) || s.data[i] != '{' {
		s.fail("not-an-object", i)
	} else if i = s.object(i, 0); i >= 0 {
		if i = s.space(i); i < len(s.data) {
			s.fail("trailing-data", i)
		}
	}
	return !s.failed()
}
