package weburl_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// A URL without a problem has the host and the scheme that net/url reads, no
// user-info and no dot segment.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"https://qr.example.jp/a?b#c", "HTTPS://QR.EXAMPLE:443/%2e/..;/x", "http://a@b/", "https://a.example:80", "https://[::1]/", "https://1.2.3.4/",
		"https://a.example\\@b.example/", "https://a.example?/../", "https://a.example:/", "https://xn--bcher-kva.example/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, ok := weburl.Parse(text)
		if !ok || u.Problem != "" {
			return
		}
		read, err := url.Parse(text)
		if err != nil {
			if strings.Contains(text, "%") {
				return // net/url wants whole escapes
			}
			t.Fatalf("%q: net/url: %v", text, err)
		}
		if !strings.EqualFold(read.Hostname(), u.Host) || u.Host != strings.ToLower(u.Host) || read.User != nil {
			t.Fatalf("%q has the host %q, net/url says %q", text, u.Host, read.Hostname())
		}
		if scheme := strings.ToLower(read.Scheme); scheme != "http" && scheme != "https" || !strings.HasPrefix(u.Text, scheme+"://") {
			t.Fatalf("%q: %q", text, u.Text)
		}
		for _, part := range strings.Split(read.Path, "/") {
			if part == "." || part == ".." {
				t.Fatalf("%q has a dot segment", text)
			}
		}
		if again, ok := weburl.Parse(u.Text); !ok || again.Text != u.Text || again.Host != u.Host {
			t.Fatalf("%q becomes %q, and that %q", text, u.Text, again.Text)
		}
	})
}
