package weburl_test

import (
	"slices"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

func TestReadings(t *testing.T) {
	for text, want := range map[string][]string{
		"https://a.example/x":                       {"https://a.example/x"},
		" HTTPS:\\\\u:p@A.example.\\x ":             {"https://a.example/x"},
		"https:/a.example:8443/x/../y/.?q\\#":       {"https://a.example:8443/y/?q/#"},
		"https://a.example/x/..;p/":                 {"https://a.example/"},
		"https://a.example/%78/%2e%2e/%79":          {"https://a.example/%79", "https://a.example/y"},
		"https://a.example/%7x":                     {"https://a.example/%7x"},
		"https://a.exam\u00adple:x/":                {"https://a.example/"},
		"https://a．example／x":                       {"https://a.example/x/", "https://a.example/x"},
		"ｈｔｔｐ：／／ａ.example/ｘ":                        {"http://a.example/x"},
		"https://a.example/ｘ":                       {"https://a.example/ｘ", "https://a.example/x"},
		"https://faß.example/":                      {"https://fass.example/"},
		"https://ﬁ.example/":                        {"https://fi.example/"},
		"http://0x7F.1/":                            {"http://127.0.0.1/"},
		"http://017700000001/":                      {"http://127.0.0.1/"},
		"http://4294967296/":                        {"http://4294967296/"},
		"http://1.2.3.256/":                         {"http://1.2.3.256/"},
		"http://1.2.3.4.5/":                         {"http://1.2.3.4.5/"},
		"https://bücher.example/":                   {"https://xn--bcher-kva.example/"},
		"https://例え.example/":                       {"https://xn--r8jz45g.example/"},
		"https://ليهمابتكلموشعربي.example/":         {"https://xn--mgbcah9ar9a4efegftvvn.example/"},
		"https://PROČPROSTĚNEMLUVÍČESKY.example/":   {"https://xn--proprostnemluvesky-uyb24dma41a.example/"},
		"https://安室奈美恵-with-super-monkeys.example/": {"https://xn---with-super-monkeys-pc58ag80a8qai00g7n9n.example/"},
		"https://a,b.example/":                      nil,
		"ftp://a.example/":                          nil,
		"a.example":                                 nil,
		"":                                          nil,
	} {
		if got := weburl.Readings(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Whatever is read can be compared: it has no problem and is in its own form.
func FuzzReadings(f *testing.F) {
	f.Add("https://bücher.example/")
	f.Add("http:\\\\u@0x7f.1:80/%2e%2e/x;y/..")
	f.Add("ｈｔｔｐｓ：／／ⓑⓐⓓ。example")
	f.Fuzz(func(t *testing.T, text string) {
		all := weburl.Readings(text)
		for _, reading := range all {
			if u, isURL := weburl.Parse(reading); !isURL || u.Problem != "" || u.Text != reading {
				t.Fatalf("%q: %q: %+v", text, reading, u)
			}
		}
		if u, isURL := weburl.Parse(text); isURL && u.Problem == "" && len(all) == 0 {
			t.Fatalf("%q has no reading", text)
		}
	})
}
