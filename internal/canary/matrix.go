package canary

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

func encode(v reflect.Value) ([]byte, error) { return wire.EncodeUnchecked(v.Interface()) }

// Package is what a package exports.
type Package struct {
	// Structs has the zero value of every exported struct type that is plain
	// data. Run fills them.
	Structs []any
	// Filled are specimens that the test filled itself, by the name of the type:
	// those that hold something out of Fill's reach.
	Filled map[string]any
	// Others are the exported types without a place for a secret, and why.
	Others map[string]string
	// Answers are the names of the types that are answers for the app. Their
	// JSON holds secrets on purpose.
	Answers []string
	// Bodies are the names of the types that hold the bytes of a body, for code
	// that works on bytes. They redact where fmt asks them, which it does not in
	// an unexported field.
	Bodies []string
	// More are further texts that must not be seen.
	More []string
}

// Run shows every type of the package in the working directory in every way,
// and fails if a secret is seen, if a type is missing, or if a member of a
// message that is secret by its name has a type that is not.
func (p Package) Run(t *testing.T) {
	forms := Forms(Text)
	forms = append(forms, p.More...)
	listed := map[string]bool{}
	for name := range p.Others {
		listed[name] = true
	}
	check := func(name string, v any) {
		t.Run(name, func(t *testing.T) {
			for how, value := range map[string]any{"value": v, "pointer": pointerTo(v)} {
				Shown(value, slices.Contains(p.Answers, name), func(where, text string) {
					if slices.Contains(p.Bodies, name) && (strings.Contains(where, "unexported") || strings.Contains(where, "hidden") || strings.HasSuffix(where, "p")) {
						return
					}
					if found := Find(forms, text); found != "" {
						t.Fatalf("a %s %s shows %.30q: %.300s", how, where, found, text)
					}
				})
			}
		})
	}
	for _, zero := range p.Structs {
		typ := reflect.TypeOf(zero)
		listed[typ.Name()] = true
		names(t, typ)
		v := reflect.New(typ).Elem()
		Fill(v, "public")
		check(typ.Name(), v.Interface())
	}
	for name, v := range p.Filled {
		listed[name] = true
		check(name, v)
	}
	for _, name := range exported(t) {
		if !listed[name] {
			t.Errorf("no specimen of %s", name)
		}
	}
	// Control: the detector sees what is not redacted.
	type careless struct{ Token string }
	for _, v := range []any{Text, []byte(Text), careless{Text}, &careless{Text}, struct{ b []byte }{[]byte(Text)}} {
		seen := false
		Shown(v, false, func(_, text string) { seen = seen || Find(forms, text) != "" })
		if !seen {
			t.Errorf("control: nothing is seen of a %T", v)
		}
	}
}

func pointerTo(v any) any {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface()
}

// The members of messages and records that are secret, and those that are
// personal. (The URL of a Message is paymentNotifyUrl, which is neither.)
var (
	secret = []string{
		"accessToken", "refreshToken", "authCode", "paymentMethodId", "userLoginId", "codeValue", "passThroughInfo", "extendInfo", "authState",
		"sdkActionPayload", "paymentUrl", "paymentRedirectUrl", "redirectUrl", "acDecodeConfig", "pinRedirectUrl", "body", "url", "payload",
	}
	personal = []string{"buyer", "shipping", "env"}
)

// names checks the fields of t by their names on the wire.
func names(t *testing.T, typ reflect.Type) {
	t.Helper()
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		is := func(other string) bool { return strings.EqualFold(name, other) }
		reveal, ok := f.Type.MethodByName("Reveal")
		switch {
		case slices.ContainsFunc(secret, is) && !(is("url") && typ.Name() == "Message") && !isBytes(f.Type) && (!ok || reveal.Type.Out(0).Kind() != reflect.String):
			t.Errorf("%v.%s is no Secret", typ, f.Name)
		case slices.ContainsFunc(personal, is) && (!ok || reveal.Type.Out(0).Kind() != reflect.Struct):
			t.Errorf("%v.%s is no Personal", typ, f.Name)
		case is("customerId") && f.Type.Kind() != reflect.String:
			t.Errorf("%v.%s is not plain: engineers search their logs for it", typ, f.Name)
		}
	}
}

// isBytes reports whether a field holds bytes: those are sealed, or have
// Bodies.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// exported returns the names of the types that the package exports.
func exported(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(fmt.Errorf("no sources: %w", err))
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				for _, s := range g.Specs {
					if name := s.(*ast.TypeSpec).Name; name.IsExported() {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}
