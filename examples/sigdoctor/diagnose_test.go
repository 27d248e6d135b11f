package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// signedBy signs as somebody does who knows RSA but not the protocol: whatever
// text, by whatever means.
type signedBy func(key *rsa.PrivateKey, text []byte) []byte

func rightly(key *rsa.PrivateKey, text []byte) []byte {
	sum := sha256.Sum256(text)
	return testkit.Must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:]))
}

// headerOf returns the header that the documents show.
func headerOf(signature []byte) string {
	return "algorithm=RSA256,keyVersion=1,signature=" + percent(base64.StdEncoding.EncodeToString(signature))
}

func percent(s string) string {
	return strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(s)
}

// accident is a mistake between a signature and its verification.
type accident struct {
	hints  string // that it must give, separated by a space; "" for none
	what   string
	given  func(*alipayplus.Content) // changes what verify is given
	signed func(*alipayplus.Content) // changes what is signed
	sign   signedBy                  // nil: rightly
	header func(signature []byte) string
	other  bool // the other side's key signed
}

func body(text string) func(*alipayplus.Content) {
	return func(c *alipayplus.Content) { c.Body = []byte(text) }
}

func target(text string) func(*alipayplus.Content) {
	return func(c *alipayplus.Content) { c.Target = text }
}

func at(text string) func(*alipayplus.Content) {
	return func(c *alipayplus.Content) { c.Time = text }
}

func standard(signature []byte) string { return base64.StdEncoding.EncodeToString(signature) }

const pretty = "{\n  \"url\": \"https://shop.example/a?b=1&c=2\",\n  \"name\": \"Caf\u00e9 <1>\",\n  \"amount\": {\n    \"value\": \"100\",\n    \"currency\": \"JPY\"\n  }\n}"

