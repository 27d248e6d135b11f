package alipayplus_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// exchanges has one exchange for each API of the documents, in the form in
// which it passes on the wire. The signature covers texts, so that texts are
// enough.
var exchanges = []struct{ api, target, body string }{
	{"userInitiatedPay", "/aps/api/v1/payments/userInitiatedPay", `{"codeValue":"281666040000000001","customerId":"C-1"}`},
	{"notifyPayment", "/aps/api/v1/payments/notifyPayment?region=SG&a=%2Fb", `{"paymentRequestId":"P1","paymentResult":{"resultCode":"SUCCESS","resultStatus":"S"}}`},
	{"authNotify", "/aps/api/v1/authorizations/authNotify", `{"authNotifyType":"TOKEN_CANCELED","accessToken":"T1"}`},
	{"consultUnbinding", "/aps/api/v1/authorizations/consultUnbinding", `{"accessToken":"T1"}`},
	{"getPaymentCode", "/aps/api/v1/codes/getPaymentCode", `{"region":"SG","customerId":"C-1"}`},
	{"inquiryCodeRules", "/aps/api/v1/codes/inquiryCodeRules", `{}`},
	{"identifyCode", "/aps/api/v1/codes/identifyCode", `{"codeValue":"https://qr.example/é"}`},
	{"initiateRetrieval", "/aps/api/v1/disputes/initiateRetrieval", `{"caseId":"1"}`},
	{"pay", "/wallet/alipay%2B/pay", "{\n  \"paymentRequestId\": \"P1\"\n}\n"},
	{"inquiryPayment", "/wallet/inquiryPayment", `{"paymentRequestId":"P1"}`},
	{"cancelPayment", "/wallet/cancelPayment", `{"paymentRequestId":"P1"}`},
	{"refund", "/wallet/refund", `{"refundRequestId":"R1","refundAmount":{"currency":"JPY","value":"100"}}`},
	{"applyToken", "/wallet/applyToken", `{"grantType":"AUTHORIZATION_CODE","authCode":"A1"}`},
	{"cancelToken", "/wallet/cancelToken", `{"accessToken":"T1"}`},
	{"prepare", "/wallet/prepare", `{"authState":"S1"}`},
}

const sampleTime = "2025-02-20T08:51:49.090Z"

func content(target, body string) alipayplus.Content {
	return alipayplus.Content{Method: "POST", Target: target, ClientID: clientID, Time: sampleTime, Body: []byte(body)}
}

// The SDK makes the same bytes as the documents' words do, twice over.
func TestSignIsTheDocumentedText(t *testing.T) {
	signer := walletSigner()
	for _, x := range exchanges {
		got, err := content(x.target, x.body).Sign(t.Context(), signer)
		if err != nil {
			t.Fatal(err)
		}
		want := signByHand(testkit.Keys().Wallet, "POST", x.target, clientID, sampleTime, x.body)
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", x.api, got, want)
		}
		again, err := content(x.target, x.body).Sign(t.Context(), signer)
		if err != nil || again != got {
			t.Errorf("%s: a second signature differs", x.api)
		}
		theirs := signByHand(testkit.Keys().Alipay, "POST", x.target, clientID, sampleTime, x.body)
		if err := content(x.target, x.body).Verify(theirs, alipayRing()); err != nil {
			t.Errorf("%s: %v", x.api, err)
		}
	}
}

// openssl is the second opinion: it makes the same signature over the
// hand-written content, and accepts ours.
func TestSignAgreesWithOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl on this machine")
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(testkit.Keys().Wallet)
	if err != nil {
		t.Fatal(err)
	}
	private := write("private.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	pkix, err := x509.MarshalPKIXPublicKey(&testkit.Keys().Wallet.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := write("public.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}))
	for _, x := range exchanges[:3] {
		text := write("content", []byte("POST "+x.target+"\n"+clientID+"."+sampleTime+"."+x.body))
		want, err := exec.CommandContext(t.Context(), openssl, "dgst", "-sha256", "-sign", private, text).Output()
		if err != nil {
			t.Fatal(err)
		}
		header, err := content(x.target, x.body).Sign(t.Context(), walletSigner())
		if err != nil {
			t.Fatal(err)
		}
		got := signatureIn(t, header)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: openssl makes another signature", x.api)
		}
		signature := write("signature", got)
		if out, err := exec.CommandContext(t.Context(), openssl, "dgst", "-sha256", "-verify", public, "-signature", signature, text).CombinedOutput(); err != nil {
			t.Errorf("%s: openssl does not verify: %s", x.api, out)
		}
	}
}

