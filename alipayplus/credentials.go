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
//
// When Alipay+ changes its key, give [KeyRing.Replace] the old and the new one,
// and later the new one alone. To change the MPP's key, give Alipay+ the new
// public key first, then start each process with the new Signer and its version;
// a Signer of the host's own may change to another key while it is in use.
type Credentials struct {
	// ClientID is the MPP's id at Alipay+, header Client-Id: 1 to 64 of
	// A-Z a-z 0-9 _ -.
	ClientID string
	// Signer signs what the MPP sends: requests, and answers to inbound calls.
	Signer Signer
	// Keys are Alipay+'s public keys.
	Keys *KeyRing
}

// ParseCredentials makes Credentials of the texts that the developer console
// gives: the MPP's id, the version under which Alipay+ knows the MPP's key,
// that private key, and Alipay+'s public key. The keys may have any form that
// [ParsePrivateKey] and [ParsePublicKey] read; they are checked against each
// other. An error says which text is wrong, and shows neither.
//
// Alipay+'s key is held as version 1, a hint in its messages. For an HSM,
// several keys of Alipay+ or a rotation, fill Credentials with a [Signer] and a
// [KeyRing].
func ParseCredentials(clientID, keyVersion string, privateKey, alipayKey []byte) (Credentials, error) {
	private, err := ParsePrivateKey(privateKey)
	if err != nil {
		return Credentials{}, fmt.Errorf("the private key: %w", err)
	}
	public, err := ParsePublicKey(alipayKey)
	if err != nil {
		return Credentials{}, fmt.Errorf("Alipay+'s public key: %w", err)
	}
	c := Credentials{ClientID: clientID}
	if c.Signer, err = NewSigner(keyVersion, private); err != nil {
		return Credentials{}, err
	}
	if c.Keys, err = NewKeyRing(map[string]*rsa.PublicKey{"1": public}); err != nil {
		return Credentials{}, err
	}
	if err := c.check(); err != nil {
		return Credentials{}, err
	}
	return c, nil
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
