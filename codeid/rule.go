package codeid

import "github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"

// rule is a compiled rule: a code that meets all its conditions matches.
type rule struct {
	index    int // in codeRules
	priority int64
	reason   string // why it decides

	prefix  prefixCondition
	regexes []*regex // conditions on the whole code

	root       []fieldCondition // on root fields
	account    []fieldCondition // on fields of one and the same merchant account template
	primitives []int            // root tags that are present
	paths      []pathCondition

	action action
}

// fieldCondition is a condition on the field with this tag.
type fieldCondition struct {
	tag int
	expression
}

// pathCondition is a condition on a field inside templates.
type pathCondition struct {
	tags []int
	expression
}

// isEMV reports whether the rule looks into the fields of a code.
func (r *rule) isEMV() bool {
	return len(r.root)+len(r.account)+len(r.primitives)+len(r.paths) > 0
}

// matchEMV evaluates the conditions on fields. template is the tag of the template that meets the account conditions, 0
// if the rule has none.
func (r *rule) matchEMV(c *emvqr.Code, w *work) (template int, ok bool) {
	if !w.spend(4 + 2*(len(r.root)+len(r.primitives)+8*len(r.paths))) {
		return 0, false
	}
	for _, tag := range r.primitives {
		if c.Root(tag) == "" {
			return 0, false
		}
	}
	for i := range r.root {
		if f := &r.root[i]; !f.holds(c.Root(f.tag), w) {
			return 0, false
		}
	}
	for i := range r.paths {
		if p := &r.paths[i]; !p.holds(valueAt(c, p.tags), w) {
			return 0, false
		}
	}
	if len(r.account) == 0 {
		return 0, true
	}
next:
	for tag := c.NextTemplate(0); tag != 0; tag = c.NextTemplate(tag + 1) {
		row := c.Template(tag)
		for i := range r.account {
			f := &r.account[i]
			if !w.spend(8) || !f.holds(row.Find(f.tag), w) {
				continue next
			}
		}
		return tag, true
	}
	return 0, false
}

// valueAt is the value of the field at the end of tags, "" if there is none.
func valueAt(c *emvqr.Code, tags []int) string {
	value := c.Root(tags[0])
	for _, tag := range tags[1:] {
		value = emvqr.RowOf(value).Find(tag)
	}
	return value
}
