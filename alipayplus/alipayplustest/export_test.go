package alipayplustest

import (
	"crypto/rsa"
	"errors"
	"testing"
)

// CheckClient is the part of TestClient with this name.
func CheckClient(t *testing.T, rule string, call ClientUnderTest) error {
	for _, r := range clientRules {
		if r.name == rule {
			return r.check(t, call)
		}
	}
	return errors.New("no such rule")
}

// ClientRules are the names of the parts of TestClient.
func ClientRules() (names []string) {
	for _, rule := range clientRules {
		names = append(names, rule.name)
	}
	return names
}

// AlipayKey is the public key of Alipay+ in all of this package's tests.
func AlipayKey() *rsa.PublicKey { return &must(makeKeys()).alipay.PublicKey }
