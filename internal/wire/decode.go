package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
)

// Decode fills the zero struct that into points to. It keeps no part of data. The error is an *InvalidError with all
// problems; the struct then holds what could be read. Data is expected to have passed Check: of text that did not, only
// what Decode stumbles over is reported.
func Decode(data []byte, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return invalid("nothing but a pointer to a struct can be decoded into")
	}
	v = v.Elem()
	d := decoder{scanner: scanner{data: data}, report: report{path: make([]step, 0, 8)}}
	d.message(planOf(v.Type()), v)
	if d.failed() {
		return invalid("not valid JSON: " + d.rule)
	}
	return d.err()
}

// decoder reads in one pass. Like the scanner's, its methods return the position behind what they read, or -1.
type decoder struct {
	scanner
	report
	depth  int
	buffer []byte // to unescape into
}

// found says what was at the place of a value.
type found uint8

const (
	nothing   found = iota // no value, or one that is made of nothing
	something              // a value
	odd                    // a value that cannot be read
)

// span is where the value of a field stands, end 0 if it was not given. A start of -1 marks one that was given twice with
// different values.
type span struct{ start, end int }

// message reads all of the data.
func (d *decoder) message(p *plan, v reflect.Value) {
	i := d.space(0)
	if !d.is(i, '{') {
		d.fail("not-an-object", i)
		return
	}
	if p.kind == kindObject {
		i, _ = d.object(p, v, i)
	} else {
		i, _ = d.read(p, v, i, true)
	}
	if i >= 0 {
		if i = d.space(i); i < len(d.data) {
			d.fail("trailing-data", i)
		}
	}
}

// object reads the members of an object into a struct.
func (d *decoder) object(p *plan, v reflect.Value, i int) (_ int, got found) {
	if d.depth == maxDepth {
		return d.fail("depth", i), nothing
	}
	d.depth++
	problems := len(d.problems)
	strange := false  // a member that has no field
	var room [32]span // on the stack, for most messages
	given := room[:]
	if len(p.fields) > len(room) {
		given = make([]span, len(p.fields))
	}
	i = d.space(i + 1)
	if d.is(i, '}') {
		i++
	} else {
		for more := true; more; {
			var name key
			if name, i = d.key(i); i < 0 {
				return -1, nothing
			}
			if end, absent := d.absent(i); absent {
				i = end
			} else if k := p.find(d.name(name)); k >= 0 {
				i = d.member(&p.fields[k], v, i, &given[k])
			} else {
				i = d.skip(i)
				strange = true
			}
			if i < 0 {
				return -1, nothing
			}
			if i, more = d.next(i, '}'); i < 0 {
				return -1, nothing
			}
		}
	}
	d.depth--
	for k := range p.fields {
		if given[k].end > 0 {
			got = something
			break
		}
	}
	if got == something || strange || len(d.path) == 0 { // else it is as absent as {}
		for k := range p.fields {
			if given[k].end == 0 && p.fields[k].required {
				d.enter(step{name: p.fields[k].name})
				d.problem("missing")
				d.leave()
			}
		}
	}
	if len(d.problems) > problems {
		got = something // but wrong: these problems speak for it, it is not missing as well
	}
	return i, got
}

