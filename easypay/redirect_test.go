package easypay_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

func TestRedirectKeepsEveryByte(t *testing.T) {
	// A URL of the shape that the Easy Pay guide shows: percent-encoded, with
	// an encoded ampersand and with a parameter that has an underscore for a
	// name.
	const guide = "https://ac.example/page/checkout/doubleFA/index.html?paymentSessionData=n5xHy7LlExD8%2BaNKekk%2FotYQ3Ujg%3D%3D%26%26SG%26%26188&ps=EASY_PAY&pmct=WALLET&psv=2.0&app=app&en_US=en_US"
	longest := "https://a.example/" + strings.Repeat("x", 2048-len("https://a.example/"))
	for _, row := range []struct{ rule, raw, want string }{
		{"appended to a query", guide, guide + "&status=success"},
		{"a query begun", "https://a.example/p", "https://a.example/p?status=success"},
		{"a bare host", "https://a.example", "https://a.example?status=success"},
		{"an empty query", "https://a.example/p?", "https://a.example/p?status=success"},
		{"a query that ends with &", "https://a.example/p?a=1&", "https://a.example/p?a=1&status=success"},
		{"before the fragment", "https://a.example/p?a=1#/view?b=2", "https://a.example/p?a=1&status=success#/view?b=2"},
		{"before the fragment, no query", "https://a.example/p#top", "https://a.example/p?status=success#top"},
		{"before the first #, which begins the fragment", "https://a.example/p#/view?status=1#top", "https://a.example/p?status=success#/view?status=1#top"},
		{"a status is replaced in its place", "https://a.example/p?status=old&z=%2f", "https://a.example/p?status=success&z=%2f"},
		{"a status without value", "https://a.example/p?status&z=1", "https://a.example/p?status=success&z=1"},
		{"every status is replaced", "https://a.example/p?status=a&status=b", "https://a.example/p?status=success&status=success"},
		{"an encoded name is the same name", "https://a.example/p?%73tatus=x", "https://a.example/p?%73tatus=success"},
		{"a longer name is another one", "https://a.example/p?xstatus=1&statusx=2", "https://a.example/p?xstatus=1&statusx=2&status=success"},
		{"Status is another one", "https://a.example/p?Status=1", "https://a.example/p?Status=1&status=success"},
		{"in a value it is no parameter", "https://a.example/p?q=%26status%3Dfail", "https://a.example/p?q=%26status%3Dfail&status=success"},
		{"order and case of the rest", "https://A.example/P?b=2&a=1&B=%2F%2f+", "https://A.example/P?b=2&a=1&B=%2F%2f+&status=success"},
		{"a port", "https://a.example:8443/p", "https://a.example:8443/p?status=success"},
		{"as long as it may be", longest, longest + "?status=success"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			got, err := easypay.Redirect(row.raw, true)
			if err != nil || got != row.want {
				t.Errorf("Redirect = %q, %v; want %q", got, err, row.want)
			}
			failed, err := easypay.Redirect(row.raw, false)
			if err != nil || failed != strings.ReplaceAll(row.want, "status=success", "status=fail") &&
				failed != strings.ReplaceAll(row.want, "tatus=success", "tatus=fail") {
				t.Errorf("after a failed verification: %q, %v", failed, err)
			}
		})
	}
}