// signatureIn decodes the signature of a header that the SDK or signByHand
// made.
func signatureIn(t testing.TB, header string) []byte {
	t.Helper()
	_, text, ok := strings.Cut(header, "signature=")
	if !ok {
		t.Fatalf("no signature in %q", header)
	}
	text, err := url.PathUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func headerOf(signature []byte) string {
	return "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// flips calls f with every text that differs from text in one bit, or with
// every stride-th of them.
func flips(text []byte, stride int, f func(flipped []byte)) int {
	n := 0
	for bit := 0; bit < 8*len(text); bit += stride {
		text[bit/8] ^= 1 << (bit % 8)
		f(text)
		text[bit/8] ^= 1 << (bit % 8)
		n++
	}
	return n
}

// Every bit of what a request consists of counts. One exchange in full and the
// others in steps that are no multiple of eight, all in full in the long form.
func TestVerifyRefusesEveryFlippedBit(t *testing.T) {
	keyRing := alipayRing()
	for i, x := range exchanges {
		stride := 11
		if i == 0 || long {
			stride = 1
		}
		t.Run(x.api, func(t *testing.T) {
			t.Parallel()
			header := signByHand(testkit.Keys().Alipay, "POST", x.target, clientID, sampleTime, x.body)
			if err := content(x.target, x.body).Verify(header, keyRing); err != nil {
				t.Fatalf("control: unchanged, it must verify: %v", err)
			}
			refuse := func(what string, c alipayplus.Content, header string) {
				if err := c.Verify(header, keyRing); !errors.Is(err, alipayplus.ErrSignature) {
					t.Errorf("%s with a flipped bit: %v", what, err)
				}
			}
			n := flips([]byte(x.target), stride, func(b []byte) {
				c := content(x.target, x.body)
				c.Target = string(b)
				refuse("target", c, header)
			})
			n += flips([]byte(clientID), stride, func(b []byte) {
				c := content(x.target, x.body)
				c.ClientID = string(b)
				refuse("client id", c, header)
			})
			n += flips([]byte(sampleTime), stride, func(b []byte) {
				c := content(x.target, x.body)
				c.Time = string(b)
				refuse("time", c, header)
			})
			n += flips([]byte(x.body), stride, func(b []byte) {
				c := content(x.target, x.body)
				c.Body = b
				refuse("body", c, header)
			})
			n += flips([]byte("POST"), stride, func(b []byte) {
				c := content(x.target, x.body)
				c.Method = string(b)
				refuse("method", c, header)
			})
			n += flips(signatureIn(t, header), stride, func(b []byte) {
				refuse("signature", content(x.target, x.body), headerOf(b))
			})
			t.Logf("%d flips, none accepted", n)
		})
	}
}

// A flipped bit of the header's text may be harmless (the case of a name, a
// space), but only if the signature that it decodes to is the same.
func TestVerifyFlippedHeaderText(t *testing.T) {
	x, keyRing := exchanges[0], alipayRing()
	header := signByHand(testkit.Keys().Alipay, "POST", x.target, clientID, sampleTime, x.body)
	want := signatureIn(t, header)
	accepted := 0
	n := flips([]byte(header), 1, func(b []byte) {
		if content(x.target, x.body).Verify(string(b), keyRing) != nil {
			return
		}
		accepted++
		if got, err := lenientSignature(string(b)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("accepted with another signature: %q", b)
		}
	})
	if accepted == 0 || accepted > n/4 {
		t.Errorf("%d of %d accepted: the test no longer reaches what it is about", accepted, n)
	}
	t.Logf("%d flips, %d accepted, each with the same decoded signature", n, accepted)
}

// lenientSignature decodes the signature of any header, by other means than the
// SDK's: generous, because it only says what an accepted header means.
func lenientSignature(header string) ([]byte, error) {
	for item := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		if !strings.EqualFold(name, "signature") {
			continue
		}
		value, err := url.PathUnescape(value)
		if err != nil {
			return nil, err
		}
		value = strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(value)
		return base64.RawStdEncoding.DecodeString(value)
	}
	return nil, errors.New("no signature")
}

// headerForms are the forms of a Signature header: those that other
// implementations send, and those that break a rule. $S is the signature
// percent-encoded, $B in plain base64.
var headerForms = []struct {
	name, form string
	rule       string // "" if the form is fine
}{
	{"as the documents print it", "algorithm=RSA256,keyVersion=1,signature=$S", ""},
	{"spaces around commas", " algorithm=RSA256 , keyVersion=1 ,  signature=$S ", ""},
	{"any order", "signature=$S,keyVersion=1,algorithm=RSA256", ""},
	{"names in any case", "ALGORITHM=RSA256,keyversion=1,Signature=$S", ""},
	{"algorithm in any case", "algorithm=rsa256,keyVersion=1,signature=$S", ""},
	{"no algorithm", "keyVersion=1,signature=$S", ""},
	{"no key version", "algorithm=RSA256,signature=$S", ""},
	{"the signature alone", "signature=$S", ""},
	{"a key version that we do not know", "algorithm=RSA256,keyVersion=0,signature=$S", ""},
	{"nine digits of key version", "algorithm=RSA256,keyVersion=123456789,signature=$S", ""},
	{"plain base64 with + / =", "algorithm=RSA256,keyVersion=1,signature=$B", ""},
	{"base64 without padding", "algorithm=RSA256,keyVersion=1,signature=$N", ""},
	{"base64url", "algorithm=RSA256,keyVersion=1,signature=$U", ""},
	{"base64url with padding", "algorithm=RSA256,keyVersion=1,signature=$V", ""},
	{"lower-case percent-encoding", "algorithm=RSA256,keyVersion=1,signature=$L", ""},
	{"needlessly percent-encoded", "algorithm=RSA256,keyVersion=1,signature=$P", ""},

	{"empty", "", "missing or empty"},
	{"spaces only", "   ", "has no ="},
	{"over 2048 bytes", "algorithm=RSA256,keyVersion=1,signature=$S" + strings.Repeat(" ", 2048), "longer than 2048"},
	{"no signature", "algorithm=RSA256,keyVersion=1", "has no signature"},
	{"empty signature", "algorithm=RSA256,keyVersion=1,signature=", "not one canonical base64"},
	{"second signature", "algorithm=RSA256,keyVersion=1,signature=$S,signature=$S", "second signature"},
	{"second signature in another case", "signature=$S,Signature=AAAA", "second signature"},
	{"second algorithm", "algorithm=RSA256,algorithm=RSA256,signature=$S", "second algorithm"},
	{"second key version", "keyVersion=1,KEYVERSION=1,signature=$S", "second keyVersion"},
	{"algorithm none", "algorithm=none,keyVersion=1,signature=$S", "algorithm is not RSA256"},
	{"empty algorithm", "algorithm=,keyVersion=1,signature=$S", "algorithm is not RSA256"},
	{"SHA-1", "algorithm=RSA1,keyVersion=1,signature=$S", "algorithm is not RSA256"},
	{"SHA-512", "algorithm=RSA512,keyVersion=1,signature=$S", "algorithm is not RSA256"},
	{"PSS", "algorithm=PS256,keyVersion=1,signature=$S", "algorithm is not RSA256"},
	{"HMAC", "algorithm=HS256,keyVersion=1,signature=$S", "algorithm is not RSA256"},
	{"a space before =", "algorithm =RSA256,signature=$S", "unknown item"},
	{"a space after =", "algorithm= RSA256,signature=$S", "algorithm is not RSA256"},
	{"an unknown item", "algorithm=RSA256,kid=1,signature=$S", "unknown item"},
	{"an item without =", "algorithm=RSA256,signature=$S,x", "has no ="},
	{"a comma at the end", "algorithm=RSA256,signature=$S,", "has no ="},
	{"two commas", "algorithm=RSA256,,signature=$S", "has no ="},
	{"semicolons", "algorithm=RSA256;signature=$S", "algorithm is not RSA256"},
	{"quotes", `algorithm=RSA256,signature="$S"`, "not one canonical base64"},
	{"a letter that folds to s", "ſignature=$S", "unknown item"},
	{"a tab", "algorithm=RSA256,\tsignature=$S", "unknown item"},
	{"key version with a letter", "keyVersion=1a,signature=$S", "keyVersion is not 1 to 9 digits"},
	{"key version with a sign", "keyVersion=+1,signature=$S", "keyVersion is not 1 to 9 digits"},
	{"empty key version", "keyVersion=,signature=$S", "keyVersion is not 1 to 9 digits"},
	{"key version of ten digits", "keyVersion=1234567890,signature=$S", "keyVersion is not 1 to 9 digits"},
	{"Arabic-Indic digits", "keyVersion=١,signature=$S", "keyVersion is not 1 to 9 digits"},
	{"the base64 alone", "$B", "unknown item"},
	{"a line end inside", "signature=$R", "not one canonical base64"},
	{"a line end inside, without padding", "signature=$Q", "not one canonical base64"},
	{"four line ends at the end", "signature=$S\n\n\n\n", "not one canonical base64"},
	{"a line end at the end", "signature=$S\n", "not one canonical base64"},
	{"an encoded line end at the end", "signature=$S%0A", "not one canonical base64"},
	{"an encoded space", "signature=$S%20", "not one canonical base64"},
	{"an encoded NUL", "signature=$S%00", "not one canonical base64"},
	{"a half percent-encoding", "signature=$S%2", "not one canonical base64"},
	{"a percent sign alone", "signature=$S%", "not one canonical base64"},
	{"a percent-encoding of no byte", "signature=$S%ZZ", "not one canonical base64"},
	{"percent-encoded twice", "signature=$T", "not one canonical base64"},
	{"three padding signs", "signature=$N===", "not one canonical base64"},
	{"one padding sign where two belong", "signature=$N=", "not one canonical base64"},
	{"padding in the middle", "signature=$M", "not one canonical base64"},
	{"both alphabets at once", "signature=$X", "not one canonical base64"},
	{"unused bits set", "signature=$Y", "not one canonical base64"},
	{"+ that became a space", "signature=$Z", "not one canonical base64"},
	{"one byte too few", "signature=$1", "not made over this content"},
	{"one byte too many", "signature=$2", "not made over this content"},
	{"a zero byte in front", "signature=$3", "not made over this content"},
	{"a byte more than the largest key has", "signature=$4", "not one canonical base64"},
}

// fill replaces the marks of headerForms.
func fill(t testing.TB, form string, signature []byte) string {
	t.Helper()
	plain := base64.StdEncoding.EncodeToString(signature)
	escaped := url.QueryEscape(plain)
	unpadded := base64.RawStdEncoding.EncodeToString(signature)
	if len(signature) != 256 || !strings.HasSuffix(plain, "==") {
		t.Fatal("these forms are made for signatures of 2048 bits")
	}
	hexed := ""
	for i := range len(plain) {
		hexed += fmt.Sprintf("%%%02x", plain[i])
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := strings.IndexByte(alphabet, unpadded[len(unpadded)-1])
	return strings.NewReplacer(
		"$S", escaped,
		"$B", plain,
		"$N", unpadded,
		"$U", base64.RawURLEncoding.EncodeToString(signature),
		"$V", base64.URLEncoding.EncodeToString(signature),
		"$L", strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3D", "%3d").Replace(escaped),
		"$P", hexed,
		"$R", plain[:76]+"\r\n"+plain[76:],
		"$Q", unpadded[:76]+"\n"+unpadded[76:],
		"$T", url.QueryEscape(escaped),
		"$M", plain[:4]+"="+plain[4:],
		"$X", strings.Replace(strings.Replace(unpadded, "+", "-", 1), "/", "/", 1),
		"$Y", unpadded[:len(unpadded)-1]+string(alphabet[last|1]),
		"$Z", strings.ReplaceAll(plain, "+", " "),
		"$1", base64.RawStdEncoding.EncodeToString(signature[:255]),
		"$2", base64.RawStdEncoding.EncodeToString(append(bytes.Clone(signature), 0)),
		"$3", base64.RawStdEncoding.EncodeToString(append([]byte{0}, signature...)),
		"$4", base64.RawStdEncoding.EncodeToString(make([]byte, 1025)),
	).Replace(form)
}

// signatureWithAll returns a signed content whose base64 has +, / and - enough
// to tell all the forms apart.
func signatureWithAll(t testing.TB, key *rsa.PrivateKey) (alipayplus.Content, []byte) {
	t.Helper()
	for i := range 200 {
		body := fmt.Sprintf(`{"n":"%d"}`, i)
		signature := rawSignature(key, "POST /a\n"+clientID+"."+sampleTime+"."+body)
		text := base64.StdEncoding.EncodeToString(signature)
		if strings.Count(text, "+") > 1 && strings.Contains(text, "/") {
			return content("/a", body), signature
		}
	}
	t.Fatal("no such signature")
	return alipayplus.Content{}, nil
}

func TestVerifyHeaderForms(t *testing.T) {
	c, signature := signatureWithAll(t, testkit.Keys().Alipay)
	for _, form := range headerForms {
		header := fill(t, form.form, signature)
		err := c.Verify(header, alipayRing())
		switch {
		case form.rule == "" && err != nil:
			t.Errorf("%s: %v", form.name, err)
		case form.rule != "" && (!errors.Is(err, alipayplus.ErrSignature) || !strings.Contains(err.Error(), form.rule)):
			t.Errorf("%s: got %v, want the rule %q", form.name, err, form.rule)
		}
	}
}

// Other hashes, schemes and keys of the right size do not verify, whatever the
// header says of them.
func TestVerifyPinsTheAlgorithm(t *testing.T) {
	c := content("/a", "{}")
	text := "POST /a\n" + clientID + "." + sampleTime + ".{}"
	for name, signature := range foreignSignatures(t, text) {
		if err := c.Verify(headerOf(signature), alipayRing()); !errors.Is(err, alipayplus.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Verify(headerOf(rawSignature(testkit.Keys().Alipay, text)), alipayRing()); err != nil {
		t.Errorf("control: %v", err)
	}
}

// What the texts of a content may be. Without these rules two different headers
// could give the same signed bytes.
func TestContentGrammar(t *testing.T) {
	good := content("/a?b=c", "{}")
	for _, test := range []struct {
		rule   string
		change func(*alipayplus.Content)
	}{
		{"method", func(c *alipayplus.Content) { c.Method = "" }},
		{"method", func(c *alipayplus.Content) { c.Method = "POST /b\nX" }},
		{"method", func(c *alipayplus.Content) { c.Method = "P0ST" }},
		{"method", func(c *alipayplus.Content) { c.Method = "POSTPOSTPOSTPOSTP" }},
		{"target", func(c *alipayplus.Content) { c.Target = "" }},
		{"target", func(c *alipayplus.Content) { c.Target = "a" }},
		{"target", func(c *alipayplus.Content) { c.Target = "https://host/a" }},
		{"target", func(c *alipayplus.Content) { c.Target = "/a b" }},
		{"target", func(c *alipayplus.Content) { c.Target = "/a\nb" }},
		{"target", func(c *alipayplus.Content) { c.Target = "/a\x7f" }},
		{"target", func(c *alipayplus.Content) { c.Target = "/a#b" }},
		{"target", func(c *alipayplus.Content) { c.Target = "/" + strings.Repeat("a", 4096) }},
		{"Client-Id", func(c *alipayplus.Content) { c.ClientID = "" }},
		{"Client-Id", func(c *alipayplus.Content) { c.ClientID = clientID + ".2025-02" }},
		{"Client-Id", func(c *alipayplus.Content) { c.ClientID = " " + clientID }},
		{"Client-Id", func(c *alipayplus.Content) { c.ClientID = clientID + "\n" }},
		{"Client-Id", func(c *alipayplus.Content) { c.ClientID = strings.Repeat("a", 65) }},
		{"Client-Id", func(c *alipayplus.Content) { c.ClientID = "é" }},
		{"time", func(c *alipayplus.Content) { c.Time = "" }},
		{"time", func(c *alipayplus.Content) { c.Time = "2025-02-20 08:51:49Z" }},
		{"time", func(c *alipayplus.Content) { c.Time = sampleTime + "\n" }},
		{"time", func(c *alipayplus.Content) { c.Time = "Thu" }},
		{"time", func(c *alipayplus.Content) { c.Time = strings.Repeat("1", 41) }},
	} {
		c := good
		test.change(&c)
		header := signByHand(testkit.Keys().Alipay, c.Method, c.Target, c.ClientID, c.Time, string(c.Body))
		if err := c.Verify(header, alipayRing()); !errors.Is(err, alipayplus.ErrSignature) || !strings.Contains(err.Error(), "the "+test.rule) {
			t.Errorf("Verify %+v: got %v, want the rule of the %s", c, err, test.rule)
		}
		if _, err := c.Sign(t.Context(), walletSigner()); !errors.Is(err, alipayplus.ErrSignature) || !strings.Contains(err.Error(), "the "+test.rule) {
			t.Errorf("Sign %+v: got %v, want the rule of the %s", c, err, test.rule)
		}
	}
	// The two spellings of one signed text that the grammar is for.
	body := "{}"
	first := alipayplus.Content{Method: "POST", Target: "/a", ClientID: "C", Time: "2025-02-20T08:51:49.09Z", Body: []byte(body)}
	second := alipayplus.Content{Method: "POST", Target: "/a", ClientID: "C.2025-02-20T08:51:49", Time: "09Z", Body: []byte(body)}
	header := signByHand(testkit.Keys().Alipay, "POST", "/a", first.ClientID, first.Time, body)
	if err := first.Verify(header, alipayRing()); err != nil {
		t.Errorf("control: %v", err)
	}
	if err := second.Verify(header, alipayRing()); err == nil {
		t.Error("one signature verifies for two client ids")
	}
}

// A time can be cut at its fraction, so that its end becomes the beginning of
// the body: the signature of one message would fit the other. No signature
// covers a body that does not begin with "{", and none is made.
func TestSignedBytesCannotBeCutElsewhere(t *testing.T) {
	body := `{"paymentResult":{"resultStatus":"S"}}`
	whole := content("/a", body)
	header := signByHand(testkit.Keys().Alipay, "POST", "/a", clientID, sampleTime, body)
	if err := whole.Verify(header, alipayRing()); err != nil {
		t.Fatalf("control: %v", err)
	}
	for cut := 1; cut < len(sampleTime); cut++ {
		if sampleTime[cut] != '.' {
			continue
		}
		second := whole
		second.Time, second.Body = sampleTime[:cut], []byte(sampleTime[cut+1:]+"."+body)
		if err := second.Verify(header, alipayRing()); !errors.Is(err, alipayplus.ErrSignature) || !strings.Contains(err.Error(), "begin with {") {
			t.Errorf("%v with %q: %v", second, second.Body, err)
		}
	}
	for _, body := range []string{"", " ", "x", "090Z.{}", "[{}]", `"{}"`, "\ufeff{}", "\f{}", "\v{}", "\u00a0{}"} {
		c := content("/a", body)
		if _, err := c.Sign(t.Context(), walletSigner()); !errors.Is(err, alipayplus.ErrSignature) {
			t.Errorf("Sign with the body %q: %v", body, err)
		}
		theirs := signByHand(testkit.Keys().Alipay, "POST", "/a", clientID, sampleTime, body)
		if err := c.Verify(theirs, alipayRing()); !errors.Is(err, alipayplus.ErrSignature) {
			t.Errorf("Verify with the body %q: %v", body, err)
		}
	}
}

// After its "{" the body may be anything, also what looks like the head.
func TestContentCoversAnyBody(t *testing.T) {
	for _, body := range []string{"{", "{}\n", "{\x00\xff", " \t\r\n{.", "{" + strings.Repeat("x", 1<<20)} {
		header, err := content("/a", body).Sign(t.Context(), walletSigner())
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte("POST /a\n" + clientID + "." + sampleTime + "." + body))
		if err := rsa.VerifyPKCS1v15(&testkit.Keys().Wallet.PublicKey, 5, digest[:], signatureIn(t, header)); err != nil {
			t.Errorf("body of %d bytes: %v", len(body), err)
		}
	}
}

func TestVerifyWithoutKeys(t *testing.T) {
	header := signByHand(testkit.Keys().Alipay, "POST", "/a", clientID, sampleTime, "{}")
	for name, keyRing := range map[string]*alipayplus.KeyRing{"nil": nil, "zero": new(alipayplus.KeyRing)} {
		if err := content("/a", "{}").Verify(header, keyRing); !errors.Is(err, alipayplus.ErrSignature) {
			t.Errorf("%s key ring: %v", name, err)
		}
	}
}

// A header costs the signature, the digest and little else.
func TestSignatureAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	signer, keyRing := walletSigner(), alipayRing()
	body := `{"text":"` + strings.Repeat("x", 1024) + `"}`
	c, ctx := content("/aps/api/v1/payments/notifyPayment", body), t.Context()
	header := signByHand(testkit.Keys().Alipay, "POST", c.Target, clientID, sampleTime, body)
	sign := testing.AllocsPerRun(50, func() {
		if _, err := c.Sign(ctx, signer); err != nil {
			t.Fatal(err)
		}
	})
	verify := testing.AllocsPerRun(50, func() {
		if err := c.Verify(header, keyRing); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%v allocations to sign, %v to verify", sign, verify)
	if sign > 12 {
		t.Errorf("signing a header takes %v allocations, at most 12 are allowed", sign)
	}
	if verify > 16 {
		t.Errorf("verifying a header takes %v allocations, at most 16 are allowed", verify)
	}
}
