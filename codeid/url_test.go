package codeid_test

import (
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// Every URL meets a rule for the host shop.example, by way of a regular
// expression that takes everything: the reason then names what is wrong with
// the URL; a URL that is fine is handed out.
func TestURLProblems(t *testing.T) {
	set := parse(t, ruleset(t, "v", rule(openURL("USE_DIRECTLY"), "REGEX", "regex", `(?s).*`)), codeid.RuleOptions{})
	const (
		host, user, control, slash = "the URL has a host that is no host name", "the URL has user-info", "the URL has control characters", "the URL has a backslash"
		port, dots, none           = "the URL has a port that is no number", "the URL has dot segments in its path", "the rule that matches gives no URL to open"
	)
	for code, want := range map[string]string{
		"https://shop.example":                   "",
		"HTTP://SHOP.EXAMPLE":                    "",
		"hTTps://a-b_c.Example:8443/x?y#z":       "",
		"https://0.9.az.AZ-_":                    "",
		"https://shop.example:":                  "",
		"https://shop.example:65535/":            "",
		"https://shop.example/a.b/..c/c../.d":    "",
		"https://shop.example/...":               "",
		"https://shop.example/?x=/../":           "",
		"https://shop.example/#/../":             "",
		"https://shop.example/%2":                "",
		"https://shop.example/%2x/%":             "",
		"https://shop.example/a;./b":             "",
		"https://shop.example/caf\u00e9 \u6587~": "",
		"https://shop.example/user@x":            "",
		"https://shop.example?u@x":               "",
		"https://" + strings.Repeat("a", 253):    "",
		"https://" + strings.Repeat("a", 254):    host,
		"https://":                               host,
		"https:///":                              host,
		"https://?x":                             host,
		"https://:80/":                           host,
		"https://.shop.example/":                 host,
		"https://shop..example/":                 host,
		"https://shop.example./":                 host,
		"https://shop%2eexample/":                host,
		"https://sh\u043ep.example/":             host,
		"https://\u212amart.example/":            host,
		"https://shop example/":                  host,
		"https://shop.example,evil.test/":        host,
		"https://[::1]/":                         host,
		"https://{shop}/":                        host,
		"https://shop`/":                         host,
		"https://shop/:80":                       "",
		"https://@shop.example/":                 user,
		"https://u@shop.example/":                user,
		"https://u:p@shop.example/":              user,
		"https://shop.example@":                  user,
		"https://shop.example/\x00":              control,
		"https://shop.example/\x1f":              control,
		"https://shop.example/\x7f":              control,
		"https://shop.example/ ":                 "",
		"https://shop.example/\u0085":            control,
		"https://shop.example/\u2028":            control,
		"https://shop.example/\u2029":            control,
		"https://shop.example/\u202e":            control,
		"https://shop.example/\u200b":            control,
		"https://shop.example/\ufffd":            control,
		"https://shop.example/\\":                slash,
		"https://shop.example\\@x/":              slash,
		"https://shop.example/\u00e9\\":          slash,
		"https://shop.example:80x/":              port,
		"https://shop.example:-1/":               port,
		"https://shop.example:/80/":              "",
		"https://shop.example::80/":              port,
		"https://shop.example:655360/":           port,
		"https://shop.example:0/":                "",
		"https://shop.example:9/":                "",
		"https://shop.example/..":                dots,
		"https://shop.example/.":                 dots,
		"https://shop.example/../x":              dots,
		"https://shop.example/x/./y":             dots,
		"https://shop.example/x/..?y":            dots,
		"https://shop.example/x/..#y":            dots,
		"https://shop.example/x/..;p/y":          dots,
		"https://shop.example/%2e":               dots,
		"https://shop.example/%2E%2e/":           dots,
		"https://shop.example/.%2E":              dots,
		"https://shop.example/x%2f..%2Fy":        dots,
		"https://shop.example/x%5c..%5Cy":        dots,
		"https:/shop.example/":                   none,
		"https:\\\\shop.example/":                none,
		"httpss://shop.example/":                 none,
		"http//shop.example/":                    none,
		" https://shop.example/":                 none,
		"ftp://shop.example/":                    none,
		"javascript:alert(1)":                    none,
		"h\u0054tp://shop.example/":              "",
		"http\u017f://shop.example/":             none,
		"shop.example":                           none,
		"http":                                   none,
		"https:":                                 none,
	} {
		id, err := set.Identify(code)
		if err != nil {
			t.Errorf("%q: %v", code, err)
			continue
		}
		if want == "" {
			if !id.Supported || id.RedirectURL() != codeid.Clean(code) {
				t.Errorf("%q: %+v", code, id)
			}
		} else if id.Supported || id.Reason != want || id.NeedsRemote != (want == none) {
			t.Errorf("%q: %+v, want %q", code, id, want)
		}
	}
}

// A prefix and a code are compared in one form.
func TestURLPrefixForms(t *testing.T) {
	for _, c := range []struct {
		prefix, code string
		want         bool
	}{
		{"https://a.example", "https://a.example", true},
		{"https://a.example/", "https://a.example", true},
		{"https://a.example", "https://a.example/", true},
		{"https://a.example?q", "https://a.example/?q=1", true},
		{"https://a.example/?q", "https://a.example?q=1", true},
		{"https://a.example#f", "https://a.example/#f", true},
		{"https://a.example:443/x", "https://A.EXAMPLE/x", true},
		{"https://a.example/x", "https://a.example:443/xy", true},
		{"https://a.example/x", "https://a.example:/xy", true},
		{"http://a.example:80/", "http://a.example", true},
		{"http://a.example", "http://a.example:80/", true},
		{"http://a.example:443/", "http://a.example/", false},
		{"https://a.example:80/", "https://a.example/", false},
		{"https://a.example:80/", "https://a.example:80/", true},
		{"https://a.example:8443/", "https://a.example:84430/", false},
		{"https://a.example/", "https://a.example:0443/", false},
		{"https://a.example/X", "https://a.example/x", false},
		{"https://a.example/x/", "https://a.example/x", false},
		{"https://a.example/", "https://a.example.b.example/", false},
		{"https://a.example/", "https://b.a.example/", false},
		{"https://a.exampl", "https://a.example/", false},
	} {
		set := parse(t, ruleset(t, "v", prefix(c.prefix)), codeid.RuleOptions{})
		if id, err := set.Identify(c.code); err != nil || id.Supported != c.want {
			t.Errorf("prefix %s, code %s: %+v, %v", c.prefix, c.code, id, err)
		}
		// The same entry in a list.
		if v := codeid.NewFilter(codeid.Lists{Allow: list(t, "prefix "+c.prefix)}).Check(c.code); (v.Decision == codeid.DecisionLocal) != c.want {
			t.Errorf("entry %s, code %s: %+v", c.prefix, c.code, v)
		}
	}
}
