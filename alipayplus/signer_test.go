package alipayplus_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// opaqueSigner hides the public key, as a KMS does.
type opaqueSigner struct{ s alipayplus.Signer }

func (o opaqueSigner) SignDigest(ctx context.Context, d [sha256.Size]byte) (string, []byte, error) {
	return o.s.SignDigest(ctx, d)
}

// signerFunc is a Signer made of a function, with the wallet's public key.
type signerFunc func(context.Context, [sha256.Size]byte) (string, []byte, error)

func (f signerFunc) SignDigest(ctx context.Context, d [sha256.Size]byte) (string, []byte, error) {
	return f(ctx, d)
}
func (signerFunc) Public() crypto.PublicKey { return &testkit.Keys().Wallet.PublicKey }

func TestNewSignerRules(t *testing.T) {
	for _, test := range []struct {
		name, version string
		key           crypto.Signer
		rule          string
	}{
		{"empty version", "", testkit.Keys().Wallet, "key version"},
		{"version of letters", "v1", testkit.Keys().Wallet, "key version"},
		{"version that ends an item", "1,algorithm=none", testkit.Keys().Wallet, "key version"},
		{"ten digits", "1234567890", testkit.Keys().Wallet, "key version"},
		{"nil key", "1", nil, "nil"},
		{"typed nil key", "1", (*rsa.PrivateKey)(nil), "nil"},
		{"zero key", "1", &rsa.PrivateKey{}, "nil"},
		{"1024 bits", "1", weak().rsa1024, "1024 bits"},
		{"EC key", "1", weak().ec, "not an RSA key"},
		{"Ed25519 key", "1", weak().ed, "not an RSA key"},
	} {
		if _, err := alipayplus.NewSigner(test.version, test.key); !errors.Is(err, alipayplus.ErrKey) || !strings.Contains(err.Error(), test.rule) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.rule)
		}
	}
}

// A signer that fails or answers nonsense sends nothing, and that is proved.
func TestSignerFailures(t *testing.T) {
	failure := errors.New("the HSM is busy")
	for _, test := range []struct {
		name string
		sign signerFunc
		want error
	}{
		{"an error", func(context.Context, [32]byte) (string, []byte, error) { return "", nil, failure }, failure},
		{"a key version that ends an item", func(context.Context, [32]byte) (string, []byte, error) {
			return "1,signature=AAAA", make([]byte, 256), nil
		}, nil},
		{"no key version", func(context.Context, [32]byte) (string, []byte, error) { return "", make([]byte, 256), nil }, nil},
		{"an empty signature", func(context.Context, [32]byte) (string, []byte, error) { return "1", nil, nil }, nil},
		{"a signature of 1024 bits", func(context.Context, [32]byte) (string, []byte, error) { return "1", make([]byte, 128), nil }, nil},
		{"a signature of 2040 bits", func(context.Context, [32]byte) (string, []byte, error) { return "1", make([]byte, 255), nil }, nil},
		{"a signature over 8192 bits", func(context.Context, [32]byte) (string, []byte, error) { return "1", make([]byte, 1025), nil }, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
				t.Errorf("%s: sent", test.name)
				return nil, errors.New("no")
			}), func(cfg *alipayplus.ClientConfig) { cfg.Signer = test.sign })
			var info alipayplus.Info
			answer, err := onceOnly.Call(t.Context(), c, &order{ID: "1"}, alipayplus.WithInfo(&info))
			if answer != nil || alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || info.Attempts != 5 {
				t.Errorf("%s: %v after %d attempts, want not sent after 5", test.name, err, info.Attempts)
			}
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%s: %v does not wrap the signer's error", test.name, err)
			}
		})
	}
}

// The signatures of the smallest and the largest keys are sent.
func TestSizesOfSignatures(t *testing.T) {
	for _, size := range []int{2048 / 8, 8192 / 8} {
		signer := signerFunc(func(context.Context, [32]byte) (string, []byte, error) { return "1", make([]byte, size), nil })
		if header, err := content("/a", "{}").Sign(t.Context(), signer); err != nil || len(header) < size {
			t.Errorf("%d bytes: %q, %v", size, header, err)
		}
	}
}

// A slow signer uses up the attempt's time, not more.
func TestSignerObeysTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := signerFunc(func(ctx context.Context, _ [32]byte) (string, []byte, error) {
			<-ctx.Done()
			return "", nil, ctx.Err()
		})
		c := newClient(t, answers(bodyS), func(cfg *alipayplus.ClientConfig) { cfg.Signer, cfg.Retry = hangs, alipayplus.NoRetry })
		began := time.Now()
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
		if took := time.Since(began); took != 5*time.Second || alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// stackKey is a key that notes which functions ask it to sign.
type stackKey struct {
	*rsa.PrivateKey
	inMemory bool
	stack    string
}

func (k *stackKey) InMemory() bool { return k.inMemory }

func (k *stackKey) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.stack = string(debug.Stack())
	return k.PrivateKey.Sign(r, digest, opts)
}

// A key that never waits signs on the goroutine of the call, any other on one
// that the call can leave.
func TestKeyInMemory(t *testing.T) {
	for _, inMemory := range []bool{false, true} {
		key := &stackKey{PrivateKey: testkit.Keys().Wallet, inMemory: inMemory}
		signer, err := alipayplus.NewSigner("1", key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := content("/a", "{}").Sign(t.Context(), signer); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(key.stack, "TestKeyInMemory"); got != inMemory {
			t.Errorf("InMemory %v: on the goroutine of the call: %v", inMemory, got)
		}
	}
}

// Key version and signature come in one answer: under a rotation each header
// names the key that made it.
func TestRotatingSignerIsNotTorn(t *testing.T) {
	old, next := testkit.Must(alipayplus.NewSigner("1", testkit.Keys().Wallet)), testkit.Must(alipayplus.NewSigner("2", testkit.Keys().Next))
	turn := 0
	rotating := signerFunc(func(ctx context.Context, d [32]byte) (string, []byte, error) {
		turn++
		if turn%2 == 0 {
			return next.SignDigest(ctx, d)
		}
		return old.SignDigest(ctx, d)
	})
	known, err := alipayplus.NewStrictKeyRing(map[string]*rsa.PublicKey{"1": public(testkit.Keys().Wallet), "2": public(testkit.Keys().Next)})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		header, err := content("/a", "{}").Sign(t.Context(), rotating)
		if err != nil {
			t.Fatal(err)
		}
		if err := content("/a", "{}").Verify(header, known); err != nil {
			t.Error(err)
		}
	}
}

func failToSign(context.Context, [sha256.Size]byte) (string, []byte, error) {
	return "", nil, errors.New("no")
}
