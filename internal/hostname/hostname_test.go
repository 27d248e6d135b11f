package hostname_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/hostname"
)

func TestIsIP(t *testing.T) {
	for _, name := range []string{
		"127.0.0.1", "127.0.0.1.", "::1", "fe80::1%eth0", "::ffff:10.0.0.1", "2130706433", "127.1", "0x7f.1", "0X7F000001", "10.0.0.0x1", "017700000001", "",
	} {
		if !hostname.IsIP(name) {
			t.Errorf("%q is not taken for an address", name)
		}
	}
	for _, name := range []string{"a.example", "1.example", "127.0.0.1.example", "x0", "a1", "0xa.example", "localhost"} {
		if hostname.IsIP(name) {
			t.Errorf("%q is taken for an address", name)
		}
	}
}
