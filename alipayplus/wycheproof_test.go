package alipayplus_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// vectors is the part of a Wycheproof file that matters here.
type vectors struct {
	Algorithm  string
	TestGroups []struct {
		SHA             string
		PublicKeyPEM    string `json:"publicKeyPem"`
		PrivateKeyPKCS8 string
		Tests           []struct {
			TCID             int
			Comment          string
			Msg, Sig, Result string
		}
	}
}

// ourScheme are the vectors that are bad in their file's scheme because they
// are PKCS#1 v1.5 with SHA-256: right in ours, under a key that says nothing
// else.
var ourScheme = map[string]int{
	"rsa_pss_2048_sha256_mgf1_32_test.json": 108, // "PKCS #1 v1.5 signature with SHA-256"
	"rsa_signature_2048_sha384_test.json":   221, // "The message is hashed with SHA-256 instead of SHA-384."
	"rsa_signature_2048_sha512_test.json":   221, // "The message is hashed with SHA-256 instead of SHA-512."
}

// The test vectors of Project Wycheproof hold every known attack on parsers of
// PKCS#1 v1.5. Of the verification files with SHA-256 valid signatures pass and
// all others do not, "acceptable" ones (a missing NULL) included; of other
// hashes and schemes nothing passes. In the generation files "acceptable" is
// about the key: what they sign with SHA-256 is right.
func TestWycheproof(t *testing.T) {
	files := testkit.Wycheproof(t, "rsa_*.json")
	accepted, refused := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vectors
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		for _, group := range v.TestGroups {
			var public *rsa.PublicKey
			if group.PublicKeyPEM != "" {
				public, err = alipayplus.ParsePublicKey([]byte(group.PublicKeyPEM))
			} else {
				var private *rsa.PrivateKey
				if private, err = alipayplus.ParsePrivateKey(pkcs8PEM(t, group.PrivateKeyPKCS8)); err == nil {
					public = &private.PublicKey
				}
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			keyRing := testkit.Must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": public}))
			for _, test := range group.Tests {
				message, signature := unhex(t, test.Msg), unhex(t, test.Sig)
				right := test.Result == "valid" || (test.Result == "acceptable" && group.PublicKeyPEM == "")
				want := (right && group.SHA == "SHA-256" && v.Algorithm == "RSASSA-PKCS1-v1_5") || ourScheme[name] == test.TCID
				got := keyRing.VerifyDigest(sha256.Sum256(message), signature) == nil
				if got != want {
					t.Errorf("%s, test %d (%s): accepted %v, want %v", name, test.TCID, test.Comment, got, want)
				}
				if got {
					accepted++
				} else {
					refused++
				}
			}
		}
	}
	if accepted < 20 || refused < 1000 {
		t.Errorf("only %d accepted and %d refused: are all files there?", accepted, refused)
	}
	t.Logf("%d files: %d accepted, %d refused", len(files), accepted, refused)
}

func pkcs8PEM(t *testing.T, der string) []byte {
	t.Helper()
	return pemText("PRIVATE KEY", unhex(t, der))
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// foreignSignatures returns signatures of text that are right in another
// scheme.
func foreignSignatures(t *testing.T, text string) map[string][]byte {
	t.Helper()
	sums := map[crypto.Hash][]byte{}
	one, two, four, six := sha1.Sum([]byte(text)), sha256.Sum256([]byte(text)), sha512.Sum384([]byte(text)), sha512.Sum512([]byte(text))
	sums[crypto.SHA1], sums[crypto.SHA256], sums[crypto.SHA384], sums[crypto.SHA512] = one[:], two[:], four[:], six[:]
	signatures := map[string][]byte{
		"zeros": make([]byte, 256),
		"ones":  []byte(strings.Repeat("\xff", 256)),
		"PKCS#1 v1.5 with SHA-256, a stranger's key": rawSignature(testkit.Keys().Stranger, text),
		"PKCS#1 v1.5 with SHA-256, the wallet's key": rawSignature(testkit.Keys().Wallet, text),
	}
	for hash, sum := range sums {
		pss, err := rsa.SignPSS(rand.Reader, testkit.Keys().Alipay, hash, sum, nil)
		if err != nil {
			t.Fatal(err)
		}
		signatures["PSS with "+hash.String()] = pss
		if hash == crypto.SHA256 {
			continue
		}
		if signatures["PKCS#1 v1.5 with "+hash.String()], err = rsa.SignPKCS1v15(nil, testkit.Keys().Alipay, hash, sum); err != nil {
			t.Fatal(err)
		}
	}
	bare, err := rsa.SignPKCS1v15(nil, testkit.Keys().Alipay, 0, two[:]) // no DigestInfo
	if err != nil {
		t.Fatal(err)
	}
	signatures["PKCS#1 v1.5 without a hash's name"] = bare
	return signatures
}
