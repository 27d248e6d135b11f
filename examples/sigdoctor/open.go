package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"io"
	"math/big"

	_ "crypto/sha1" //nolint:gosec // only to recognize signers that use it
	_ "crypto/sha256"
	_ "crypto/sha512"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// opened is what an RSA PKCS#1 v1.5 signature holds: the digest of the text
// that was signed. With it the search for that text costs one hash for each
// guess, and it is certain which key signed, whatever the text was.
type opened struct {
	hash    crypto.Hash
	digest  []byte
	foreign bool // not the protocol's algorithm
}

var hashes = map[string]crypto.Hash{
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
	"2.16.840.1.101.3.4.2.4": crypto.SHA224,
}

// open reports false for a signature that was not made with key. It is good
// enough to explain, not to verify: Content.Verify has spoken before.
func open(key *rsa.PublicKey, signature []byte) (opened, bool) {
	if len(signature) != key.Size() {
		return opened{}, false
	}
	number := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(key.E)), key.N)
	padded, ok := bytes.CutPrefix(number.FillBytes(make([]byte, key.Size())), []byte{0, 1})
	inner := bytes.TrimLeft(padded, "\xff")
	if !ok || len(padded)-len(inner) < 8 || len(inner) == 0 || inner[0] != 0 {
		return opened{}, false
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	if rest, err := asn1.Unmarshal(inner[1:], &info); err != nil || len(rest) > 0 {
		return opened{crypto.SHA256, inner[1:], true}, true // the digest as such, without its algorithm
	}
	hash, known := hashes[info.Algorithm.Algorithm.String()]
	withNull := bytes.Equal(info.Algorithm.Parameters.FullBytes, asn1.NullBytes) // verifiers demand it
	return opened{hash, info.Digest, hash != crypto.SHA256 || !withNull}, known
}

// over reports whether c was signed.
func (o opened) over(c alipayplus.Content) bool { return bytes.Equal(digest(o.hash, c), o.digest) }

// overDigestOf reports whether the digest of c was taken for the text to sign.
func (o opened) overDigestOf(c alipayplus.Content) bool {
	sum := digest(crypto.SHA256, c)
	for _, text := range [][]byte{sum, []byte(hex.EncodeToString(sum))} {
		h := o.hash.New()
		h.Write(text)
		if bytes.Equal(h.Sum(nil), o.digest) {
			return true
		}
	}
	return false
}

// digest returns the digest of the text that a signature of c covers, also for a c
// that the protocol refuses.
func digest(hash crypto.Hash, c alipayplus.Content) []byte {
	h := hash.New()
	_, _ = io.WriteString(h, c.Method+" "+c.Target+"\n"+c.ClientID+"."+c.Time+".")
	h.Write(c.Body)
	return h.Sum(nil)
}

// isPSS reports whether signature was made with key over c, but padded by PSS.
func isPSS(key *rsa.PublicKey, signature []byte, c alipayplus.Content) bool {
	return rsa.VerifyPSS(key, crypto.SHA256, digest(crypto.SHA256, c), signature, nil) == nil
}
