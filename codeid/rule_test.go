package codeid_test

import (
	"encoding/json"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

func TestPriorities(t *testing.T) {
	for text, ok := range map[string]bool{
		`10`: true, `10.0`: true, `"10"`: true, `"10.0"`: true, `1e1`: true, `10.5`: false, `"x"`: false, `"NaN"`: false, `"Inf"`: false, `"-Inf"`: false,
		`-1`: true, `9223372036854775807`: true, `true`: false, `[1]`: false,
	} {
		set := parse(t, ruleset(t, "v", prefix("A", "priority", json.RawMessage(text)), prefix("AB", "priority", 20), prefix("B", "priority", 5)),
			codeid.RuleOptions{})
		if (set.Len() == 3) != ok {
			t.Errorf("%s: %v", text, set.Skipped())
		}
		if id, _ := set.Identify("AB"); ok && (id.Rule == 0) != (text != "9223372036854775807") {
			t.Errorf("%s: rule %d", text, id.Rule)
		}
	}
}

// Rules mean what Java reads in them; see also internal/regex.
func TestRulesAreReadAsJavaDoes(t *testing.T) {
	for _, c := range []struct{ pattern, yes, no string }{
		{`281666\p{Digit}{6}`, "281666123456", "281666١٢٣٤٥٦"},
		{`(?i)k1`, "K1", "\u212a1"},
		{`https://x\.example/.*`, "https://x.example/1", "https://x.example/1\u2028."},
		{`[\u4e00-\u9fa5]+`, "一", "a"},
		{`a\s1`, "a\v1", "a\u00a01"},
		{`[^a]\w`, "\u2028b", "bé"},
	} {
		set := parse(t, ruleset(t, "v", regex(c.pattern)), codeid.RuleOptions{})
		yes, _ := set.Identify(c.yes)
		no, _ := set.Identify(c.no)
		if !yes.Supported || no.Supported {
			t.Errorf("%s: %q %v, %q %v", c.pattern, c.yes, yes.Supported, c.no, no.Supported)
		}
	}
	category := parse(t, ruleset(t, "v", extended(t, account("00", "X"), "merchantCategoryCode", "R<^(?!0000$).*$>")), codeid.RuleOptions{})
	for value, want := range map[string]bool{"5812": true, "0000": false, "0000\r": false, "00001": true, "0000\u2028": false} {
		id, err := category.Identify(emv(tlv(0, "01"), tlv(26, tlv(0, "X")), tlv(52, value)))
		if err != nil || id.Supported != want {
			t.Errorf("category code %q: %+v, %v", value, id, err)
		}
	}
}
