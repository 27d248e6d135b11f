package codeid_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// What a scanner adds to a code makes no difference to any kind of rule or
// entry.
func TestScannedText(t *testing.T) {
	for text, want := range map[string]string{
		"EX-1": "EX-1", "EX-1\r\n": "EX-1", "EX-1\n": "EX-1", "EX-1 \t\r": "EX-1", "\ufeffEX-1": "EX-1", "\ufeff\ufeffEX-1": "EX-1",
		" EX-1": " EX-1", "EX\n1": "EX\n1", "EX-1\u2028": "EX-1\u2028", "": "", " \n": "",
	} {
		if got := codeid.Clean(text); got != want || codeid.Clean(got) != got {
			t.Errorf("Clean(%q) is %q, want %q", text, got, want)
		}
	}
	page := openURL("CONSTRUCT_DYNAMIC_URL", "dynamicUrlExpression", "https://gw.example/${codeValue}/?c=${codeValue}#${codeValue}")
	set := parse(t, ruleset(t, "v", prefix("EX-"), rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "https://a.example/"),
		regex("RE[0-9]+"), rule(page, "PREFIX", "prefix", "P"), extended(t, rule(decode, "EMVCO"), "countryCode", "MY")), codeid.RuleOptions{})
	filter := codeid.NewFilter(codeid.Lists{Allow: list(t, "exact EX-1\nprefix https://a.example/\nregexp RE[0-9]+\nguid X\nprefix P")})
	for _, code := range []string{"EX-1", "https://a.example/1", "RE1", "P a", emv(tlv(0, "01"), tlv(26, tlv(0, "X")), tlv(58, "MY"))} {
		want, err := set.Identify(code)
		if err != nil || !want.Supported {
			t.Fatalf("%q: %+v, %v", code, want, err)
		}
		verdict := filter.Check(code)
		if verdict.Decision != codeid.DecisionLocal {
			t.Fatalf("%q: %+v", code, verdict)
		}
		for _, end := range []string{"\n", "\r\n", "\r", " ", "\t\n"} {
			if id, err := set.Identify("\ufeff" + code + end); err != nil || !id.Equal(want) {
				t.Errorf("%q: %+v, want %+v", code+end, id, want)
			}
			if got := filter.Check("\ufeff" + code + end); got != verdict {
				t.Errorf("%q: %+v, want %+v", code+end, got, verdict)
			}
		}
	}
	if id, _ := set.Identify("P a+b\n"); id.RedirectURL() != "https://gw.example/P%20a%2Bb/?c=P%20a%2Bb#P%20a%2Bb" {
		t.Errorf("a blank in a URL: %s", id.RedirectURL())
	}
	// Blanks alone are no code of anybody.
	if id, err := parse(t, ruleset(t, "v", regex(".*")), codeid.RuleOptions{}).Identify(" \n"); err != nil || id.Supported {
		t.Errorf("blanks: %+v, %v", id, err)
	}
}
