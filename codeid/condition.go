package codeid

import (
	"errors"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
)

// condition is a condition on one field of an EMVCo code: a root field, or a
// field in a template, at most two templates deep.
type condition struct {
	root   int   // root tag, or merchantTag
	nested []int // tags in the template, and in the template in that
	expression
}

// merchantTag is, as a root tag, that of a merchant account template, the same
// one for all conditions of a rule.
const merchantTag = -1

func newCondition(doc fieldDocument, c *patternCompiler) (d condition, err error) {
	nested := []string{doc.Second, doc.Third}
	if doc.Third == "" {
		nested = nested[:1]
	}
	if doc.Second+doc.Third == "" {
		nested = nil
	}
	var ok bool
	if d.root, ok = parseTag(doc.Tag); doc.account {
		d.root, ok = merchantTag, len(nested) == 1
	}
	for _, text := range nested {
		tag, isTag := parseTag(text)
		d.nested = append(d.nested, tag)
		ok = ok && isTag
	}
	if !ok {
		return d, errors.New("tag that is not two digits")
	}
	d.expression, err = parseExpression(doc.Rule, c)
	return d, err
}

func parseTag(text string) (tag int, ok bool) {
	if len(text) != 2 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	return int(text[0]-'0')*10 + int(text[1]-'0'), true
}

// holds evaluates d on a code. Nothing holds in a template that cannot be read,
// absent included.
func (d *condition) holds(c *emvqr.Code, w *work) bool {
	value := c.Root(d.root)
	for i, tag := range d.nested {
		if value == "" {
			break
		}
		row := c.Template(d.root)
		if i > 0 {
			row = c.Row(value)
			*w -= 16
		}
		if row == nil {
			return false
		}
		value = row.Find(tag)
	}
	return d.expression.holds(value, w)
}

// holdsIn evaluates d, on merchantTag, in one merchant account template.
func (d *condition) holdsIn(account emvqr.Row, w *work) bool {
	return d.expression.holds(account.Find(d.nested[0]), w)
}

// expression is a condition on a value:
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
	regex    *pattern
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

type operator uint8

const (
	equal operator = iota
	startsWith
	contains
	matches
	absent
	present
)

// parseExpression reads an expression. An operator that it does not know is an
// error: it must not become a literal, which would never hold, or worse.
func parseExpression(text string, c *patternCompiler) (e expression, err error) {
	if text == "" {
		return e, errors.New("empty value expression")
	}
	name, operand, found := strings.Cut(text, "<")
	if !found || name == "" || strings.Trim(name, letters) != "" {
		return expression{operator: equal, text: text}, nil
	}
	operand, closed := strings.CutSuffix(operand, ">")
	switch {
	case !closed:
		return e, errors.New("value expression without a closing >")
	case operand == "":
		return e, errors.New("value expression without an operand")
	case name == "S":
		return expression{operator: startsWith, text: operand}, nil
	case name == "C":
		return expression{operator: contains, text: operand}, nil
	case name == "R":
		e.operator = matches
		e.regex, err = c.java(operand, false)
		return e, err
	case text == "N<NULL>":
		return expression{operator: absent}, nil
	case text == "N<NOT_NULL>":
		return expression{operator: present}, nil
	}
	return e, errors.New("unknown operator in a value expression")
}

// holds evaluates e on the value of a field, "" if it is absent.
func (e *expression) holds(value string, w *work) bool {
	if e.operator == equal {
		return value == e.text // which is not empty
	}
	if value == "" {
		return e.operator == absent
	}
	switch e.operator {
	case startsWith:
		return strings.HasPrefix(value, e.text)
	case contains:
		return strings.Contains(value, e.text)
	case matches:
		return w.match(e.regex, value)
	default:
		return e.operator == present
	}
}

// work is what may still be spent on one code, in steps of about 10 ns. It
// bounds the time that any accepted rule set takes; real ones use a small part
// of it. When it is used up, the rules cannot decide.
type work int

const workPerCode work = 1_500_000

// match matches value if there is enough left.
func (w *work) match(p *pattern, value string) bool {
	*w -= work(p.size * len(value))
	return *w > 0 && p.match(value)
}
