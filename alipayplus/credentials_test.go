package alipayplus_test

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// The texts of the developer console are all that a wallet needs.
func TestParseCredentials(t *testing.T) {
	private := []byte(base64.StdEncoding.EncodeToString(testkit.Must(x509.MarshalPKCS8PrivateKey(testkit.Keys().Wallet))))
	own := []byte(base64.StdEncoding.EncodeToString(testkit.Must(x509.MarshalPKIXPublicKey(&testkit.Keys().Wallet.PublicKey))))
	theirs := []byte(base64.StdEncoding.EncodeToString(testkit.Must(x509.MarshalPKIXPublicKey(&testkit.Keys().Alipay.PublicKey))))
	c, err := alipayplus.ParseCredentials(clientID, "7", private, theirs)
	if err != nil {
		t.Fatal(err)
	}
	header, err := content("/a", "{}").Sign(t.Context(), c.Signer)
	if want := strings.Replace(signByHand(testkit.Keys().Wallet, "POST", "/a", clientID, sampleTime, "{}"), "keyVersion=1", "keyVersion=7", 1); err != nil || header != want {
		t.Errorf("%s %v, want %s", header, err, want)
	}
	if err := content("/a", "{}").Verify(signByHand(testkit.Keys().Alipay, "POST", "/a", clientID, sampleTime, "{}"), c.Keys); err != nil {
		t.Error(err)
	}
	for name, test := range map[string]struct {
		clientID, version string
		private, alipay   []byte
		want              string
		key               bool // ErrKey
	}{
		"no client id":                 {"", "7", private, theirs, "ClientID", false},
		"no key version":               {clientID, "", private, theirs, "key version", true},
		"no private key":               {clientID, "7", nil, theirs, "the private key: ", true},
		"a public key for the private": {clientID, "7", theirs, theirs, "the private key: ", true},
		"no key of Alipay+":            {clientID, "7", private, nil, "Alipay+'s public key: ", true},
		"the private key for theirs":   {clientID, "7", private, private, "Alipay+'s public key: ", true},
		"our own key for theirs":       {clientID, "7", private, own, "own public key", true},
	} {
		c, err := alipayplus.ParseCredentials(test.clientID, test.version, test.private, test.alipay)
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, alipayplus.ErrKey) != test.key || c.Signer != nil || c.Keys != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "MII") {
			t.Errorf("%s: the error shows a key: %v", name, err)
		}
	}
}
