package codeid_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// checkAnswer reports what must not be in any answer, by means of net/url and not of this package.
func checkAnswer(t *testing.T, code string, id codeid.Identification) {
	t.Helper()
	switch {
	case !id.Supported:
		if id.Action != "" || id.RedirectURL() != "" || id.UserAgent != "" {
			t.Fatalf("%q: not supported, but %+v", code, id)
		}
	case id.NeedsRemote || id.Rule == codeid.NoRule:
		t.Fatalf("%q: supported, but %+v", code, id)
	case id.Action == codeid.ActionDecode:
	case id.Action != codeid.ActionOpenURL || id.UserAgent == "":
		t.Fatalf("%q: %+v", code, id)
	default:
		checkURL(t, id.RedirectURL())
	}
}

// checkURL is what "http or https, without user-info and control characters" means to net/url, where that can read it:
// it also refuses some URLs because of a bad escape in the path.
func checkURL(t *testing.T, text string) {
	t.Helper()
	lower := strings.ToLower(text)
	if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
		t.Fatalf("%q is not a web URL", text)
	}
	if strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, `\`) {
		t.Fatalf("%q has characters that must not be opened", text)
	}
	if u, err := url.Parse(strings.ReplaceAll(text, "%", "%25")); err == nil && (u.User != nil || u.Host == "") {
		t.Fatalf("%q has user-info or no host", text)
	}
}

// FuzzIdentify: any code meets the rules of testdata.
func FuzzIdentify(f *testing.F) {
	body := read(f, "rules.json")
	rules, _ := names(f, body)
	set := parse(f, body, codeid.RuleOptions{})
	for _, c := range corpus(f) {
		f.Add(c.Code)
	}
	// The rules whose prefix is a URL, and the only host that each may ever match.
	hosts := map[string]string{
		"order code URL": "qr.pay.example", "order code URL with a path": "qr.pay.example", "entry code of a host": "shop.example",
		"entry code with its own user agent": "m.example", "entry code over http with a port": "menu.example",
		"order code URL in upper case": "qr.upper.example", "order code URL with a page": "page.example",
	}
	f.Fuzz(func(t *testing.T, code string) {
		id, err := set.Identify(code)
		if err != nil {
			if statusOf(err) != "F" {
				t.Fatal(err)
			}
			return
		}
		checkAnswer(t, code, id)
		if id.Rule == codeid.NoRule {
			return
		}
		if host := hosts[rules[id.Rule]]; host != "" {
			u, err := url.Parse(strings.ReplaceAll(code, "%", "%25"))
			if err != nil || u.User != nil || !strings.EqualFold(u.Hostname(), host) {
				t.Fatalf("%q reached %s", code, host)
			}
		}
	})
}

// FuzzRules: any rule is compiled or skipped, and any code meets it.
func FuzzRules(f *testing.F) {
	for _, name := range []string{"rules.json", "skipped.json"} {
		for _, r := range rawRules(f, read(f, name)) {
			f.Add(string(r), "281001040123456789")
			f.Add(string(r), "https://shop.example/")
		}
	}
	for _, c := range corpus(f) {
		f.Add(string(encode(f, prefix("EX"))), c.Code)
	}
	f.Fuzz(func(t *testing.T, rule, code string) {
		body := `{"result":{"resultStatus":"S"},"version":"v","codeRules":[` + rule + `]}`
		set, err := codeid.ParseRuleset([]byte(body), codeid.RuleOptions{MaxRules: 3})
		if err != nil {
			return
		}
		for _, s := range set.Skipped() {
			if s.Reason == "" {
				t.Fatal("skipped without a reason")
			}
		}
		if id, err := set.Identify(code); err == nil {
			checkAnswer(t, code, id)
		}
	})
}

// FuzzRegex: any pattern, alone and in the shape of a look-ahead, and any value.
func FuzzRegex(f *testing.F) {
	f.Add("^NCHL", "00000000", ".{8}.*", "NCHL12345678")
	f.Add("^", "0000$", ".*$", "0000")
	f.Add("(?i)[a-z]{2}", "x|y", "[^\\]]*", "abc")
	f.Add(`\Qa.b\E`, `\Qc`, "(a{9}){9}", "a.bc")
	f.Fuzz(func(t *testing.T, before, ahead, behind, code string) {
		for _, pattern := range []string{before, before + "(?!" + ahead + ")" + behind} {
			rules := ruleset(t, "v", regex(pattern), account("00", "R<"+pattern+">"))
			set, err := codeid.ParseRuleset(rules, codeid.RuleOptions{})
			if err != nil {
				t.Fatal(err)
			}
			_, _ = set.Identify(code)
			if !strings.ContainsAny(pattern+code, "\n\r") && len(code) < 99 && code != "" {
				_, _ = set.Identify(emv(tlv(0, "01"), tlv(26, tlv(0, code))))
			}
		}
	})
}

// FuzzList: any list file, and any code.
func FuzzList(f *testing.F) {
	f.Add(sampleList, "https://one.example/")
	f.Add("host *.evil.test\nregexp a+", `https:\\x@evil.test/`)
	f.Add("prefix https://pay.example/bad/", "https://pay.example/%2e%2e/bad/")
	f.Fuzz(func(t *testing.T, text, code string) {
		l, err := codeid.ReadList(strings.NewReader(text))
		if err != nil {
			return
		}
		allow, block := codeid.NewFilter(codeid.Lists{Allow: l}).Check(code), codeid.NewFilter(codeid.Lists{Block: l}).Check(code)
		if allow.Decision == codeid.DecisionLocal && block.Decision != codeid.DecisionRejected {
			t.Fatalf("%q is in the list as an allowlist and not as a blocklist", code)
		}
		if allow.Kind == codeid.KindHost || allow.Kind == codeid.KindPrefix && strings.HasPrefix(allow.Entry, "http") {
			checkURL(t, code)
		}
	})
}
