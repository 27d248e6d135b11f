package wire

import (
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	redacted   = "[redacted]"
	shownItems = 3 // of a slice
)

// Format writes v, a message or a pointer to one, with private fields redacted and zero fields left out:
// PayRequest{paymentRequestId:2023 customerId:[redacted]}. Every verb and flag gives the same text, so that none of them
// shows more. A message type calls it from its Format method. (fmt asks no method for %p: what no verb at all may show needs
// a type with Reveal that keeps its text behind a pointer.)
func Format(s fmt.State, _ rune, v any) {
	rv, ok := variable(v)
	if !ok {
		_, _ = s.Write([]byte("<nil>"))
		return
	}
	p := planOf(rv.Type())
	var out []byte
	if p.secret || rv.Kind() != reflect.Struct {
		out = appendValue(nil, p, rv, 0)
	} else {
		out = appendFields([]byte(rv.Type().Name()), p, rv, 0)
	}
	_, _ = s.Write(out)
}

// LogValue returns the same as a group, for a message type's method LogValue.
func LogValue(v any) slog.Value {
	rv, ok := variable(v)
	if !ok {
		return slog.StringValue("<nil>")
	}
	p := planOf(rv.Type())
	if p.secret || rv.Kind() != reflect.Struct {
		return logValue(p, rv, 0)
	}
	return group(p, rv, 0)
}

// appendFields prints a struct by its fields, whatever methods it has.
func appendFields(out []byte, p *plan, v reflect.Value, depth int) []byte {
	out = append(out, '{')
	first := true
	for i := range p.fields {
		f := &p.fields[i]
		fv, ok := f.in(v)
		if !ok || f.plan.isZero(fv) {
			continue
		}
		if !first {
			out = append(out, ' ')
		}
		first = false
		out = append(append(out, f.label...), ':')
		if f.private {
			out = append(out, redacted...)
		} else {
			out = appendValue(out, f.plan, fv, depth+1)
		}
	}
	return append(out, '}')
}

func group(p *plan, v reflect.Value, depth int) slog.Value {
	var attrs []slog.Attr
	for i := range p.fields {
		f := &p.fields[i]
		fv, ok := f.in(v)
		switch {
		case !ok || f.plan.isZero(fv):
		case f.private:
			attrs = append(attrs, slog.String(f.label, redacted))
		default:
			attrs = append(attrs, slog.Attr{Key: f.label, Value: logValue(f.plan, fv, depth+1)})
		}
	}
	return slog.GroupValue(attrs...)
}

func logValue(p *plan, v reflect.Value, depth int) slog.Value {
	p, v = behind(p, v)
	switch {
	case p == nil || depth > maxDepth || p.secret || p.printsItself():
	case v.Kind() == reflect.Struct && len(p.fields) > 0:
		return group(p, v, depth)
	case v.CanInt():
		return slog.Int64Value(v.Int())
	case v.CanUint():
		return slog.Uint64Value(v.Uint())
	case v.Kind() == reflect.Bool:
		return slog.BoolValue(v.Bool())
	case v.Kind() == reflect.String:
		return slog.StringValue(v.String()) // the handler quotes it
	}
	return slog.StringValue(string(appendValue(nil, p, v, depth)))
}

// printsItself reports whether a value is shown by its method String. A struct whose fields are members of the message is
// not: only they know what is private.
func (p *plan) printsItself() bool {
	return p.stringer && (p.typ.Kind() != reflect.Struct || p.leaf || len(p.fields) == 0)
}

// behind follows pointers and interfaces. The plan is nil if they lead to nothing.
func behind(p *plan, v reflect.Value) (*plan, reflect.Value) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil, v
		}
		if v.Kind() == reflect.Pointer {
			p, v = p.elem, v.Elem()
			continue
		}
		inner, ok := variable(v.Interface())
		if !ok {
			return nil, v
		}
		p, v = planOf(inner.Type()), inner
	}
	return p, v
}

func appendValue(out []byte, p *plan, v reflect.Value, depth int) []byte {
	p, v = behind(p, v)
	switch {
	case p == nil:
		return append(out, "<nil>"...)
	case p.secret:
		return append(out, redacted...)
	case depth > maxDepth:
		return append(out, "…"...)
	case p.printsItself():
		return appendText(out, v.Addr().Interface().(fmt.Stringer).String())
	case v.CanInt():
		return strconv.AppendInt(out, v.Int(), 10)
	case v.CanUint():
		return strconv.AppendUint(out, v.Uint(), 10)
	case v.CanFloat():
		return strconv.AppendFloat(out, v.Float(), 'g', -1, 64)
	}
	switch v.Kind() {
	case reflect.String:
		return appendText(out, v.String())
	case reflect.Bool:
		return strconv.AppendBool(out, v.Bool())
	case reflect.Struct:
		if len(p.fields) > 0 {
			return appendFields(out, p, v, depth)
		}
	case reflect.Map:
		return fmt.Appendf(out, "[%d entries]", v.Len())
	case reflect.Slice, reflect.Array:
		if p.elem.typ.Kind() == reflect.Uint8 {
			return fmt.Appendf(out, "[%d bytes]", v.Len())
		}
		out = append(out, '[')
		for i := range v.Len() {
			if i > 0 {
				out = append(out, ' ')
			}
			if i == shownItems {
				out = append(out, "…"...)
				break
			}
			out = appendValue(out, p.elem, v.Index(i), depth+1)
		}
		return append(out, ']')
	default:
	}
	return fmt.Appendf(out, "[%v]", p.typ) // nothing that can be shown
}

// appendText quotes a text only if it could break a line of a log.
func appendText(out []byte, text string) []byte {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.AppendQuote(out, text)
	}
	return append(out, text...)
}
