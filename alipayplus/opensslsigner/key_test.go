//go:build openssl && cgo

package opensslsigner

import (
	"crypto"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"
)

// What NewSigner never asks of a key, the key refuses: C would read past the
// end of a short digest, or sign in another scheme than the caller meant.
func TestKeyRefuses(t *testing.T) {
	k := &key{public: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}}
	for _, test := range []struct {
		name string
		size int
		opts crypto.SignerOpts
		want string
	}{
		{"a short digest", 31, crypto.SHA256, "SHA-256 digests"},
		{"a long digest", 33, crypto.SHA256, "SHA-256 digests"},
		{"another hash", 32, crypto.SHA3_256, "SHA-256 digests"},
		{"PSS", 32, &rsa.PSSOptions{Hash: crypto.SHA256}, "SHA-256 digests"},
		{"no options", 32, nil, "SHA-256 digests"},
		{"a key that OpenSSL does not have", 32, crypto.SHA256, "does not sign: "},
	} {
		signature, err := k.Sign(nil, make([]byte, test.size), test.opts)
		if signature != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %x, %v", test.name, signature, err)
		}
	}
}
