package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// fields fills the plan of a struct, level by level: a field hides those of the
// same name in embedded structs.
func (b builder) fields(p *plan) {
	p.byName = map[string]int{}
	type level struct {
		typ   reflect.Type
		index []int
	}
	seen := map[reflect.Type]bool{p.typ: true}
	for current := []level{{typ: p.typ}}; len(current) > 0; {
		var next []level
		mine := len(p.fields) // fields from here on are of this level
		for _, l := range current {
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
					next = append(next, level{inner, index})
				case sf.IsExported():
					b.field(p, mine, sf, index, name, options)
				}
			}
		}
		current = next
	}
	p.arrange()
}

// arrange puts the fields into the order of their declaration, embedded ones
// where the embedding is.
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

// field adds one field to p and its names to p.byName, unless a field of an
// outer level, one below mine, hides it.
func (b builder) field(p *plan, mine int, sf reflect.StructField, index []int, name, options string) {
	f := field{name: name, label: name, index: index, plan: b.plan(sf.Type)}
	if name == "" {
		f.name, f.label = sf.Name, lowerFirst(sf.Name)
	}
	wrong := func(what string) {
		panic(fmt.Sprintf("wire: %v.%s: %s", p.typ, sf.Name, what))
	}
	for o := range strings.SplitSeq(options, ",") {
		switch o {
		case "":
		case "omitzero", "omitempty":
			f.omit = true
		default:
			wrong("the json tag has an option " + strconv.Quote(o))
		}
	}
	names := []string{f.name}
	value := f.plan
	for value.kind == kindPtr || value.kind == kindHeld {
		value = value.elem
	}
	text := value.kind == kindText
	if tag := sf.Tag.Get("wire"); tag != "" {
		for o := range strings.SplitSeq(tag, ",") {
			key, arg, isArg := strings.Cut(o, "=")
			switch {
			case o == "required":
				f.required = true
			case o == "check":
				f.check = true
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

// lowerFirst makes a Go name look like a wire name: Minor is minor, HTTPStatus
// is httpStatus.
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