var accidents = []accident{
	{hints: "plus-to-space", what: "a form decoder read the header", header: func(s []byte) string {
		return "algorithm=RSA256,keyVersion=1,signature=" + testkit.Must(url.QueryUnescape(standard(s)))
	}},
	{hints: "plus-to-space", what: "and the space was encoded again, with items behind it", header: func(s []byte) string {
		return "signature=" + strings.ReplaceAll(percent(standard(s)), "%2B", "%20") + ", keyVersion=1"
	}},
	{hints: "double-encoded", what: "percent-encoded twice", header: func(s []byte) string {
		return "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(percent(standard(s)))
	}},
	{hints: "base64url", what: "half of base64url", header: func(s []byte) string {
		return "algorithm=RSA256,keyVersion=1,signature=" + strings.ReplaceAll(standard(s), "+", "-")
	}},
	{hints: "header-grammar", what: "the value alone", header: func(s []byte) string { return percent(standard(s)) }},
	{hints: "header-grammar", what: "the whole header line", header: func(s []byte) string { return "Signature: " + headerOf(s) }},
	{hints: "header-grammar", what: "in quotes", header: func(s []byte) string { return `signature="` + standard(s) + `"` }},
	{hints: "header-grammar", what: "semicolons", header: func(s []byte) string { return strings.ReplaceAll(headerOf(s), ",", ";") }},
	{hints: "header-grammar", what: "the algorithm's other name", header: func(s []byte) string {
		return strings.Replace(headerOf(s), "RSA256", "SHA256withRSA", 1)
	}},
	{hints: "header-grammar", what: "wrapped lines", header: func(s []byte) string {
		text := standard(s)
		return "algorithm=RSA256,keyVersion=1,signature=" + text[:76] + "\r\n" + text[76:]
	}},
	{hints: "header-grammar", what: "hexadecimal", header: func(s []byte) string { return "signature=" + hex.EncodeToString(s) }},
	{hints: "header-grammar", what: "half of the padding", header: func(s []byte) string {
		return "signature=" + strings.TrimSuffix(standard(s), "=")
	}},

	{hints: "wrong-side", what: "the other side's key", other: true},
	{hints: "wrong-side trailing-newline", what: "and a line end", other: true, given: body("{}\n"), signed: body("{}")},

	{hints: "algorithm", what: "SHA-1", sign: func(key *rsa.PrivateKey, text []byte) []byte {
		sum := sha1.Sum(text)
		return testkit.Must(rsa.SignPKCS1v15(nil, key, crypto.SHA1, sum[:]))
	}},
	{hints: "algorithm", what: "SHA-512", sign: func(key *rsa.PrivateKey, text []byte) []byte {
		sum := sha512.Sum512(text)
		return testkit.Must(rsa.SignPKCS1v15(nil, key, crypto.SHA512, sum[:]))
	}},
	{hints: "algorithm", what: "a bare digest, as CKM_RSA_PKCS signs it", sign: func(key *rsa.PrivateKey, text []byte) []byte {
		sum := sha256.Sum256(text)
		return testkit.Must(rsa.SignPKCS1v15(nil, key, crypto.Hash(0), sum[:]))
	}},
	{hints: "algorithm", what: "a DigestInfo without its NULL", sign: func(key *rsa.PrivateKey, text []byte) []byte {
		sum := sha256.Sum256(text)
		info := testkit.Must(hex.DecodeString("302f300b0609608648016503040201" + "0420" + hex.EncodeToString(sum[:])))
		return testkit.Must(rsa.SignPKCS1v15(nil, key, crypto.Hash(0), info))
	}},
	{hints: "algorithm", what: "PSS", sign: func(key *rsa.PrivateKey, text []byte) []byte {
		sum := sha256.Sum256(text)
		return testkit.Must(rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], nil))
	}},
	{hints: "double-hash", what: "the digest was hashed", sign: func(key *rsa.PrivateKey, text []byte) []byte {
		sum := sha256.Sum256(text)
		return rightly(key, sum[:])
	}},
	{hints: "double-hash", what: "the digest's hexadecimal was hashed", sign: func(key *rsa.PrivateKey, text []byte) []byte {
		return rightly(key, fmt.Appendf(nil, "%x", sha256.Sum256(text)))
	}},

	{hints: "method", what: "signed as GET", signed: func(c *alipayplus.Content) { c.Method = "GET" }},
	{hints: "method", what: "verified in lower case", given: func(c *alipayplus.Content) { c.Method = "post" }},
	{hints: "client-id-case", what: "verified in lower case", given: func(c *alipayplus.Content) { c.ClientID = "wallet_client_01" }},
	{hints: "whitespace", what: "a line end behind a value", given: func(c *alipayplus.Content) { c.ClientID += "\n" }},

	{hints: "time-precision", what: "no fraction", given: at("2025-02-20T08:51:49Z"), signed: at("2025-02-20T08:51:49.000Z")},
	{hints: "time-precision", what: "microseconds", given: at("2025-02-20T08:51:49.123456Z"), signed: at("2025-02-20T08:51:49.123Z")},
	{hints: "time-precision", what: "longer than milliseconds", given: at("2025-02-20T08:51:49.090Z"), signed: at("2025-02-20T08:51:49.090000Z")},
	{hints: "time-precision", what: "lost milliseconds", given: at("2025-02-20T08:51:49Z"), signed: at("2025-02-20T08:51:49.987Z")},
	{hints: "time-form", what: "Z became an offset", given: at("2025-02-20T08:51:49.090+00:00"), signed: at("2025-02-20T08:51:49.090Z")},
	{hints: "time-form", what: "another zone", given: at("2025-02-20T08:51:49Z"), signed: at("2025-02-20T16:51:49+08:00")},
	{hints: "time-form", what: "an offset without colon", given: at("2025-02-20T16:51:49+08:00"), signed: at("2025-02-20T16:51:49+0800")},
	{hints: "time-form", what: "milliseconds since 1970", given: at("2025-02-20T08:51:49.090Z"), signed: at("1740041509090")},
	{hints: "time-form", what: "from milliseconds since 1970", given: at("1740041509090"), signed: at("2025-02-20T08:51:49.090Z")},

	{hints: "leading-slash", what: "verified without", given: target("aps/api/v1/pay"), signed: target("/aps/api/v1/pay")},
	{hints: "leading-slash", what: "signed without", given: target("/aps/api/v1/pay"), signed: target("aps/api/v1/pay")},
	{hints: "leading-slash", what: "signed with two", given: target("/aps/api/v1/pay"), signed: target("//aps/api/v1/pay")},
	{hints: "trailing-slash", what: "a router dropped it", given: target("/pay?a=1"), signed: target("/pay/?a=1")},
	{hints: "full-url", what: "verified with the host", given: target("https://wallet.example/pay?a=1"), signed: target("/pay?a=1")},
	{hints: "full-url", what: "signed with the host", given: target("/aps/pay"), signed: target("https://open-sea-global.alipayplus.com/aps/pay")},
	{hints: "query", what: "signed without", given: target("/pay?b=2&a=1"), signed: target("/pay")},
	{hints: "query", what: "signed in another order", given: target("/pay?b=2&a=1"), signed: target("/pay?a=1&b=2")},
	{hints: "query", what: "signed decoded", given: target("/pay?a=%2F"), signed: target("/pay?a=/")},
	{hints: "path-decoded", what: "verified decoded", given: target("/pay/caf\u00e9"), signed: target("/pay/caf%C3%A9")},
	{hints: "path-decoded", what: "signed decoded", given: target("/pay/a%20b"), signed: target("/pay/a b")},
	{hints: "path-prefix", what: "a proxy added it", given: target("/wallet/v2/pay?a=1"), signed: target("/v2/pay?a=1")},

	{hints: "crlf", what: "the body's line ends", given: body("{\r\n}"), signed: body("{\n}")},
	{hints: "crlf", what: "between the two lines of the text", signed: func(c *alipayplus.Content) { c.Target += "\r" }},
	{hints: "trailing-newline", what: "verified with one", given: body("{}\n"), signed: body("{}")},
	{hints: "trailing-newline", what: "signed with one", given: body("{}"), signed: body("{}\n")},
	{hints: "byte-order-mark", what: "verified with one", given: body("\xef\xbb\xbf{}"), signed: body("{}")},
	{hints: "empty-body", what: "the body had been read before", signed: body("")},
	{hints: "escaped-slash", what: "signed with", given: body(`{"u":"https://a.example/"}`), signed: body(`{"u":"https:\/\/a.example\/"}`)},
	{hints: "escaped-slash", what: "verified with", given: body(`{"u":"https:\/\/a.example\/"}`), signed: body(`{"u":"https://a.example/"}`)},
	{hints: "escaped-unicode", what: "verified with", given: body(`{"n":"caf\u00e9 \ud83d\ude00 \\u0041"}`), signed: body("{\"n\":\"caf\u00e9 \U0001f600 \\\\u0041\"}")},
	{hints: "escaped-unicode", what: "signed with", given: body("{\"n\":\"caf\u00e9 \U0001f600\"}"), signed: body(`{"n":"caf\u00e9 \ud83d\ude00"}`)},
	{hints: "escaped-unicode", what: "Go's escapes of HTML", given: body(`{"n":"<1>&"}`), signed: body(`{"n":"\u003c1\u003e\u0026"}`)},
	{hints: "charset", what: "UTF-8 taken for Latin-1", given: body("{\"n\":\"caf\u00c3\u00a9\"}"), signed: body("{\"n\":\"caf\u00e9\"}")},
	{hints: "charset", what: "signed as ASCII", given: body("{\"n\":\"caf\u00e9\"}"), signed: body(`{"n":"caf?"}`)},
	{hints: "json-reserialized", what: "signed compact", given: body(pretty), signed: body("{\"url\":\"https://shop.example/a?b=1&c=2\",\"name\":\"Caf\u00e9 <1>\",\"amount\":{\"value\":\"100\",\"currency\":\"JPY\"}}")},
	{hints: "json-reserialized", what: "signed sorted, HTML escaped", given: body(pretty), signed: body("{\"amount\":{\"currency\":\"JPY\",\"value\":\"100\"},\"name\":\"Caf\u00e9 \\u003c1\\u003e\",\"url\":\"https://shop.example/a?b=1\\u0026c=2\"}")},
	{hints: "json-reserialized", what: "signed with Python's spaces", given: body(pretty), signed: body("{\"url\": \"https://shop.example/a?b=1&c=2\", \"name\": \"Caf\u00e9 <1>\", \"amount\": {\"value\": \"100\", \"currency\": \"JPY\"}}")},
	{hints: "json-reserialized", what: "signed indented", given: body(`{"a":"1"}`), signed: body("{\n    \"a\": \"1\"\n}")},

	{hints: "escaped-slash json-reserialized", what: "both, as PHP does", given: body("{\"u\": \"https://a.example/\"}"), signed: body(`{"u":"https:\/\/a.example\/"}`)},
	{hints: "time-precision trailing-newline", what: "a time's and a body's mistake", given: func(c *alipayplus.Content) {
		c.Time, c.Body = "2025-02-20T08:51:49.000Z", []byte("{}\n")
	}, signed: func(c *alipayplus.Content) { c.Time, c.Body = "2025-02-20T08:51:49Z", []byte("{}") }},
	{hints: "plus-to-space trailing-newline", what: "a header's and a body's mistake", given: body("{}\n"), signed: body("{}"), header: func(s []byte) string {
		return "algorithm=RSA256,keyVersion=1,signature=" + testkit.Must(url.QueryUnescape(standard(s)))
	}},
	{hints: "", what: "the protocol refuses what was signed", given: target("/a#b"), signed: target("/a#b")},
}

