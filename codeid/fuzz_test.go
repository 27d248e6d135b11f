package codeid_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// checkAnswer reports what must not be in any answer, by means of net/url and
// not of this package.
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

// checkURL returns what "http or https, without user-info and control
// characters" means to net/url, where that can read it: it also refuses some
// URLs because of a bad escape in the path.
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

// FuzzIdentify: any code meets the rules of testdata; the oracle is the naive
// matcher.
func FuzzIdentify(f *testing.F) {
	body := read(f, "rules.json")
	set, raw := parse(f, body, codeid.RuleOptions{}), rawRules(f, body)
	for _, c := range corpus(f) {
		f.Add(c.Code)
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
		if want, sure := naiveRule(raw, code); sure && id.Rule != want {
			t.Fatalf("%q: rule %d, want %d", code, id.Rule, want)
		}
	})
}

// FuzzConditions: any prefix and any value expressions, on any field and any
// code; the oracle is the naive matcher.
func FuzzConditions(f *testing.F) {
	f.Add("https://a.example/x", "S<M>", "N<NULL>", "C<x>", "HTTPS://A.EXAMPLE/xy")
	f.Add("EX", "MY", "X", "N<NOT_NULL>", "EX1")
	f.Add("0002", "MY", "S<com.>", "R<a[0-9]*>", emv(tlv(0, "01"), tlv(26, tlv(0, "com.x")), tlv(58, "MY"), tlv(62, tlv(7, "a1"))))
	f.Add("0002", "N<NULL>", "X", "N<NULL>", emv(tlv(0, "01"), tlv(26, tlv(0, "X")), tlv(62, "free text")))
	f.Fuzz(func(t *testing.T, start, country, guid, additional, code string) {
		for _, text := range []string{start, country, guid, additional} {
			if text == "" || !utf8.ValidString(text) || strings.Contains(text, "R<") && strings.ContainsAny(text, `\[(.?*+{|^$`) {
				return // empty is absent; patterns have oracles of their own
			}
		}
		rules := ruleset(t, "v", prefix(start, "priority", 2),
			extended(t, account("00", guid), "countryCode", country, "priority", 1, "additionalDataFieldTemplate", object{"07": additional}))
		set := parse(t, rules, codeid.RuleOptions{})
		id, err := set.Identify(code)
		if err != nil {
			return
		}
		checkAnswer(t, code, id)
		raw := rawRules(t, rules)
		for _, s := range slices.Backward(set.Skipped()) {
			if s.Reason == "" {
				t.Fatal("skipped without a reason")
			}
			raw = slices.Delete(raw, s.Index, s.Index+1)
		}
		got := id.Rule
		if got == 1 && len(raw) == 1 {
			got = 0 // the other one is skipped
		}
		if strings.IndexFunc(code, func(r rune) bool { return r > 0xFFFF }) >= 0 {
			return // the naive matcher counts in code points only
		}
		if want, sure := naiveRule(raw, code); sure && got != want {
			t.Fatalf("%q: rule %d, want %d of %s", code, got, want, raw)
		}
	})
}

// FuzzRules: any JSON for a rule is compiled or skipped with a reason, no
// answer to any code is one that must not be, and no rule is lost.
func FuzzRules(f *testing.F) {
	for _, name := range []string{"rules.json", "skipped.json"} {
		for _, r := range rawRules(f, read(f, name)) {
			f.Add(string(r), "281001040123456789")
			f.Add(string(r), "https://shop.example/")
		}
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
		id, err := set.Identify(code)
		if err != nil {
			return
		}
		checkAnswer(t, code, id)
		if !testkit.OneCase([]byte(body)) {
			return
		}
		var answer struct{ CodeRules []json.RawMessage }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || set.Len()+len(set.Skipped()) != len(answer.CodeRules) {
			t.Fatalf("%d rules and %d skipped of %d: %v", set.Len(), len(set.Skipped()), len(answer.CodeRules), err)
		}
	})
}

