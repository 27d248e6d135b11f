package wire

import (
	"bytes"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// Encode validates v, a message or a pointer to one, and encodes it. The error
// is an *InvalidError.
func Encode(v any) ([]byte, error) {
	if err := Validate(v); err != nil {
		return nil, err
	}
	data, err := EncodeUnchecked(v)
	if err != nil {
		return nil, err
	}
	// Validate sees the fields; types that encode themselves show only now. A
	// quote inside a string follows a backslash, so that these patterns
	// cannot be a part of a string.
	for _, empty := range []string{`:""`, `[""`, `,""`} {
		if bytes.Contains(data, []byte(empty)) {
			return nil, invalid("holds an empty string")
		}
	}
	return data, nil
}

// EncodeUnchecked encodes v without validation, for doubles that have to send
// what a real party might. The error is an *InvalidError.
func EncodeUnchecked(v any) ([]byte, error) {
	rv, ok := variable(v)
	if !ok {
		return nil, invalid("nothing to encode")
	}
	w := writer{out: make([]byte, 0, 1024)}
	if !w.value(planOf(rv.Type()), rv) {
		return nil, invalid("cannot be encoded as JSON") // the cause's own text may quote values
	}
	return w.out, nil
}

// Validate reports everything in v, a message or a pointer to one, that must
// not be sent. The error is an *InvalidError.
func Validate(v any) error {
	rv, ok := variable(v)
	if !ok || rv.Kind() != reflect.Struct {
		return invalid("not a message")
	}
	report, path := newReport()
	c := validator{report}
	c.value(planOf(rv.Type()), rv)
	c.done(path)
	return c.err()
}

type validator struct{ report }

// member checks one field of a message.
func (c *validator) member(f *field, v reflect.Value) {
	c.enter(step{name: f.name})
	defer c.leave()
	v, ok := f.in(v)
	switch {
	case !ok || f.plan.isZero(v):
		if f.required {
			c.problem("missing")
		} else if ok && f.plan.kind == kindText && !f.omit {
			c.problem("empty: leave it out") // its json tag lacks omitzero
		}
		return
	case f.max > 0 || f.https:
		c.options(f, v)
	}
	c.value(f.plan, v)
}

// options checks max and https.
func (c *validator) options(f *field, v reflect.Value) {
	p, v, ok := f.plan.open(v)
	if !ok {
		return
	}
	text := ""
	if v.Kind() == reflect.String {
		text = v.String()
	}
	switch {
	case f.max == 0:
	case v.Kind() == reflect.Slice && p.kind != kindRaw:
		if v.Len() > f.max {
			c.problem("more than " + strconv.Itoa(f.max) + " items")
		}
	default:
		if p.kind == kindRaw {
			text = string(v.Bytes())
		}
		if len(text) > f.max && utf8.RuneCountInString(text) > f.max {
			c.problem("longer than " + strconv.Itoa(f.max) + " characters")
		}
	}
	if f.https && text != "" && !weburl.IsHTTPS(text) {
		c.problem("not an absolute https URL")
	}
}

// value checks what holds for a value wherever it is.
func (c *validator) value(p *plan, v reflect.Value) {
	if p.kind == kindPtr || p.kind == kindHeld {
		if p, v, ok := p.open(v); ok {
			c.item(p, v)
		}
		return
	}
	if v.Kind() == reflect.Interface {
		if inner, ok := variable(v.Interface()); ok {
			c.item(planOf(inner.Type()), inner)
		}
		return
	}
	if p.ruler {
		for _, rule := range v.Addr().Interface().(ruler).WireRules() {
			c.problem(rule)
		}
	}
	if v.Kind() == reflect.String && !utf8.ValidString(v.String()) {
		c.problem("not valid UTF-8")
	}
	if p.proxy {
		if inner, ok := variable(v.Addr().Interface().(proxy).WireValue()); ok {
			c.value(planOf(inner.Type()), inner)
		}
		return
	}
	if p.leaf {
		return
	}
	switch {
	case len(c.path) >= maxDepth && (v.Kind() == reflect.Struct || p.kind == kindArray || p.kind == kindMap):
		c.problem("over " + strconv.Itoa(maxDepth) + " levels deep")
	case p.kind == kindRaw:
		s := scanner{data: v.Bytes()}
		if end := s.value(s.space(0), len(c.path)); end < 0 || s.space(end) < len(s.data) {
			c.problem("not valid JSON")
		}
	case v.Kind() == reflect.Struct:
		for i := range p.fields {
			c.member(&p.fields[i], v)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		for i := range v.Len() {
			c.enter(step{index: i})
			c.item(p.elem, v.Index(i))
			c.leave()
		}
	case v.Kind() == reflect.Map:
		c.enter(step{name: "*"})
		for it := v.MapRange(); it.Next(); {
			if it.Key().Kind() == reflect.String && !utf8.ValidString(it.Key().String()) {
				c.problem("its name is not valid UTF-8")
			}
			item := reflect.New(p.elem.typ).Elem()
			item.Set(it.Value())
			c.item(p.elem, item)
		}
		c.leave()
	}
}

// item checks a value that is not a field itself: in a slice or map, at the end
// of a pointer or in an interface. It has no tags, but an empty string may not
// be sent here either.
func (c *validator) item(p *plan, v reflect.Value) {
	if p.kind == kindText && v.Len() == 0 {
		c.problem("empty: leave it out")
		return
	}
	c.value(p, v)
}
