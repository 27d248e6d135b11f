package alipayplus_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

func public(k *rsa.PrivateKey) *rsa.PublicKey { return &k.PublicKey }

func TestKeyRingRules(t *testing.T) {
	k := testkit.Keys()
	for _, test := range []struct {
		name, rule string
		keys       map[string]*rsa.PublicKey
	}{
		{"no key", "1 to 4 keys", nil},
		{"five keys", "1 to 4 keys", map[string]*rsa.PublicKey{"1": public(k.Alipay), "2": public(k.Alipay), "3": public(k.Alipay), "4": public(k.Alipay), "5": public(k.Alipay)}},
		{"empty version", "1 to 9 digits", map[string]*rsa.PublicKey{"": public(k.Alipay)}},
		{"version of letters", "1 to 9 digits", map[string]*rsa.PublicKey{"v1": public(k.Alipay)}},
		{"version of ten digits", "1 to 9 digits", map[string]*rsa.PublicKey{"1234567890": public(k.Alipay)}},
		{"nil key", "nil", map[string]*rsa.PublicKey{"1": nil}},
		{"zero key", "nil", map[string]*rsa.PublicKey{"1": {}}},
		{"1024 bits", "1024 bits", map[string]*rsa.PublicKey{"1": public(weak().rsa1024)}},
	} {
		for _, make := range []func(map[string]*rsa.PublicKey) (*alipayplus.KeyRing, error){alipayplus.NewKeyRing, alipayplus.NewStrictKeyRing} {
			if _, err := make(test.keys); !errors.Is(err, alipayplus.ErrKey) || !strings.Contains(err.Error(), test.rule) {
				t.Errorf("%s: got %v, want %q", test.name, err, test.rule)
			}
		}
		// A failed Replace leaves the keys as they are.
		live := alipayRing()
		if err := live.Replace(test.keys); !errors.Is(err, alipayplus.ErrKey) {
			t.Errorf("%s: Replace: %v", test.name, err)
		}
		if err := verifies(live, k.Alipay); err != nil {
			t.Errorf("%s: after a failed Replace: %v", test.name, err)
		}
	}
}

// verifies asks keyRing about a message signed with key and key version 1.
func verifies(keyRing *alipayplus.KeyRing, key *rsa.PrivateKey) error {
	return content("/a", "{}").Verify(signByHand(key, "POST", "/a", clientID, sampleTime, "{}"), keyRing)
}

// The key version of a message is a hint, and a demand in strict mode.
func TestKeyVersionHint(t *testing.T) {
	k := testkit.Keys()
	both := map[string]*rsa.PublicKey{"1": public(k.Alipay), "2": public(k.Next)}
	lenient := testkit.Must(alipayplus.NewKeyRing(both))
	strict, err := alipayplus.NewStrictKeyRing(both)
	if err != nil {
		t.Fatal(err)
	}
	signature := func(key *rsa.PrivateKey, version string) string {
		header := signByHand(key, "POST", "/a", clientID, sampleTime, "{}")
		if version == "" {
			return strings.Replace(header, "keyVersion=1,", "", 1)
		}
		return strings.Replace(header, "keyVersion=1", "keyVersion="+version, 1)
	}
	for _, test := range []struct {
		name            string
		key             *rsa.PrivateKey
		version         string
		lenient, strict bool
	}{
		{"the right one", k.Alipay, "1", true, true},
		{"the right one of the other key", k.Next, "2", true, true},
		{"the other's", k.Alipay, "2", true, false},
		{"unknown", k.Alipay, "0", true, false},
		{"absent", k.Alipay, "", true, false},
		{"leading zero", k.Alipay, "01", true, false},
		{"a stranger's key", k.Stranger, "1", false, false},
		{"a stranger's key without a version", k.Stranger, "", false, false},
	} {
		c, header := content("/a", "{}"), signature(test.key, test.version)
		if err := c.Verify(header, lenient); (err == nil) != test.lenient {
			t.Errorf("%s: %v", test.name, err)
		}
		if err := c.Verify(header, strict); (err == nil) != test.strict {
			t.Errorf("%s, strict: %v", test.name, err)
		}
	}
}

