package alipayplus_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

func TestBool(t *testing.T) {
	for text, want := range map[string]alipayplus.Bool{
		`true`: alipayplus.True, `"true"`: alipayplus.True, `"TRUE"`: alipayplus.True, `"True"`: alipayplus.True,
		`false`: alipayplus.False, `"false"`: alipayplus.False, `"False"`: alipayplus.False,
		`null`: alipayplus.Unset, `""`: alipayplus.Unset,
	} {
		got := alipayplus.Unset
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	// What is neither is an error, and no flag is set by it.
	for _, text := range []string{`"Y"`, `"yes"`, `"1"`, `1`, `0`, `"truе"`, `" true"`, `"true "`, `{}`, `[true]`, `"ſ"`, `"falſe"`} {
		got := alipayplus.Unset
		if err := json.Unmarshal([]byte(text), &got); err == nil || got != alipayplus.Unset {
			t.Errorf("%s: %v, %v", text, got, err)
		} else if strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v quotes it", text, err)
		}
	}
	type message struct {
		A alipayplus.Bool `json:"a,omitzero"`
		B alipayplus.Bool `json:"b,omitzero"`
		C alipayplus.Bool `json:"c,omitzero"`
		D alipayplus.Bool `json:"d"`
	}
	got, err := json.Marshal(message{A: alipayplus.True, B: alipayplus.False})
	if err != nil || string(got) != `{"a":"true","b":"false","d":null}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := json.Marshal(alipayplus.Bool(3)); err == nil {
		t.Error("Bool(3) is sent")
	}
	if got := fmt.Sprint(alipayplus.Unset, alipayplus.False, alipayplus.True, alipayplus.Bool(7)); got != "unset false true Bool(7)" {
		t.Error(got)
	}
}
