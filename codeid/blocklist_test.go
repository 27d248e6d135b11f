package codeid_test

import (
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// A blocklist takes a code as the most forgiving program would read it.
func TestBlocklistFailsClosed(t *testing.T) {
	qr := func(guid string) string { return emv(tlv(0, "01"), tlv(26, tlv(0, guid))) }
	l := list(t, strings.Join([]string{"host bad.example", "host 127.0.0.1", "host xn--bcher-kva.example", "prefix https://p.example/bad/",
		"exact HTTPS://EXACT.EXAMPLE/Pay", "guid com.Example.bad", `regexp https://re[0-9]\.example/.*`}, "\n"))
	block, allow := codeid.NewFilter(codeid.Lists{Block: l}), codeid.NewFilter(codeid.Lists{Allow: l})
	bad := qr("com.Example.bad")
	for rule, c := range map[string]struct {
		code   string
		strict bool // an allowlist has it, too
	}{
		"full-width letters":           {"https://ｂａｄ.example/", false},
		"full-width dot":               {"https://bad．example/", false},
		"ideographic full stop":        {"https://bad。example/", false},
		"full-width throughout":        {"ｈｔｔｐｓ：／／ｂａｄ．ｅｘａｍｐｌｅ／ｘ", false},
		"mathematical letters":         {"https://𝐛𝓪𝕕.example/", false},
		"circled letters":              {"https://ⓑⓐⓓ.example/", false},
		"Kelvin sign and long s":       {"httpſ://bad.example/", false},
		"encoded full-width letters":   {"https://%EF%BD%82ad.example/", false},
		"number":                       {"http://2130706433/", false},
		"hexadecimal":                  {"http://0x7f.0.0.1/", false},
		"octal":                        {"http://0177.0.0.1/", false},
		"short":                        {"http://127.1/", false},
		"address as it is":             {"http://127.0.0.1/", true},
		"host in its own script":       {"https://bücher.example/", false},
		"host in upper case":           {"https://BÜCHER.example/", false},
		"encoded letters in the path":  {"https://p.example/%62ad/1", false},
		"two slashes":                  {"https://p.example//bad/1", false},
		"exact URL in lower case":      {"https://exact.example/Pay", false},
		"exact URL as it is":           {"HTTPS://EXACT.EXAMPLE/Pay", true},
		"GUID in another case":         {qr("COM.EXAMPLE.BAD"), false},
		"GUID as it is":                {bad, true},
		"GUID, wrong checksum":         {bad[:len(bad)-4] + "0000", false},
		"regular expression":           {"HTTPS://RE1.EXAMPLE/x", false},
		"regular expression, encoded":  {"https://re1%2eexample/x", false},
		"trailing line end and a mark": {"\ufeffhttps://bad.example/\r\n", true},
	} {
		if v := block.Check(c.code); v.Decision != codeid.DecisionRejected || v.List != codeid.BlockList {
			t.Errorf("%s: %+v", rule, v)
		}
		if v := allow.Check(c.code); (v.Decision == codeid.DecisionLocal) != c.strict {
			t.Errorf("%s: an allowlist says %+v", rule, v)
		}
	}
	for _, code := range []string{"https://good.example/bad.example", "http://2130706434/", "http://127.0.0.1.example/", "https://exact.example/pay",
		"https://bucher.example/", "https://p.example/good/", qr("com.example.good"), "https://rex.example/", "http://127.0.0.0.1/", "http://127.0.0.256/"} {
		if v := block.Check(code); v.Decision != codeid.DecisionIdentify {
			t.Errorf("%s: %+v", code, v)
		}
	}
}
