package codeid_test

import (
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// A member of a match pattern that is not known may restrict the rule.
func TestUnknownMembers(t *testing.T) {
	nested := func(name string, value any) object {
		r := account("00", "X")
		r["codeMatchPattern"].(object)["emvMatchRules"].([]object)[0][name] = value
		return r
	}
	for _, c := range []struct {
		name    string
		rule    object
		member  string
		options codeid.RuleOptions
	}{
		{name: "known", rule: extended(t, account("00", "X"), "countryCode", "MY", "TransactionCurrency", "458")},
		{name: "unknown", rule: extended(t, account("00", "X"), "merchantKind", "5"), member: "merchantKind"},
		{name: "the first of two", rule: extended(t, account("00", "X"), "b", "5", "a", true), member: "a"},
		{name: "null", rule: extended(t, account("00", "X"), "merchantKind", nil)},
		{name: "empty text", rule: extended(t, account("00", "X"), "merchantKind", "")},
		{name: "empty object", rule: extended(t, account("00", "X"), "merchantKind", object{})},
		{name: "empty list", rule: extended(t, account("00", "X"), "merchantKind", []int{})},
		{name: "zero", rule: extended(t, account("00", "X"), "merchantKind", 0), member: "merchantKind"},
		{name: "false", rule: extended(t, account("00", "X"), "merchantKind", false), member: "merchantKind"},
		{name: "harmless", rule: extended(t, account("00", "X"), "merchantKind", "5"), options: codeid.RuleOptions{Harmless: []string{"MerchantKind"}}},
		{name: "another one is harmless", rule: extended(t, account("00", "X"), "merchantKind", "5"), member: "merchantKind",
			options: codeid.RuleOptions{Harmless: []string{"kind"}}},
		{name: "in the public pattern", rule: prefix("X", "suffix", "Y"), member: "suffix"},
		{name: "in an EMVCo condition", rule: nested("extendedMerchantLength", 5), member: "extendedMerchantLength"},
		{name: "in a condition by path", rule: extended(t, account("00", "X"), "accurateTagRules",
			[]object{{"tag": "80", "secTag": "01", "rule": "Y", "fouTag": "02"}}), member: "fouTag"},
	} {
		set := parse(t, ruleset(t, "v", c.rule), c.options)
		member := ""
		if s := set.Skipped(); len(s) == 1 {
			if member = s[0].Member; member == "" || !strings.Contains(s[0].Reason, "unknown member") {
				t.Errorf("%s: %+v", c.name, s)
			}
		}
		if member != c.member || set.Len() != 1-len(set.Skipped()) {
			t.Errorf("%s: skipped for %q, want %q", c.name, member, c.member)
		}
	}
	// Members that say nothing about the codes are ignored.
	other := prefix("X")
	other["note"] = "x"
	other["postCodeMatchAction"] = object{"postCodeMatchActionType": "DECODE", "note": "x"}
	other["extendInfo"] = object{"note": "x", "matchResult": object{"note": "x"}}
	if set := parse(t, ruleset(t, "v", other), codeid.RuleOptions{}); set.Len() != 1 {
		t.Errorf("other members: %+v", set.Skipped())
	}
}
