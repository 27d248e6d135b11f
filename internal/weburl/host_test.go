package weburl_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

func TestAddressesInDisguise(t *testing.T) {
	for _, name := range []string{
		"127.0.0.1", "127.0.0.1.", "[::1]", "[fe80::1%25eth0]", "[::ffff:10.0.0.1]",
		"2130706433", "127.1", "0x7f.1", "0X7F000001", "10.0.0.0x1", "017700000001",
	} {
		if rule := weburl.Public("https://" + name + "/"); rule != "names an IP address" {
			t.Errorf("%q: %q", name, rule)
		}
	}
	for _, name := range []string{"a.example", "1.example", "127.0.0.1.example", "x0", "a1", "0xa.example", "localhost"} {
		if rule := weburl.Public("https://" + name + "/"); rule != "" {
			t.Errorf("%q: %q", name, rule)
		}
	}
}

func TestOrigin(t *testing.T) {
	for raw, want := range map[string]string{
		"https://gw.example": "", "https://gw.example:8443/": "", "http://localhost:80": "", "http://LocalHost": "",
		"http://127.0.0.1:8080": "", "http://[::1]": "", "https://10.0.0.1": "",
		"":                           "is not https",
		"https://":                   "has no host",
		"gw.example":                 "is not https",
		"https://gw.example:x":       "is no URL",
		"http://gw.example":          "must be https (http for a loopback host only)",
		"http://10.0.0.1":            "must be https (http for a loopback host only)",
		"http://localho%C5%BFt":      "must be https (http for a loopback host only)",
		"https://gw.example/api":     "must be an origin, scheme and host alone: each API has its own path",
		"https://gw.example?":        "must be an origin, scheme and host alone: each API has its own path",
		"https://u@gw.example":       "must be an origin, scheme and host alone: each API has its own path",
		"https://ban%E2%84%AA.bank/": "has a host that is no host name",
		"https://a_b.example":        "has a host that is no host name",
		"https://-a.example":         "has a host that is no host name",
	} {
		u, rule := weburl.Origin(raw)
		if rule != want || (u != nil) != (want == "") {
			t.Errorf("%q: %v, %q, want %q", raw, u, rule, want)
		}
	}
}
