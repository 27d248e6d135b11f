package alipayplus

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"log/slog"
)

// Signer signs the SHA-256 digest of a message with RSASSA-PKCS1-v1_5 and says
// with which key, in one answer, so that a key rotation cannot tear the two
// apart. It may call a KMS or an HSM; it must be safe for concurrent use. An
// error means that nothing was sent. It should obey ctx: the call that asked
// ends with ctx in any case, and what the Signer returns later is lost.
//
// The key version is the one under which Alipay+ knows the public key, 1 to 9
// digits.
//
// A Signer may have a method Public() crypto.PublicKey. The constructors use it
// to refuse the MPP's own key among Alipay+'s; without it they sign one digest
// to find out.
type Signer interface {
	// SignDigest returns the signature of digest, as long as the key, and the
	// version of the key that made it.
	SignDigest(ctx context.Context, digest [sha256.Size]byte) (keyVersion string, signature []byte, err error)
}

// NewSigner returns a [Signer] over one RSA key, held in memory or by a
// crypto.Signer. The key has 2048 to 8192 bits.
//
// A crypto.Signer of another library that never waits may say so with a method
// InMemory() bool. Like an *rsa.PrivateKey it then signs on the goroutine of
// the call, and not on one that the call can leave.
func NewSigner(keyVersion string, key crypto.Signer) (Signer, error) {
	if !validKeyVersion(keyVersion) {
		return nil, keyError("the key version is not 1 to 9 digits")
	}
	if key == nil {
		return nil, keyError("nil")
	}
	if rsaKey, ok := key.(*rsa.PrivateKey); ok && rsaKey == nil {
		return nil, keyError("nil")
	}
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok {
		return nil, keyError("not an RSA key")
	}
	if err := checkPublicKey(public); err != nil {
		return nil, err
	}
	return &keySigner{keyVersion, key, public}, nil
}

// signDigest calls s.SignDigest and ends with ctx whatever s does. A key
// in memory does not wait.
func signDigest(ctx context.Context, s Signer, digest [sha256.Size]byte) (keyVersion string, signature []byte, err error) {
	if own, ok := s.(*keySigner); ok && own.inMemory() {
		return own.SignDigest(ctx, digest)
	}
	signed, err := await(ctx, func() (signed struct {
		version   string
		signature []byte
	}, err error) {
		signed.version, signed.signature, err = s.SignDigest(ctx, digest)
		return signed, err
	})
	return signed.version, signed.signature, err
}

type keySigner struct {
	version string
	key     crypto.Signer
	public  *rsa.PublicKey
}

func (s *keySigner) SignDigest(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
	signature, err := s.key.Sign(nil, digest[:], crypto.SHA256)
	return s.version, signature, err
}

func (s *keySigner) inMemory() bool {
	switch key := s.key.(type) {
	case *rsa.PrivateKey:
		return true
	case interface{ InMemory() bool }:
		return key.InMemory()
	}
	return false
}

func (s *keySigner) Public() crypto.PublicKey { return s.public }

// String names the key version: a key in a log must not show its numbers.
func (s *keySigner) String() string       { return "RSA signer, key version " + s.version }
func (s *keySigner) GoString() string     { return s.String() }
func (s *keySigner) LogValue() slog.Value { return slog.StringValue(s.String()) }

func validKeyVersion(version string) bool {
	return len(version) <= 9 && allDigits(version)
}
