package codeid_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// These are edges that changes of the code crossed without a test that saw it:
// see internal/cmd/mutate.

// A pattern of a list sees codes of at most 512 characters.
func TestListPatternsAndLongCodes(t *testing.T) {
	f := codeid.NewFilter(codeid.Lists{Allow: list(t, "regexp x*")})
	for n, want := range map[int]codeid.Kind{511: codeid.KindRegexp, 512: codeid.KindRegexp, 513: ""} {
		if got := f.Check(strings.Repeat("x", n)); got.Kind != want {
			t.Errorf("%d characters: %q, want %q", n, got.Kind, want)
		}
	}
}

// Primitive merchant tags are 02 to 25.
func TestPrimitiveTags(t *testing.T) {
	for tag, want := range map[string]bool{"01": false, "02": true, "15": true, "25": true, "26": false, "2": false, "": false} {
		r := rule(decode, "EMVCO", "emvMatchRules", []object{{"primitiveMerchant": true, "primitiveMerchantTag": tag}})
		set := parse(t, ruleset(t, "v", r, prefix("x")), codeid.RuleOptions{})
		if used := len(set.Skipped()) == 0; used != want {
			t.Errorf("%q: %v", tag, set.Skipped())
		}
	}
}

// A compiler that returns no matcher has not compiled, and one that returns an
// error neither.
func TestCompilersThatFail(t *testing.T) {
	always := func(string) bool { return true }
	for name, compile := range map[string]func(string) (func(string) bool, error){
		"nothing at all":         func(string) (func(string) bool, error) { return nil, nil },
		"a matcher and an error": func(string) (func(string) bool, error) { return always, errors.New("no") },
	} {
		set := parse(t, ruleset(t, "v", regex(`C(.)\1`), prefix("x")), codeid.RuleOptions{Compile: compile})
		if len(set.Skipped()) != 1 {
			t.Errorf("%s: skipped %v", name, set.Skipped())
		}
		if id, err := set.Identify("Cxx"); err != nil || id.Supported {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}

// A set that takes too long says so.
func TestWorkThatIsTooMuchIsNamed(t *testing.T) {
	fields := []string{tlv(0, "01")}
	for tag := 26; tag <= 51; tag++ {
		fields = append(fields, tlv(tag, tlv(0, "X")+tlv(1, strings.Repeat("e", 80))))
	}
	set := parse(t, ruleset(t, "v", account("00", "X", "01", "R<e{800}x>")), codeid.RuleOptions{})
	if id, err := set.Identify(emv(fields...)); err != nil || !id.NeedsRemote || !strings.Contains(id.Reason, "too long") {
		t.Errorf("%+v, %v", id, err)
	}
}