// happen makes the accident and gives what verify is given. unrelated has the
// same accident happen to a signature over something else.
func (a accident) happen(unrelated bool) (given alipayplus.Content, header string) {
	// Base64 needs a + and a / to be spoilt: look for a signature that has both.
	for n := 0; ; n++ {
		signed := sample()
		signed.Time = fmt.Sprintf("2025-02-20T08:51:49.%03dZ", n)
		given = signed
		if a.signed != nil {
			a.signed(&signed)
		}
		if a.given != nil {
			a.given(&given)
		}
		text := []byte(signed.Method + " " + signed.Target + "\n" + signed.ClientID + "." + signed.Time + "." + string(signed.Body))
		if unrelated {
			text = append(text, " and something else"...)
		}
		key, by := testkit.Keys().Wallet, a.sign
		if a.other {
			key = testkit.Keys().Alipay
		}
		if by == nil {
			by = rightly
		}
		signature := by(key, text)
		if a.header == nil {
			return given, headerOf(signature)
		}
		if text := standard(signature); strings.Contains(text, "+") && strings.Contains(text, "/") {
			return given, a.header(signature)
		}
	}
}

func TestHints(t *testing.T) {
	d := newDesk(t)
	for _, a := range accidents {
		given, header := a.happen(false)
		found := d.verify(given, header, "-other-key", d.other)
		if found.Valid || !slices.Equal(found.Hints, strings.Fields(a.hints)) {
			t.Errorf("%s (%s): %+v", a.hints, a.what, found)
		}
		// The hint is about what was found to fit, not about how things look.
		given, header = a.happen(true)
		if found := d.verify(given, header, "-other-key", d.other); found.Valid || len(found.Hints) != 0 {
			t.Errorf("%s (%s), but over something else: %+v", a.hints, a.what, found)
		}
	}
}

