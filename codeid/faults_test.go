package codeid_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// What a scanner adds to a code makes no difference to any kind of rule or entry.
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

// A code whose lengths count as Java does, or with an empty field in a template.
func TestUnusualEMVCodes(t *testing.T) {
	set := parse(t, ruleset(t, "v", extended(t, account("00", "X", "01", "N<NULL>"), "merchantName", "Toko 😇")), codeid.RuleOptions{})
	for rule, name := range map[string]string{"code points": "5906Toko 😇", "UTF-16 units": "5907Toko 😇"} {
		id, err := set.Identify(emv(tlv(0, "01"), tlv(26, tlv(0, "X")+"0100"), name))
		if err != nil || !id.Supported {
			t.Errorf("%s: %+v, %v", rule, id, err)
		}
	}
}

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

func TestPriorities(t *testing.T) {
	for text, ok := range map[string]bool{
		`10`: true, `10.0`: true, `"10"`: true, `"10.0"`: true, `1e1`: true, `10.5`: false, `"x"`: false, `"NaN"`: false, `"Inf"`: false,
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

// The router type for those without the server SDK comes first; the public action
// comes before both.
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

func TestIdentificationEqualAndJSON(t *testing.T) {
	open := rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "https://a.example/")
	set := parse(t, ruleset(t, "v", open, prefix("A")), codeid.RuleOptions{})
	identify := func(code string) codeid.Identification {
		id, err := set.Identify(strings.Clone(code))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	one, same, other := identify("https://a.example/1"), identify("https://a.example/1"), identify("https://a.example/2")
	if !one.Equal(same) || one.Equal(other) || one.Equal(identify("A")) || !cmp.Equal(one, same) || cmp.Equal(one, other) {
		t.Error("Equal does not compare by value")
	}
	if body, err := json.Marshal(map[string]any{"id": one}); err == nil || !strings.Contains(err.Error(), "RedirectURL") {
		t.Errorf("JSON with a URL: %s, %v", body, err)
	}
	body, err := json.Marshal(identify("A"))
	var back codeid.Identification
	if err == nil {
		err = json.Unmarshal(body, &back)
	}
	if err != nil || !back.Equal(identify("A")) {
		t.Errorf("JSON without a URL: %s, %v", body, err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "id", one)
	if strings.Contains(log.String(), "a.example") || !strings.Contains(log.String(), `"Action":"OPEN_URL"`) {
		t.Errorf("logged %s", log.String())
	}
}

// A blocklist takes a code as the most forgiving program would read it.
func TestBlocklistFailsClosed(t *testing.T) {
	qr := func(guid string) string { return emv(tlv(0, "01"), tlv(26, tlv(0, guid))) }
	l := list(t, strings.Join([]string{"host bad.example", "host 127.0.0.1", "host xn--bcher-kva.example", "prefix https://p.example/bad/",
		"exact HTTPS://EXACT.EXAMPLE/Pay", "guid com.Example.bad", `regexp https://re[0-9]\.example/.*`}, "\n"))
	block, allow := codeid.NewFilter(codeid.Lists{Block: l}), codeid.NewFilter(codeid.Lists{Allow: l})
	bad := qr("com.Example.bad")
	for rule, c := range map[string]struct {
		code   string
		strict bool // an allowlist has it, too
	}{
		"full-width letters":           {"https://ｂａｄ.example/", false},
		"full-width dot":               {"https://bad．example/", false},
		"ideographic full stop":        {"https://bad。example/", false},
		"full-width throughout":        {"ｈｔｔｐｓ：／／ｂａｄ．ｅｘａｍｐｌｅ／ｘ", false},
		"mathematical letters":         {"https://𝐛𝓪𝕕.example/", false},
		"circled letters":              {"https://ⓑⓐⓓ.example/", false},
		"Kelvin sign and long s":       {"httpſ://bad.example/", false},
		"encoded full-width letters":   {"https://%EF%BD%82ad.example/", false},
		"number":                       {"http://2130706433/", false},
		"hexadecimal":                  {"http://0x7f.0.0.1/", false},
		"octal":                        {"http://0177.0.0.1/", false},
		"short":                        {"http://127.1/", false},
		"address as it is":             {"http://127.0.0.1/", true},
		"host in its own script":       {"https://bücher.example/", false},
		"host in upper case":           {"https://BÜCHER.example/", false},
		"encoded letters in the path":  {"https://p.example/%62ad/1", false},
		"two slashes":                  {"https://p.example//bad/1", false},
		"exact URL in lower case":      {"https://exact.example/Pay", false},
		"exact URL as it is":           {"HTTPS://EXACT.EXAMPLE/Pay", true},
		"GUID in another case":         {qr("COM.EXAMPLE.BAD"), false},
		"GUID as it is":                {bad, true},
		"GUID, wrong checksum":         {bad[:len(bad)-4] + "0000", false},
		"regular expression":           {"HTTPS://RE1.EXAMPLE/x", false},
		"regular expression, encoded":  {"https://re1%2eexample/x", false},
		"trailing line end and a mark": {"\ufeffhttps://bad.example/\r\n", true},
	} {
		if v := block.Check(c.code); v.Decision != codeid.DecisionRejected || v.List != codeid.BlockList {
			t.Errorf("%s: %+v", rule, v)
		}
		if v := allow.Check(c.code); (v.Decision == codeid.DecisionLocal) != c.strict {
			t.Errorf("%s: an allowlist says %+v", rule, v)
		}
	}
	for _, code := range []string{"https://good.example/bad.example", "http://2130706434/", "http://127.0.0.1.example/", "https://exact.example/pay",
		"https://bucher.example/", "https://p.example/good/", qr("com.example.good"), "https://rex.example/", "http://127.0.0.0.1/", "http://127.0.0.256/"} {
		if v := block.Check(code); v.Decision != codeid.DecisionIdentify {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

// A list file is read as a whole or not at all.
func TestListFileIsNeverShort(t *testing.T) {
	for rule, c := range map[string]struct {
		text string
		line int
	}{
		"lone CRs":                     {"exact A1\rexact A2\r", 1},
		"lone CRs after a comment":     {"# ours\rexact A1\rexact A2", 1},
		"lone CR on a later line":      {"exact A1\nexact A2\rexact A3\n", 2},
		"comment after an entry":       {"exact A1 # ours", 1},
		"comment after a tab":          {"prefix A1\t# ours", 1},
		"comment after a pattern":      {"regexp A1 #ours", 1},
		"UTF-16":                       {"\xff\xfee\x00x\x00", 1},
		"UTF-16 without a mark":        {"e\x00x\x00", 1},
		"not UTF-8, in a comment":      {"# \xff\nexact A1", 1},
		"line separator":               {"# ours\u2028exact A1", 1},
		"next line":                    {"# ours\u0085exact A1", 1},
		"form feed":                    {"exact A1\fexact A2", 1},
		"invisible character":          {"exact A\u200b1", 1},
		"mark in the middle":           {"exact A1\nexact \ufeffA2", 2},
		"second mark":                  {"\ufeff\ufeffexact A1", 1},
		"GUID too long":                {"guid " + strings.Repeat("x", 96), 1},
		"prefix that is no URL's":      {"prefix https://a.example\\", 1},
		"prefix of another URL's path": {"prefix https://a.example/x/../y", 1},
	} {
		l, err := codeid.ReadList(strings.NewReader(c.text))
		wrong, ok := err.(*codeid.ListError) //nolint:errorlint // it is this very type
		if l != nil || !ok || wrong.Line != c.line {
			t.Errorf("%s: %v, %v", rule, l, err)
		}
	}
	for rule, e := range map[string]codeid.Entry{
		"blank at the end":      {Kind: codeid.KindExact, Value: "A "},
		"line end":              {Kind: codeid.KindExact, Value: "A\n"},
		"mark":                  {Kind: codeid.KindExact, Value: "\ufeffA"},
		"prefix with a mark":    {Kind: codeid.KindPrefix, Value: "\ufeffA"},
		"prefix of all URLs":    {Kind: codeid.KindPrefix, Value: "HTTPS:/"},
		"host with a full stop": {Kind: codeid.KindHost, Value: "a.example."},
	} {
		if _, err := codeid.NewList(e); err == nil {
			t.Errorf("%s: accepted, but can never match", rule)
		}
	}
	l, err := codeid.ReadList(strings.NewReader("\ufeffexact A1\r\nexact A#2\nexact A 3\n#x\n\nregexp [[:digit:]]+\nregexp \\pL\\.x"))
	if err != nil {
		t.Fatal(err)
	}
	f := codeid.NewFilter(codeid.Lists{Local: l})
	for _, code := range []string{"A1", "A#2", "A 3", "123", "é.x"} {
		if v := f.Check(code); v.Decision != codeid.DecisionLocal || v.List != codeid.LocalList {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

// A Remote gets the code without what the scanner added.
func TestRemoteGetsTheCleanCode(t *testing.T) {
	var asked []string
	w := newWorld(t, func(cfg *codeid.Config) {
		cfg.Remote = remote(func(code string) (codeid.RemoteAnswer, error) {
			asked = append(asked, code)
			return codeid.RemoteAnswer{Supported: true, Action: codeid.ActionOpenURL, RedirectURL: alipayplus.Conceal("https://a.example/")}, nil
		})
	})
	w.serves("v", rule(openURL("USE_DIRECTLY"), "PREFIX", "prefix", "TEXT-"))
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	if id, err := w.Identify(t.Context(), "TEXT-1\r\n"); err != nil || id.RedirectURL() != "https://a.example/" {
		t.Errorf("%+v, %v", id, err)
	}
	if !slices.Equal(asked, []string{"TEXT-1"}) {
		t.Error(fmt.Sprintf("%q", asked))
	}
}
