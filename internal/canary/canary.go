// Package canary shows, for the tests of all packages, that no exported type
// leaks a secret: it puts a text into every place that can hold one, shows the
// value in every way that a program might, by accident or not, and looks for
// the text. [Package.Run] is the whole test; [Fill], [Shown] and [Find] are its
// parts.
package canary

import (
	"bytes"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"reflect"
	"strings"
)

// Text is the secret that must not be seen.
const Text = "CANARY-4f1e9b"

// Forms returns the ways in which text can be seen: itself, and as fmt, JSON
// and SQL write its bytes.
func Forms(text string) []string {
	forms := []string{text}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + text))
		forms = append(forms, encoded[4:len(encoded)-4]) // without what its neighbours change
	}
	for _, verb := range "bdoOqxXUcsv" {
		for _, value := range []any{text, []byte(text)} {
			shown := strings.Trim(fmt.Sprintf("%"+string(verb), value), `[]"`)
			if !strings.HasPrefix(shown, "%!") && len(shown) > 8 {
				forms = append(forms, shown)
			}
		}
	}
	return append(forms, strings.Trim(fmt.Sprintf("%#v", []byte(text)), "[]byte{}"))
}

// Find returns the first of forms that is in text, "" if none is.
func Find(forms []string, text string) string {
	for _, form := range forms {
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

// Fill puts Text into every Secret and every Personal that can be reached from
// the variable that v is, plain into every other string, and one item into
// every slice and map. A variable of the type of one of known gets that value.
// Fill returns how many strings hold Text then.
func Fill(v reflect.Value, plain string, known ...any) (count int) {
	f := filler{make(map[reflect.Type]reflect.Value, len(known))}
	for _, value := range known {
		f.known[reflect.TypeOf(value)] = reflect.ValueOf(value)
	}
	return f.fill(v, plain, 0)
}

type filler struct {
	known map[reflect.Type]reflect.Value
}

func (f filler) fill(v reflect.Value, text string, depth int) (count int) {
	if depth > 12 {
		return 0 // a type that holds itself
	}
	if value, ok := f.known[v.Type()]; ok {
		v.Set(value)
		return 0
	}
	if reveal := v.Addr().MethodByName("Reveal"); reveal.IsValid() {
		inner := reflect.New(reveal.Type().Out(0))
		count = f.fill(inner.Elem(), Text, depth+1)
		data, err := encode(inner.Elem())
		if err == nil {
			err = v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(data)
		}
		if err != nil {
			panic(fmt.Sprintf("canary: %v cannot be filled: %v", v.Type(), err))
		}
		return count
	}
	if _, scalar := v.Addr().Interface().(json.Unmarshaler); scalar && v.Kind() == reflect.Struct && hidden(v.Type()) {
		return 0 // a time, for example
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		if text == Text {
			return 1
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return f.fill(v.Elem(), text, depth+1)
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			return f.fill(v.Index(0), text, depth+1)
		}
	case reflect.Map:
		key, item := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, text, depth+1)
		count = f.fill(item, text, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, item)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				count += f.fill(v.Field(i), text, depth+1)
			}
		}
	default:
	}
	return count
}

// hidden reports whether all fields of a struct are unexported.
func hidden(t reflect.Type) bool {
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			return false
		}
	}
	return true
}

// Shown calls see with everything that shows v: as itself, in containers, in an
// exported and in an unexported field, through fmt, log/slog, encoding/json,
// html/template and as a parameter of a SQL statement. With asAnswer, v is an
// answer for the app, whose JSON holds secrets on purpose: it may still be
// logged.
func Shown(v any, asAnswer bool, see func(how, text string)) {
	for where, w := range map[string]any{
		"itself":                  v,
		"in a slice":              []any{v},
		"in a map":                map[string]any{"k": v},
		"in a field":              struct{ Field any }{v},
		"in an unexported field":  struct{ field any }{v},
		"deep in unexported ones": struct{ a struct{ b []any } }{struct{ b []any }{[]any{v}}},
		"in a pointer, hidden":    &struct{ field any }{v},
	} {
		for _, verb := range "vsqxXdtp" {
			for _, flag := range []string{"", "+", "#", "-", " ", "0", "+#", "12.3"} {
				format := "%" + flag + string(verb)
				see(where+" with "+format, fmt.Sprintf(format, w))
			}
		}
		see(where+" in an error", fmt.Errorf("wrapped: %v", w).Error())
		var text, object bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", w, slog.Group("g", "v", w))
		see(where+" in slog's text", text.String())
		for name, page := range pages {
			text.Reset()
			if name != "html" && asAnswer {
				continue // a script gets JSON
			}
			if err := page.Execute(&text, w); err != nil {
				text.WriteString(err.Error())
			}
			see(where+" in a template's "+name, text.String())
		}
		if value, err := driver.DefaultParameterConverter.ConvertValue(w); err == nil {
			see(where+" in SQL", fmt.Sprintf("%s %v", value, value))
		} else {
			see(where+" in SQL's error", err.Error())
		}
		if asAnswer && where != "itself" {
			continue
		}
		slog.New(slog.NewJSONHandler(&object, nil)).Info("m", "v", w, slog.Group("g", "v", w))
		see(where+" in slog's JSON", object.String())
		if asAnswer {
			continue
		}
		data, err := json.Marshal(w)
		see(where+" in JSON", fmt.Sprintf("%s %v", data, err))
	}
}

var pages = map[string]*template.Template{
	"html":      template.Must(template.New("").Parse(`<p>{{.}}</p>`)),
	"attribute": template.Must(template.New("").Parse(`<p title="{{.}}" onclick="f({{.}})">`)),
	"script":    template.Must(template.New("").Parse(`<script>let v = {{.}}</script>`)),
	"URL":       template.Must(template.New("").Parse(`<a href="/?q={{.}}">`)),
}
