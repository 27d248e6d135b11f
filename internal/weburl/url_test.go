package weburl_test

import (
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]weburl.URL{
		"https://a.example":               {Text: "https://a.example/", Host: "a.example"},
		"HTTPS://A.Example:443?q":         {Text: "https://a.example/?q", Host: "a.example"},
		"http://a.example:80/X":           {Text: "http://a.example/X", Host: "a.example"},
		"http://a.example:443/X#y":        {Text: "http://a.example:443/X#y", Host: "a.example"},
		"https://u@a.example/":            {Problem: "has user-info"},
		"https://a.example\\":             {Problem: "has a backslash"},
		"https://a.example/\u200b":        {Problem: "has control characters"},
		"https://bücher.example/":         {Problem: "has a host that is no host name"},
		"https://a.example./":             {Problem: "has a host that is no host name"},
		"https://a.example:x/":            {Problem: "has a port that is no number"},
		"https://a.example/x/%2e%2E;p/..": {Problem: "has dot segments in its path"},
	} {
		u, isURL := weburl.Parse(text)
		if !isURL || u.Text != want.Text || u.Host != want.Host || u.Problem != want.Problem {
			t.Errorf("%s: %+v", text, u)
		}
	}
	for _, text := range []string{"", "http:/a.example", "ftp://a.example/", "httpſ://a.example/", " https://a.example/"} {
		if _, isURL := weburl.Parse(text); isURL {
			t.Errorf("%q is a URL", text)
		}
	}
}

func TestSite(t *testing.T) {
	for text, want := range map[string]string{
		"HTTPS://a.example/x":       "a.example/x",
		"https://a.example:8443/x":  "a.example/x",
		"https://a.example:443?x=y": "a.example/?x=y",
	} {
		u, _ := weburl.Parse(text)
		if u.Site() != want || u.Host+u.Path() != want {
			t.Errorf("%s: %s", text, u.Site())
		}
	}
}
