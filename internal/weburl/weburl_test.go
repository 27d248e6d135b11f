package weburl_test

import (
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

func TestPublic(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example":                "",
		"https://a.example:8443/b?c=%20#d": "",
		"HTTPS://A.example/":               "",
		"":                                 "is missing",
		"https://a.example/" + strings.Repeat("a", 2048): "is longer than 2048 characters",
		"https://a.example/ ":                            "has a blank or a control character",
		"https://a.example/\x00":                         "has a blank or a control character",
		"https://a.example/é":                            "has a character that is not ASCII",
		"https://ban%E2%84%AA.example/":                  "has a character that is not ASCII",
		"https://a.example\\@b.example/":                 "has a backslash",
		"https://a.example:x/":                           "is no URL",
		"http://a.example/":                              "is not https",
		"//a.example/":                                   "is not https",
		"https:///a":                                     "has no host",
		"https:a.example":                                "has no host",
		"https://u@a.example/":                           "has user-info",
		"https://[::1]/":                                 "names an IP address",
		"https://2130706433/":                            "names an IP address",
		"https://127.1/":                                 "names an IP address",
	} {
		if got := weburl.Public(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestIsHTTPSAndIsOpenable(t *testing.T) {
	for raw, want := range map[string][2]bool{
		"https://a.example/b":        {true, true},
		"http://a.example/b":         {false, true},
		"http://localhost:8080/":     {true, true},
		"http://LOCALHOST/":          {true, true},
		"http://localho%C5%BFt/":     {false, true},
		"http://127.0.0.1/":          {true, true},
		"http://10.0.0.1/":           {false, true},
		"ftp://a.example/":           {false, false},
		"javascript:alert(1)":        {false, false},
		"/a":                         {false, false},
		"https://":                   {false, false},
		"https://u:p@a.example/":     {true, false},
		"https://a.example/\nb":      {false, false},
		"intent://a.example/#Intent": {false, false},
		"":                           {false, false},
	} {
		if got := [2]bool{weburl.IsHTTPS(raw), weburl.IsOpenable(raw)}; got != want {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	}
}
