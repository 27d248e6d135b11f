package codeid

import (
	"errors"
	"strings"
)

// expression is a condition on one EMV field:
//
//	literal      the value is equal
//	S<text>      the value starts with text
//	C<text>      the value contains text
//	R<pattern>   the regular expression matches the whole value
//	N<NULL>      the field is absent
//	N<NOT_NULL>  the field is present
//
// All but N<NULL> are false for an absent field.
type expression struct {
	operator operator
	text     string
	regex    *regex
}

type operator uint8

const (
	equal operator = iota
	startsWith
	contains
	matches
	absent
	present
)

// parseExpression reads an expression. An operator that it does not know is an error: it must not become a literal, which
// would never hold, or worse.
func parseExpression(text string, c *regexCompiler) (e expression, err error) {
	if text == "" {
		return e, errors.New("empty value expression")
	}
	letters := 0
	for letters < len(text) && 'a' <= lowerASCII(text[letters]) && lowerASCII(text[letters]) <= 'z' {
		letters++
	}
	if letters == 0 || letters == len(text) || text[letters] != '<' {
		return expression{operator: equal, text: text}, nil
	}
	name, operand := text[:letters], text[letters+1:]
	if !strings.HasSuffix(operand, ">") {
		return e, errors.New("value expression without a closing >")
	}
	e.text = strings.TrimSuffix(operand, ">")
	if e.text == "" {
		return e, errors.New("value expression without an operand")
	}
	if name == "N" {
		name, e.text = text, ""
	}
	switch name {
	case "S":
		e.operator = startsWith
	case "C":
		e.operator = contains
	case "R":
		e.operator = matches
		e.regex, err = c.compile(e.text, false)
	case "N<NULL>":
		e.operator = absent
	case "N<NOT_NULL>":
		e.operator = present
	default:
		err = errors.New("unknown operator in a value expression")
	}
	return e, err
}

// holds evaluates e on the value of a field, "" if it is absent.
func (e *expression) holds(value string, w *work) bool {
	if value == "" {
		return e.operator == absent
	}
	switch e.operator {
	case equal:
		return value == e.text
	case startsWith:
		return strings.HasPrefix(value, e.text)
	case contains:
		return strings.Contains(value, e.text)
	case matches:
		return w.spend(e.regex.size*len(value)) && e.regex.matches(value)
	default:
		return e.operator == present
	}
}

// work is what may still be spent on one code, in steps of a regular expression, about 10 ns each. It bounds the time that
// any accepted rule set takes; real rule sets use a small part of it.
type work int

const workPerCode work = 500_000

// spend takes n steps and reports whether they were there.
func (w *work) spend(n int) bool {
	if *w < work(n) {
		*w = 0
		return false
	}
	*w -= work(n)
	return true
}

func (w *work) exhausted() bool { return *w == 0 }
