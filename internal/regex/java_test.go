package regex_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/regex"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// javaVerdict is a line of testdata/java.jsonl: what java.util.regex.Pattern of
// Java 17 says about a pattern and a text that were made up.
type javaVerdict struct {
	mode    string // "whole" for Matcher.matches, "part" for Matcher.find
	pattern string
	text    string
	verdict string // "yes", "no" or "error": it does not compile
}

// javaVerdicts reads testdata/java.jsonl. To make such a file, write for each
// line, in Java 17:
//
//	Matcher m = Pattern.compile(pattern).matcher(text);
//	boolean verdict = mode.equals("part") ? m.find() : m.matches();
func javaVerdicts(t testing.TB) (all []javaVerdict) {
	t.Helper()
	f, err := os.Open("testdata/java.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l [4]string
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, javaVerdict{l[0], l[1], l[2], l[3]})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A pattern means what it means to Java, or it is refused.
func TestPatternsMeanWhatTheyMeanToJava(t *testing.T) {
	type key struct{ mode, pattern string }
	compiled := map[key]*regex.Regexp{}
	compared, refused := 0, 0
	for i, v := range javaVerdicts(t) {
		if testkit.Race && i%10 > 0 {
			continue
		}
		k := key{v.mode, v.pattern}
		re, known := compiled[k]
		if !known {
			var err error
			if re, err = regex.Java(v.pattern, v.mode == "part"); err != nil {
				re = nil
			}
			compiled[k] = re
		}
		switch {
		case re == nil:
			refused++
		case v.verdict == "error" || re.Match(v.text) != (v.verdict == "yes"):
			t.Errorf("%s %q, %q: Java says %s", v.mode, v.pattern, v.text, v.verdict)
		default:
			compared++
		}
	}
	t.Logf("%d verdicts compared, %d refused", compared, refused)
	if compared < refused {
		t.Errorf("only %d of them were compared, %d refused", compared, refused)
	}
}