func TestRedirectRefuses(t *testing.T) {
	for _, row := range []struct{ rule, raw string }{
		{"is missing", ""},
		{"is longer than 2048 characters", "https://a.example/" + strings.Repeat("x", 2049-len("https://a.example/"))},
		{"is not https", "http://a.example/p"},
		{"is not https", "javascript:alert(1)"},
		{"is not https", "//a.example/p"},
		{"is not https", "/p"},
		{"is not https", "ftp://a.example/p"},
		{"has no host", "https:///p"},
		{"has no host", "https:a.example/p"},
		{"has no host", "https://:443/p"},
		{"has user-info", "https://good.example@bad.example/p"},
		{"has user-info", "https://user:pass@bad.example/p"},
		{"has user-info", "https://@bad.example/p"},
		{"names an IP address", "https://127.0.0.1/p"},
		{"names an IP address", "https://[::1]/p"},
		{"names an IP address", "https://[::ffff:10.0.0.1]:443/p"},
		{"names an IP address", "https://2130706433/p"},
		{"names an IP address", "https://0x7f.1/p"},
		{"names an IP address", "https://127.1/p"},
		{"names an IP address", "https://127.0.0.1./p"},
		{"has a blank or a control character", "https://a.example/p?a= b"},
		{"has a blank or a control character", "https://a.example/p\r\nSet-Cookie: x=1"},
		{"has a blank or a control character", "\thttps://a.example/p"},
		{"has a blank or a control character", "https://a.example/\x7f"},
		{"has a backslash", `https://good.example\@bad.example/p`},
		{"has a character that is not ASCII", "https://аpple.example/p"},
		{"has a character that is not ASCII", "https://a.example/ä"},
		{"has a character that is not ASCII", "https://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.%EF%BC%91/"}, // 127.0.0.1 to a browser
		{"has a character that is not ASCII", "https://good.example%EF%BC%8F.bad.example/"},
		{"is no URL", "https://a.example/%zz"},
		{"is no URL", "https://a.exam%2fple/"},
	} {
		got, err := easypay.Redirect(row.raw, true)
		if err == nil || err.Error() != "easypay: the redirect URL "+row.rule {
			t.Errorf("%q: %q, %v; want the error %q", row.raw, got, err, row.rule)
		}
	}
}

func FuzzRedirect(f *testing.F) {
	for _, seed := range []string{
		"https://a.example/p?a=1#f", "https://a.example?status=1&&status", "https://a.example/?%73%74atus=%", "https://u@h/", "https://[::1]/?#",
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, raw string, verified bool) {
		got, err := easypay.Redirect(raw, verified)
		if err != nil {
			return
		}
		before, errBefore := url.Parse(raw)
		after, errAfter := url.Parse(got)
		if errBefore != nil || errAfter != nil {
			t.Fatalf("%q became %q, which is no URL", raw, got)
		}
		if before.Scheme != "https" || after.Scheme != before.Scheme || after.Host != before.Host ||
			after.EscapedPath() != before.EscapedPath() || after.EscapedFragment() != before.EscapedFragment() {
			t.Errorf("%q became %q: another scheme, host, path or fragment", raw, got)
		}
		want := "fail"
		if verified {
			want = "success"
		}
		// What another parser reads: every status is the new one.
		statuses := 0
		for parameter := range strings.SplitSeq(after.RawQuery, "&") {
			name, value, _ := strings.Cut(parameter, "=")
			if plain, err := url.QueryUnescape(name); err == nil && plain == "status" {
				statuses++
				if value != want {
					t.Errorf("%q became %q: status is %q", raw, got, value)
				}
			}
		}
		if statuses == 0 {
			t.Errorf("%q became %q: no status", raw, got)
		}
		if again, err := easypay.Redirect(got, verified); len(got) <= 2048 && (err != nil || again != got) {
			t.Errorf("%q became %q, and that %q: not stable", raw, got, again)
		}
		// The other parameters stay as they were, in their order.
		other := func(query string) (out []string) {
			for parameter := range strings.SplitSeq(query, "&") {
				name, _, _ := strings.Cut(parameter, "=")
				if plain, err := url.QueryUnescape(name); (err != nil || plain != "status") && parameter != "" {
					out = append(out, parameter)
				}
			}
			return out
		}
		if strings.Join(other(before.RawQuery), "&") != strings.Join(other(after.RawQuery), "&") {
			t.Errorf("%q became %q: other parameters changed", raw, got)
		}
	})
}
