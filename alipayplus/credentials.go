package alipayplus

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// Credentials are what one party needs to sign and to verify: its id, its key
// and the other side's keys. A Client and a Handler share them.
type Credentials struct {
	// ClientID is the MPP's id at Alipay+, header Client-Id: 1 to 64 of
	// A-Z a-z 0-9 _ -.
	ClientID string
	// Signer signs what the MPP sends: requests, and answers to inbound calls.
	Signer Signer
	// Keys are Alipay+'s public keys.
	Keys *KeyRing
}

// check completes the check of the constructors: all there, and the MPP's own
// key is not among Alipay+'s.
func (c *Credentials) check() error {
	switch {
	case !validClientID(c.ClientID):
		return errors.New("alipayplus: ClientID is not 1 to 64 of A-Z a-z 0-9 _ -")
	case c.Signer == nil:
		return errors.New("alipayplus: no Signer; make one with NewSigner")
	case c.Keys == nil:
		return errors.New("alipayplus: no Keys; make them with NewKeyRing")
	}
	if signer, ok := c.Signer.(interface{ Public() crypto.PublicKey }); ok {
		if own, ok := signer.Public().(*rsa.PublicKey); ok {
			return c.Keys.refuse(ownKey{public: own})
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	digest := sha256.Sum256([]byte("alipayplus: whose key is this?"))
	_, signature, err := signDigest(ctx, c.Signer, digest)
	if err != nil {
		return fmt.Errorf("alipayplus: the Signer does not sign: %w", err)
	}
	return c.Keys.refuse(ownKey{digest: digest, signature: signature})
}
