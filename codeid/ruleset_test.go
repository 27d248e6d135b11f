package codeid_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

func TestParseRulesetRefuses(t *testing.T) {
	one := prefix("EX-")
	big := prefix("EX-")
	big["note"] = strings.Repeat("x", 66_000)
	for rule, c := range map[string]struct {
		body    string
		options codeid.RuleOptions
	}{
		"empty":                 {body: ""},
		"not JSON":              {body: "<html>"},
		"cut off":               {body: string(ruleset(t, "v", one))[:100]},
		"an array":              {body: "[]"},
		"no result":             {body: `{"version":"v","codeRules":[{}]}`},
		"result F":              {body: strings.Replace(string(ruleset(t, "v", one)), `"S"`, `"F"`, 1)},
		"result U":              {body: strings.Replace(string(ruleset(t, "v", one)), `"S"`, `"U"`, 1)},
		"no codeRules":          {body: `{"result":{"resultStatus":"S"},"version":"v"}`},
		"empty codeRules":       {body: string(ruleset(t, "v"))},
		"codeRules no array":    {body: `{"result":{"resultStatus":"S"},"version":"v","codeRules":{"a":1}}`},
		"codeRules twice":       {body: `{"result":{"resultStatus":"S"},"codeRules":[1],"codeRules":[2]}`},
		"version of 65":         {body: string(ruleset(t, strings.Repeat("v", 65), one))},
		"too many rules":        {body: string(ruleset(t, "v", one, one, one)), options: codeid.RuleOptions{MaxRules: 2}},
		"too many by default":   {body: string(ruleset(t, "v", make([]object, 2001)...))},
		"too many bytes":        {body: string(ruleset(t, "v", one)), options: codeid.RuleOptions{MaxBytes: 100}},
		"4 MiB by default":      {body: string(ruleset(t, "v", one)) + strings.Repeat(" ", 4<<20)},
		"not UTF-8":             {body: string(ruleset(t, "\xff", one)) + "\xff"},
		"something after it":    {body: string(ruleset(t, "v", one)) + "x"},
		"many elements, no end": {body: `{"result":{"resultStatus":"S"},"codeRules":[` + strings.Repeat("{},", 1<<20) + "{}]}"},
	} {
		set, err := codeid.ParseRuleset([]byte(c.body), c.options)
		if !errors.Is(err, codeid.ErrRuleset) || set != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
	set := parse(t, ruleset(t, "v", one, big), codeid.RuleOptions{})
	if s := set.Skipped(); len(s) != 1 || s[0] != (codeid.SkippedRule{Index: 1, Reason: "larger than 64 KiB"}) {
		t.Errorf("a rule of 66,000 bytes: %v", s)
	}
}

func TestIdentifyRefusesWhatIsNoCode(t *testing.T) {
	set := parse(t, ruleset(t, "v", prefix("EX-"), regex(".*x")), codeid.RuleOptions{})
	for rule, code := range map[string]string{
		"empty":            "",
		"8,193 characters": "EX-" + strings.Repeat("x", 8_190),
		"8,193 of them é":  strings.Repeat("é", 8_193),
		"not UTF-8":        "EX-\xff",
	} {
		id, err := set.Identify(code)
		var result alipayplus.Result
		if !errors.As(err, &result) || result.Status != alipayplus.StatusFailed || result.Code != alipayplus.CodeParamIllegal {
			t.Errorf("%s: %v", rule, err)
		}
		if id.Supported || id.Rule != codeid.NoRule {
			t.Errorf("%s: %+v", rule, id)
		}
	}
	// 8,192 characters are fine, however many bytes they take.
	if id, err := set.Identify("EX-" + strings.Repeat("é", 8_189)); err != nil || !id.Supported {
		t.Errorf("8,192 characters: %+v, %v", id, err)
	}
}

func TestLongCodesAndRegularExpressions(t *testing.T) {
	set := parse(t, ruleset(t, "v", regex("é*x*"), prefix("y")), codeid.RuleOptions{})
	for _, c := range []struct {
		rule                   string
		code                   string
		supported, needsRemote bool
	}{
		{"512 characters match", strings.Repeat("é", 512), true, false},
		{"513 characters are not matched", strings.Repeat("x", 513), false, true},
		{"512 characters that do not match", strings.Repeat("z", 512), false, false},
		{"513 characters, taken by another rule", strings.Repeat("y", 513), true, false},
	} {
		id, err := set.Identify(c.code)
		if err != nil || id.Supported != c.supported || id.NeedsRemote != c.needsRemote {
			t.Errorf("%s: %+v, %v", c.rule, id, err)
		}
	}
	// Nor does a REGEX rule see a long code by way of its conditions on fields.
	set = parse(t, ruleset(t, "v", extended(t, regex(".*"), "countryCode", "JP")), codeid.RuleOptions{})
	fill := ""
	for tag := 80; tag < 85; tag++ {
		fill += tlv(tag, strings.Repeat("x", 99))
	}
	for long, fill := range map[bool]string{false: "", true: fill} {
		id, err := set.Identify(emv(tlv(0, "01"), tlv(58, "JP"), fill))
		if err != nil || id.Supported == long || id.NeedsRemote != long {
			t.Errorf("EMVCo code, long: %v: %+v, %v", long, id, err)
		}
	}
	// Without REGEX rules a long code is just not supported.
	set = parse(t, ruleset(t, "v", prefix("y")), codeid.RuleOptions{})
	if id, _ := set.Identify(strings.Repeat("x", 513)); id.NeedsRemote {
		t.Error("needs remote without a regular expression in the set")
	}
}

func TestRuleOptions(t *testing.T) {
	trust := func(rule object, result string) object {
		rule["extendInfo"] = object{"matchResult": result}
		return rule
	}
	five := int64(5)
	page := openURL("CONSTRUCT_DYNAMIC_URL", "dynamicUrlExpression", "https://gw.example/?i=${issuer}")
	body := ruleset(t, "v",
		prefix("A", "priority", 1), // 0
		prefix("AB", "priority", 2),
		prefix("AC"), // 2
		prefix("ACD", "priority", 10_000),
		regex("B[0-9]"), // 4
		trust(prefix("T"), `{"trust":"N"}`),
		rule(page, "PREFIX", "prefix", "P"), // 6
		regex(`C(.)\1`),
		prefix("AC", "priority", 6), // 8
		trust(prefix("V"), `{"sdkJarSupportVersion":"2.0.0"}`),
	)
	for _, c := range []struct {
		rule      string
		options   codeid.RuleOptions
		code      string
		want      int
		untrusted bool
		url       string
	}{
		{rule: "smaller priority first", code: "AB", want: 0},
		{rule: "LargestFirst", options: codeid.RuleOptions{LargestFirst: true}, code: "AB", want: 1},
		{rule: "LargestFirst, ties in the order of the list", options: codeid.RuleOptions{LargestFirst: true}, code: "ACD", want: 2},
		{rule: "AbsentPriority", options: codeid.RuleOptions{LargestFirst: true, AbsentPriority: &five}, code: "AC", want: 8},
		{rule: "whole code", code: "xB1", want: codeid.NoRule},
		{rule: "PartialRegex", options: codeid.RuleOptions{PartialRegex: true}, code: "xB1x", want: 4},
		{rule: "trust N", code: "T", want: 5, untrusted: true},
		{rule: "trust N, IgnoreTrust", options: codeid.RuleOptions{IgnoreTrust: true}, code: "T", want: 5},
		{rule: "version wanted", code: "V", want: 9, untrusted: true},
		{rule: "no issuer", code: "P", want: 6, url: "https://gw.example/?i="},
		{rule: "Issuer", options: codeid.RuleOptions{Issuer: "a&b"}, code: "P", want: 6, url: "https://gw.example/?i=a%26b"},
		{rule: "no compiler", code: "Cxx", want: codeid.NoRule},
		{rule: "Compile", options: codeid.RuleOptions{Compile: func(pattern string) (func(string) bool, error) {
			if pattern != `C(.)\1` {
				t.Errorf("asked for %q, which Go can compile", pattern)
			}
			return func(code string) bool { return len(code) == 3 && code[0] == 'C' && code[1] == code[2] }, nil
		}}, code: "Cxx", want: 7},
		{rule: "Compile fails", options: codeid.RuleOptions{Compile: func(string) (func(string) bool, error) {
			return nil, errors.New("no")
		}}, code: "Cxx", want: codeid.NoRule},
	} {
		set := parse(t, body, c.options)
		id, err := set.Identify(c.code)
		if err != nil || id.Rule != c.want || id.Untrusted != c.untrusted || id.RedirectURL() != c.url {
			t.Errorf("%s: %+v, %q, %v", c.rule, id, id.RedirectURL(), err)
		}
		if strings.Contains(id.Reason, "server SDK") != c.untrusted {
			t.Errorf("%s: support reads %q", c.rule, id.Reason)
		}
		wantSkipped := 1
		if c.rule == "Compile" {
			wantSkipped = 0
		}
		if len(set.Skipped()) != wantSkipped {
			t.Errorf("%s: skipped %v", c.rule, set.Skipped())
		}
	}
}

// Conditions on one code may take so much work and no more; what is left
// undecided then needs a Remote.
func TestWorkIsBounded(t *testing.T) {
	fields := []string{tlv(0, "01")}
	for tag := 26; tag <= 51; tag++ {
		fields = append(fields, tlv(tag, tlv(0, "X")+tlv(1, strings.Repeat("e", 80))))
	}
	code := emv(fields...)
	for size, want := range map[int]bool{20: false, 400: false, 800: true} { // times 80 characters, times 26 templates
		pattern := fmt.Sprintf("R<e{%d}x>", size)
		set := parse(t, ruleset(t, "v", account("00", "X", "01", pattern), prefix("000201", "priority", 10_001)), codeid.RuleOptions{})
		id, err := set.Identify(code)
		if err != nil || id.NeedsRemote != want || id.Supported == want {
			t.Errorf("pattern of %d: %+v, %v", size, id, err)
		}
	}
	// Plain values cost less, but many of them in many rules cost something, too.
	pairs := []string{"00", "X"}
	for tag := 1; tag < 60; tag++ {
		pairs = append(pairs, fmt.Sprintf("%02d", tag), "absent")
	}
	for rules, want := range map[int]bool{100: false, 400: true} { // times 60 values, times 26 templates
		list := make([]object, rules, rules+1)
		for i := range list {
			list[i] = account(pairs...)
		}
		set := parse(t, ruleset(t, "v", append(list, prefix("000201", "priority", 10_001))...), codeid.RuleOptions{})
		id, err := set.Identify(code)
		if err != nil || id.NeedsRemote != want || id.Supported == want {
			t.Errorf("%d rules: %+v, %v", rules, id, err)
		}
	}
}

// The look-aheads of live rules, against the same conditions written by hand.
func TestLookAhead(t *testing.T) {
	for pattern, want := range map[string]func(s string) bool{
		`^(?!0000$).*$`:           func(s string) bool { return s != "0000" },
		`(?!0000$).*`:             func(s string) bool { return s != "0000" },
		`^NCHL(?!00000000).{8}.*`: func(s string) bool { return len(s) >= 12 && s[:4] == "NCHL" && s[4:12] != "00000000" },
		`^N(?!0)(?!1$)[01]*$`: func(s string) bool {
			return s[0] == 'N' && only(s[1:], "01") && !strings.HasPrefix(s[1:], "0") && s != "N1"
		},
		`^[NC]{2}(?!00|11).*`: func(s string) bool { return len(s) >= 2 && only(s[:2], "NC") && !starts(s[2:], "00", "11") },
		`^(NC|CH)(?!0\.)[01.]+`: func(s string) bool {
			return starts(s, "NC", "CH") && len(s) > 2 && only(s[2:], "01.") && !starts(s[2:], "0.")
		},
		`^N[(?!0]*(?!1)\(\?![01]+$`: nil, // a class is no look-ahead, and a part before one has a fixed length
	} {
		set := parse(t, ruleset(t, "v", regex(pattern)), codeid.RuleOptions{})
		if (want == nil) != (len(set.Skipped()) == 1) {
			t.Errorf("%s: skipped %v", pattern, set.Skipped())
			continue
		}
		if want == nil {
			continue
		}
		random := rand.New(rand.NewPCG(1, 2))
		matched := 0
		for range 4_000 {
			code := randomText(random, []string{"N", "NC", "NCHL", "CH", ""}[random.IntN(5)], "01.0", 10)
			if code == "" {
				continue
			}
			id, _ := set.Identify(code)
			if id.Supported != want(code) {
				t.Fatalf("%s: %q is %v", pattern, code, id.Supported)
			}
			if id.Supported {
				matched++
			}
		}
		if matched == 0 || matched == 4_000 {
			t.Errorf("%s: %d of 4,000 texts matched", pattern, matched)
		}
	}
}

func only(s, letters string) bool { return strings.Trim(s, letters) == "" }

func starts(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func randomText(r *rand.Rand, start, letters string, most int) string {
	b := []byte(start)
	for range r.IntN(most + 1) {
		b = append(b, letters[r.IntN(len(letters))])
	}
	return string(b)
}

// All regular expressions of REGEX rules together, and all different ones in
// value expressions, have a largest size.
func TestRegularExpressionsTogether(t *testing.T) {
	for name, one := range map[string]func(i int) object{
		"rules":       func(i int) object { return regex(fmt.Sprintf("%03d[ab]{400}", i)) },
		"rules alike": func(int) object { return regex("[ab]{400}") },
		"values":      func(i int) object { return account("00", fmt.Sprintf("R<%03d[ab]{400}>", i)) },
	} {
		var rules []object
		for i := range 60 {
			rules = append(rules, one(i))
		}
		set := parse(t, ruleset(t, "v", rules...), codeid.RuleOptions{})
		want := 12 // of 400 to 404
		if name == "values" {
			want = 49
		}
		if set.Len() != want {
			t.Errorf("%s: %d in use, want %d", name, set.Len(), want)
		}
		for _, s := range set.Skipped() {
			if s.Reason != "regular expression that makes all of them together too large" {
				t.Errorf("%s: %v", name, s)
			}
		}
	}
	var rules []object
	for range 60 { // equal ones count once
		rules = append(rules, account("00", "R<[ab]{400}>"))
	}
	if set := parse(t, ruleset(t, "v", rules...), codeid.RuleOptions{}); set.Len() != 60 {
		t.Errorf("%d equal value expressions in use", set.Len())
	}
}

// What a caller does with the list of skipped rules changes no other one.
func TestSkippedIsACopy(t *testing.T) {
	set := parse(t, ruleset(t, "v", prefix("A"), regex("(")), codeid.RuleOptions{})
	first := set.Skipped()
	if len(first) != 1 || first[0].Index != 1 {
		t.Fatalf("%+v", first)
	}
	first[0] = codeid.SkippedRule{Index: 7}
	if again := set.Skipped(); again[0].Index != 1 {
		t.Errorf("%+v", again)
	}
}
