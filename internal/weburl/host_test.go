package weburl_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

func TestIsIP(t *testing.T) {
	for _, name := range []string{
		"127.0.0.1", "127.0.0.1.", "::1", "fe80::1%eth0", "::ffff:10.0.0.1", "2130706433", "127.1", "0x7f.1", "0X7F000001", "10.0.0.0x1", "017700000001", "",
	} {
		if !weburl.IsIP(name) {
			t.Errorf("%q is not taken for an address", name)
		}
	}
	for _, name := range []string{"a.example", "1.example", "127.0.0.1.example", "x0", "a1", "0xa.example", "localhost"} {
		if weburl.IsIP(name) {
			t.Errorf("%q is taken for an address", name)
		}
	}
}

// K is U+212A, the sign of the kelvin, which Unicode folds to k, and ſ is the
// long s. In host names they are other letters.
func TestHostsAreComparedInASCII(t *testing.T) {
	for _, pair := range [][2]string{{"bank.example", "ban\u212a.example"}, {"localhost", "localho\u017ft"}, {"BANK.example", "ban\u212a.EXAMPLE"}} {
		if weburl.SameHost(pair[0], pair[1]) || weburl.Lower(pair[1]) == weburl.Lower(pair[0]) {
			t.Errorf("%q is taken for %q", pair[1], pair[0])
		}
		if weburl.IsName(pair[1]) {
			t.Errorf("%q is a name", pair[1])
		}
	}
	if weburl.IsLoopback("localho\u017ft") || weburl.Within("x.alipayplu\u017f.com", "alipayplus.com") {
		t.Error("a long s is taken for an s")
	}
	if !weburl.SameHost("Bank.Example:8443", "bAnk.eXAMPLE:8443") || !weburl.IsLoopback("LocalHost") || !weburl.Within("A.AlipayPlus.com", "alipayplus.com") {
		t.Error("capitals are other letters")
	}
	if weburl.Within("evilalipayplus.com", "alipayplus.com") || weburl.Within("alipayplus.com.example", "alipayplus.com") {
		t.Error("another domain is within alipayplus.com")
	}
}

func TestHostPort(t *testing.T) {
	for entry, want := range map[string]string{
		"Notify.example": "notify.example:443", "notify.example:8443": "notify.example:8443", "a": "a:443",
		"": "", ":443": "", "a:": "", "a:https": "", "a:123456": "", "*.a.example": "", "10.0.0.1": "", "[::1]:443": "", "127.1": "", "https://a": "", "a/b": "", "ban\u212a": "",
	} {
		if got, ok := weburl.HostPort(entry); got != want || ok != (want != "") {
			t.Errorf("%q: %q %t, want %q", entry, got, ok, want)
		}
	}
}
