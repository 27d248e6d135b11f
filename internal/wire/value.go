package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
)

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

// read reads a value that is not absent. In a strict field one that cannot be
// read is a problem.
func (d *decoder) read(p *plan, v reflect.Value, i int, strict bool) (end int, got found) {
	if i >= len(d.data) {
		return d.fail("syntax", i), nothing
	}
	c := d.data[i]
	switch {
	case p.kind == kindPtr:
		if !d.spend(int(p.elem.typ.Size())) {
			return -1, nothing
		}
		fresh := reflect.New(p.elem.typ)
		if end, got = d.read(p.elem, fresh.Elem(), i, strict); got == something {
			v.Set(fresh)
		}
		return end, got
	case p.kind == kindHeld:
		if !d.spend(int(p.elem.typ.Size())) {
			return -1, nothing
		}
		fresh := reflect.New(p.elem.typ)
		if end, got = d.read(p.elem, fresh.Elem(), i, strict); got == something {
			v.Addr().Interface().(holder).hold(fresh.Interface())
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
		if end < 0 || !d.spend(end-i) {
			return -1, nothing
		}
		v.SetString(string(d.unquote(i, end, escaped)))
		return end, something
	}
	if end = d.skip(i); end < 0 {
		return -1, nothing
	}
	if !d.spend(p.memory(end - i)) {
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

// memoryOfAny is what a byte of JSON takes at most when encoding/json decodes
// it into an any: "1," becomes an interface that holds a number that holds a
// string.
const memoryOfAny = 64

// memory returns what scalar may allocate for a value of n bytes.
func (p *plan) memory(n int) int {
	switch p.kind {
	case kindSelf: // a type of the SDK, made of a few texts
		return 512 + 4*n
	case kindOther:
		return memoryOfAny * n
	default:
		return n
	}
}

func (d *decoder) unreadable(p *plan) { d.problem("not readable as " + p.noun()) }

// scalar reads what is not made of further values, as far as this package can
// see. rule is the type's own word for a value that it refuses.
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

// basic reads a string, an integer or a boolean, in its native form or as a
// string.
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

// unquote returns the meaning of the string from i to end, valid until the next
// call.
func (d *decoder) unquote(i, end int, escaped bool) []byte {
	text := d.data[i+1 : end-1]
	if !escaped {
		return text
	}
	if cap(d.buffer) < len(text) {
		d.spent += len(text) // and the next spend sees it
		d.buffer = make([]byte, 0, len(text))
	}
	d.buffer = appendUnescaped(d.buffer[:0], text)
	return d.buffer
}

// array reads items into a slice. Those that are absent or cannot be read stay
// zero, so that indexes keep their meaning.
func (d *decoder) array(p *plan, v reflect.Value, i int, strict bool) (_ int, got found) {
	if d.depth == maxDepth {
		return d.fail("depth", i), nothing
	}
	d.depth++
	i = d.space(i + 1)
	v.SetLen(0)
	for more := true; more; {
		n := v.Len()
		if n == v.Cap() { // doubled, so that all the slices together are not much larger than the last one
			more := max(n, 1)
			if !d.spend((n + more) * int(p.elem.typ.Size())) {
				return -1, nothing
			}
			v.Grow(more)
		}
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
		if end < 0 || d.failed() {
			return -1, nothing
		}
		if i, more = d.next(end, ']'); i < 0 {
			return -1, nothing
		}
	}
	d.depth--
	return i, got
}

// mapping reads members into a map. Those that are absent or cannot be read are
// left out.
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
			if !d.spend(memoryOfKey + 4*int(p.elem.typ.Size()) + name.end - name.start) {
				return -1, nothing
			}
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
		if end < 0 || d.failed() {
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
	if !d.spend(end - i) {
		return -1, nothing
	}
	text := appendUnescaped(make([]byte, 0, end-i), d.data[i+1:end-1])
	check := scanner{data: text, spent: d.spent, stored: d.stored}
	ok := check.check()
	d.spent = check.spent
	switch {
	case check.rule == ruleMemory:
		return d.fail(ruleMemory, end), nothing
	case !ok:
		if strict {
			d.unreadable(p)
		}
		return end, odd
	}
	inner := decoder{scanner: scanner{data: text, spent: d.spent, stored: d.stored}, report: d.report}
	start := inner.space(0)
	if _, absent := inner.absent(start); !absent {
		_, got = inner.read(p, v, start, strict)
	}
	d.report, d.spent = inner.report, inner.spent
	if inner.rule == ruleMemory {
		return d.fail(ruleMemory, end), nothing
	}
	return end, got
}