// FuzzRuleset: any document is read if encoding/json finds a success and a list
// in it, with as many rules as that finds.
func FuzzRuleset(f *testing.F) {
	for _, name := range []string{"rules.json", "skipped.json"} {
		f.Add(read(f, name))
	}
	for _, text := range []string{
		`{"result":{"resultStatus":"S"},"version":"v","codeRules":[{}]}`, `{"result":{"resultStatus":"F"},"version":"v","codeRules":[{}]}`,
		`{"result":{"resultStatus":"S"},"version":"v","codeRules":"[{}]"}`, `{"result":{"resultStatus":"S"},"codeRules":[]}`, `[]`, `null`,
		`{"result":{"resultStatus":"S"},"version":1,"codeRules":[1,null,"x",[],{"a":{"b":1}}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := codeid.ParseRuleset(body, codeid.RuleOptions{})
		if err != nil {
			if set != nil || !errors.Is(err, codeid.ErrRuleset) {
				t.Fatalf("%v", err)
			}
			return
		}
		if !testkit.OneCase(body) {
			return
		}
		var answer struct {
			Result    struct{ ResultStatus any }
			Version   any
			CodeRules json.RawMessage
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var rules []json.RawMessage
		if err := decoder.Decode(&answer); err != nil || answer.Result.ResultStatus != "S" || json.Unmarshal(answer.CodeRules, &rules) != nil {
			t.Fatalf("%q is read: %v", body, err)
		}
		if len(rules) != set.Len()+len(set.Skipped()) || len(rules) == 0 {
			t.Fatalf("%d rules and %d skipped of %d", set.Len(), len(set.Skipped()), len(rules))
		}
		if version := fmt.Sprint(answer.Version); answer.Version != nil && version != set.Version() {
			t.Fatalf("version %q, want %q", set.Version(), version)
		}
	})
}

// FuzzList: any list file, and any code; the oracle is naive, entry by entry.
func FuzzList(f *testing.F) {
	f.Add(sampleList, "https://one.example/")
	f.Add("host *.evil.test\nregexp a+", `https:\\x@evil.test/`)
	f.Add("prefix https://pay.example/bad/", "https://pay.example/%2e%2e/bad/")
	f.Add("guid X\nhost a.example/q", emv(tlv(0, "01"), tlv(26, tlv(0, "X"))))
	f.Fuzz(func(t *testing.T, text, code string) {
		l, err := codeid.ReadList(strings.NewReader(text))
		if err != nil || !utf8.ValidString(code) || utf8.RuneCountInString(code) > 512 {
			return
		}
		allow, block := codeid.NewFilter(codeid.Lists{Allow: l}).Check(code), codeid.NewFilter(codeid.Lists{Block: l}).Check(code)
		want := naiveList(text, code)
		if got := allow.Decision == codeid.DecisionLocal; got != want {
			t.Fatalf("%q in %q: %v, want %v", code, text, got, want)
		}
		if want && block.Decision != codeid.DecisionRejected {
			t.Fatalf("%q is in the list as an allowlist and not as a blocklist", code)
		}
		if allow.Kind == codeid.KindHost || allow.Kind == codeid.KindPrefix && strings.HasPrefix(allow.Entry, "http") {
			checkURL(t, codeid.Clean(code))
		}
	})
}

// naiveList reports whether a code is in a list that was accepted.
func naiveList(list, code string) bool {
	n := newNaive(code)
	for line := range strings.Lines(strings.TrimPrefix(list, "\ufeff")) {
		kind, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(line), "\t", " "), " ")
		value := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), kind))
		switch kind {
		case "exact":
			if n.code == value {
				return true
			}
		case "prefix":
			if n.begins(value) {
				return true
			}
		case "host":
			host, below := strings.CutPrefix(value, "*.")
			host, path, _ := strings.Cut(host, "/")
			if n.url == nil || !strings.HasPrefix(n.rest(n.code), "/"+path) {
				continue
			}
			if host = strings.ToLower(host); n.url.Hostname() == host || below && strings.HasSuffix(n.url.Hostname(), "."+host) {
				return true
			}
		case "guid":
			for tag := 26; tag <= 51; tag++ {
				if fields, ok := naiveFields(n.fields[fmt.Sprint(tag)], true); ok && fields["00"] == value {
					return true
				}
			}
		case "regexp":
			if re, err := regexp.Compile("^(?:" + value + ")$"); err == nil && re.MatchString(n.code) {
				return true
			}
		}
	}
	return false
}
