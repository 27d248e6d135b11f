package alipayplus_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

func pemText(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func oneLine(der []byte) string { return base64.StdEncoding.EncodeToString(der) }

// wrapped breaks text into lines of 64 characters.
func wrapped(text, lineEnd string) string {
	var b strings.Builder
	for len(text) > 64 {
		b.WriteString(text[:64] + lineEnd)
		text = text[64:]
	}
	return b.String() + text + lineEnd
}

// weak are keys that must be refused, made once.
var weak = sync.OnceValue(func() (w struct {
	rsa512, rsa1024 *rsa.PrivateKey
	ec              *ecdsa.PrivateKey
	ed              ed25519.PrivateKey
}) {
	w.rsa1024 = testkit.Must(rsa.GenerateKey(rand.Reader, 1024))
	w.rsa512 = small(512)
	w.ec = testkit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, w.ed, _ = ed25519.GenerateKey(rand.Reader)
	return w
})

// small makes a key that is too small for crypto/rsa.
func small(bits int) *rsa.PrivateKey {
	one := big.NewInt(1)
	for {
		p, q := testkit.Must(rand.Prime(rand.Reader, bits/2)), testkit.Must(rand.Prime(rand.Reader, bits/2))
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(65537), phi)
		if d == nil || p.Cmp(q) == 0 {
			continue
		}
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, D: d, Primes: []*big.Int{p, q}}
		return key
	}
}

// pkcs1 encodes a key that x509 may refuse to.
func pkcs1(k *rsa.PrivateKey) []byte {
	p, q, one := k.Primes[0], k.Primes[1], big.NewInt(1)
	return testkit.Must(asn1.Marshal(struct {
		Version                     int
		N                           *big.Int
		E                           int
		D, P, Q, DP, DQ, CRTInverse *big.Int
	}{
		0, k.N, k.E, k.D, p, q,
		new(big.Int).Mod(k.D, new(big.Int).Sub(p, one)), new(big.Int).Mod(k.D, new(big.Int).Sub(q, one)), new(big.Int).ModInverse(q, p),
	}))
}

func pkix(key any) []byte { return testkit.Must(x509.MarshalPKIXPublicKey(key)) }

func pkcs8(key any) []byte { return testkit.Must(x509.MarshalPKCS8PrivateKey(key)) }

// Keys come as the console shows them, and as people paste them.
func TestParseKeyForms(t *testing.T) {
	key := testkit.Keys().Wallet
	forms := func(der, pkcs1 []byte, kind string) map[string]string {
		return map[string]string{
			"one line of base64":      oneLine(der),
			"with a line end":         oneLine(der) + "\n",
			"without padding":         strings.TrimRight(oneLine(der), "="),
			"wrapped":                 wrapped(oneLine(der), "\n"),
			"wrapped with CRLF":       wrapped(oneLine(der), "\r\n"),
			"indented":                "  \t" + strings.ReplaceAll(wrapped(oneLine(der), "\n"), "\n", "\n    "),
			"byte order mark":         "\ufeff" + oneLine(der),
			"PEM":                     string(pemText(kind, der)),
			"PEM, blanks around":      "\n\n " + string(pemText(kind, der)) + "\n\n",
			"PEM with CRLF":           strings.ReplaceAll(string(pemText(kind, der)), "\n", "\r\n"),
			"PEM with a BOM":          "\ufeff" + string(pemText(kind, der)),
			"PKCS#1, base64":          oneLine(pkcs1),
			"PKCS#1, PEM":             string(pemText("RSA "+kind, pkcs1)),
			"PKCS#1 under the name 8": string(pemText(kind, pkcs1)),
		}
	}
	for name, text := range forms(pkcs8(key), x509.MarshalPKCS1PrivateKey(key), "PRIVATE KEY") {
		got, err := alipayplus.ParsePrivateKey([]byte(text))
		if err != nil || !got.Equal(key) {
			t.Errorf("private, %s: %v", name, err)
		}
	}
	for name, text := range forms(pkix(&key.PublicKey), x509.MarshalPKCS1PublicKey(&key.PublicKey), "PUBLIC KEY") {
		got, err := alipayplus.ParsePublicKey([]byte(text))
		if err != nil || !got.Equal(&key.PublicKey) {
			t.Errorf("public, %s: %v", name, err)
		}
	}
}

