//go:build openssl && cgo

package opensslsigner

/*
#cgo LDFLAGS: -lcrypto
#cgo nocallback sign
#cgo noescape sign
#include "signer.h"
*/
import "C"

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// New returns a Signer over one RSA key that OpenSSL holds. The text of the key
// may have any form that alipayplus.ParsePrivateKey reads, and the errors are
// the same. The Signer is safe for concurrent use.
//
// OpenSSL's copy of the key is overwritten and freed some time after the Signer
// was last used, by the garbage collector. What New reads meanwhile is in Go's
// memory, where only the encoding that is handed over is overwritten.
func New(keyVersion string, privateKey []byte) (alipayplus.Signer, error) {
	parsed, err := alipayplus.ParsePrivateKey(privateKey)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: it has no PKCS#8 form", alipayplus.ErrKey)
	}
	defer clear(der)
	var reason C.ulong
	loaded := C.load((*C.uchar)(&der[0]), C.long(len(der)), &reason)
	if loaded == nil {
		return nil, fmt.Errorf("%w: OpenSSL refuses it: %s", alipayplus.ErrKey, text(reason))
	}
	k := &key{loaded, &parsed.PublicKey}
	runtime.AddCleanup(k, func(loaded *C.EVP_PKEY) { C.EVP_PKEY_free(loaded) }, loaded)
	return alipayplus.NewSigner(keyVersion, k)
}

// key is a crypto.Signer of what alipayplus.NewSigner signs with.
type key struct {
	loaded *C.EVP_PKEY // immutable; OpenSSL locks what it caches in it
	public *rsa.PublicKey
}

func (k *key) Public() crypto.PublicKey { return k.public }

// InMemory says that a signature waits for nothing (see alipayplus.NewSigner).
func (k *key) InMemory() bool { return true }

// Sign signs with RSASSA-PKCS1-v1_5 and SHA-256, and with nothing else.
func (k *key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != crypto.SHA256 || len(digest) != sha256.Size {
		return nil, errors.New("opensslsigner: it signs SHA-256 digests with PKCS #1 v1.5 only")
	}
	signature := make([]byte, k.public.Size())
	reason := C.sign(k.loaded, (*C.uchar)(&digest[0]), (*C.uchar)(&signature[0]), C.size_t(len(signature)))
	runtime.KeepAlive(k) // or the cleanup could free the key that signs
	if reason != 0 {
		return nil, fmt.Errorf("opensslsigner: OpenSSL does not sign: %s", text(reason))
	}
	return signature, nil
}

// text names an error of OpenSSL.
func text(reason C.ulong) string {
	if s := C.ERR_reason_error_string(reason); s != nil {
		return C.GoString(s)
	}
	return "an error without a name"
}
