package accept_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// A configuration that is read is the same after it was written and read again,
// and has the texts that encoding/json finds. Whatever is in it, New says what
// is wrong or makes a suite.
func FuzzLoad(f *testing.F) {
	cfg, _, err := accept.NewConfig()
	if err != nil {
		f.Fatal(err)
	}
	good := testkit.Must(json.Marshal(cfg))
	f.Add(good, 0, "")
	f.Add(good, len(good)/2, "x")
	f.Add([]byte(`{}`), 0, "")
	f.Add([]byte(`{"alipay":{"keys":[null,{"version":"1","key":"AA=="}]},"currency":"HKD"}`), 0, "")
	f.Add([]byte(`{"users":[{"id":"a","header":{"X":"y"}}],"limits":{"pinTries":-1},"capabilities":["x"]}`), 0, "")
	f.Add([]byte(`{"wallet":{"app":"http://%zz","inbound":{"refund":"//"}}}`), 0, "")
	name := filepath.Join(f.TempDir(), "accept.json")
	load := func(t *testing.T, text []byte) (accept.Config, error) {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return accept.Load(name)
	}
	f.Fuzz(func(t *testing.T, text []byte, at int, insert string) {
		if len(text) > 0 {
			at = int(uint(at) % uint(len(text)))
			text = append(append(append([]byte{}, text[:at]...), insert...), text[min(len(text), at+len(insert)):]...)
		}
		c, err := load(t, text)
		if err != nil {
			if !reflect.DeepEqual(c, accept.Config{}) {
				t.Fatalf("%v, and a configuration", err)
			}
			return
		}
		if suite, err := accept.New(c); (suite == nil) != (err != nil) {
			t.Fatalf("%v, and a suite", err)
		}
		var read struct {
			Currency string
			Wallet   struct{ ClientID, Driver string }
		}
		if err := json.Unmarshal(text, &read); err != nil || read.Currency != c.Currency || read.Wallet.ClientID != c.Wallet.ClientID || read.Wallet.Driver != c.Wallet.Driver {
			t.Fatalf("%q: %v", text, err)
		}
		for _, k := range c.Alipay.Keys {
			if k.Key == nil {
				return // null, which New refuses
			}
		}
		for _, k := range c.Wallet.Keys {
			if k.Key == nil {
				return
			}
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if again, err := load(t, written); err != nil || string(testkit.Must(json.Marshal(again))) != string(written) {
			t.Fatalf("%q is written as %q: %v", text, written, err)
		}
	})
}
