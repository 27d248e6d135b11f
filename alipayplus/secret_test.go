package alipayplus_test

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

func TestSecret(t *testing.T) {
	a, b := alipayplus.Conceal("281666"), alipayplus.Conceal("281"+"666")
	if !a.Equal(b) || a.Reveal() != "281666" || a.IsZero() || !cmp.Equal(a, b) {
		t.Error("equal texts are not equal secrets")
	}
	if a.Equal(alipayplus.Conceal("281667")) || cmp.Equal(a, alipayplus.Conceal("281667")) {
		t.Error("different texts are equal secrets")
	}
	token := strings.Repeat("0aB_", 32) // every byte of a long one counts
	for i := range token {
		for _, other := range []string{token[:i] + "x" + token[i+1:], token[:i], token[:i] + token[i+1:], token[:i] + "\x00" + token[i:]} {
			if alipayplus.Conceal(token).Equal(alipayplus.Conceal(other)) || alipayplus.Conceal(token).Digest() == alipayplus.Conceal(other).Digest() {
				t.Errorf("different texts are equal secrets: %q", other)
			}
		}
	}
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte("281666"))); a.Digest() != want {
		t.Errorf("digest %s, want %s", a.Digest(), want)
	}
	zero := alipayplus.Secret{}
	if !zero.Equal(alipayplus.Conceal("")) || !zero.IsZero() || zero.Reveal() != "" || zero.Digest() != "" || zero.String() != "" || zero.Equal(a) {
		t.Error("the zero Secret is not the absent one")
	}
}

// Whatever writes a value by the way fails and says what to use; only an absent
// one is written.
func TestSecretIsNotWritten(t *testing.T) {
	type message struct {
		Code  alipayplus.Secret           `json:"code,omitzero"`
		Owner alipayplus.Personal[person] `json:"owner,omitzero"`
	}
	for _, v := range []interface {
		json.Marshaler
		driver.Valuer
		MarshalText() ([]byte, error)
	}{alipayplus.Conceal(canary), alipayplus.Conceal(canary + "\xff"), alipayplus.PersonalOf(person{Name: canary})} {
		_, asJSON := v.MarshalJSON()
		_, asText := v.MarshalText()
		_, asValue := v.Value()
		_, inside := json.Marshal([]any{v})
		for _, err := range []error{asJSON, asText, asValue, inside} {
			if err == nil {
				t.Fatalf("%T is written", v)
			}
			for _, name := range []string{"alipayplus.Marshal", "MarshalBinary", "Loggable", "Reveal"} {
				if !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), canary) {
					t.Errorf("%v", err)
				}
			}
		}
	}
	if text, err := json.Marshal(message{}); err != nil || string(text) != "{}" {
		t.Errorf("%s, %v", text, err)
	}
	if text, err := json.Marshal([]any{alipayplus.Secret{}, alipayplus.Personal[person]{}}); err != nil || string(text) != "[null,null]" {
		t.Errorf("%s, %v", text, err)
	}
	if v, err := driver.DefaultParameterConverter.ConvertValue(alipayplus.Secret{}); err != nil || v != nil {
		t.Errorf("%v, %v", v, err)
	}
}

type person struct {
	Name string            `json:"name,omitzero" wire:"max=8"`
	Tags []string          `json:"tags,omitzero"`
	Code alipayplus.Secret `json:"code,omitzero"`
}

func TestPersonal(t *testing.T) {
	make := func() person { return person{Name: "A", Tags: []string{"x"}, Code: alipayplus.Conceal("1")} }
	a, b, zero := alipayplus.PersonalOf(make()), alipayplus.PersonalOf(make()), alipayplus.Personal[person]{}
	if !a.Equal(b) || !cmp.Equal(a, b) || a.IsZero() || a.Reveal().Name != "A" {
		t.Error("equal objects are not equal")
	}
	if a.Equal(zero) || a.Equal(alipayplus.PersonalOf(person{Name: "B"})) {
		t.Error("different objects are equal")
	}
	if !zero.IsZero() || !zero.Equal(alipayplus.PersonalOf(person{})) || zero.Reveal().Name != "" || zero.String() != "" {
		t.Error("the zero Personal is not the absent one")
	}
	var got struct{ P alipayplus.Personal[person] }
	if err := json.Unmarshal([]byte(`{"P":{"name":"A","tags":["x"],"code":1}}`), &got); err != nil || !got.P.Equal(a) {
		t.Errorf("%v %+v", err, got.P.Reveal())
	}
	if err := json.Unmarshal([]byte(`{"P":null}`), &got); err != nil || !got.P.IsZero() {
		t.Error(err)
	}
	for _, text := range []string{`{"P":"` + canary + `"}`, `{"P":{"name":["` + canary + `"]}}`} {
		if err := json.Unmarshal([]byte(text), &got); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSecretFromJSON(t *testing.T) {
	type message struct {
		Code alipayplus.Secret `json:"code,omitzero"`
	}
	for text, want := range map[string]string{
		`{"code":"a\"b"}`: `a"b`, `{"code":281666}`: "281666", `{"code":1E400}`: "1E400", `{"code":true}`: "true",
		`{"code":null}`: "", `{"code":""}`: "", `{}`: "",
	} {
		for name, unmarshal := range map[string]func([]byte, any) error{"encoding/json": json.Unmarshal, "Unmarshal": alipayplus.Unmarshal} {
			var m message
			if err := unmarshal([]byte(text), &m); err != nil || m.Code.Reveal() != want {
				t.Errorf("%s by %s: %q, %v", text, name, m.Code.Reveal(), err)
			}
		}
	}
	for _, text := range []string{`{"code":{"a":281666}}`, `{"code":["281666"]}`} {
		for name, unmarshal := range map[string]func([]byte, any) error{"encoding/json": json.Unmarshal, "Unmarshal": alipayplus.Unmarshal} {
			var m message
			if err := unmarshal([]byte(text), &m); err == nil || strings.Contains(err.Error(), "281666") {
				t.Errorf("%s by %s: %v", text, name, err)
			}
		}
	}
}
