package wire

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// text passes over a string, quotes included.
func (s *scanner) text(i int) (end int, escaped bool) {
	data := s.data
	for j := i + 1; j < len(data); {
		c := data[j]
		switch {
		case c == '"':
			return j + 1, escaped
		case c == '\\':
			escaped = true
			if j = s.escape(j); j < 0 {
				return -1, true
			}
		case c < ' ':
			return s.fail("control-character", j), false
		case c < utf8.RuneSelf:
			j++
		default:
			r, size := utf8.DecodeRune(data[j:])
			if r == utf8.RuneError && size == 1 {
				return s.fail("utf8", j), false
			}
			j += size
		}
	}
	return s.fail("syntax", len(data)), false
}

// escape passes over one escape, or over both halves of a surrogate pair.
func (s *scanner) escape(i int) int {
	if i+1 == len(s.data) {
		return s.fail("escape", i)
	}
	switch s.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		r := hex4(s.data[i+2:])
		if r < 0 {
			return s.fail("escape", i)
		}
		if !utf16.IsSurrogate(r) {
			return i + 6
		}
		if s.is(i+6, '\\') && s.is(i+7, 'u') && utf16.DecodeRune(r, hex4(s.data[i+8:])) != utf8.RuneError {
			return i + 12
		}
		return s.fail("surrogate", i)
	}
	return s.fail("escape", i)
}

// hex4 reads four hexadecimal digits; -1 if there are none.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// appendUnescaped appends the meaning of text, the inside of a string that the
// scanner accepted.
func appendUnescaped(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		c := text[i+1]
		text = text[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(text)
			text = text[4:]
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, hex4(text[2:]))
				text = text[6:]
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
}
