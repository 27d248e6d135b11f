package mpm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// structs has one value of every exported struct of the package.
var structs = []any{
	mpm.Cashier{}, mpm.Config{}, mpm.Failed{}, mpm.Flow{}, mpm.Launch{}, mpm.Limit{}, mpm.Local{}, mpm.UserMessage{}, mpm.ResultPage{},
	mpm.Pending{}, mpm.Rejected{}, mpm.SDKAction{}, mpm.Unsupported{}, mpm.UserInitiatedPayRequest{}, mpm.UserInitiatedPayResponse{},
}

// The list above is complete.
func TestStructsAreListed(t *testing.T) {
	listed := map[string]bool{}
	for _, v := range structs {
		listed[reflect.TypeOf(v).Name()] = true
	}
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatal("no source files", err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			named, ok := n.(*ast.TypeSpec)
			if !ok || !named.Name.IsExported() {
				return true
			}
			if _, ok := named.Type.(*ast.StructType); ok && !listed[named.Name.Name] {
				t.Errorf("%s is not in the list", named.Name.Name)
			}
			return true
		})
	}
}

const canary = "canary-7f3a"

// fill puts the canary into every text that is private and into every Secret of
// v, and says whether there is one.
func fill(v reflect.Value, private bool) (found bool) {
	switch v.Type() {
	case reflect.TypeFor[alipayplus.Secret]():
		v.Set(reflect.ValueOf(alipayplus.Conceal(canary)))
		return true
	case reflect.TypeFor[alipayplus.Message]():
		v.Set(reflect.ValueOf(alipayplus.Message{Operation: "o", Key: "k", Body: []byte(canary), URL: canary}))
		return true
	case reflect.TypeFor[alipayplus.Time](), reflect.TypeFor[alipayplus.Amount]():
		return false
	}
	switch v.Kind() {
	case reflect.String:
		if private {
			v.SetString(canary)
			return true
		}
		v.SetString("public")
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			return fill(v.Index(0), private)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			isPrivate := private
			for option := range strings.SplitSeq(f.Tag.Get("wire"), ",") {
				isPrivate = isPrivate || option == "private"
			}
			found = fill(v.Field(i), isPrivate) || found
		}
	}
	return found
}

// No way of printing shows what is private: a redirect URL, a payload of the
// client SDK, a customer, a code. What holds a payment prints its id alone.
func TestNothingPrivateIsPrinted(t *testing.T) {
	for _, zero := range structs {
		v := reflect.New(reflect.TypeOf(zero)).Elem()
		if !fill(v, false) {
			continue
		}
		value := v.Interface()
		_, brief := value.(fmt.Stringer)
		for name, printed := range printings(value, v.Addr().Interface()) {
			if i := strings.Index(printed, canary); i >= 0 {
				t.Errorf("%s of %s shows what is private: …%s", name, v.Type(), printed[max(0, i-40):i+len(canary)])
			}
			if !brief && !strings.Contains(printed, "redacted") {
				t.Errorf("%s of %s does not say that it holds something private", name, v.Type())
			}
			if brief && !strings.Contains(printed, "public") {
				t.Errorf("%s of %s does not name the payment", name, v.Type())
			}
		}
		if _, isStep := value.(mpm.Step); isStep || brief {
			continue
		}
		if data, err := json.Marshal(value); err != nil || !bytes.Contains(data, []byte(canary)) {
			t.Errorf("the JSON of %s does not hold what is sent: %v", v.Type(), err)
		}
	}
}

// These are the types that hold something private.
func TestWhatIsPrivate(t *testing.T) {
	var private []string
	for _, zero := range structs {
		v := reflect.New(reflect.TypeOf(zero)).Elem()
		if fill(v, false) {
			private = append(private, v.Type().Name())
		}
	}
	want := "Cashier Launch ResultPage SDKAction UserInitiatedPayRequest UserInitiatedPayResponse"
	if got := strings.Join(private, " "); got != want {
		t.Errorf("private: %s, want %s", got, want)
	}
}

// printings prints v, and the pointer to it, in every way.
func printings(v, pointer any) map[string]string {
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		out[verb] = fmt.Sprintf(verb, v)
		out[verb+" of a pointer"] = fmt.Sprintf(verb, pointer)
		out[verb+" in a slice"] = fmt.Sprintf(verb, []any{v})
	}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v)
	out["slog text"], out["slog JSON"] = text.String(), js.String()
	return out
}
