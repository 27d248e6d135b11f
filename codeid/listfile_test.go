package codeid_test

import (
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

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
