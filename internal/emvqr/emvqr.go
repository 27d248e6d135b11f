package emvqr

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrFormat means that a text is not a row of fields from 00 to 63. ErrChecksum means that it is one, but its checksum is
// wrong. Neither error quotes the text.
var (
	ErrFormat   = errors.New("emvqr: not an EMVCo merchant-presented code")
	ErrChecksum = errors.New("emvqr: wrong checksum")
)

// Root fields that are templates and belong to a merchant account, and those that are a plain account number.
const (
	FirstTemplate, LastTemplate   = 26, 51
	FirstPrimitive, LastPrimitive = 2, 25
)

// Code is a code that Parse has read.
type Code struct {
	root      [100]string
	templates uint32 // bit n: field FirstTemplate+n is a row of fields
}

// Parse reads text; after an error c holds nothing of use. It allocates nothing, keeps parts of text, and takes time proportional to its length.
func (c *Code) Parse(text string) error {
	if !strings.HasPrefix(text, "00") {
		return ErrFormat
	}
	*c = Code{}
	last := 0
	for rest := text; rest != ""; {
		tag, value, next, ok := field(rest)
		if !ok || c.root[tag] != "" || last == 63 {
			return ErrFormat
		}
		c.root[tag] = value
		last, rest = tag, next
	}
	if last != 63 || len(c.root[63]) != 4 {
		return ErrFormat
	}
	want, err := strconv.ParseUint(c.root[63], 16, 16)
	if err != nil {
		return ErrFormat
	}
	if Checksum(text[:len(text)-4]) != uint16(want) {
		return ErrChecksum
	}
	for tag := FirstTemplate; tag <= LastTemplate; tag++ {
		if isRow(c.root[tag]) {
			c.templates |= 1 << (tag - FirstTemplate)
		}
	}
	return nil
}

// Root is the value of a root field, "" if the code does not have it.
func (c *Code) Root(tag int) string { return c.root[tag] }

// NextTemplate is the tag of the first merchant account template from tag on, 0 if there are no more. To go through all of
// them:
//
//	for tag := c.NextTemplate(0); tag != 0; tag = c.NextTemplate(tag + 1) {
//		row := c.Template(tag)
//
// A field between 26 and 51 whose value is not a row of fields is no template.
func (c *Code) NextTemplate(tag int) int {
	tag = max(tag, FirstTemplate)
	if tag > LastTemplate {
		return 0
	}
	left := c.templates >> (tag - FirstTemplate)
	if left == 0 {
		return 0
	}
	return tag + bits.TrailingZeros32(left)
}

// Template is the merchant account template with this tag, empty if there is none.
func (c *Code) Template(tag int) Row {
	if tag < FirstTemplate || tag > LastTemplate || c.templates>>(tag-FirstTemplate)&1 == 0 {
		return ""
	}
	return Row(c.root[tag])
}

// Row is a value that is a row of fields: at least one, none of them twice. The zero Row has no fields.
type Row string

// RowOf is value as a row of fields, empty if it is none.
func RowOf(value string) Row {
	if isRow(value) {
		return Row(value)
	}
	return ""
}

// Find is the value of a field, "" if r does not have it.
func (r Row) Find(tag int) string {
	for rest := string(r); rest != ""; {
		found, value, next, _ := field(rest)
		if found == tag {
			return value
		}
		rest = next
	}
	return ""
}

// Next takes the first field off r, which must not be empty.
func (r Row) Next() (tag int, value string, rest Row) {
	tag, value, next, _ := field(string(r))
	return tag, value, Row(next)
}

// isRow reports whether value is made of fields, at least one, none of them twice.
func isRow(value string) bool {
	var seen [2]uint64 // a bit for every tag
	for rest := value; rest != ""; {
		tag, _, next, ok := field(rest)
		if !ok || seen[tag>>6]>>(tag&63)&1 != 0 {
			return false
		}
		seen[tag>>6] |= 1 << (tag & 63)
		rest = next
	}
	return value != ""
}

// field takes the first field off text.
func field(text string) (tag int, value, rest string, ok bool) {
	if len(text) < 5 {
		return 0, "", "", false
	}
	tag, okTag := number(text[0], text[1])
	length, okLength := number(text[2], text[3])
	if !okTag || !okLength || length == 0 {
		return 0, "", "", false
	}
	text = text[4:]
	end := characters(text, length)
	if end < 0 {
		return 0, "", "", false
	}
	return tag, text[:end], text[end:], true
}

// characters returns how many bytes the first n characters of text take, -1 if it has fewer.
func characters(text string, n int) int {
	if n <= len(text) && isASCII(text[:n]) {
		return n
	}
	end := 0
	for ; n > 0; n-- {
		if end == len(text) {
			return -1
		}
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	return end
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func number(tens, ones byte) (n int, ok bool) {
	tens, ones = tens-'0', ones-'0'
	return int(tens)*10 + int(ones), tens <= 9 && ones <= 9
}
