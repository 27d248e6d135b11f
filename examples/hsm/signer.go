package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ThalesGroup/crypto11"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// tokenSigner is an alipayplus.Signer whose keys are in a PKCS#11 token. It
// finds them by their labels, and reads no private key.
//
// If the token goes away, signatures are errors: of a call nothing is sent, and
// an answer is HTTP 500 without a signature, which Alipay+ takes for unknown
// and asks again. Each error has the token opened again, at most once in pause,
// so that a token that is back signs again.
type tokenSigner struct {
	config  crypto11.Config
	pause   time.Duration
	current atomic.Pointer[tokenKey]
	turn    chan struct{} // holds a value while one works on what follows
	token   *crypto11.Context
	tried   time.Time // when the token was opened last
}

// tokenKey is a key of the token. key and version never change, so that whoever
// loaded one gets the signature and the version of the same key.
type tokenKey struct {
	alipayplus.Signer
	version, label string
	public         crypto.PublicKey
}

// openToken opens the token and signs with the key of that label, which Alipay+
// knows as keyVersion.
func openToken(ctx context.Context, config crypto11.Config, keyVersion, label string) (*tokenSigner, error) {
	s := &tokenSigner{config: config, pause: time.Second, turn: make(chan struct{}, 1)}
	_, err := s.open(ctx, keyVersion, label)
	return s, err
}

// SignDigest implements alipayplus.Signer.
func (s *tokenSigner) SignDigest(ctx context.Context, digest [sha256.Size]byte) (string, []byte, error) {
	key := s.current.Load()
	version, signature, err := key.SignDigest(ctx, digest)
	if err == nil {
		return version, signature, nil
	}
	next, reopened := s.reopen(ctx, key)
	if reopened != nil {
		return "", nil, fmt.Errorf("the token does not sign (%w) and cannot be opened again: %w", err, reopened)
	}
	return next.SignDigest(ctx, digest)
}

// Public returns the public half of the key that signs now.
func (s *tokenSigner) Public() crypto.PublicKey { return s.current.Load().public }

// A signer in a log must not show the PIN of the token.
func (s *tokenSigner) String() string   { return "signer with a PKCS#11 token" }
func (s *tokenSigner) GoString() string { return s.String() }

// Use has all signatures from now on made with another key of the token.
// Alipay+ must know its public key as keyVersion before that. Calls that run
// keep the key that they have begun with; no signature is made with one key and
// sent with the version of the other.
func (s *tokenSigner) Use(ctx context.Context, keyVersion, label string) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	key, err := s.find(ctx, keyVersion, label)
	if err != nil {
		return err
	}
	s.current.Store(key)
	return nil
}

// Close ends all sessions with the token.
func (s *tokenSigner) Close(ctx context.Context) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	s.drop()
	return nil
}

// reopen opens the token again unless somebody else has since used was loaded.
func (s *tokenSigner) reopen(ctx context.Context, used *tokenKey) (*tokenKey, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	if now := s.current.Load(); now != used {
		return now, nil
	}
	if wait := time.Until(s.tried.Add(s.pause)); wait > 0 {
		return nil, fmt.Errorf("it was tried a moment ago, and will be in %v", wait.Round(time.Millisecond))
	}
	return s.openLocked(ctx, used.version, used.label)
}

func (s *tokenSigner) open(ctx context.Context, keyVersion, label string) (*tokenKey, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	return s.openLocked(ctx, keyVersion, label)
}

// openLocked replaces the connection. Many modules see a token that is back
// only after all sessions are closed.
func (s *tokenSigner) openLocked(ctx context.Context, keyVersion, label string) (*tokenKey, error) {
	s.drop()
	s.tried = time.Now()
	config := s.config // Configure fills it
	token, err := crypto11.Configure(&config)
	if err != nil {
		return nil, err
	}
	s.token = token
	key, err := s.find(ctx, keyVersion, label)
	if err != nil {
		s.drop()
		return nil, err
	}
	s.current.Store(key)
	return key, nil
}

// find looks a key up and has it prove itself.
func (s *tokenSigner) find(ctx context.Context, keyVersion, label string) (*tokenKey, error) {
	if s.token == nil {
		return nil, errors.New("the token is not open")
	}
	pair, err := s.token.FindKeyPair(nil, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("the key %q cannot be looked up: %w", label, err)
	}
	signer, err := alipayplus.NewSigner(keyVersion, pair)
	if err != nil {
		return nil, fmt.Errorf("the key %q: %w", label, err)
	}
	var digest [sha256.Size]byte
	_, _ = rand.Read(digest[:])
	_, signature, err := signer.SignDigest(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("the key %q does not sign: %w", label, err)
	}
	public, ok := pair.Public().(*rsa.PublicKey)
	if !ok || rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) != nil {
		return nil, fmt.Errorf("the two halves of the key %q do not fit together", label)
	}
	return &tokenKey{signer, keyVersion, label, public}, nil
}

func (s *tokenSigner) drop() {
	if s.token != nil {
		_ = s.token.Close() // waits for signatures that run; the library tells no errors
		s.token = nil
	}
}

func (s *tokenSigner) lock(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *tokenSigner) unlock() { <-s.turn }
