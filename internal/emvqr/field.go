package emvqr

import "unicode/utf8"

// count is how lengths count characters.
type count uint8

const (
	codePoints count = iota
	utf16Units
)

// field takes the first field off text.
func (c count) field(text string) (tag int, value, rest string, ok bool) {
	if len(text) < 4 {
		return 0, "", "", false
	}
	tag, okTag := number(text[0], text[1])
	length, okLength := number(text[2], text[3])
	text = text[4:]
	end, complete := c.characters(text, length)
	if !okTag || !okLength || !complete {
		return 0, "", "", false
	}
	return tag, text[:end], text[end:], true
}

// characters returns how many bytes the first n characters of text take. It is
// not ok if text has fewer, or if they end in the middle of one.
func (c count) characters(text string, n int) (end int, ok bool) {
	for n > 0 && end < len(text) {
		if text[end] < utf8.RuneSelf {
			end++
			n--
			continue
		}
		r, size := utf8.DecodeRuneInString(text[end:])
		end += size
		n--
		if c == utf16Units && r > 0xFFFF {
			n--
		}
	}
	return end, n == 0
}

// hasSurrogates reports whether the two ways of counting differ.
func hasSurrogates(text string) bool {
	for _, r := range text {
		if r > 0xFFFF {
			return true
		}
	}
	return false
}

func number(tens, ones byte) (n int, ok bool) {
	tens, ones = tens-'0', ones-'0'
	return int(tens)*10 + int(ones), tens <= 9 && ones <= 9
}