// The MPP's own key is never Alipay+'s: not when the ring is made, not later,
// not in another client's ring that is shared.
func TestOwnKeyIsRefused(t *testing.T) {
	k := testkit.Keys()
	own := map[string]*rsa.PublicKey{"1": public(k.Alipay), "2": public(k.Wallet)}
	// public() of a copy: another pointer, the same key.
	copied := *public(k.Wallet)
	for name, signer := range map[string]alipayplus.Signer{
		"a signer with a public key":      walletSigner(),
		"a signer without one (KMS, HSM)": opaqueSigner{walletSigner()},
	} {
		cfg := alipayplus.ClientConfig{
			Credentials: alipayplus.Credentials{ClientID: clientID, Signer: signer, Keys: testkit.Must(alipayplus.NewKeyRing(own))},
			BaseURL:     "https://gateway.example",
		}
		if _, err := alipayplus.NewClient(cfg); !errors.Is(err, alipayplus.ErrKey) || !strings.Contains(err.Error(), "own public key") {
			t.Errorf("%s: New: %v", name, err)
		}
		cfg.Keys = testkit.Must(alipayplus.NewStrictKeyRing(own))
		if _, err := alipayplus.NewClient(cfg); !errors.Is(err, alipayplus.ErrKey) || !strings.Contains(err.Error(), "own public key") {
			t.Errorf("%s, strict: New: %v", name, err)
		}
		cfg.Keys = new(alipayplus.KeyRing)
		if _, err := alipayplus.NewClient(cfg); !errors.Is(err, alipayplus.ErrKey) {
			t.Errorf("%s, empty ring: New: %v", name, err)
		}
		shared := alipayRing()
		cfg.Keys = shared
		for range 3 {
			if _, err := alipayplus.NewClient(cfg); err != nil {
				t.Fatalf("%s: control: %v", name, err)
			}
		}
		for range 2 {
			if err := shared.Replace(map[string]*rsa.PublicKey{"1": &copied}); !errors.Is(err, alipayplus.ErrKey) {
				t.Errorf("%s: Replace after New: %v", name, err)
			}
			if err := shared.Replace(map[string]*rsa.PublicKey{"1": public(k.Next)}); err != nil {
				t.Errorf("%s: Replace with a good key: %v", name, err)
			}
		}
		if verifies(shared, k.Alipay) == nil || verifies(shared, k.Next) != nil {
			t.Errorf("%s: the ring does not hold exactly the last good keys", name)
		}
	}
}

// Two parties, say two wallets of one process, share a ring, and each has its
// key in a KMS that does not show it: the second one's key is refused, too.
func TestOwnKeysOfTwoParties(t *testing.T) {
	k := testkit.Keys()
	for name, hide := range map[string]func(alipayplus.Signer) alipayplus.Signer{
		"hidden": func(s alipayplus.Signer) alipayplus.Signer { return opaqueSigner{s} },
		"shown":  func(s alipayplus.Signer) alipayplus.Signer { return s },
	} {
		ring := testkit.Must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": public(k.Alipay), "2": public(k.Stranger)}))
		party := func(key *rsa.PrivateKey) error {
			_, err := alipayplus.NewClient(alipayplus.ClientConfig{
				Credentials: alipayplus.Credentials{ClientID: clientID, Signer: hide(testkit.Must(alipayplus.NewSigner("1", key))), Keys: ring},
				BaseURL:     "https://gateway.example",
			})
			return err
		}
		if err := party(k.Wallet); err != nil {
			t.Fatalf("%s: the first party: %v", name, err)
		}
		if err := party(k.Stranger); !errors.Is(err, alipayplus.ErrKey) || !strings.Contains(err.Error(), "own public key") {
			t.Errorf("%s: the second party, whose key is taken for Alipay+'s: %v", name, err)
		}
		// What was refused is not remembered, and the first party's key still is.
		if err := ring.Replace(map[string]*rsa.PublicKey{"2": public(k.Stranger)}); err != nil {
			t.Errorf("%s: Replace: %v", name, err)
		}
		if err := ring.Replace(map[string]*rsa.PublicKey{"3": public(k.Wallet)}); !errors.Is(err, alipayplus.ErrKey) {
			t.Errorf("%s: Replace with the first party's key: %v", name, err)
		}
	}
}

