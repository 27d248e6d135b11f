package codeid_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
)

// tlv returns one EMVCo field, its length in characters.
func tlv(tag int, value string) string {
	return fmt.Sprintf("%02d%02d%s", tag, utf8.RuneCountInString(value), value)
}

// emv returns an EMVCo code of these fields and a checksum.
func emv(fields ...string) string {
	code := strings.Join(fields, "") + "6304"
	return code + fmt.Sprintf("%04X", emvqr.Checksum(code))
}

// object is a JSON object, to write rules with.
type object = map[string]any

// ruleset returns the body of an inquiryCodeRules response.
func ruleset(t testing.TB, version string, rules ...object) []byte {
	t.Helper()
	return encode(t, object{
		"result":    object{"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
		"version":   version,
		"codeRules": rules,
	})
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

var decode = object{"postCodeMatchActionType": "DECODE"}

func openURL(method string, more ...string) object {
	o := object{"postCodeMatchActionType": "OPEN_URL", "urlConstructionMethod": method}
	for i := 0; i < len(more); i += 2 {
		o[more[i]] = more[i+1]
	}
	return o
}

// rule returns a rule with the given method and members of codeMatchPattern.
func rule(action object, method string, members ...any) object {
	pattern := object{"matchMethod": method}
	for i := 0; i < len(members); i += 2 {
		pattern[members[i].(string)] = members[i+1]
	}
	return object{"codeMatchPattern": pattern, "postCodeMatchAction": action}
}

func prefix(text string, members ...any) object {
	return rule(decode, "PREFIX", append([]any{"prefix", text}, members...)...)
}

func regex(pattern string, members ...any) object {
	return rule(decode, "REGEX", append([]any{"regex", pattern}, members...)...)
}

// account returns a rule for EMVCo codes with pairs of sub tag and value
// expression.
func account(pairs ...string) object {
	var list []object
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, object{"primitiveMerchant": false, "extendedMerchantTag": pairs[i], "extendedMerchantValue": pairs[i+1]})
	}
	return rule(decode, "EMVCO", "emvMatchRules", list)
}

// extended adds extendInfo to a rule: pairs of member and value of
// matchPattern.
func extended(t testing.TB, rule object, members ...any) object {
	t.Helper()
	pattern := object{}
	for i := 0; i < len(members); i += 2 {
		pattern[members[i].(string)] = members[i+1]
	}
	rule["extendInfo"] = string(encode(t, object{"matchPattern": string(encode(t, pattern))}))
	return rule
}
