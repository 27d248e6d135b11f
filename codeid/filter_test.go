package codeid_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

func list(t testing.TB, text string) *codeid.List {
	t.Helper()
	l, err := codeid.ReadList(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const sampleList = "\ufeff# a comment\n" + `
exact   EXACT-1
  exact	with a blank
prefix  EXP1
prefix  LONGPREFIX-
prefix  https://pay.example/m/
prefix  http://plain.example:8080
host    one.example
host    *.below.example
host    path.example/q/
host    *.both.example/Q
guid    com.example.wallet
regexp  EXR[0-9]{3}
`

func TestFilterEntries(t *testing.T) {
	guid := func(s string) string {
		return emv(tlv(0, "01"), tlv(26, tlv(0, "OTHER")), tlv(40, tlv(0, s)+tlv(1, "x")))
	}
	l := list(t, strings.ReplaceAll(sampleList, "\n", "\r\n"))
	f := codeid.NewFilter(codeid.Lists{Allow: l})
	for _, c := range []struct {
		rule, code string
		kind       codeid.Kind
		entry      string
	}{
		{"exact", "EXACT-1", codeid.KindExact, ""},
		{"exact is the whole code", "EXACT-12", "", ""},
		{"exact is case-sensitive", "exact-1", "", ""},
		{"a blank in the value", "with a blank", codeid.KindExact, ""},
		{"prefix", "EXP1234", codeid.KindPrefix, "EXP1"},
		{"longer prefix", "LONGPREFIX-9", codeid.KindPrefix, "LONGPREFIX-"},
		{"longer prefix, half of it", "LONGPREF", "", ""},
		{"prefix alone", "EXP1", codeid.KindPrefix, "EXP1"},
		{"prefix is case-sensitive", "exp1234", "", ""},
		{"prefix, shorter code", "EXP", "", ""},
		{"URL prefix", "https://pay.example/m/7", codeid.KindPrefix, "https://pay.example/m/"},
		{"URL prefix, host in upper case", "HTTPS://PAY.EXAMPLE/m/7", codeid.KindPrefix, "https://pay.example/m/"},
		{"URL prefix, path in upper case", "https://pay.example/M/7", "", ""},
		{"URL prefix, another scheme", "http://pay.example/m/7", "", ""},
		{"URL prefix with a port", "http://plain.example:8080/x", codeid.KindPrefix, "http://plain.example:8080/"},
		{"URL prefix, other port", "http://plain.example:8081/x", "", ""},
		{"URL prefix, host that begins alike", "http://plain.example:80801/x", "", ""},
		{"host", "https://one.example", codeid.KindHost, "one.example"},
		{"host, any scheme, any port", "HTTP://ONE.example:99/x?y#z", codeid.KindHost, "one.example"},
		{"host, not those below", "https://a.one.example/", "", ""},
		{"host, longer name", "https://one.example.jp/", "", ""},
		{"host with those below", "https://a.b.below.example/", codeid.KindHost, "*.below.example"},
		{"host with those below, itself", "https://below.example/", codeid.KindHost, "*.below.example"},
		{"host with those below, only at a dot", "https://xbelow.example/", "", ""},
		{"host and path", "https://path.example/q/1", codeid.KindHost, "path.example/q/"},
		{"host and another path", "https://path.example/Q/1", "", ""},
		{"hosts below and path", "https://a.both.example/Quarter", codeid.KindHost, "*.both.example/Q"},
		{"GUID", guid("com.example.wallet"), codeid.KindGUID, "com.example.wallet"},
		{"GUID of another case", guid("com.example.Wallet"), "", ""},
		{"GUID, wrong checksum", guid("com.example.wallet")[:50] + "0000", "", ""},
		{"regular expression", "EXR123", codeid.KindRegexp, "EXR[0-9]{3}"},
		{"regular expression of the whole code", "EXR1234", "", ""},
		{"user-info", "https://one.example@evil.test/", "", ""},
		{"user-info before the host", "https://u@one.example/", "", ""},
		{"backslash", `https://one.example\.evil.test/`, "", ""},
		{"longest code", "EXP1" + strings.Repeat("x", 8_188), codeid.KindPrefix, "EXP1"},
		{"longest code, more bytes", "EXP1" + strings.Repeat("é", 8_188), codeid.KindPrefix, "EXP1"},
		{"too long for a code", "EXP1" + strings.Repeat("x", 8_189), "", ""},
		{"empty", "", "", ""},
	} {
		want := codeid.Verdict{Decision: codeid.DecisionLocal, List: "allowlist", Kind: c.kind, Entry: c.entry}
		if c.kind == "" {
			want = codeid.Verdict{Decision: codeid.DecisionIdentify}
		}
		if got := f.Check(c.code); got != want {
			t.Errorf("%s: %+v, want %+v", c.rule, got, want)
		}
	}
}

// A blocklist also recognises URLs that are written to be mistaken for others;
// an allowlist never does.
func TestBlocklistIsCareless(t *testing.T) {
	l := list(t, "host *.evil.test\nprefix https://pay.example/bad/\nprefix https://port.example:8443/\nhost path.example/bad/")
	block := codeid.NewFilter(codeid.Lists{Block: l})
	allow := codeid.NewFilter(codeid.Lists{Allow: l})
	for rule, code := range map[string]string{
		"user-info":                    "https://good.example@evil.test/",
		"user-info with at signs":      "https://a@b:c@x.evil.test/",
		"backslash before the path":    `https://evil.test\@good.example/`,
		"backslashes for slashes":      `https:\\evil.test/`,
		"one slash":                    "https:/evil.test/",
		"three slashes":                "https:///evil.test/",
		"tab inside":                   "ht\ttps://evil\t.test/",
		"blanks around":                " https://evil.test/ ",
		"control character in front":   "\x01https://evil.test/",
		"percent-encoded host":         "https://%65vil%2etest/",
		"dot at the end":               "https://evil.test./",
		"port that is none":            "https://evil.test:x/",
		"invisible character":          "https://evil\u00ad.test/",
		"dot segments":                 "https://pay.example/good/../bad/1",
		"encoded dot segments":         "https://pay.example/good/%2e%2E%2fbad/1",
		"dot segments with parameters": "https://path.example/x/..;a/bad/",
		"dot segments at the end":      "https://pay.example/bad/x/..",
		"dot segment at the end":       "https://pay.example/bad/.",
		"dot segments above the root":  "https://pay.example/../../bad/x",
		"user-info and a port":         "https://u@port.example:8443/",
	} {
		if v := block.Check(code); v.Decision != codeid.DecisionRejected {
			t.Errorf("%s: not rejected", rule)
		}
		if v := allow.Check(code); v.Decision != codeid.DecisionIdentify {
			t.Errorf("%s: allowed by %+v", rule, v)
		}
	}
	for rule, code := range map[string]string{
		"the bad host in the path":     "https://good.example/evil.test/",
		"the bad host as user":         "https://evil.test@good.example/",
		"the bad host in the query":    "https://good.example?evil.test/",
		"no URL":                       "evil.test",
		"another port":                 "https://u@port.example:8444/",
		"another path":                 "https://u@pay.example/x/../good/",
		"another scheme":               "ftp://evil.test/",
		"the bad host before a suffix": "https://evil.test.good.example/",
	} {
		if v := block.Check(code); v.Decision != codeid.DecisionIdentify {
			t.Errorf("%s: rejected by %+v", rule, v)
		}
	}
}

func TestFilterOrder(t *testing.T) {
	var asked []string
	says := func(name string) *codeid.List {
		l, err := codeid.NewList(codeid.Entry{Kind: codeid.KindFunc, Value: name, Func: func(code string) bool {
			asked = append(asked, name)
			return strings.Contains(code, name)
		}})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	all := codeid.Lists{Block: says("b"), Local: says("l"), Allow: says("a")}
	for _, c := range []struct {
		rule, code string
		lists      codeid.Lists
		want       codeid.Decision
		asked      string
	}{
		{"blocked comes first", "abl", all, codeid.DecisionRejected, "[b]"},
		{"then local", "al", all, codeid.DecisionLocal, "[b l]"},
		{"then the allowlist", "a", all, codeid.DecisionLocal, "[b l a]"},
		{"else identify", "x", all, codeid.DecisionIdentify, "[b l a]"},
		{"allowlist solution", "a", codeid.Lists{Local: all.Local, Allow: all.Allow}, codeid.DecisionLocal, "[l a]"},
		{"blocklist solution", "b", codeid.Lists{Block: all.Block, Local: all.Local}, codeid.DecisionRejected, "[b]"},
		{"no lists", "abl", codeid.Lists{}, codeid.DecisionIdentify, "[]"},
	} {
		asked = nil
		if got := codeid.NewFilter(c.lists).Check(c.code); got.Decision != c.want || fmt.Sprint(asked) != c.asked {
			t.Errorf("%s: %v, asked %v", c.rule, got, asked)
		}
	}
	var zero codeid.Filter
	if v := zero.Check("x"); v.Decision != codeid.DecisionIdentify {
		t.Errorf("zero filter: %+v", v)
	}
}

func TestFilterReplaceInUse(t *testing.T) {
	one, two := list(t, "exact A\nprefix B"), list(t, "exact B1\nprefix A")
	f := codeid.NewFilter(codeid.Lists{Allow: one})
	stop := make(chan struct{})
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// Both are local in every version, each by another kind of entry.
				if a, b := f.Check("A"), f.Check("B1"); a.Decision != codeid.DecisionLocal || b.Decision != codeid.DecisionLocal {
					t.Error(a, b)
					return
				}
			}
		})
	}
	for i := range 1000 {
		f.Replace(codeid.Lists{Allow: []*codeid.List{one, two}[i%2]})
	}
	close(stop)
	done.Wait()
}