// Without the mistakes there is nothing to hint at.
func TestNoHints(t *testing.T) {
	d := newDesk(t)
	for _, a := range accidents {
		if a.given == nil || a.hints == "" {
			continue
		}
		c := sample()
		a.given(&c)
		header, err := c.Sign(context.Background(), testkit.Must(alipayplus.NewSigner("1", testkit.Keys().Wallet)))
		if err != nil {
			continue // a text that the protocol refuses
		}
		if found := d.verify(c, header, "-other-key", d.other); !found.Valid || len(found.Hints) != 0 {
			t.Errorf("%s: %+v", a.what, found)
		}
	}
}

// Two forms verify here and are still worth a hint to whoever sent them.
func TestHintsOnValidSignatures(t *testing.T) {
	d := newDesk(t)
	given, header := accident{header: func(s []byte) string { return "signature=" + base64.RawURLEncoding.EncodeToString(s) }}.happen(false)
	if found := d.verify(given, header); !found.Valid || len(found.Hints) == 0 || found.Hints[0] != "base64url" {
		t.Errorf("base64url: %+v", found)
	}
	given, header = accident{header: func(s []byte) string { return "signature=" + standard(s) + ",keyVersion=1" }}.happen(false)
	if found := d.verify(given, header); !found.Valid || !slices.Equal(found.Hints, []string{"percent-encoding"}) {
		t.Errorf("plain base64: %+v", found)
	}
}

func TestReasons(t *testing.T) {
	d := newDesk(t)
	third := testkit.Keys().Stranger
	long := testkit.Must(rsa.GenerateKey(rand.Reader, 3072))
	text := []byte("whatever")
	for _, c := range []struct {
		what, header string
		more         []string
		says         string
	}{
		{"no header", "", nil, "missing or empty"},
		{"no signature", "algorithm=RSA256,keyVersion=1", nil, "has no signature"},
		{"garbage", "garbage", nil, "has no ="},
		{"too short for a signature", "signature=AAAA", nil, "not made over this content"},
		{"this key, another text", headerOf(rightly(testkit.Keys().Wallet, text)), nil, "it does not verify; it was made with this key, but over another text"},
		{"the other key, another text", headerOf(rightly(testkit.Keys().Alipay, text)), []string{"-other-key", d.other}, "made with the other key, but over another text"},
		{"a third key", headerOf(rightly(third, text)), nil, "made with another key"},
		{"neither key", headerOf(rightly(third, text)), []string{"-other-key", d.other}, "neither of the two"},
		{"a longer key", headerOf(rightly(long, text)), nil, "384 bytes, and with this key it would have 256"},
	} {
		found := d.verify(sample(), c.header, c.more...)
		if found.Valid || len(found.Hints) != 0 || !strings.Contains(found.Reason, c.says) {
			t.Errorf("%s: %+v, want a reason with %q", c.what, found, c.says)
		}
	}
}