// member reads the value of f, which is not absent, and notes in given where it stands.
func (d *decoder) member(f *field, v reflect.Value, i int, given *span) int {
	d.enter(step{name: f.name})
	defer d.leave()
	if first := *given; first.end > 0 {
		end := d.skip(i)
		switch {
		case end < 0 || first.start < 0: // broken, or reported already
		case !sameValue(d.data[first.start:first.end], d.data[i:end], f.jsonString):
			d.problem("given twice with different values")
			given.start = -1
		case end-i < first.end-first.start:
			*given = span{i, end} // compare with the shorter one from now on, or many of them cost a square
		}
		return end
	}
	for n, x := range f.index {
		if n > 0 && v.Kind() == reflect.Pointer { // an embedded struct
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	strict := f.required || f.check
	var end int
	var got found
	if f.jsonString && d.is(i, '"') {
		end, got = d.jsonString(f.plan, v, i, strict)
	} else {
		end, got = d.read(f.plan, v, i, strict)
	}
	if got != nothing {
		*given = span{i, end}
	}
	return end
}

// absent passes over null, "", {} and [].
func (d *decoder) absent(i int) (end int, ok bool) {
	if i >= len(d.data) {
		return i, false
	}
	switch d.data[i] {
	case 'n':
		return i + 4, bytes.HasPrefix(d.data[i:], []byte("null"))
	case '"':
		return i + 2, d.is(i+1, '"')
	case '{':
		i = d.space(i + 1)
		return i + 1, d.is(i, '}')
	case '[':
		i = d.space(i + 1)
		return i + 1, d.is(i, ']')
	}
	return i, false
}

func (d *decoder) skip(i int) int { return d.value(i, d.depth) }

// read reads a value that is not absent. In a strict field one that cannot be read is a problem.
func (d *decoder) read(p *plan, v reflect.Value, i int, strict bool) (end int, got found) {
	if i >= len(d.data) {
		return d.fail("syntax", i), nothing
	}
	c := d.data[i]
	switch {
	case p.kind == kindPtr:
		fresh := reflect.New(p.elem.typ)
		if end, got = d.read(p.elem, fresh.Elem(), i, strict); got == something {
			v.Set(fresh)
		}
		return end, got
	case p.kind == kindObject && c == '{':
		return d.object(p, v, i)
	case p.kind == kindArray && c == '[':
		return d.array(p, v, i, strict)
	case p.kind == kindMap && c == '{':
		return d.mapping(p, v, i, strict)
	case p.kind == kindText && c == '"':
		end, escaped := d.text(i)
		if end >= 0 {
			v.SetString(string(d.unquote(i, end, escaped)))
		}
		return end, something
	}
	if end = d.skip(i); end < 0 {
		return -1, nothing
	}
	rule, ok := d.scalar(p, v, i, end)
	if ok {
		return end, something
	}
	v.SetZero()
	if strict && rule != "" {
		d.problem(rule)
	} else if strict {
		d.unreadable(p)
	}
	return end, odd
}

func (d *decoder) unreadable(p *plan) { d.problem("not readable as " + p.noun()) }

// scalar reads what is not made of further values, as far as this package can see. rule is the type's own word for a
// value that it refuses.
func (d *decoder) scalar(p *plan, v reflect.Value, i, end int) (rule string, ok bool) {
	raw := d.data[i:end:end]
	switch p.kind {
	case kindRaw:
		v.SetBytes(bytes.Clone(raw))
		return "", true
	case kindSelf:
		err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw)
		if err == nil {
			return "", true
		}
		if own, ok := errors.AsType[wireRule](err); ok {
			rule = own.WireRule()
		}
		return rule, false
	case kindOther:
		return "", json.Unmarshal(raw, v.Addr().Interface()) == nil
	default:
		return "", d.basic(p, v, i, end)
	}
}

// basic reads a string, an integer or a boolean, in its native form or as a string.
func (d *decoder) basic(p *plan, v reflect.Value, i, end int) (ok bool) {
	text := d.data[i:end]
	switch text[0] {
	case '{', '[':
		return false
	case '"':
		text = d.unquote(i, end, true)
	}
	var err error
	switch p.kind {
	case kindText:
		v.SetString(string(text))
	case kindInt:
		var n int64
		n, err = strconv.ParseInt(string(text), 10, v.Type().Bits())
		v.SetInt(n)
	case kindUint:
		var n uint64
		n, err = strconv.ParseUint(string(bytes.TrimPrefix(text, []byte("+"))), 10, v.Type().Bits())
		v.SetUint(n)
	case kindBool:
		switch string(bytes.ToLower(text)) {
		case "true":
			v.SetBool(true)
		case "false":
		default:
			return false
		}
	default: // an object or array was expected
		return false
	}
	return err == nil
}

// unquote returns the meaning of the string from i to end, valid until the next call.
func (d *decoder) unquote(i, end int, escaped bool) []byte {
	text := d.data[i+1 : end-1]
	if !escaped {
		return text
	}
	d.buffer = appendUnescaped(d.buffer[:0], text)
	return d.buffer
}

// array reads items into a slice. Those that are absent or cannot be read stay zero, so that indexes keep their meaning.
func (d *decoder) array(p *plan, v reflect.Value, i int, strict bool) (_ int, got found) {
	if d.depth == maxDepth {
		return d.fail("depth", i), nothing
	}
	d.depth++
	i = d.space(i + 1)
	v.SetLen(0)
	for more := true; more; {
		n := v.Len()
		v.Grow(1)
		v.SetLen(n + 1)
		end, absent := d.absent(i)
		if !absent {
			d.enter(step{index: n})
			var item found
			end, item = d.read(p.elem, v.Index(n), i, strict)
			d.leave()
			if item != nothing {
				got = something
			}
		}
		if end < 0 {
			return -1, nothing
		}
		if i, more = d.next(end, ']'); i < 0 {
			return -1, nothing
		}
	}
	d.depth--
	return i, got
}

// mapping reads members into a map. Those that are absent or cannot be read are left out.
func (d *decoder) mapping(p *plan, v reflect.Value, i int, strict bool) (_ int, got found) {
	if d.depth == maxDepth {
		return d.fail("depth", i), nothing
	}
	d.depth++
	d.enter(step{name: "*"})
	i = d.space(i + 1)
	for more := true; more; {
		name, at := d.key(i)
		if at < 0 {
			return -1, nothing
		}
		end, absent := d.absent(at)
		if !absent {
			item := reflect.New(p.elem.typ).Elem()
			var one found
			end, one = d.read(p.elem, item, at, strict)
			if one != nothing {
				got = something
			}
			if one == something {
				if v.IsNil() {
					v.Set(reflect.MakeMap(p.typ))
				}
				v.SetMapIndex(reflect.ValueOf(string(d.name(name))).Convert(p.typ.Key()), item)
			}
		}
		if end < 0 {
			return -1, nothing
		}
		if i, more = d.next(end, '}'); i < 0 {
			return -1, nothing
		}
	}
	d.leave()
	d.depth--
	return i, got
}

// jsonString reads an object that came as a string.
func (d *decoder) jsonString(p *plan, v reflect.Value, i int, strict bool) (end int, got found) {
	if end = d.skip(i); end < 0 {
		return -1, nothing
	}
	text := appendUnescaped(nil, d.data[i+1:end-1])
	if Check(text) != nil {
		if strict {
			d.unreadable(p)
		}
		return end, odd
	}
	inner := decoder{scanner: scanner{data: text}, report: d.report}
	start := inner.space(0)
	if _, absent := inner.absent(start); !absent {
		_, got = inner.read(p, v, start, strict)
	}
	d.report = inner.report
	return end, got
}

// sameValue reports whether two texts mean the same: native scalars are as good as strings, absent members are as good as
// none, and, for jsonString, a string that holds an object is as good as the object.
func sameValue(a, b []byte, jsonString bool) bool {
	return bytes.Equal(a, b) || reflect.DeepEqual(meaning(a, jsonString), meaning(b, jsonString))
}

func meaning(raw []byte, jsonString bool) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	if text, ok := v.(string); ok && jsonString && Check([]byte(text)) == nil {
		return meaning([]byte(text), false)
	}
	return plain(v)
}

// plain turns native scalars into strings and drops what counts as absent.
func plain(v any) any {
	switch v := v.(type) {
	case string:
		if v != "" {
			return v
		}
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		if len(v) > 0 {
			return v
		}
	case map[string]any:
		for name, member := range v {
			if v[name] = plain(member); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) > 0 {
			return v
		}
	}
	return nil
}