// What is no usable key is ErrKey, says which rule it breaks, and quotes
// nothing.
func TestParseKeyRefuses(t *testing.T) {
	key, w := testkit.Keys().Wallet, weak()
	cut := func(der []byte) []byte { return der[:len(der)-7] }
	private := []struct{ name, text, rule string }{
		{"empty", "", "empty"},
		{"blanks", " \r\n\t", "empty"},
		{"BOM alone", "\ufeff", "empty"},
		{"over 64 KiB", strings.Repeat("A", 64<<10+1), "over 64 KiB"},
		{"a file name", "/etc/wallet/private.pem", "neither PEM nor base64"},
		{"base64 of no key", "aGVsbG8=", "neither PKCS#8 nor PKCS#1"},
		{"base64url", strings.NewReplacer("+", "-", "/", "_").Replace(oneLine(pkcs8(key))), "neither PEM nor base64"},
		{"two keys in one base64", oneLine(pkcs8(key)) + "\n" + oneLine(pkcs8(key)), "neither PEM nor base64|trailing data"},
		{"trailing DER, PKCS#8", oneLine(append(pkcs8(key), 5, 0)), "trailing data"},
		{"trailing DER, PKCS#1", oneLine(append(x509.MarshalPKCS1PrivateKey(key), 5, 0)), "neither PKCS#8 nor PKCS#1"},
		{"trailing DER in PEM", string(pemText("PRIVATE KEY", append(pkcs8(key), 0))), "trailing data"},
		{"cut", oneLine(cut(pkcs8(key))), "neither PKCS#8 nor PKCS#1"},
		{"two PEM blocks", string(pemText("PRIVATE KEY", pkcs8(key))) + string(pemText("PRIVATE KEY", pkcs8(key))), "more than one PEM block"},
		{"a broken PEM block and a good one", "-----BEGIN PRIVATE KEY-----\n!!\n" + string(pemText("PRIVATE KEY", pkcs8(key))), "more than one PEM block"},
		{"text before PEM", "Bag Attributes\n" + string(pemText("PRIVATE KEY", pkcs8(key))), "text before the PEM block"},
		{"text after PEM", string(pemText("PRIVATE KEY", pkcs8(key))) + "end", "text after the PEM block"},
		{"PEM without its end", strings.TrimSuffix(string(pemText("PRIVATE KEY", pkcs8(key))), "-----END PRIVATE KEY-----\n"), "broken PEM block"},
		{"encrypted PKCS#8", string(pemText("ENCRYPTED PRIVATE KEY", pkcs8(key))), "decrypt it first"},
		{"PEM headers", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n" + wrapped(oneLine(pkcs8(key)), "\n") + "-----END RSA PRIVATE KEY-----\n", "decrypt it first"},
		{"a certificate", string(pemText("CERTIFICATE", pkix(&key.PublicKey))), "certificate"},
		{"EC in PKCS#8", oneLine(pkcs8(w.ec)), "not an RSA key"},
		{"EC in PEM", string(pemText("EC PRIVATE KEY", testkit.Must(x509.MarshalECPrivateKey(w.ec)))), "PEM block of another kind"},
		{"Ed25519", oneLine(pkcs8(w.ed)), "not an RSA key"},
		{"1024 bits", oneLine(pkcs8(w.rsa1024)), "1024 bits"},
		{"512 bits", oneLine(pkcs1(w.rsa512)), "neither PKCS#8 nor PKCS#1|512 bits"},
		{"a public key", oneLine(pkix(&key.PublicKey)), "public key where the private one belongs"},
		{"a public key in PEM", string(pemText("PUBLIC KEY", pkix(&key.PublicKey))), "public key where the private one belongs"},
		{"a public PKCS#1 key", oneLine(x509.MarshalPKCS1PublicKey(&key.PublicKey)), "public key where the private one belongs"},
	}
	public := []struct{ name, text, rule string }{
		{"empty", "", "empty"},
		{"over 64 KiB", strings.Repeat("A", 64<<10+1), "over 64 KiB"},
		{"a private key", oneLine(pkcs8(key)), "private key where the public one belongs"},
		{"a private PKCS#1 key", oneLine(x509.MarshalPKCS1PrivateKey(key)), "private key where the public one belongs"},
		{"a private key in PEM", string(pemText("PRIVATE KEY", pkcs8(key))), "private key where the public one belongs"},
		{"an EC private key in PEM", string(pemText("EC PRIVATE KEY", testkit.Must(x509.MarshalECPrivateKey(w.ec)))), "private key where the public one belongs"},
		{"1024 bits", oneLine(pkix(&w.rsa1024.PublicKey)), "1024 bits"},
		{"512 bits", oneLine(pkix(&w.rsa512.PublicKey)), "512 bits"},
		{"16384 bits", oneLine(pkix(&rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 16383, 1), E: 65537})), "16384 bits"},
		{"an even modulus", oneLine(pkix(&rsa.PublicKey{N: new(big.Int).Sub(key.N, big.NewInt(1)), E: 65537})), "modulus or exponent"},
		{"exponent 1", oneLine(x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: key.N, E: 1})), "modulus or exponent"},
		{"an even exponent", oneLine(x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: key.N, E: 4})), "modulus or exponent"},
		{"EC", oneLine(pkix(&w.ec.PublicKey)), "not an RSA key"},
		{"Ed25519", oneLine(pkix(w.ed.Public())), "not an RSA key"},
		{"trailing DER", oneLine(append(pkix(&key.PublicKey), 0)), "neither X.509"},
		{"two PEM blocks", string(pemText("PUBLIC KEY", pkix(&key.PublicKey))) + string(pemText("PUBLIC KEY", pkix(&key.PublicKey))), "more than one PEM block"},
		{"a certificate", string(pemText("CERTIFICATE", pkix(&key.PublicKey))), "certificate"},
		{"an SSH key", "ssh-rsa AAAAB3NzaC1yc2E= host", "neither PEM nor base64"},
	}
	check := func(name, text, rules string, err error) {
		t.Helper()
		if !errors.Is(err, alipayplus.ErrKey) {
			t.Errorf("%s: got %v, want ErrKey", name, err)
			return
		}
		found := false
		for rule := range strings.SplitSeq(rules, "|") {
			found = found || strings.Contains(err.Error(), rule)
		}
		if !found {
			t.Errorf("%s: got %v, want the rule %q", name, err, rules)
		}
		if !knownKeyError(err) {
			t.Errorf("%s: %q is a text of no rule: does it quote the input?", name, err)
		}
	}
	for _, c := range private {
		_, err := alipayplus.ParsePrivateKey([]byte(c.text))
		check("private, "+c.name, c.text, c.rule, err)
	}
	for _, c := range public {
		_, err := alipayplus.ParsePublicKey([]byte(c.text))
		check("public, "+c.name, c.text, c.rule, err)
	}
	broken := *key
	broken.D = new(big.Int).Add(key.D, big.NewInt(2))
	_, err := alipayplus.ParsePrivateKey([]byte(oneLine(pkcs1(&broken))))
	check("private, numbers that do not fit", "", "do not fit together|neither PKCS#8", err)
	t.Logf("%d keys, each refused", len(private)+len(public)+1)
}

