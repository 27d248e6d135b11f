package wire

import (
	"fmt"
	"log/slog"
	"reflect"
)

const (
	redacted   = "[redacted]"
	shownItems = 3 // of a slice
)

// LogValue returns what may be logged of v, a message or a pointer to one: a
// group of its fields, without those that are zero. What is held is redacted,
// of maps and bytes only the size is told.
func LogValue(v any) slog.Value {
	rv, ok := variable(v)
	if !ok {
		return slog.StringValue("<nil>")
	}
	return logValue(planOf(rv.Type()), rv, 0)
}

func logValue(p *plan, v reflect.Value, depth int) slog.Value {
	if p.kind == kindHeld {
		return slog.StringValue(redacted)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return slog.StringValue("<nil>")
		}
		if v.Kind() == reflect.Pointer {
			return logValue(p.elem, v.Elem(), depth)
		}
		inner, ok := variable(v.Interface())
		if !ok {
			return slog.StringValue("<nil>")
		}
		return logValue(planOf(inner.Type()), inner, depth+1)
	default:
	}
	switch {
	case depth > maxDepth:
		return slog.StringValue("…")
	case p.proxy:
		inner, ok := variable(v.Addr().Interface().(proxy).WireValue())
		if !ok {
			return slog.StringValue("<nil>")
		}
		return logValue(planOf(inner.Type()), inner, depth+1)
	case p.printsItself():
		return slog.StringValue(v.Addr().Interface().(fmt.Stringer).String())
	case v.CanInt():
		return slog.Int64Value(v.Int())
	case v.CanUint():
		return slog.Uint64Value(v.Uint())
	case v.CanFloat():
		return slog.Float64Value(v.Float())
	}
	switch v.Kind() {
	case reflect.Bool:
		return slog.BoolValue(v.Bool())
	case reflect.String:
		return slog.StringValue(v.String())
	case reflect.Map:
		return slog.StringValue(fmt.Sprintf("[%d entries]", v.Len()))
	case reflect.Slice, reflect.Array:
		if p.elem.typ.Kind() == reflect.Uint8 {
			return slog.StringValue(fmt.Sprintf("[%d bytes]", v.Len()))
		}
		return items(p.elem, v, depth)
	case reflect.Struct:
		if len(p.fields) > 0 {
			return group(p, v, depth)
		}
	default:
	}
	return slog.StringValue(fmt.Sprintf("[%v]", p.typ)) // nothing that can be shown
}

// printsItself reports whether a value is shown by its method String. A struct
// whose fields are members of the message is not: its fields know better.
func (p *plan) printsItself() bool {
	return p.stringer && (p.typ.Kind() != reflect.Struct || p.leaf || len(p.fields) == 0)
}

func group(p *plan, v reflect.Value, depth int) slog.Value {
	var attrs []slog.Attr
	for i := range p.fields {
		f := &p.fields[i]
		if fv, ok := f.in(v); ok && !f.plan.isZero(fv) {
			attrs = append(attrs, slog.Attr{Key: f.label, Value: logValue(f.plan, fv, depth+1)})
		}
	}
	return slog.GroupValue(attrs...)
}

// items returns the first items of a slice as a group, named by their index.
func items(p *plan, v reflect.Value, depth int) slog.Value {
	var attrs []slog.Attr
	for i := range min(v.Len(), shownItems) {
		attrs = append(attrs, slog.Attr{Key: fmt.Sprint(i), Value: logValue(p, v.Index(i), depth+1)})
	}
	if v.Len() > shownItems {
		attrs = append(attrs, slog.Int("of", v.Len()))
	}
	return slog.GroupValue(attrs...)
}