func TestListErrors(t *testing.T) {
	secret := "28100104AbCdEf"
	for rule, c := range map[string]struct {
		text string
		line int
	}{
		"unknown kind":              {"exact a\n\nfancy " + secret, 3},
		"no value":                  {"exact", 1},
		"a value alone":             {"# x\n" + secret, 2},
		"blanks for a value":        {"prefix   \t", 1},
		"function":                  {"func " + secret, 1},
		"not UTF-8":                 {"exact \xff", 1},
		"longer than any code":      {"exact " + strings.Repeat("x", 8_193), 1},
		"longer than any line":      {"exact a\nexact " + strings.Repeat("x", 70_000), 2},
		"prefix of all URLs":        {"prefix htt", 1},
		"URL prefix without a host": {"prefix https://", 1},
		"URL prefix with user-info": {"prefix https://" + secret + "@a.example/", 1},
		"host with a scheme":        {"host https://a.example", 1},
		"host with a port":          {"host a.example:80", 1},
		"host with a wildcard":      {"host a.*.example", 1},
		"host with user-info":       {"host " + secret + "@a.example", 1},
		"host with a query":         {"host a.example?x/", 1},
		"wildcard without a host":   {"host *.", 1},
		"host of another script":    {"host bücher.example", 1},
		"GUID too long":             {"guid " + strings.Repeat("x", 96), 1},
		"pattern broken":            {"regexp (" + secret, 1},
		"pattern too large":         {"regexp [ab]{999}{2}" + secret, 1},
		"patterns too large":        {strings.Repeat("regexp [ab]{900}\n", 6), 6},
	} {
		_, err := codeid.ReadList(strings.NewReader(c.text))
		var wrong *codeid.ListError
		if !errors.As(err, &wrong) || wrong.Line != c.line || wrong.Reason == "" {
			t.Errorf("%s: %v, want line %d", rule, err, c.line)
		}
		if strings.Contains(fmt.Sprint(err), secret) {
			t.Errorf("%s: the error quotes the entry", rule)
		}
	}
	for rule, e := range map[string]codeid.Entry{
		"function without a kind": {Value: "x", Func: func(string) bool { return true }},
		"kind without a function": {Kind: codeid.KindFunc, Value: "x"},
		"function without a name": {Kind: codeid.KindFunc, Func: func(string) bool { return true }},
	} {
		var wrong *codeid.ListError
		if _, err := codeid.NewList(codeid.Entry{Kind: codeid.KindExact, Value: "a"}, e); !errors.As(err, &wrong) || wrong.Line != 2 {
			t.Errorf("%s: %v", rule, err)
		}
	}
	broken := errors.New("broken pipe")
	if _, err := codeid.ReadList(errorReader{broken}); !errors.Is(err, broken) {
		t.Errorf("an error of the reader became %v", err)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// Any number of lengths, and the longest prefix is the one that is found.
func TestPrefixesOfManyLengths(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	text := func(most int) string { return randomText(random, "AB", "ab", most) }
	var lines []string
	entries := map[string]bool{}
	for range 200 {
		p := text(150) + "c"
		entries[p] = true
		lines = append(lines, "prefix "+p)
	}
	f := codeid.NewFilter(codeid.Lists{Allow: list(t, strings.Join(lines, "\n"))})
	found := 0
	for p := range entries {
		for _, code := range []string{p, p[:len(p)-1], p + text(5), p[:2] + p[3:], text(200)} {
			want := ""
			for n := len(code); n > 0 && want == ""; n-- {
				if entries[code[:n]] {
					want = code[:n]
				}
			}
			if got := f.Check(code); got.Entry != want {
				t.Fatalf("%q: %q, want %q", code, got.Entry, want)
			}
			if want != "" {
				found++
			}
		}
	}
	if found < 400 {
		t.Errorf("only %d found", found)
	}
}
