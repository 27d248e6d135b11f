package alipayplus

import (
	"crypto/sha256"
	"net/http"
)

// NewTransport is the transport of a Client that is given none.
func NewTransport() *http.Transport { return newTransport() }

// VerifyDigest makes the step of every verification that takes a digest: test
// vectors sign messages that are no Content.
func (k *KeyRing) VerifyDigest(digest [sha256.Size]byte, signature []byte) error {
	_, err := k.verify("1", &digest, signature)
	return err
}