// A signature over a text that the protocol refuses is good for nothing, and
// the reason says both.
func TestReasonOfRefusedText(t *testing.T) {
	c := sample()
	c.Target = "/a#b"
	signature := rightly(testkit.Keys().Wallet, []byte("POST /a#b\n"+c.ClientID+"."+c.Time+"."+string(c.Body)))
	found := newDesk(t).verify(c, headerOf(signature))
	if found.Valid || len(found.Hints) != 0 || !strings.Contains(found.Reason, "the target") || !strings.Contains(found.Reason, "apart from that") {
		t.Errorf("%+v", found)
	}
}

// Every hint is tested above and explained on the page, and the page explains
// no other.
func TestHintsAreDocumented(t *testing.T) {
	known := []string{"wrong-side", "algorithm", "double-hash", "percent-encoding"}
	for _, m := range mistakes {
		known = append(known, m.hint)
	}
	for _, m := range headerMistakes {
		known = append(known, m.hint)
	}
	slices.Sort(known)
	known = slices.Compact(known)

	tested := []string{"percent-encoding"} // TestHintsOnValidSignatures
	for _, a := range accidents {
		tested = append(tested, strings.Fields(a.hints)...)
	}
	page := testkit.Must(os.ReadFile("../../alipayplus/SIGNATURES.md"))
	var explained []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\|").FindAllSubmatch(page, -1) {
		explained = append(explained, string(row[1]))
	}
	if !slices.IsSorted(known) || len(explained) != len(known) {
		t.Errorf("%d hints, %d rows on the page", len(known), len(explained))
	}
	for _, hint := range known {
		if !slices.Contains(tested, hint) {
			t.Errorf("%s is not tested", hint)
		}
		if !slices.Contains(explained, hint) {
			t.Errorf("%s is not explained in SIGNATURES.md", hint)
		}
	}
}

// The verdict is that of crypto/rsa, and what was signed as something else is
// not explained.
func FuzzDiagnose(f *testing.F) {
	for i := 0; i < len(accidents); i += 8 { // the others are in TestHints
		given, header := accidents[i].happen(false)
		f.Add(header, given.Target, given.Time, given.Body)
	}
	signature := rightly(testkit.Keys().Wallet, []byte("whatever"))
	f.Fuzz(func(t *testing.T, header, target, at string, body []byte) {
		content := alipayplus.Content{Method: "POST", Target: target, ClientID: "WALLET_CLIENT_01", Time: at, Body: body}
		found := diagnose(content, header, &testkit.Keys().Wallet.PublicKey, &testkit.Keys().Alipay.PublicKey)
		if found.Valid {
			_, value, _ := strings.Cut(header, "signature=")
			value, _, _ = strings.Cut(value, ",")
			value = testkit.Must(url.PathUnescape(strings.TrimSpace(value)))
			made := testkit.Must(base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "=")))
			digest := sha256.Sum256(fmt.Appendf(nil, "POST %s\nWALLET_CLIENT_01.%s.%s", target, at, body))
			if err := rsa.VerifyPKCS1v15(&testkit.Keys().Wallet.PublicKey, crypto.SHA256, digest[:], made); err != nil {
				t.Errorf("%q: %+v, crypto/rsa says %v", header, found, err)
			}
		}
		if found := diagnose(content, headerOf(signature), &testkit.Keys().Wallet.PublicKey, nil); found.Valid || len(found.Hints) > 0 {
			t.Errorf("a signature of something else: %+v", found)
		}
	})
}

func TestLargeBody(t *testing.T) {
	large := slices.Concat([]byte(`{"a":"`), bytes.Repeat([]byte("x/"), 200<<10), []byte(`"}`))
	given := sample()
	given.Body = slices.Concat(large, []byte("\n"))
	signed := sample()
	signed.Body = large
	header := testkit.Must(signed.Sign(context.Background(), testkit.Must(alipayplus.NewSigner("1", testkit.Keys().Wallet))))
	if found := diagnose(given, header, &testkit.Keys().Wallet.PublicKey, nil); !slices.Equal(found.Hints, []string{"trailing-newline"}) {
		t.Errorf("%+v", found)
	}
}
