package alipayplus_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

func TestSecret(t *testing.T) {
	a, b := alipayplus.Conceal("281666"), alipayplus.Conceal("281"+"666")
	if a != b || !a.Equal(b) || a.Reveal() != "281666" || a.IsZero() || !cmp.Equal(a, b) {
		t.Error("equal texts are not equal secrets")
	}
	if a == alipayplus.Conceal("281667") || cmp.Equal(a, alipayplus.Conceal("281667")) {
		t.Error("different texts are equal secrets")
	}
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte("281666"))); a.Digest() != want {
		t.Errorf("digest %s, want %s", a.Digest(), want)
	}
	if text, err := json.Marshal(a); err != nil || string(text) != `"281666"` {
		t.Errorf("%s, %v: a message is sent and stored with it", text, err)
	}
	zero := alipayplus.Secret{}
	if zero != alipayplus.Conceal("") || !zero.IsZero() || zero.Reveal() != "" || zero.Digest() != "" || zero.String() != "" || zero == a {
		t.Error("the zero Secret is not the absent one")
	}
	if text, err := json.Marshal(zero); err != nil || string(text) != "null" {
		t.Errorf("%s, %v", text, err)
	}
	type message struct {
		Code alipayplus.Secret `json:"code,omitzero"`
	}
	for text, want := range map[string]string{
		`{"code":"a\"b"}`: `a"b`, `{"code":281666}`: "281666", `{"code":1E400}`: "1E400", `{"code":true}`: "true",
		`{"code":null}`: "", `{"code":""}`: "", `{}`: "",
	} {
		var m message
		if err := json.Unmarshal([]byte(text), &m); err != nil || m.Code.Reveal() != want {
			t.Errorf("%s: %q, %v", text, m.Code.Reveal(), err)
		}
	}
	for _, text := range []string{`{"code":{}}`, `{"code":["281666"]}`} {
		var m message
		if err := json.Unmarshal([]byte(text), &m); err == nil || strings.Contains(err.Error(), "281666") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if text, err := json.Marshal(alipayplus.Conceal("CANARY\xff")); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%s, %v: bytes that JSON does not have", text, err)
	}
	if text, _ := json.Marshal(message{}); string(text) != "{}" {
		t.Errorf("%s: an absent one is left out", text)
	}
	keyed := map[alipayplus.Secret]int{a: 1}
	if keyed[b] != 1 {
		t.Error("not usable as a key")
	}
}
