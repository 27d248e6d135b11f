package mpm_test

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"sync"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// quickKey signs like RSA with 2048 bits, and verifies as such, but its modulus
// is a product of 64 primes of 32 bits and its exponent is 3: both operations
// take microseconds. (Anybody can find those primes. For simulations only.)
type quickKey struct {
	public *rsa.PublicKey
	primes []uint64
	d      []uint64   // 1/e mod (prime-1)
	base   []*big.Int // 1 modulo this prime, 0 modulo the others
}

var newQuickKey = sync.OnceValue(func() *quickKey {
	const e = 3
	k := &quickKey{public: &rsa.PublicKey{N: big.NewInt(1), E: e}}
	for p := uint64(1<<32 - 1); len(k.primes) < 64; p -= 2 {
		prime := new(big.Int).SetUint64(p)
		d := new(big.Int).ModInverse(big.NewInt(e), new(big.Int).SetUint64(p-1))
		if d == nil || !prime.ProbablyPrime(10) {
			continue
		}
		k.primes = append(k.primes, p)
		k.d = append(k.d, d.Uint64())
		k.public.N.Mul(k.public.N, prime)
	}
	for _, p := range k.primes {
		prime := new(big.Int).SetUint64(p)
		rest := new(big.Int).Quo(k.public.N, prime)
		inverse := new(big.Int).ModInverse(rest, prime)
		k.base = append(k.base, rest.Mul(rest, inverse))
	}
	return k
})

// sha256Prefix is the DER of a SHA-256 DigestInfo before the digest (RFC 8017).
var sha256Prefix = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// SignDigest is RSASSA-PKCS1-v1_5.
func (k *quickKey) SignDigest(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
	size := (k.public.N.BitLen() + 7) / 8
	padded := make([]byte, size)
	padded[1] = 1
	for i := 2; i < size-len(sha256Prefix)-len(digest)-1; i++ {
		padded[i] = 0xff
	}
	copy(padded[size-len(sha256Prefix)-len(digest):], sha256Prefix)
	copy(padded[size-len(digest):], digest[:])
	sum, term := new(big.Int), new(big.Int)
	for i, p := range k.primes {
		var m uint64 // the padded digest modulo p
		for j := 0; j < size; j += 4 {
			m = (m<<32 | uint64(padded[j])<<24 | uint64(padded[j+1])<<16 | uint64(padded[j+2])<<8 | uint64(padded[j+3])) % p
		}
		s := uint64(1)
		for d := k.d[i]; d > 0; d >>= 1 {
			if d&1 == 1 {
				s = s * m % p
			}
			m = m * m % p
		}
		sum.Add(sum, term.Mul(k.base[i], term.SetUint64(s)))
	}
	return "1", sum.Mod(sum, k.public.N).FillBytes(make([]byte, size)), nil
}

var simKeys = sync.OnceValue(func() *alipayplus.KeyRing {
	keys, err := alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": newQuickKey().public})
	if err != nil {
		panic(err)
	}
	return keys
})

const simClientID = "WALLET_CLIENT_01"

func simCredentials() alipayplus.Credentials {
	return alipayplus.Credentials{ClientID: simClientID, Signer: testkit.Unverified{}, Keys: simKeys()}
}
