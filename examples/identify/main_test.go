package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const testdata = "../../codeid/testdata/"

// program runs the tool.
func program(t *testing.T, in string, args ...string) (out, complaint string, status int) {
	t.Helper()
	var o, c strings.Builder
	status = run(args, strings.NewReader(in), &o, &c)
	return o.String(), c.String(), status
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLines(t *testing.T) {
	allow := file(t, "# ours\nhost *.wallet.example\nexact 28100104LOCAL\n")
	block := file(t, "prefix https://evil.example/\n")
	for _, c := range []struct{ rule, code, want string }{
		{"order code", "28100104AbC0dEf1GhI2jKl3Mn",
			`{"codeValue":"28100104AbC0dEf1GhI2jKl3Mn","decision":"identified","supported":true,"action":"DECODE","redirectUrl":"",` +
				`"userAgent":"","needsRemote":false,"rule":0,"reason":"PREFIX rule matches",` +
				`"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`},
		{"entry code, with & and <", "https://shop.example/?a=1&b=<",
			`{"codeValue":"https://shop.example/?a=1&b=<","decision":"identified","supported":true,"action":"OPEN_URL",` +
				`"redirectUrl":"https://shop.example/?a=1&b=<","userAgent":"AlipayConnect","needsRemote":false,"rule":3,` +
				`"reason":"PREFIX rule matches","result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`},
		{"not supported", "hello",
			`{"codeValue":"hello","decision":"identified","supported":false,"action":"","redirectUrl":"","userAgent":"",` +
				`"needsRemote":false,"rule":-1,"reason":"no rule matches",` +
				`"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`},
		{"needs the remote identifier", "EXV-1",
			`{"codeValue":"EXV-1","decision":"identified","supported":false,"action":"","redirectUrl":"","userAgent":"",` +
				`"needsRemote":true,"rule":10,"reason":"the rule that matches gives no URL to open",` +
				`"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`},
		{"local", "https://pay.wallet.example/",
			`{"codeValue":"https://pay.wallet.example/","decision":"local","supported":false,"action":"","redirectUrl":"",` +
				`"userAgent":"","needsRemote":false,"rule":-1,"reason":"allowlist: host *.wallet.example",` +
				`"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`},
		{"local, exact", "28100104LOCAL",
			`{"codeValue":"28100104LOCAL","decision":"local","supported":false,"action":"","redirectUrl":"","userAgent":"",` +
				`"needsRemote":false,"rule":-1,"reason":"allowlist: exact",` +
				`"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`},
		{"rejected", "https://evil.example/1",
			`{"codeValue":"https://evil.example/1","decision":"rejected","supported":false,"action":"","redirectUrl":"",` +
				`"userAgent":"","needsRemote":false,"rule":-1,"reason":"blocklist: prefix https://evil.example/",` +
				`"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`},
		{"no code", "",
			`{"codeValue":"","decision":"identified","supported":false,"action":"","redirectUrl":"","userAgent":"",` +
				`"needsRemote":false,"rule":-1,"reason":"the code value is empty",` +
				`"result":{"resultCode":"PARAM_ILLEGAL","resultStatus":"F","resultMessage":"the code value is empty"}}`},
	} {
		out, complaint, status := program(t, "", "-rules", testdata+"rules.json", "-allow", allow, "-block", block, c.code)
		if out != c.want+"\n" || complaint != "" || status != 0 {
			t.Errorf("%s: status %d, %s\ngot  %swant %s", c.rule, status, complaint, out, c.want)
		}
	}
}

// Codes are arguments or lines, and both give the same; the whole corpus of the
// package passes through.
func TestStandardInput(t *testing.T) {
	var corpus []struct{ Code, Action, RedirectURL string }
	body, err := os.ReadFile(testdata + "codes.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &corpus); err != nil {
		t.Fatal(err)
	}
	corpus = slices.DeleteFunc(corpus, func(c struct{ Code, Action, RedirectURL string }) bool { return strings.Contains(c.Code, "\n") })
	args := []string{"-rules", testdata + "rules.json", "--"}
	lines, crlf := "", ""
	for _, c := range corpus {
		args = append(args, c.Code)
		lines += c.Code + "\n"
		crlf += c.Code + "\r\n"
	}
	want, _, status := program(t, "not read", args...)
	if status != 0 {
		t.Fatal(status)
	}
	for name, in := range map[string]string{"lines": lines, "no end of the last line": strings.TrimSuffix(lines, "\n"), "CR LF": crlf} {
		if out, _, status := program(t, in, args[:2]...); status != 0 || out != want {
			t.Errorf("%s: status %d, other output", name, status)
		}
	}
	got := strings.Split(strings.TrimSuffix(want, "\n"), "\n")
	for i, c := range corpus {
		var a answer
		if err := json.Unmarshal([]byte(got[i]), &a); err != nil {
			t.Fatal(err)
		}
		if a.CodeValue != c.Code || a.Action != c.Action || a.RedirectURL != c.RedirectURL || a.Result.Status != "S" {
			t.Errorf("line %d: %s", i+1, got[i])
		}
	}
	// A line may be longer than any code.
	out, _, status := program(t, strings.Repeat("x", 200_000)+"\n28100104A\n\n", args[:2]...)
	if n := strings.Count(out, "\n"); status != 0 || n != 3 || strings.Count(out, "PARAM_ILLEGAL") != 2 {
		t.Errorf("status %d, %d lines", status, n)
	}
	if out, _, status := program(t, "", args[:2]...); out != "" || status != 0 {
		t.Errorf("no codes: %q, %d", out, status)
	}
}

func TestCheck(t *testing.T) {
	out, complaint, status := program(t, "", "-rules", testdata+"rules.json", "-check")
	if !strings.HasPrefix(out, "version c_1_example_7: ") || !strings.HasSuffix(out, " rules in use, 0 skipped\n") || complaint != "" || status != 0 {
		t.Errorf("%d %q %q", status, out, complaint)
	}
	out, complaint, status = program(t, "", "-rules", testdata+"skipped.json", "-check")
	if !strings.HasPrefix(out, "rule 0: unknown match method\n") || !strings.Contains(out, " 0 rules in use") || complaint != "" || status != 1 {
		t.Errorf("%d %q %q", status, out, complaint)
	}
	// Without -check they are mentioned.
	out, complaint, status = program(t, "", "-rules", testdata+"skipped.json", "EX-1")
	if !strings.Contains(complaint, "rules cannot be used; -check says why") || !strings.Contains(out, `"rule":-1`) || status != 0 {
		t.Errorf("%d %q %q", status, out, complaint)
	}
}

func TestUnusable(t *testing.T) {
	good := testdata + "rules.json"
	for rule, c := range map[string]struct {
		args []string
		want string
	}{
		"no rules":            {nil, "-rules is missing"},
		"unknown flag":        {[]string{"-fast"}, "-fast"},
		"rules not there":     {[]string{"-rules", "nowhere.json", "x"}, "nowhere.json: no such file"},
		"rules no JSON":       {[]string{"-rules", file(t, "<html>"), "x"}, "unusable rule set: unusable JSON"},
		"rules F":             {[]string{"-rules", file(t, `{"result":{"resultStatus":"F"}}`), "x"}, "resultStatus is not S"},
		"rules empty":         {[]string{"-rules", file(t, `{"result":{"resultStatus":"S"},"codeRules":[]}`), "x"}, "no rules"},
		"rules with -check":   {[]string{"-rules", file(t, ""), "-check"}, "unusable rule set"},
		"allow not there":     {[]string{"-rules", good, "-allow", "nowhere.txt", "x"}, "nowhere.txt: no such file"},
		"allow wrong":         {[]string{"-rules", good, "-allow", file(t, "exact a\nhosts b"), "x"}, "line 2: unknown kind"},
		"block wrong":         {[]string{"-rules", good, "-block", file(t, "host http://b"), "x"}, "line 1: not a host"},
		"block with -check":   {[]string{"-rules", good, "-block", file(t, "x"), "-check"}, "line 1"},
		"codes beside -check": {[]string{"-rules", good, "-check", "x"}, "-check takes no codes"},
	} {
		out, complaint, status := program(t, "", c.args...)
		if status != 2 || out != "" || !strings.Contains(complaint, c.want) {
			t.Errorf("%s: status %d, %q, %q", rule, status, out, complaint)
		}
	}
	if _, complaint, status := program(t, "", "-h"); status != 0 || !strings.HasPrefix(complaint, "usage: identify") {
		t.Errorf("-h: %d %q", status, complaint)
	}
}
