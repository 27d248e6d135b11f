package alipayplustest

import (
	"crypto/rsa"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// CheckClient runs the part of TestClient with this name.
func CheckClient(t *testing.T, rule string, call ClientUnderTest) error {
	for _, r := range clientRules {
		if r.name == rule {
			return r.check(t, call)
		}
	}
	t.Fatalf("no part is named %q", rule)
	return nil
}

// ClientRules returns the names of the parts of TestClient.
func ClientRules() (names []string) {
	for _, rule := range clientRules {
		names = append(names, rule.name)
	}
	return names
}

// AlipayKey returns the public key of Alipay+ in all of this package's tests.
func AlipayKey() *rsa.PublicKey { return &must(makeKeys()).alipay.PublicKey }

// CheckHandler runs the part of TestHandler with this name.
func CheckHandler(t *testing.T, rule string, open HandlerUnderTest) error {
	for _, r := range handlerRules {
		if r.name == rule {
			return checkHandler(t, r, open)
		}
	}
	t.Fatalf("no part is named %q", rule)
	return nil
}

// HandlerRules returns the names of the parts of TestHandler.
func HandlerRules() (names []string) {
	for _, rule := range handlerRules {
		names = append(names, rule.name)
	}
	return names
}

// BrokenSignerRules returns the parts of TestSigner that s fails.
func BrokenSignerRules(s alipayplus.Signer, public *rsa.PublicKey) map[string]error {
	broken := map[string]error{}
	for _, rule := range signerRules {
		if err := rule.check(s, public); err != nil {
			broken[rule.name] = err
		}
	}
	return broken
}

// SignerRules returns how many parts TestSigner has.
func SignerRules() int { return len(signerRules) }

// WalletKey returns the private key of the wallet in all of this package's
// tests.
func WalletKey() *rsa.PrivateKey { return must(makeKeys()).wallet }
