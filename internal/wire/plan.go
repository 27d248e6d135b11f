package wire

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
)

// kind says how Decode reads a type.
type kind uint8

const (
	kindOther  kind = iota // by encoding/json
	kindText               // a string, named or not
	kindInt                // signed
	kindUint               // unsigned
	kindBool               // a boolean, named or not
	kindObject             // a struct
	kindArray              // a slice, but not of bytes
	kindMap                // with keys that are strings
	kindRaw                // json.RawMessage
	kindPtr                // allocated when there is a value
	kindHeld               // by a type that embeds Held
	kindSelf               // by its own UnmarshalJSON
)

// plan is what the package knows about a type.
type plan struct {
	typ  reflect.Type
	kind kind
	elem *plan // of pointers, slices, maps and what is held

	// What the type can do by its methods.
	stringer bool // String
	zeroer   bool // IsZero
	ruler    bool // WireRules
	proxy    bool // WireValue
	leaf     bool // encodes itself: nothing below it is checked

	// Of structs, and embedded structs are flattened.
	fields []field
	byName map[string]int // names and aliases in lower case
	widest int            // length of the longest of them
}

// field is one member of a message.
type field struct {
	name                               string // on the wire
	label                              string // in print
	index                              []int
	plan                               *plan
	max                                int // 0: unlimited
	omit                               bool
	required, check, jsonString, https bool
}

type (
	zeroer   interface{ IsZero() bool }
	ruler    interface{ WireRules() []string }
	proxy    interface{ WireValue() any }
	wireRule interface {
		error
		WireRule() string
	}
)

var (
	plans   sync.Map // reflect.Type → *plan: a cache, types never change
	rawType = reflect.TypeFor[json.RawMessage]()
)

// planOf returns the plan of t. It panics if a tag in t, or in a type below it,
// is wrong.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	// All types below t are planned now, so that a wrong tag shows at the first
	// use of a message, not at the first message that fills the field. They are
	// published together, when no plan is half-made any more.
	b := builder{}
	p := b.plan(t)
	for t, p := range b {
		plans.Store(t, p)
	}
	return p
}

type builder map[reflect.Type]*plan

func (b builder) plan(t reflect.Type) *plan {
	if p, ok := b[t]; ok {
		return p
	}
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{typ: t}
	b[t] = p // before its fields: types may contain themselves
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		p.stringer = has[fmt.Stringer](t)
		p.zeroer = has[zeroer](t)
		p.ruler = has[ruler](t)
		p.proxy = has[proxy](t)
		p.leaf = t != rawType && !has[holder](t) && (has[json.Marshaler](t) || has[encoding.TextMarshaler](t))
	}
	p.kind = kindOf(t)
	switch t.Kind() {
	case reflect.Struct:
		if p.kind == kindHeld {
			p.elem = b.plan(reflect.TypeOf(reflect.New(t).Interface().(holder).fresh()).Elem())
			break
		}
		b.fields(p)
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
		p.elem = b.plan(t.Elem())
	default:
	}
	return p
}

// has reports whether a variable of type t has the methods of I. Values are
// always walked through addressable variables.
func has[I any](t reflect.Type) bool { return reflect.PointerTo(t).Implements(reflect.TypeFor[I]()) }

func kindOf(t reflect.Type) kind {
	switch {
	case t == rawType:
		return kindRaw
	case t.Kind() == reflect.Pointer:
		return kindPtr
	case has[holder](t):
		return kindHeld
	case has[json.Unmarshaler](t):
		return kindSelf
	case has[encoding.TextUnmarshaler](t):
		return kindOther
	}
	switch t.Kind() {
	case reflect.String:
		return kindText
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return kindInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return kindUint
	case reflect.Bool:
		return kindBool
	case reflect.Struct:
		return kindObject
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return kindArray
		}
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return kindMap
		}
	default:
	}
	return kindOther
}

// find returns the field that a member of the given name fills, or -1.
func (p *plan) find(name []byte) int {
	var room [64]byte
	if len(name) > p.widest || len(name) > len(room) {
		return -1
	}
	low := room[:len(name)]
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		low[i] = c
	}
	if i, ok := p.byName[string(low)]; ok {
		return i
	}
	return -1
}

// noun names what Decode expects.
func (p *plan) noun() string {
	switch p.kind {
	case kindText:
		return "string"
	case kindInt, kindUint:
		return "integer"
	case kindBool:
		return "boolean"
	case kindArray:
		return "array"
	case kindObject, kindMap:
		return "object"
	case kindPtr, kindHeld:
		return p.elem.noun()
	default:
		if name := p.typ.Name(); name != "" {
			return name
		}
		return p.typ.String()
	}
}

// isZero reports whether v, of p's type, counts as not set.
func (p *plan) isZero(v reflect.Value) bool {
	switch {
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Map:
		return v.Len() == 0
	case p.zeroer:
		return v.Addr().Interface().(zeroer).IsZero()
	}
	return v.IsZero()
}

// open follows pointers, and what is held, to the value itself. It is not ok if
// there is none.
func (p *plan) open(v reflect.Value) (_ *plan, _ reflect.Value, ok bool) {
	for {
		switch p.kind {
		case kindPtr:
			v = v.Elem()
		case kindHeld:
			v = reflect.ValueOf(v.Addr().Interface().(holder).look())
			if v.IsValid() {
				v = v.Elem()
			}
		default:
			return p, v, true
		}
		if p = p.elem; !v.IsValid() {
			return p, v, false
		}
	}
}

// in returns f's value in v. It is not ok if an embedded pointer on the way is
// nil.
func (f *field) in(v reflect.Value) (_ reflect.Value, ok bool) {
	for i, x := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

// variable returns what v holds, past its pointers, as an addressable value.
// It is not ok if that is nothing.
func variable(v any) (_ reflect.Value, ok bool) {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	if !rv.IsValid() {
		return rv, false
	}
	if rv.CanAddr() {
		return rv, true
	}
	fresh := reflect.New(rv.Type()).Elem()
	fresh.Set(rv)
	return fresh, true
}
