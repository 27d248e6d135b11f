package codeid_test

import (
	"cmp"
	"encoding/json"
	"os"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// read reads a file of testdata. The checksums of its EMVCo codes were not made
// by this module.
func read(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// names returns the names of the rules in a file, which the package itself
// ignores.
func names(t testing.TB, body []byte) (names, reasons []string) {
	t.Helper()
	var file struct {
		CodeRules []struct{ Name, Reason string }
	}
	if err := json.Unmarshal(body, &file); err != nil {
		t.Fatal(err)
	}
	for _, r := range file.CodeRules {
		names = append(names, r.Name)
		reasons = append(reasons, r.Reason)
	}
	return names, reasons
}

type corpusCode struct {
	Name, Code, Rule, Action, RedirectURL, UserAgent string
	NeedsRemote, Untrusted                           bool
}

func corpus(t testing.TB) (codes []corpusCode) {
	t.Helper()
	if err := json.Unmarshal(read(t, "codes.json"), &codes); err != nil {
		t.Fatal(err)
	}
	return codes
}

func parse(t testing.TB, body []byte, options codeid.RuleOptions) *codeid.Ruleset {
	t.Helper()
	set, err := codeid.ParseRuleset(body, options)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestCorpus(t *testing.T) {
	body := read(t, "rules.json")
	set := parse(t, body, codeid.RuleOptions{})
	if n := len(set.Skipped()); n > 0 {
		t.Fatalf("skipped: %v", set.Skipped())
	}
	rules, _ := names(t, body)
	used := map[string]bool{}
	for _, c := range corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			id, err := set.Identify(c.Code)
			if err != nil {
				t.Fatal(err)
			}
			got := corpusCode{c.Name, c.Code, "", string(id.Action), id.RedirectURL(), id.UserAgent, id.NeedsRemote, id.Untrusted}
			if id.Rule != codeid.NoRule {
				got.Rule = rules[id.Rule]
				used[got.Rule] = true
			}
			if got != c {
				t.Errorf("got  %+v\nwant %+v", got, c)
			}
			if id.Supported != (c.Action != "") {
				t.Errorf("supported is %v with action %q", id.Supported, id.Action)
			}
			if id.Version != "c_1_example_7" || id.Reason == "" {
				t.Errorf("version %q, reason %q", id.Version, id.Reason)
			}
		})
	}
	for _, name := range rules {
		if !used[name] && name != "tie, second of the list" && name != "absent priority is 10000: 10001" {
			t.Errorf("no code reaches the rule %q", name)
		}
	}
}

func TestSkippedRules(t *testing.T) {
	body := read(t, "skipped.json")
	set := parse(t, body, codeid.RuleOptions{})
	rules, reasons := names(t, body)
	skipped := map[int]string{}
	for _, s := range set.Skipped() {
		skipped[s.Index] = s.Reason
	}
	for i, name := range rules {
		if got := cmp.Or(skipped[i], "nothing"); got != reasons[i] {
			t.Errorf("%s: skipped for %q, want %q", name, got, reasons[i])
		}
	}
	if set.Len() != 0 {
		t.Errorf("%d rules in use", set.Len())
	}
	// A rule that is skipped never counts as a match.
	for _, code := range append(corpus(t), corpusCode{Code: "EX-1"}, corpusCode{Code: "EX1"}, corpusCode{Code: "A"}) {
		if id, err := set.Identify(code.Code); err != nil || id.Supported || id.Rule != codeid.NoRule || id.NeedsRemote {
			t.Errorf("%s: %+v, %v", code.Name, id, err)
		}
	}
}

// rawRules returns the rules in a file, each as its own JSON.
func rawRules(t testing.TB, body []byte) []json.RawMessage {
	t.Helper()
	var file struct{ CodeRules []json.RawMessage }
	if err := json.Unmarshal(body, &file); err != nil {
		t.Fatal(err)
	}
	return file.CodeRules
}
