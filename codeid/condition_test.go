package codeid_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// A condition on a field that cannot be read is not met, whatever it is.
func TestUnreadableTemplates(t *testing.T) {
	path := func(rule string, tags ...string) object {
		o := object{"tag": tags[0], "secTag": tags[1], "rule": rule}
		if len(tags) > 2 {
			o["thiTag"] = tags[2]
		}
		return extended(t, account("00", "X"), "accurateTagRules", []object{o})
	}
	additional := extended(t, account("00", "X"), "additionalDataFieldTemplate", object{"07": "N<NULL>"})
	for _, c := range []struct {
		name string
		rule object
		more string // a field
		want bool
	}{
		{"absent, no template", additional, "", true},
		{"absent, another field", additional, tlv(62, tlv(8, "a")), true},
		{"absent, length 00", additional, tlv(62, "0700"+tlv(8, "a")), true},
		{"absent, but there", additional, tlv(62, tlv(7, "a")), false},
		{"absent, free text", additional, tlv(62, "free text"), false},
		{"absent, a tag twice", additional, tlv(62, tlv(8, "a")+tlv(8, "b")), false},
		{"absent by path, free text", path("N<NULL>", "80", "01"), tlv(80, "free text"), false},
		{"absent by path, no template", path("N<NULL>", "80", "01"), "", true},
		{"absent in a nested one, free text", path("N<NULL>", "80", "01", "02"), tlv(80, tlv(1, "free text")), false},
		{"absent in a nested one, absent", path("N<NULL>", "80", "01", "02"), tlv(80, tlv(2, "x")), true},
		{"absent in a field that is no template", path("N<NULL>", "59", "01"), tlv(59, tlv(2, "x")), false},
		{"equal in a nested one", path("Y", "80", "01", "02"), tlv(80, tlv(1, tlv(2, "Y"))), true},
	} {
		set := parse(t, ruleset(t, "v", c.rule), codeid.RuleOptions{})
		id, err := set.Identify(emv(tlv(0, "01"), tlv(26, tlv(0, "X")), c.more))
		if err != nil || id.Supported != c.want {
			t.Errorf("%s: %+v, %v %v", c.name, id, err, set.Skipped())
		}
	}
}

// A code whose lengths count as Java does, or with an empty field in a
// template.
func TestUnusualEMVCodes(t *testing.T) {
	set := parse(t, ruleset(t, "v", extended(t, account("00", "X", "01", "N<NULL>"), "merchantName", "Toko 😇")), codeid.RuleOptions{})
	for rule, name := range map[string]string{"code points": "5906Toko 😇", "UTF-16 units": "5907Toko 😇"} {
		id, err := set.Identify(emv(tlv(0, "01"), tlv(26, tlv(0, "X")+"0100"), name))
		if err != nil || !id.Supported {
			t.Errorf("%s: %+v, %v", rule, id, err)
		}
	}
}

// A literal and a pattern take the whole value, whatever the rules of the set
// say about REGEX rules.
func TestValueExpressions(t *testing.T) {
	for rule, values := range map[string]map[string]bool{
		"ab":          {"ab": true, "xab": false, "abx": false, "AB": false},
		"S<ab>":       {"ab": true, "xab": false, "abx": true, "xabx": false},
		"C<ab>":       {"ab": true, "xab": true, "abx": true, "xabx": true, "a b": false},
		"R<ab>":       {"ab": true, "xab": false, "abx": false, "xabx": false},
		"R<a|ab|b+>":  {"a": true, "ab": true, "bb": true, "aab": false, "abb": false},
		"N<NOT_NULL>": {"ab": true},
		"N<NULL>":     {"ab": false},
	} {
		r := extended(t, account("00", "X"), "merchantName", rule)
		for _, partial := range []bool{false, true} {
			set := parse(t, ruleset(t, "v", r), codeid.RuleOptions{PartialRegex: partial})
			for value, want := range values {
				id, err := set.Identify(emv(tlv(0, "01"), tlv(26, tlv(0, "X")), tlv(59, value)))
				if err != nil || id.Supported != want {
					t.Errorf("%s on %q, PartialRegex %t: %+v, %v, %v", rule, value, partial, id, err, set.Skipped())
				}
			}
		}
	}
}

// A value with a < is a plain value unless letters alone come before it: a shop
// may be called like this.
func TestValuesWithAngleBrackets(t *testing.T) {
	for value, plain := range map[string]bool{
		"I <3 Tea": true, "3<4": true, "<Tea>": true, "Tea 2 Go<x>": true, "Tea>": true,
		"S<Tea>": false, "Tea<x>": false, "S<Tea": false, "S<>": false,
	} {
		set := parse(t, ruleset(t, "v", extended(t, account("00", "X"), "merchantName", value)), codeid.RuleOptions{})
		id, err := set.Identify(emv(tlv(0, "01"), tlv(26, tlv(0, "X")), tlv(59, value)))
		if err != nil || id.Supported != plain {
			t.Errorf("%q: %+v, %v, %v", value, id, err, set.Skipped())
		}
	}
}

// A path begins with a root tag.
func TestPathsBeginAtTheRoot(t *testing.T) {
	for _, tag := range []string{"merchantTag", "", "1", "001", "0x", "-1"} {
		r := extended(t, account("00", "X"), "accurateTagRules", []object{{"tag": tag, "secTag": "00", "rule": "X"}})
		if set := parse(t, ruleset(t, "v", r), codeid.RuleOptions{}); set.Len() != 0 || set.Skipped()[0].Reason != "tag that is not two digits" {
			t.Errorf("%q: %v", tag, set.Skipped())
		}
	}
}
