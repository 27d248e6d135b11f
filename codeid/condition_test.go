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
