package codeid_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
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
	name := "testdata/java.jsonl"
	if n := os.Getenv("JAVA_VERDICTS"); n != "" {
		name = n
	}
	f, err := os.Open(name)
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

// A pattern means what it means to Java, or its rule is skipped.
func TestPatternsMeanWhatTheyMeanToJava(t *testing.T) {
	matchers := map[[2]string]func(string) bool{}
	compared, skipped, wrong := 0, 0, 0
	for _, v := range javaVerdicts(t) {
		key := [2]string{v.mode, v.pattern}
		match, known := matchers[key]
		if !known {
			match = codeid.Admit(v.pattern, v.mode == "part")
			matchers[key] = match
		}
		switch {
		case match == nil:
			skipped++
		case v.verdict == "error" || match(v.text) != (v.verdict == "yes"):
			t.Errorf("%s %q, %q: Java says %s", v.mode, v.pattern, v.text, v.verdict)
			if wrong++; wrong > 20 {
				t.FailNow()
			}
		default:
			compared++
		}
	}
	t.Logf("%d verdicts compared, %d skipped", compared, skipped)
	if compared < 3*skipped/2 && !strings.Contains(os.Getenv("JAVA_VERDICTS"), "/") {
		t.Errorf("only %d of them were compared, %d skipped", compared, skipped)
	}
}
