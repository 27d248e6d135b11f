package emvqr

import (
	"errors"
	"strconv"
	"strings"
)

// ErrFormat means that a text is not a row of fields from 00 to 63. ErrChecksum
// means that it is one, but its checksum is wrong. Neither quotes the text.
var (
	ErrFormat   = errors.New("emvqr: not an EMVCo merchant-presented code")
	ErrChecksum = errors.New("emvqr: wrong checksum")
)

// Root fields that are merchant account templates, and those that are a plain
// account number.
const (
	firstTemplate, lastTemplate   = 26, 51
	FirstPrimitive, LastPrimitive = 2, 25
)

// Code is a code that Parse has read. It is not changed any more.
type Code struct {
	count     count // how its lengths count
	root      [100]string
	templates []Template
}

// Template is a root field that can be read as a row of fields.
type Template struct {
	Tag    int
	Fields Row
}

// IsAccount reports whether t belongs to a merchant account.
func (t Template) IsAccount() bool { return t.Tag >= firstTemplate && t.Tag <= lastTemplate }

// Parse reads text. With ErrChecksum it returns the code, too: some programs
// would use it. It takes time proportional to the length of text.
func Parse(text string) (*Code, error) {
	if !strings.HasPrefix(text, "00") {
		return nil, ErrFormat
	}
	c := &Code{count: codePoints}
	err := c.parse(text)
	if errors.Is(err, ErrFormat) && hasSurrogates(text) {
		c = &Code{count: utf16Units}
		err = c.parse(text)
	}
	if errors.Is(err, ErrFormat) {
		return nil, err
	}
	for tag := range c.root {
		if !isTemplate(tag) {
			continue
		}
		if fields := c.Row(c.root[tag]); fields != nil {
			c.templates = append(c.templates, Template{tag, fields})
		}
	}
	return c, err
}

func (c *Code) parse(text string) error {
	last := 0
	for rest := text; rest != ""; {
		tag, value, next, ok := c.count.field(rest)
		if !ok || value == "" || c.root[tag] != "" || last == 63 {
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
	return nil
}

func isTemplate(tag int) bool {
	return tag >= firstTemplate && tag <= lastTemplate || tag == 62 || tag == 64 || tag >= 80
}

// Root returns the value of a root field, "" if the code does not have it.
func (c *Code) Root(tag int) string { return c.root[tag] }

// Templates returns all templates that can be read, by their tags. It must not
// be changed.
func (c *Code) Templates() []Template { return c.templates }

// Template returns the fields of a root field that is a template, nil if it is
// absent or cannot be read as a row of fields.
func (c *Code) Template(tag int) Row {
	for i := range c.templates {
		if c.templates[i].Tag == tag {
			return c.templates[i].Fields
		}
	}
	return nil
}

// Row reads value, of some field of c, as a row of fields: at least one, none
// of them twice. It returns nil if value is something else.
func (c *Code) Row(value string) Row {
	if value == "" {
		return nil
	}
	row := make(Row, 0, 4)
	var seen [2]uint64 // a bit for each tag
	for rest := value; rest != ""; {
		tag, text, next, ok := c.count.field(rest)
		if !ok || seen[tag/64]>>(tag%64)&1 == 1 {
			return nil
		}
		seen[tag/64] |= 1 << (tag % 64)
		row = append(row, Field{tag, text})
		rest = next
	}
	return row
}

// Row is the fields of a template, in their order.
type Row []Field

// Field is a field of a template; its Value is "" if it has length 00.
type Field struct {
	Tag   int
	Value string
}

// Find returns the value of a field, "" if r does not have it.
func (r Row) Find(tag int) string {
	for i := range r {
		if r[i].Tag == tag {
			return r[i].Value
		}
	}
	return ""
}
