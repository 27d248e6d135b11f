package weburl_test

import (
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

func notify(t *testing.T, hosts ...string) weburl.Notify {
	t.Helper()
	gateway, rule := weburl.Origin("https://bank.example")
	if rule != "" {
		t.Fatal(rule)
	}
	n, ok := weburl.NewNotify(gateway, hosts)
	if !ok {
		t.Fatalf("%q are no hosts", hosts)
	}
	return n
}

// K is U+212A, the sign of the kelvin, which Unicode folds to k, and ſ is the
// long s. In host names they are other letters.
func TestHostsAreComparedInASCII(t *testing.T) {
	n := notify(t, "kiosk.example")
	for raw, want := range map[string]bool{
		"https://bank.example/a":         true,
		"https://BANK.example/a":         true,
		"https://Kiosk.example/a":        true,
		"https://A.AlipayPlus.com/a":     true,
		"https://alipayplus.com/a":       true,
		"https://ban%E2%84%AA.example/a": false,
		"https://%E2%84%AAiosk.example/": false,
		"https://x.alipayplu%C5%BF.com/": false,
		"https://evilalipayplus.com/":    false,
		"https://alipayplus.com.example": false,
	} {
		if u, rule := n.Check(raw); (rule == "") != want || (u != nil) != want {
			t.Errorf("%q: %q", raw, rule)
		}
	}
}

func TestNotifyHosts(t *testing.T) {
	for entry, want := range map[string]string{ // the origin that becomes allowed
		"Notify.example":      "https://notify.example",
		"notify.example:8443": "https://notify.example:8443",
		"notify.example:443":  "https://notify.example",
		"a":                   "https://a",
	} {
		n := notify(t, entry)
		for _, other := range []string{"https://notify.example", "https://notify.example:8443", "https://a", "https://a:8443", "http://a"} {
			if _, rule := n.Check(other + "/x"); (rule == "") != (other == want) {
				t.Errorf("%q: %s: %q", entry, other, rule)
			}
		}
	}
	long := strings.Repeat("a", 64)
	for _, entry := range []string{
		"", ":443", "a:", "a:https", "a:123456", "*.a.example", "10.0.0.1", "[::1]:443", "127.1", "https://a", "a/b",
		"ban\u212a", "a_b", "-a", "a-", "a..b", ".a", "a.", long, strings.Repeat(long[1:]+".", 5) + "a",
	} {
		if _, ok := weburl.NewNotify(nil, []string{entry}); ok {
			t.Errorf("%q is a host", entry)
		}
	}
}
