//go:build openssl && cgo

package opensslsigner_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/opensslsigner"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// keys are a key of each length, made once.
var keys = sync.OnceValue(func() (made []*rsa.PrivateKey) {
	for _, bits := range []int{2048, 3072} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		made = append(made, key)
	}
	return made
})

// digest returns the i-th of a row of digests without a pattern.
func digest(i int) [sha256.Size]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

// same fails unless signer makes the signature that crypto/rsa makes.
func same(t *testing.T, signer alipayplus.Signer, key *rsa.PrivateKey, digest [sha256.Size]byte) {
	t.Helper()
	version, got, err := signer.SignDigest(t.Context(), digest)
	if err != nil || version != "7" {
		t.Errorf("key version %q, %v", version, err)
		return
	}
	want, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Error(err)
	} else if !bytes.Equal(got, want) {
		t.Errorf("signature %x of digest %x, want %x", got, digest, want)
	}
}

func open(t testing.TB, key *rsa.PrivateKey) alipayplus.Signer {
	t.Helper()
	signer, err := opensslsigner.New("7", texts(key)["PKCS#8"])
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// texts returns the forms in which a key may come.
func texts(key *rsa.PrivateKey) map[string][]byte {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	pkcs1 := x509.MarshalPKCS1PrivateKey(key)
	return map[string][]byte{
		"PKCS#8":     []byte(base64.StdEncoding.EncodeToString(pkcs8)),
		"PKCS#8 PEM": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		"PKCS#1":     []byte(base64.StdEncoding.EncodeToString(pkcs1)),
		"PKCS#1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: pkcs1}),
	}
}

// Every form of a key that ParsePrivateKey reads gives the same signature.
func TestFormsOfKeys(t *testing.T) {
	for _, key := range keys() {
		for form, text := range texts(key) {
			signer, err := opensslsigner.New("7", text)
			if err != nil {
				t.Errorf("%s: %v", form, err)
				continue
			}
			same(t, signer, key, digest(1))
			public := signer.(interface{ Public() crypto.PublicKey }).Public()
			if !key.PublicKey.Equal(public) {
				t.Errorf("%s: another public key", form)
			}
		}
	}
}

// What ParsePrivateKey and NewSigner refuse is refused here, and no error shows
// the key.
func TestRefusedKeys(t *testing.T) {
	key := keys()[0]
	good := texts(key)["PKCS#8"]
	for _, test := range []struct {
		name, version string
		text          []byte
	}{
		{"no text", "7", nil},
		{"half a text", "7", good[:len(good)/2]},
		{"a public key", "7", []byte(base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&key.PublicKey)))},
		{"a key version of letters", "v7", good},
	} {
		signer, err := opensslsigner.New(test.version, test.text)
		if signer != nil || !errors.Is(err, alipayplus.ErrKey) || strings.Contains(err.Error(), string(good[100:120])) {
			t.Errorf("%s: %v, %v", test.name, signer, err)
		}
	}
}

// A signer in a log is its key version.
func TestSignerShowsNothing(t *testing.T) {
	if shown := fmt.Sprintf("%v %+v %#v", open(t, keys()[0]), open(t, keys()[0]), open(t, keys()[0])); strings.Contains(shown, "0x") || strings.Contains(shown, "N:") {
		t.Errorf("it shows %s", shown)
	}
}

// The signatures are those of crypto/rsa: 10,000 of 2048 bits and 200 of 3072;
// a fiftieth of that in short mode.
func TestSameAsCryptoRSA(t *testing.T) {
	for i, n := range []int{10_000, 200} {
		if testing.Short() {
			n /= 50
		}
		signer := open(t, keys()[i])
		for j := range n {
			same(t, signer, keys()[i], digest(j))
		}
	}
}

// The generation vectors of Project Wycheproof give the signatures that they
// list, and those that crypto/rsa makes.
func TestWycheproof(t *testing.T) {
	files := testkit.Wycheproof(t, "rsa_pkcs1_*_sig_gen_test.json")
	signed := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vectors struct {
			TestGroups []struct {
				SHA             string
				PrivateKeyPKCS8 string
				Tests           []struct {
					TCID     int
					Msg, Sig string
				}
			}
		}
		if err := json.Unmarshal(data, &vectors); err != nil {
			t.Fatal(err)
		}
		for _, group := range vectors.TestGroups {
			if group.SHA != "SHA-256" {
				continue
			}
			der := unhex(t, group.PrivateKeyPKCS8)
			key, err := alipayplus.ParsePrivateKey([]byte(base64.StdEncoding.EncodeToString(der)))
			if err != nil {
				t.Fatal(err)
			}
			signer := open(t, key)
			for _, test := range group.Tests {
				digest := sha256.Sum256(unhex(t, test.Msg))
				same(t, signer, key, digest)
				if _, got, _ := signer.SignDigest(t.Context(), digest); !bytes.Equal(got, unhex(t, test.Sig)) {
					t.Errorf("%s, test %d: signature %x, want %s", filepath.Base(file), test.TCID, got, test.Sig)
				}
				signed++
			}
		}
	}
	if signed < 10 {
		t.Errorf("only %d signatures: are all files there?", signed)
	}
	t.Logf("%d files, %d signatures", len(files), signed)
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// 64 goroutines may share a signer, while others are dropped and freed.
func TestConcurrentUse(t *testing.T) {
	key := keys()[0]
	shared := open(t, key)
	want := map[int][]byte{}
	for i := range 16 {
		digest := digest(i)
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		want[i] = signature
	}
	each := 100
	if testing.Short() {
		each = 10
	}
	text := texts(key)["PKCS#8"]
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			own, err := opensslsigner.New("7", text)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range each {
				signer := shared
				if i < 3 { // then own is garbage
					signer = own
				}
				_, got, err := signer.SignDigest(t.Context(), digest(i%16))
				if err != nil || !bytes.Equal(got, want[i%16]) {
					t.Errorf("signature %x, %v", got, err)
				}
			}
			runtime.GC()
		})
	}
	all.Wait()
}
