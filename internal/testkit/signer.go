package testkit

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"sync"
)

// KeySet is RSA keys of 2,048 bits: the wallet's, two of Alipay+, and a
// stranger's.
type KeySet struct{ Wallet, Alipay, Next, Stranger *rsa.PrivateKey }

// Keys returns keys that are made once for each run: a key takes longer than
// most tests.
var Keys = sync.OnceValue(func() (k KeySet) {
	for _, key := range []**rsa.PrivateKey{&k.Wallet, &k.Alipay, &k.Next, &k.Stranger} {
		*key = Must(rsa.GenerateKey(rand.Reader, 2048))
	}
	return k
})

// Signer is alipayplus.Signer. (This package does not import that one.)
type Signer interface {
	SignDigest(ctx context.Context, digest [sha256.Size]byte) (keyVersion string, signature []byte, err error)
}

// Unverified is a signer for tests in which nobody verifies: it gives every
// digest the same bytes.
type Unverified struct {
	Version string // "1" if it is ""
}

// SignDigest returns bytes that are no signature.
func (s Unverified) SignDigest(context.Context, [sha256.Size]byte) (keyVersion string, signature []byte, err error) {
	if s.Version == "" {
		s.Version = "1"
	}
	signature = make([]byte, 0, 256)
	for len(signature) < 256 {
		block := sha256.Sum256(signature)
		signature = append(signature, block[:]...)
	}
	return s.Version, signature, nil
}

// Public returns the wallet's key of [Keys].
func (Unverified) Public() crypto.PublicKey { return &Keys().Wallet.PublicKey }

// Once is a signer that asks Signer for each digest once: RSA signatures of
// PKCS #1 v1.5 are always the same, and in a test with virtual time so are most
// digests. It is for one key.
type Once struct {
	Signer
	known sync.Map // by digest
}

type signed struct {
	version   string
	signature []byte
}

// SignDigest returns what the first call for digest returned.
func (s *Once) SignDigest(ctx context.Context, digest [sha256.Size]byte) (keyVersion string, signature []byte, err error) {
	if known, ok := s.known.Load(digest); ok {
		return known.(signed).version, known.(signed).signature, nil
	}
	keyVersion, signature, err = s.Signer.SignDigest(ctx, digest)
	if err == nil {
		s.known.Store(digest, signed{keyVersion, signature})
	}
	return keyVersion, signature, err
}

// Public returns the public key of Signer, nil if it does not tell.
func (s *Once) Public() crypto.PublicKey {
	if p, ok := s.Signer.(interface{ Public() crypto.PublicKey }); ok {
		return p.Public()
	}
	return nil
}