// keyErrors are all the texts that an error about a key may have. A text that
// is not here might quote what came in.
var keyErrors = []string{
	"empty", "over 64 KiB", "nil", "not an RSA key", "trailing data", "neither PEM nor base64", "neither PKCS#8 nor PKCS#1",
	"neither X.509 SubjectPublicKeyInfo nor PKCS#1", "its numbers do not fit together", "modulus or exponent of no RSA key",
	"a public key where the private one belongs", "a private key where the public one belongs: revoke it if it left your hands",
	"text before the PEM block", "a broken PEM block", "more than one PEM block", "text after the PEM block",
	"an encrypted key or PEM headers: decrypt it first", "a certificate where a key belongs", "a PEM block of another kind",
}

func knownKeyError(err error) bool {
	text, ok := strings.CutPrefix(err.Error(), "alipayplus: unusable key: ")
	if !ok {
		return false
	}
	if bits, rest, ok := strings.Cut(text, " bits, at "); ok {
		return len(bits) <= 6 && strings.Trim(bits, "0123456789") == "" && (rest == "least 2048 are needed" || rest == "most 8192 are allowed")
	}
	for _, known := range keyErrors {
		if text == known {
			return true
		}
	}
	return false
}

// A text that would cost pem.Decode quadratic time does not get there: its
// blocks are counted first.
func TestParseKeyCountsFirst(t *testing.T) {
	huge := bytes.Repeat([]byte("-----BEGIN "), 5900)
	_, private := alipayplus.ParsePrivateKey(huge)
	_, public := alipayplus.ParsePublicKey(huge)
	for _, err := range []error{private, public} {
		if err == nil || err.Error() != "alipayplus: unusable key: more than one PEM block" {
			t.Errorf("%v", err)
		}
	}
}
