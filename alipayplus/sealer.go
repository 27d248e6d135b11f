package alipayplus

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Sealer encrypts the few texts that may not be stored or handed out as they
// are: tokens in a message of the outbox, answers that are kept for a repeat,
// links to a verification page. It uses AES-256-GCM with a random nonce and
// binds each text to its purpose. A Sealer is immutable and safe for concurrent
// use.
type Sealer struct {
	aeads []cipher.AEAD // the first seals, all open
}

// ErrSealed is the error of a sealed text that does not open: its key is
// missing, it was changed, or it belongs to another purpose.
var ErrSealed = errors.New("alipayplus: a sealed text does not open: is its key missing?")

// NewSealer makes a [Sealer] of keys of 32 random bytes each. The first key
// seals, all of them open: to rotate, put the new key in front and keep the old
// one until all that it sealed is erased. Keep the keys apart from the
// database, for example in a KMS.
func NewSealer(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("alipayplus: a Sealer needs a key")
	}
	s := new(Sealer)
	for _, key := range keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("alipayplus: a sealing key has %d bytes; 32 random ones are needed, as they are and not in hex or base64", len(key))
		}
		if [32]byte(key) == ([32]byte{}) {
			return nil, errors.New("alipayplus: a sealing key is all zero")
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, errors.New("alipayplus: a sealing key cannot be used")
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, errors.New("alipayplus: a sealing key cannot be used")
		}
		s.aeads = append(s.aeads, aead)
	}
	return s, nil
}

// Seal encrypts text for a purpose, for example "redeem" and the digest that
// the text belongs to. The purpose is authenticated and not part of the result.
func (s *Sealer) Seal(purpose string, text []byte) []byte {
	return s.aeads[0].Seal(nil, nil, text, []byte(purpose)) //nolint:gosec // the AEAD draws its nonce itself
}

// Open decrypts what Seal made for the same purpose. The error is [ErrSealed].
func (s *Sealer) Open(purpose string, sealed []byte) ([]byte, error) {
	if s != nil {
		for _, aead := range s.aeads {
			if text, err := aead.Open(nil, nil, sealed, []byte(purpose)); err == nil {
				return text, nil
			}
		}
	}
	return nil, ErrSealed
}

// SealMessage encrypts the body of m, for a message that holds a token. Set
// Message.URL before, if at all: a sealed message can be sent nowhere else.
// Give the same Sealer to the [Relay].
func (s *Sealer) SealMessage(m Message) Message {
	if !m.Sealed {
		sealed := s.Seal(messagePurpose(m), []byte(m.Body.Reveal()))
		m.Body, m.Sealed = Conceal(base64.StdEncoding.EncodeToString(sealed)), true
	}
	return m
}

// OpenMessage returns m with its body as Prepare made it. The error is
// [ErrSealed].
func (s *Sealer) OpenMessage(m Message) (Message, error) {
	if !m.Sealed {
		return m, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(m.Body.Reveal())
	if err != nil {
		return m, ErrSealed
	}
	body, err := s.Open(messagePurpose(m), sealed)
	if err != nil {
		return m, err
	}
	m.Body, m.Sealed = Conceal(string(body)), false
	return m, nil
}

// messagePurpose binds a sealed body to its message and to where it is sent, so
// that whoever can write to the database can neither move nor redirect it.
func messagePurpose(m Message) string {
	return fmt.Sprintf("message %q %q %q %q", m.Operation, m.Key, m.Path, m.URL)
}

// String says how many keys there are.
func (s *Sealer) String() string {
	if s == nil {
		return "<nil>"
	}
	return fmt.Sprintf("alipayplus.Sealer{%d keys}", len(s.aeads))
}

// Format prints no key.
func (s *Sealer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns String for log/slog.
func (s *Sealer) LogValue() slog.Value { return slog.StringValue(s.String()) }
