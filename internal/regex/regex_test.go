package regex_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/regex"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// What is refused for its form is marked, so that another compiler can be
// asked; what is too large is not.
func TestErrors(t *testing.T) {
	for pattern, foreign := range map[string]bool{
		`(?=a)b`: true, `(a)\1`: true, `a*+`: true, `[a&&b]`: true, `[[:alpha:]]`: true, `\pL`: true, `a\b`: true, `(?m)^a`: true, `(`: true,
		"": false, strings.Repeat("a", 513): false, `a{1000}b`: false, `(?:a{40}){40}`: false, `a{1001}`: false, `a{5000}`: false,
	} {
		_, err := regex.Java(pattern, false)
		if err == nil || errors.Is(err, regex.ErrForeign) != foreign {
			t.Errorf("%.20s: %v", pattern, err)
		}
	}
	for _, pattern := range []string{"", "(", "a**", `\Q`, strings.Repeat("a", 513), "a{1000}b"} {
		if _, err := regex.Go(pattern); (err == nil) != (pattern == `\Q`) {
			t.Errorf("%.20s: %v", pattern, err)
		}
	}
}

// A pattern for a list has Go's syntax and meaning.
func TestGo(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{`[[:digit:]]+`, "12", true},
		{`\pL`, "é", true},
		{`a|b`, "ab", false},
		{`(?i)k`, "\u212a", true},
		{`a$`, "a\n", false},
		{`\Qa.b`, "a.b", true},
		{`.`, "\r", true},
	} {
		re, err := regex.Go(c.pattern)
		if err != nil || re.Match(c.value) != c.want {
			t.Errorf("%s on %q: %v", c.pattern, c.value, err)
		}
	}
}

// FuzzJava: any pattern and any value. Patterns of letters, digits and the
// operators that Java and Go read alike have Go's regexp as their oracle.
func FuzzJava(f *testing.F) {
	seeds := 500
	if testkit.Race {
		seeds = 20
	}
	for _, v := range javaVerdicts(f)[:seeds] {
		f.Add(v.pattern, v.text)
	}
	f.Add("a(b|c)*d{2,3}?", "abcdd")
	f.Add("^a(?:b|)c?$", "ab")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		re, err := regex.Java(pattern, false)
		part, errPart := regex.Java(pattern, true)
		if err != nil || errPart != nil {
			return
		}
		if re.Size == 0 && pattern != "" && part.Size > 0 {
			t.Fatal("a size of 0")
		}
		got, gotPart := re.Match(value), part.Match(value)
		if strings.Trim(pattern, "abcdefghijklmnopqrstuvwxyz0123456789()|*+?{,}:^") != "" || strings.Trim(value, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return
		}
		if want := regexp.MustCompile("^(?:" + pattern + ")$").MatchString(value); got != want {
			t.Fatalf("%s on %q: %v, want %v", pattern, value, got, want)
		}
		if want := regexp.MustCompile(pattern).MatchString(value); gotPart != want {
			t.Fatalf("%s in %q: %v, want %v", pattern, value, gotPart, want)
		}
	})
}
