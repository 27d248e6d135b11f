package alipayplustest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"runtime"
	"sync"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

func TestSignerOfTheSDK(t *testing.T) {
	key := alipayplustest.WalletKey()
	for _, version := range []string{"1", "20250731"} {
		s, err := alipayplus.NewSigner(version, key)
		if err != nil {
			t.Fatal(err)
		}
		alipayplustest.TestSigner(t, s, &key.PublicKey)
	}
}

// signer is an alipayplus.Signer made of a function.
type signer func(ctx context.Context, digest [sha256.Size]byte) (string, []byte, error)

func (f signer) SignDigest(ctx context.Context, digest [sha256.Size]byte) (string, []byte, error) {
	return f(ctx, digest)
}

// otherPublic shows another key than the one that signs.
type otherPublic struct{ signer }

func (otherPublic) Public() crypto.PublicKey { return alipayplustest.AlipayKey() }

// Each signer of the zoo fails the rule that names its mistake.
func TestSignerFindsEachMistake(t *testing.T) {
	key := alipayplustest.WalletKey()
	sign := func(digest [sha256.Size]byte) []byte {
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			panic(err)
		}
		return signature
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	shared, last := make([]byte, 256), []byte(nil)
	kept := map[[sha256.Size]byte][]byte{}
	busy := 0
	good := signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
		return "1", sign(digest), nil
	})
	const (
		zero                  = "a signature that begins with a zero byte keeps it"
		form, message, own    = "the signature is RSASSA-PKCS1-v1_5 of the digest, as it is", "it signs a whole message", "a signature belongs to the caller"
		concurrent, done, pub = "many callers at once get their own signatures", "a context that is done ends it, with an error or a good signature", "Public, if there is one, is the key that signs"
	)
	bites, mistakes := map[string]bool{}, 0
	for mistake, test := range map[string]struct {
		rule string
		s    alipayplus.Signer
	}{
		"hashes the digest again": {form, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			return "1", sign(sha256.Sum256(digest[:])), nil
		})},
		"signs with PSS": {form, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], nil)
			return "1", signature, err
		})},
		"signs with SHA-512": {form, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			sum := sha512.Sum512(digest[:])
			signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA512, sum[:])
			return "1", signature, err
		})},
		"signs with another key": {form, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			signature, err := rsa.SignPKCS1v15(nil, other, crypto.SHA256, digest[:])
			return "1", signature, err
		})},
		"cuts the signature": {form, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			return "1", sign(digest)[:255], nil
		})},
		"strips zero bytes": {zero, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			return "1", bytes.TrimLeft(sign(digest), "\x00"), nil
		})},
		"gives no key version": {message, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			return "", sign(digest), nil
		})},
		"gives the name of its key": {form, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			return "kms/key-1", sign(digest), nil
		})},
		"signs into one buffer": {own, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			mu.Lock()
			defer mu.Unlock()
			copy(shared, sign(digest))
			return "1", shared, nil
		})},
		"keeps what it gave away": {own, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			mu.Lock()
			defer mu.Unlock()
			if kept[digest] == nil {
				kept[digest] = sign(digest)
			}
			return "1", kept[digest], nil
		})},
		"gives a caller what another asked for": {concurrent, signer(func(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			mu.Lock()
			busy++
			meets := busy > 1 && last != nil
			mine := last
			mu.Unlock()
			runtime.Gosched() // the others arrive
			signature := sign(digest)
			mu.Lock()
			defer mu.Unlock()
			busy--
			last = signature
			if meets {
				return "1", mine, nil
			}
			return "1", signature, nil
		})},
		"answers nothing when it is cancelled": {done, signer(func(ctx context.Context, digest [sha256.Size]byte) (string, []byte, error) {
			if ctx.Err() != nil {
				return "", nil, nil
			}
			return "1", sign(digest), nil
		})},
		"shows another public key": {pub, otherPublic{good}},
	} {
		found := alipayplustest.BrokenSignerRules(test.s, &key.PublicKey)
		if found[test.rule] == nil {
			t.Errorf("%s: not found by %q, but by %v", mistake, test.rule, found)
		}
		bites[test.rule] = true
		mistakes++
	}
	if len(bites) != alipayplustest.SignerRules() {
		t.Errorf("of %d rules only %d have a signer that fails them", alipayplustest.SignerRules(), len(bites))
	}
	if found := alipayplustest.BrokenSignerRules(good, &key.PublicKey); len(found) > 0 {
		t.Errorf("without a mistake: %v", found)
	}
	t.Logf("%d signers with a mistake each, all found; %d rules", mistakes, len(bites))
}