// 100 rotations under 10,000 verifications: a message whose key is live is
// never refused, a message whose key is retired never accepted.
func TestRotationUnderLoad(t *testing.T) {
	k := testkit.Keys()
	keyRing := testkit.Must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": public(k.Alipay)}))
	c := content("/a", "{}")
	header := map[*rsa.PrivateKey]string{}
	for _, key := range []*rsa.PrivateKey{k.Alipay, k.Next, k.Stranger} {
		header[key] = signByHand(key, "POST", "/a", clientID, sampleTime, "{}")
	}
	// Each rotation goes old → old and new → new, and marks what is live around
	// each step, as an operator would know it.
	const rotations, workers = 100, 8
	each := size(1250, 250, 1250)
	var phase atomic.Int64 // even: settled; odd: a Replace is under way
	live := func(p int64) []*rsa.PrivateKey {
		switch p / 2 % 4 {
		case 0:
			return []*rsa.PrivateKey{k.Alipay}
		case 2:
			return []*rsa.PrivateKey{k.Next}
		}
		return []*rsa.PrivateKey{k.Alipay, k.Next}
	}
	var falseRejects, retired, checked atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range each {
				key := []*rsa.PrivateKey{k.Alipay, k.Next, k.Stranger}[(w+i)%3]
				before := phase.Load()
				err := c.Verify(header[key], keyRing)
				after := phase.Load()
				checked.Add(1)
				always, never := true, true
				for p := before - before%2; p <= after+after%2; p += 2 {
					is := false
					for _, l := range live(p) {
						is = is || l == key
					}
					always, never = always && is, never && !is
				}
				if always && err != nil {
					falseRejects.Add(1)
				}
				if never && err == nil {
					retired.Add(1)
				}
			}
		})
	}
	all.Go(func() {
		for step := int64(1); step <= 2*rotations; step++ {
			// One rotation for every fiftieth part of the load.
			for checked.Load() < step*int64(workers*each)/(2*rotations+2) {
				_ = c.Verify(header[k.Stranger], keyRing)
			}
			next := map[string]*rsa.PublicKey{}
			for i, key := range live(2 * step) {
				next[fmt.Sprint(int64(i)+step)] = public(key)
			}
			phase.Add(1)
			if err := keyRing.Replace(next); err != nil {
				t.Error(err)
			}
			phase.Add(1)
		}
	})
	all.Wait()
	if falseRejects.Load() != 0 || retired.Load() != 0 {
		t.Errorf("%d false rejects, %d retired keys accepted", falseRejects.Load(), retired.Load())
	}
	t.Logf("%d verifications, %d rotations", checked.Load(), rotations)
}

// A bad signature costs at most four verifications, whatever it says of itself.
func TestKeyRingHoldsAtMostFour(t *testing.T) {
	k := testkit.Keys()
	keyRing := testkit.Must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": public(k.Next), "2": public(k.Wallet), "3": public(k.Stranger), "4": public(k.Alipay)}))
	if err := verifies(keyRing, k.Alipay); err != nil {
		t.Errorf("the fourth key is not tried: %v", err)
	}
	digest := sha256.Sum256(nil)
	if keyRing.VerifyDigest(digest, make([]byte, 256)) == nil {
		t.Error("zeros verify")
	}
}

func TestKeyRingPrintsVersionsOnly(t *testing.T) {
	keyRing := alipayRing()
	for _, verb := range []string{"%v", "%+v", "%s"} {
		if got := fmt.Sprintf(verb, keyRing); got != "KeyRing 1" {
			t.Errorf("%s: %s", verb, got)
		}
	}
}

// A signer in a log names its key version, which tells what to look up in the
// developer console, and no number of its key.
func TestSignerPrintsVersionOnly(t *testing.T) {
	signer := testkit.Must(alipayplus.NewSigner("7", testkit.Keys().Wallet))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "signer", signer)
	for _, got := range []string{fmt.Sprint(signer), fmt.Sprintf("%+v", signer), fmt.Sprintf("%#v", signer), log.String()} {
		if !strings.Contains(got, "RSA signer, key version 7") || strings.Contains(got, testkit.Keys().Wallet.N.String()[:20]) {
			t.Errorf("prints as %s", got)
		}
	}
}
