package alipayplus_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// The JSON of a text is that of encoding/json, for every character that needs an
// escape or might.
func TestSecretJSON(t *testing.T) {
	texts := []string{"plain", "a b~", `\u0041`, "\u2028\u2029", "\U0001f600"}
	for r := rune(0); r < 0x180; r++ {
		texts = append(texts, "a"+string(r)+"b")
	}
	for _, text := range texts {
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(text); err != nil {
			t.Fatal(err)
		}
		got, err := alipayplus.Conceal(text).MarshalJSON()
		if err != nil || string(got)+"\n" != want.String() {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want.String())
		}
	}
}
