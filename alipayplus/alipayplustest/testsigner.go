package alipayplustest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// TestSigner tests a signer, for example one over a KMS or an HSM, against the
// contract of [alipayplus.Signer]. public is the key that Alipay+ has of it. It
// asks for about fifty signatures, half of them at the same time, and then for
// more until one begins with a zero byte: about 250, at most 2,000.
func TestSigner(t *testing.T, s alipayplus.Signer, public *rsa.PublicKey) {
	t.Helper()
	for _, rule := range signerRules {
		t.Run(rule.name, func(t *testing.T) {
			if err := rule.check(s, public); err != nil {
				t.Error(err)
			}
		})
	}
}

// signerRule is one part of TestSigner.
type signerRule struct {
	name  string
	check func(alipayplus.Signer, *rsa.PublicKey) error
}

// digestOf returns a digest of this test's own.
func digestOf(i int) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "alipayplustest %d", i))
}

// signs wants a good signature of a digest.
func signs(ctx context.Context, s alipayplus.Signer, public *rsa.PublicKey, i int) ([]byte, error) {
	digest := digestOf(i)
	version, signature, err := s.SignDigest(ctx, digest)
	if err != nil {
		return nil, err
	}
	if len(version) < 1 || len(version) > 9 || strings.Trim(version, "0123456789") != "" {
		return nil, fmt.Errorf("the key version %q is not 1 to 9 digits", version)
	}
	if len(signature) != public.Size() {
		return nil, fmt.Errorf("the signature has %d bytes, the key %d", len(signature), public.Size())
	}
	if rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) != nil {
		return nil, errors.New("the signature is not RSASSA-PKCS1-v1_5 with SHA-256 of the digest by this key")
	}
	return signature, nil
}

var signerRules = []signerRule{
	{"the signature is RSASSA-PKCS1-v1_5 of the digest, as it is", func(s alipayplus.Signer, public *rsa.PublicKey) error {
		for i := range 8 {
			if _, err := signs(context.Background(), s, public, i); err != nil {
				return err
			}
		}
		return nil
	}},
	{"a signature that begins with a zero byte keeps it", func(s alipayplus.Signer, public *rsa.PublicKey) error {
		for i := range 2000 {
			signature, err := signs(context.Background(), s, public, 1000+i)
			if err != nil || signature[0] == 0 {
				return err
			}
		}
		return nil
	}},
	{"it signs a whole message", func(s alipayplus.Signer, public *rsa.PublicKey) error {
		c := alipayplus.Content{Method: "POST", Target: "/v1/a", ClientID: "C", Time: "2025-02-20T08:51:49.090Z", Body: []byte("{}")}
		header, err := c.Sign(context.Background(), s)
		if err != nil {
			return err
		}
		return c.Verify(header, must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": public})))
	}},
	{"a signature belongs to the caller", func(s alipayplus.Signer, public *rsa.PublicKey) error {
		first, err := signs(context.Background(), s, public, 1)
		if err != nil {
			return err
		}
		kept := bytes.Clone(first)
		if _, err := signs(context.Background(), s, public, 2); err != nil {
			return err
		}
		if !bytes.Equal(first, kept) {
			return errors.New("a later signature overwrites an earlier one")
		}
		clear(first)
		_, err = signs(context.Background(), s, public, 1)
		return err
	}},
	{"many callers at once get their own signatures", func(s alipayplus.Signer, public *rsa.PublicKey) error {
		var all sync.WaitGroup
		wrong := make([]error, 24)
		for i := range wrong {
			all.Go(func() { _, wrong[i] = signs(context.Background(), s, public, 100+i) })
		}
		all.Wait()
		return errors.Join(wrong...)
	}},
	{"a context that is done ends it, with an error or a good signature", func(s alipayplus.Signer, public *rsa.PublicKey) error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		ended := make(chan error, 1)
		go func() {
			digest := digestOf(3)
			_, signature, err := s.SignDigest(ctx, digest)
			if err == nil && rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) != nil {
				ended <- errors.New("neither an error nor a signature")
				return
			}
			ended <- nil
		}()
		select {
		case err := <-ended:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("it does not end with its context")
		}
	}},
	{"Public, if there is one, is the key that signs", func(s alipayplus.Signer, public *rsa.PublicKey) error {
		p, ok := s.(interface{ Public() crypto.PublicKey })
		if ok && !public.Equal(p.Public()) {
			return errors.New("it is another key")
		}
		return nil
	}},
}
