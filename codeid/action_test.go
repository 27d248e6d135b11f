package codeid_test

import (
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

func TestIssuer(t *testing.T) {
	page := openURL("CONSTRUCT_DYNAMIC_URL", "dynamicUrlExpression", "https://gw.example/?i=${issuer}")
	set := parse(t, ruleset(t, "v", rule(page, "REGEX", "regex", ".*")), codeid.RuleOptions{})
	for rule, c := range map[string]struct{ code, want string }{
		"order code":                     {"28100104A", "281001"},
		"digits from 0 to 9":             {"28190990A", "281909"},
		"nothing after the prefix":       {"28100104", ""},
		"another prefix":                 {"28200104A", ""},
		"a routing number that is none":  {"2810/104A", ""},
		"a type that is none":            {"2810010:A", ""},
		"last part of a URL":             {"https://a.example/b/28100104A", "281001"},
		"before the query":               {"https://a.example/28100104A?/28100204B", "281001"},
		"before the fragment":            {"https://a.example/28100104A#/28100204B", "281001"},
		"not another part of a URL":      {"https://a.example/28100104A/b", ""},
		"a URL without a path":           {"https://a.example", ""},
		"the path of a URL that is none": {"https://u@a.example/28100104A", ""},
	} {
		id, err := set.Identify(c.code)
		if got := strings.TrimPrefix(id.RedirectURL(), "https://gw.example/?i="); err != nil || !id.Supported || got != c.want {
			t.Errorf("%s: %q, want %q; %v", rule, got, c.want, err)
		}
	}
}

func TestURLExpressionLimits(t *testing.T) {
	const start = "https://gw.example/?c="
	for name, c := range map[string]struct {
		expression string
		reason     string
	}{
		"2,048 bytes":               {start + strings.Repeat("x", 2_048-len(start)), ""},
		"2,049 bytes":               {start + strings.Repeat("x", 2_049-len(start)), "URL expression of more than 2,048 bytes"},
		"8 variables":               {start + strings.Repeat("${codeValue}", 8), ""},
		"8 variables and a text":    {start + strings.Repeat("${codeValue}", 8) + "x", ""},
		"9 variables":               {start + strings.Repeat("${codeValue}", 9), "URL expression of more than 8 variables"},
		"variable after a slash":    {"https://gw.example/${codeValue}", ""},
		"variable after a query":    {"https://gw.example?${codeValue}", ""},
		"variable after a hash":     {"https://gw.example#${codeValue}", ""},
		"variable after the host":   {"https://gw.example${codeValue}", "URL expression without a fixed host"},
		"variable as a port":        {"https://gw.example:${codeValue}/", "URL expression without a fixed host"},
		"expression of upper case":  {"HTTPS://GW.EXAMPLE/${codeValue}", ""},
		"dot segment with variable": {"https://gw.example/.${codeValue}", "URL expression that has dot segments in its path"},
	} {
		set := parse(t, ruleset(t, "v", rule(openURL("CONSTRUCT_DYNAMIC_URL", "dynamicUrlExpression", c.expression), "PREFIX", "prefix", "A")),
			codeid.RuleOptions{})
		reason := ""
		if s := set.Skipped(); len(s) > 0 {
			reason = s[0].Reason
		}
		if reason != c.reason {
			t.Errorf("%s: %q, want %q", name, reason, c.reason)
		}
		if id, err := set.Identify("A.b"); err != nil || id.Supported != (c.reason == "") {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}

// The router type for those without the server SDK comes first; the public
// action comes before both.
func TestRouterTypes(t *testing.T) {
	for _, c := range []struct {
		action, router, nonSDK string
		want                   codeid.Action
	}{
		{"", "AC_CODE", "AC_URL", codeid.ActionOpenURL},
		{"", "AC_URL", "AC_CODE", codeid.ActionDecode},
		{"", "AC_CODE", "", codeid.ActionDecode},
		{"", "", "AC_URL", codeid.ActionOpenURL},
		{"DECODE", "AC_URL", "AC_URL", codeid.ActionDecode},
		{"", "AC_CODE", "AC_MAIL", ""},
	} {
		r := prefix("https://a.example/")
		r["postCodeMatchAction"] = object{"postCodeMatchActionType": c.action}
		r["extendInfo"] = object{"matchResult": object{"routerType": c.router, "routerTypeNonSdk": c.nonSDK}}
		id, err := parse(t, ruleset(t, "v", r), codeid.RuleOptions{}).Identify("https://a.example/1")
		if err != nil || id.Action != c.want {
			t.Errorf("%+v: %+v, %v", c, id, err)
		}
	}
}
