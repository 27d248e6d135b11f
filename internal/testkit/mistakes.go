package testkit

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// FindsMistakes tests a test: contract, run on something with one of these
// mistakes, must fail in one of its parts, which are subtests. That happens in
// a process of its own, which FindsMistakes starts to run the calling test
// alone.
func FindsMistakes(t *testing.T, mistakes []string, contract func(t *testing.T, mistake string)) {
	t.Helper()
	const control = "ALIPAYPLUS_TEST_MISTAKES"
	if os.Getenv(control) == t.Name() {
		for _, mistake := range mistakes {
			t.Run(mistake, func(t *testing.T) {
				t.Parallel()
				contract(t, mistake)
			})
		}
		return
	}
	timeout := "0" // no other limit than this process has
	if deadline, ok := t.Deadline(); ok {
		timeout = time.Until(deadline).String()
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.parallel=64", "-test.timeout="+timeout) //nolint:gosec // this test itself
	cmd.Env = append(os.Environ(), control+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("it passes on all of them")
	}
	failed := map[string]string{} // the part that failed, by mistake
	for _, m := range regexp.MustCompile(`(?m)^ *--- FAIL: `+t.Name()+`/([^/\n]*)/(.*) \(`).FindAllStringSubmatch(string(out), -1) {
		failed[m[1]] = m[2]
	}
	for _, mistake := range mistakes {
		part := failed[strings.ReplaceAll(mistake, " ", "_")]
		if part == "" {
			t.Errorf("it passes on one that %s", mistake)
		}
		t.Logf("%s: %s", mistake, part)
	}
	if t.Failed() {
		t.Logf("%s", out)
		return
	}
	t.Logf("%d mistakes, all found", len(mistakes))
}
