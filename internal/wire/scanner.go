package wire

import "unicode/utf8"

// scanner walks over JSON text. Its methods take the position of a value and
// return the position after it, or -1 after calling fail. They recurse only as
// deep as maxDepth.
type scanner struct {
	data   []byte
	rule   string
	offset int
	spent  int  // bytes of memory so far, about
	stored bool // the data are what this package wrote: see Restore
}

// maxMemory is what one pass over a message may allocate, in bytes. Without it
// a MiB of "1," would become an array of half a million objects. A message of a
// sender who does not want to harm takes a fraction of it.
const maxMemory = 8 << 20

// ruleMemory is broken by a message that takes more than maxMemory.
const ruleMemory = "memory"

// spend counts n bytes that are about to be allocated. It reports false after
// calling fail if they are too many. What was stored must be read again,
// however large it grew.
func (s *scanner) spend(n int) bool {
	if s.spent += n; s.spent <= maxMemory || s.stored {
		return true
	}
	if !s.failed() {
		s.fail(ruleMemory, len(s.data))
	}
	return false
}

// key is where the name of a member is, without its quotes.
type key struct {
	start, end int
	escaped    bool
}

func (s *scanner) failed() bool { return s.rule != "" }

func (s *scanner) fail(rule string, at int) int {
	if at < len(s.data) {
		if r, size := utf8.DecodeRune(s.data[at:]); r == utf8.RuneError && size == 1 {
			rule = "utf8" // whatever was expected here: the text is broken below JSON
		}
	}
	s.rule, s.offset = rule, at
	return -1
}

// space skips white space.
func (s *scanner) space(i int) int {
	for i < len(s.data) {
		if c := s.data[i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			break
		}
		i++
	}
	return i
}

// is reports whether the byte at i is c.
func (s *scanner) is(i int, c byte) bool { return i < len(s.data) && s.data[i] == c }

// value passes over any value; depth is the number of objects and arrays around
// it.
func (s *scanner) value(i, depth int) int {
	if i >= len(s.data) {
		return s.fail("syntax", i)
	}
	switch s.data[i] {
	case '"':
		end, _ := s.text(i)
		return end
	case '{':
		return s.object(i, depth)
	case '[':
		return s.array(i, depth)
	case 't':
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number(i)
	}
	return s.fail("syntax", i)
}

func (s *scanner) literal(i int, text string) int {
	if len(s.data)-i < len(text) || string(s.data[i:i+len(text)]) != text {
		return s.fail("syntax", i)
	}
	return i + len(text)
}

func (s *scanner) object(i, depth int) int {
	if depth == maxDepth {
		return s.fail("depth", i)
	}
	i = s.space(i + 1)
	if s.is(i, '}') {
		return i + 1
	}
	var few [linearKeys][]byte // on the stack: small objects need no allocation
	var many map[string]struct{}
	for n := 0; ; n++ {
		var k key
		if k, i = s.key(i); i < 0 {
			return -1
		}
		name := s.name(k)
		if name == nil {
			return -1
		}
		if n < len(few) {
			for _, other := range few[:n] {
				if string(name) == string(other) {
					return s.fail("duplicate-key", k.start-1)
				}
			}
			few[n] = name
		} else {
			if many == nil {
				if !s.spend(memoryOfKeys) {
					return -1
				}
				many = make(map[string]struct{}, 2*linearKeys)
				for _, other := range few {
					many[string(other)] = struct{}{}
				}
			}
			if _, twice := many[string(name)]; twice {
				return s.fail("duplicate-key", k.start-1)
			}
			if !s.spend(memoryOfKey + len(name)) {
				return -1
			}
			many[string(name)] = struct{}{}
		}
		if i = s.value(i, depth+1); i < 0 {
			return -1
		}
		var more bool
		if i, more = s.next(i, '}'); i < 0 {
			return -1
		} else if !more {
			return i
		}
	}
}

func (s *scanner) array(i, depth int) int {
	if depth == maxDepth {
		return s.fail("depth", i)
	}
	i = s.space(i + 1)
	if s.is(i, ']') {
		return i + 1
	}
	for {
		if i = s.value(i, depth+1); i < 0 {
			return -1
		}
		var more bool
		if i, more = s.next(i, ']'); i < 0 {
			return -1
		} else if !more {
			return i
		}
	}
}

// key passes over a name and its colon, up to the value.
func (s *scanner) key(i int) (k key, value int) {
	if !s.is(i, '"') {
		return k, s.fail("syntax", i)
	}
	end, escaped := s.text(i)
	if end < 0 {
		return k, -1
	}
	k = key{i + 1, end - 1, escaped}
	if i = s.space(end); !s.is(i, ':') {
		return k, s.fail("syntax", i)
	}
	return k, s.space(i + 1)
}

// memoryOfKeys is what a map of names takes at first, memoryOfKey what one more
// name takes, growth included.
const (
	memoryOfKeys = 3 << 10
	memoryOfKey  = 96
)

// name returns the name that k points to, or nil after calling fail.
func (s *scanner) name(k key) []byte {
	text := s.data[k.start:k.end]
	if k.escaped {
		if !s.spend(len(text)) {
			return nil
		}
		return appendUnescaped(make([]byte, 0, len(text)), text)
	}
	return text
}

// next passes over what follows an element: a comma, with more to come,
// or the end of its object or array.
func (s *scanner) next(i int, end byte) (_ int, more bool) {
	i = s.space(i)
	switch {
	case s.is(i, ','):
		return s.space(i + 1), true
	case s.is(i, end):
		return i + 1, false
	}
	return s.fail("syntax", i), false
}

func (s *scanner) number(i int) int {
	start := i
	if s.data[i] == '-' {
		i++
	}
	digits := s.digits(i)
	if digits == i || s.data[i] == '0' && digits > i+1 {
		return s.fail("number", start)
	}
	if i = digits; s.is(i, '.') {
		if digits = s.digits(i + 1); digits == i+1 {
			return s.fail("number", start)
		}
		i = digits
	}
	if s.is(i, 'e') || s.is(i, 'E') {
		if i++; s.is(i, '+') || s.is(i, '-') {
			i++
		}
		if digits = s.digits(i); digits == i {
			return s.fail("number", start)
		}
		i = digits
	}
	return i
}

func (s *scanner) digits(i int) int {
	for i < len(s.data) && '0' <= s.data[i] && s.data[i] <= '9' {
		i++
	}
	return i
}
