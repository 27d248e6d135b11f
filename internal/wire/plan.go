package wire

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// kind says how Decode reads a type.
type kind uint8

const (
	kindOther  kind = iota // by encoding/json
	kindText               // a string, named or not
	kindInt                // signed
	kindUint               // unsigned
	kindBool               //
	kindObject             // a struct
	kindArray              // a slice, but not of bytes
	kindMap                // with keys that are strings
	kindRaw                // json.RawMessage
	kindPtr                // allocated when there is a value
	kindSelf               // by its own UnmarshalJSON
)

// plan is what the package knows about a type.
type plan struct {
	typ  reflect.Type
	kind kind
	elem *plan // of pointers, slices and maps

	// What the type can do by its methods.
	secret   bool // Reveal: never printed
	stringer bool // String
	zeroer   bool // IsZero
	texter   bool // WireText
	ruler    bool // WireRules
	leaf     bool // encodes itself: nothing below it is checked

	// Of structs, and embedded structs are flattened.
	fields []field
	byName map[string]int // names and aliases in lower case
	widest int            // length of the longest of them
}

// field is one member of a message.
type field struct {
	name                                        string // on the wire
	label                                       string // in print
	index                                       []int
	plan                                        *plan
	max                                         int // 0: unlimited
	omit                                        bool
	required, check, private, jsonString, https bool
}

type (
	secret   interface{ Reveal() string }
	zeroer   interface{ IsZero() bool }
	texter   interface{ WireText() string }
	ruler    interface{ WireRules() []string }
	wireRule interface {
		error
		WireRule() string
	}
)

var (
	plans   sync.Map // reflect.Type → *plan: a cache, types never change
	rawType = reflect.TypeFor[json.RawMessage]()
)

// planOf returns the plan of t. It panics if a tag in t, or in a type below it, is wrong.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	// All types below t are planned now, so that a wrong tag shows at the first use of a message, not at the first
	// message that fills the field. They are published together, when no plan is half-made any more.
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
		p.secret = has[secret](t)
		p.stringer = has[fmt.Stringer](t)
		p.zeroer = has[zeroer](t)
		p.texter = has[texter](t)
		p.ruler = has[ruler](t)
		p.leaf = t != rawType && (has[json.Marshaler](t) || has[encoding.TextMarshaler](t))
	}
	p.kind = kindOf(t)
	switch t.Kind() {
	case reflect.Struct:
		b.fields(p)
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
		p.elem = b.plan(t.Elem())
	default:
	}
	return p
}

// has reports whether a variable of type t has the methods of I. Values are always walked through addressable variables.
func has[I any](t reflect.Type) bool { return reflect.PointerTo(t).Implements(reflect.TypeFor[I]()) }

func kindOf(t reflect.Type) kind {
	switch {
	case t == rawType:
		return kindRaw
	case t.Kind() == reflect.Pointer:
		return kindPtr
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

// fields fills the plan of a struct, level by level: a field hides those of the same name in embedded structs.
func (b builder) fields(p *plan) {
	p.byName = map[string]int{}
	type level struct {
		typ   reflect.Type
		index []int
	}
	seen := map[reflect.Type]bool{p.typ: true}
	for todo := []level{{typ: p.typ}}; len(todo) > 0; {
		var below []level
		mine := len(p.fields) // fields from here on are of this level
		for _, l := range todo {
			for i := range l.typ.NumField() {
				sf := l.typ.Field(i)
				index := append(append([]int(nil), l.index...), i)
				tag := sf.Tag.Get("json")
				name, options, _ := strings.Cut(tag, ",")
				inner := sf.Type
				if inner.Kind() == reflect.Pointer {
					inner = inner.Elem()
				}
				switch {
				case tag == "-":
				case sf.Anonymous && name == "" && inner.Kind() == reflect.Struct:
					if !sf.IsExported() && sf.Type.Kind() == reflect.Pointer || seen[inner] {
						continue // out of reach, as in encoding/json, or endless
					}
					if has[json.Marshaler](inner) || has[json.Unmarshaler](inner) {
						panic(fmt.Sprintf("wire: %v embeds %v, whose JSON methods would stand for the whole", l.typ, inner))
					}
					seen[inner] = true
					below = append(below, level{inner, index})
				case sf.IsExported():
					b.field(p, mine, sf, index, name, options)
				}
			}
		}
		todo = below
	}
	p.arrange()
}

// arrange puts the fields into the order of their declaration, embedded ones where the embedding stands.
func (p *plan) arrange() {
	order := make([]int, len(p.fields))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return slices.Compare(p.fields[a].index, p.fields[b].index) })
	fields := make([]field, len(order))
	moved := make([]int, len(order))
	for now, before := range order {
		fields[now], moved[before] = p.fields[before], now
	}
	p.fields = fields
	for name, i := range p.byName {
		p.byName[name] = moved[i]
	}
}

// field adds one field to p and its names to p.byName, unless a field of an outer level, one below mine, hides it.
func (b builder) field(p *plan, mine int, sf reflect.StructField, index []int, name, options string) {
	f := field{name: name, label: name, index: index, plan: b.plan(sf.Type)}
	if name == "" {
		f.name, f.label = sf.Name, lowerFirst(sf.Name)
	}
	for o := range strings.SplitSeq(options, ",") {
		f.omit = f.omit || o == "omitzero" || o == "omitempty"
	}
	wrong := func(what string) {
		panic(fmt.Sprintf("wire: %v.%s: %s", p.typ, sf.Name, what))
	}
	names := []string{f.name}
	value := f.plan
	for value.kind == kindPtr {
		value = value.elem
	}
	text := value.kind == kindText || value.texter
	if tag := sf.Tag.Get("wire"); tag != "" {
		for o := range strings.SplitSeq(tag, ",") {
			key, arg, isArg := strings.Cut(o, "=")
			switch {
			case o == "required":
				f.required = true
			case o == "check":
				f.check = true
			case o == "private":
				f.private = true
			case o == "https" && text:
				f.https = true
			case o == "jsonstring" && (value.kind == kindObject || value.kind == kindMap || value.kind == kindSelf):
				f.jsonString = true
			case key == "alias" && arg != "":
				names = append(names, arg)
			case key == "max" && (text || value.kind == kindArray || value.kind == kindRaw):
				n, err := strconv.Atoi(arg)
				if err != nil || n < 1 {
					wrong("max needs a number above 0")
				}
				f.max = n
			case o == "https" || o == "jsonstring" || isArg && key == "max":
				wrong(strconv.Quote(o) + " does not fit a field of type " + sf.Type.String())
			default:
				wrong("unknown option " + strconv.Quote(o))
			}
		}
	}
	for _, n := range names {
		low := strings.ToLower(n)
		if other, ok := p.byName[low]; ok {
			if other < mine && n == f.name {
				return // hidden
			}
			wrong("the name " + n + " is taken")
		}
		p.byName[low] = len(p.fields)
		p.widest = max(p.widest, len(low))
	}
	p.fields = append(p.fields, f)
}

// lowerFirst makes a Go name look like a wire name: Minor is minor, HTTPStatus is httpStatus.
func lowerFirst(name string) string {
	r := []rune(name)
	for i := range r {
		if !unicode.IsUpper(r[i]) || i > 0 && i+1 < len(r) && unicode.IsLower(r[i+1]) {
			break
		}
		r[i] = unicode.ToLower(r[i])
	}
	return string(r)
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
	case kindPtr:
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

// in returns f's value in v. It is not ok if an embedded pointer on the way is nil.
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

// variable returns what v holds, behind its pointers, as an addressable value. It is not ok if that is nothing.
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
