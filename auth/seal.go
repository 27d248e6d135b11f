package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// Sealer encrypts the few texts of tokens that have to wait at rest:
// AES-256-GCM with a random nonce, bound to the record and the purpose that they
// belong to.
type Sealer struct {
	aeads []cipher.AEAD // the first seals, all open
}

// NewSealer makes a Sealer of keys of 32 random bytes each. The first key seals,
// all of them open: to rotate, put the new key in front and keep the old one
// until all that it sealed is erased. Keep the keys apart from the database, for
// example in a KMS.
func NewSealer(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("auth: a Sealer needs a key")
	}
	s := new(Sealer)
	for _, key := range keys {
		if len(key) != 32 {
			return nil, errors.New("auth: a sealing key is not 32 bytes long")
		}
		if [32]byte(key) == ([32]byte{}) {
			return nil, errors.New("auth: a sealing key is all zero")
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, errors.New("auth: a sealing key cannot be used")
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, errors.New("auth: a sealing key cannot be used")
		}
		s.aeads = append(s.aeads, aead)
	}
	return s, nil
}

// String says how many keys there are.
func (s *Sealer) String() string {
	if s == nil {
		return "<nil>"
	}
	return fmt.Sprintf("auth.Sealer{%d keys}", len(s.aeads))
}

// purpose is what a text was sealed for. It is authenticated with the digest
// that the text belongs to, so that no sealed text can be moved.
type purpose string

const (
	forRedeem  purpose = "redeem"      // the answer to applyToken with a code; digest of the code
	forRefresh purpose = "refresh"     // the answer to applyToken with a refresh token; digest of the new access token
	forNotice  purpose = "authNotify"  // a Message; digest of the access token
	forUnbind  purpose = "accessToken" // an access token; its digest
)

func (s *Sealer) seal(p purpose, digest string, text []byte) []byte {
	return s.aeads[0].Seal(nil, nil, text, []byte(string(p)+" "+digest)) //nolint:gosec // the AEAD draws its nonce itself
}

// errSealed says that a sealed text cannot be read: its key is gone, or somebody
// changed or moved it.
var errSealed = errors.New("auth: a sealed text does not open: is its key missing?")

func (s *Sealer) open(p purpose, digest string, sealed []byte) ([]byte, error) {
	for _, aead := range s.aeads {
		if text, err := aead.Open(nil, nil, sealed, []byte(string(p)+" "+digest)); err == nil {
			return text, nil
		}
	}
	return nil, errSealed
}
