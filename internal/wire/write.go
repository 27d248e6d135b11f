package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AtRest returns the error of a type's MarshalJSON that only says, in text, how
// the type is to be encoded instead. This package passes such a method over and
// writes the fields.
func AtRest(text string) error { return &atRestError{text} }

type atRestError struct{ text string }

func (e *atRestError) Error() string { return e.text }

// writer encodes a value as encoding/json would, with what is held in it and
// without the escapes for HTML. A text that is not valid UTF-8 is not repaired:
// it cannot be encoded.
type writer struct {
	out   []byte
	depth int
}

// value appends v, which is addressable. It is not ok if v cannot be encoded.
func (w *writer) value(p *plan, v reflect.Value) (ok bool) {
	p, v, ok = p.open(v)
	if !ok {
		return w.null()
	}
	if p.proxy {
		inner, ok := variable(v.Addr().Interface().(proxy).WireValue())
		return ok && w.value(planOf(inner.Type()), inner)
	}
	if p.leaf {
		if m, ok := v.Addr().Interface().(json.Marshaler); ok {
			data, err := m.MarshalJSON()
			if _, atRest := errors.AsType[*atRestError](err); !atRest {
				return err == nil && w.compact(data)
			}
		} else {
			return w.foreign(v)
		}
	}
	switch v.Kind() {
	case reflect.Interface:
		inner, ok := variable(v.Interface())
		if !ok {
			return w.null()
		}
		return w.value(planOf(inner.Type()), inner)
	case reflect.String:
		return w.text(v.String())
	case reflect.Bool:
		w.out = strconv.AppendBool(w.out, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.out = strconv.AppendInt(w.out, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.out = strconv.AppendUint(w.out, v.Uint(), 10)
	case reflect.Struct, reflect.Slice, reflect.Map:
		return w.nested(p, v)
	default:
		return w.foreign(v)
	}
	return true
}

// nested appends what may hold further values.
func (w *writer) nested(p *plan, v reflect.Value) (ok bool) {
	if w.depth == maxDepth {
		return false
	}
	w.depth++
	defer func() { w.depth-- }()
	switch {
	case v.Kind() == reflect.Struct:
		return w.object(p, v)
	case v.IsNil():
		return w.null()
	case p.typ == rawType:
		return w.compact(v.Bytes())
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return w.mapping(p, v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		w.out = append(w.out, '[')
		for i := range v.Len() {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			if !w.value(p.elem, v.Index(i)) {
				return false
			}
		}
		w.out = append(w.out, ']')
		return true
	}
	return w.foreign(v)
}

func (w *writer) object(p *plan, v reflect.Value) (ok bool) {
	w.out = append(w.out, '{')
	first := true
	for i := range p.fields {
		f := &p.fields[i]
		fv, ok := f.in(v)
		if !ok || f.omit && f.plan.isZero(fv) {
			continue
		}
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		if !w.text(f.name) {
			return false
		}
		w.out = append(w.out, ':')
		if !w.value(f.plan, fv) {
			return false
		}
	}
	w.out = append(w.out, '}')
	return true
}

func (w *writer) mapping(p *plan, v reflect.Value) (ok bool) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) })
	w.out = append(w.out, '{')
	for i, key := range keys {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if !w.text(key.String()) {
			return false
		}
		w.out = append(w.out, ':')
		item := reflect.New(p.elem.typ).Elem()
		item.Set(v.MapIndex(key))
		if !w.value(p.elem, item) {
			return false
		}
	}
	w.out = append(w.out, '}')
	return true
}

func (w *writer) null() (ok bool) {
	w.out = append(w.out, "null"...)
	return true
}

// compact appends JSON that a type made itself.
func (w *writer) compact(data []byte) (ok bool) {
	out := bytes.NewBuffer(w.out)
	ok = json.Compact(out, data) == nil
	w.out = out.Bytes()
	return ok
}

// foreign appends what this package knows nothing about: floats, bytes, arrays
// and types that marshal to text.
func (w *writer) foreign(v reflect.Value) (ok bool) {
	out := bytes.NewBuffer(w.out)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	ok = e.Encode(v.Addr().Interface()) == nil
	w.out = bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	return ok
}

// text appends a JSON string. Like encoding/json it escapes U+2028 and U+2029,
// which end a line in old JavaScript.
func (w *writer) text(text string) (ok bool) {
	const hex = "0123456789abcdef"
	out, start := append(w.out, '"'), 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				return false
			case r == '\u2028' || r == '\u2029':
				out = append(append(out, text[start:i]...), `\u202`...)
				out = append(out, hex[r&15])
				start = i + size
			}
			i += size
			continue
		}
		if i++; c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, text[start:i-1]...)
		start = i
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\b':
			out = append(out, `\b`...)
		case '\f':
			out = append(out, `\f`...)
		case '\n':
			out = append(out, `\n`...)
		case '\r':
			out = append(out, `\r`...)
		case '\t':
			out = append(out, `\t`...)
		default:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	w.out = append(append(out, text[start:]...), '"')
	return true
}
