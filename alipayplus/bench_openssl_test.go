//go:build openssl && cgo

package alipayplus_test

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/opensslsigner"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// benchOpenSSL returns a signer of the wallet's key that OpenSSL holds.
func benchOpenSSL() alipayplus.Signer {
	der := testkit.Must(x509.MarshalPKCS8PrivateKey(testkit.Keys().Wallet))
	return testkit.Must(opensslsigner.New("1", []byte(base64.StdEncoding.EncodeToString(der))))
}

// The BenchmarkOpenSSL… compare the same work with the two signers: x-cryptorsa
// is how long it takes with OpenSSL, in units of the time with crypto/rsa.

func BenchmarkOpenSSLSign(b *testing.B) {
	digest := sha256.Sum256(nil)
	sign := func(signer alipayplus.Signer) func() {
		return func() {
			if _, _, err := signer.SignDigest(context.Background(), digest); err != nil {
				b.Fatal(err)
			}
		}
	}
	benchPairs(b, "x-cryptorsa", 300, sign(benchOpenSSL()), sign(walletSigner()))
}

func BenchmarkOpenSSLCall(b *testing.B) {
	baseURL, roots := benchServe(b)
	call := func(signer alipayplus.Signer) func() {
		client := benchClient(b, baseURL, benchTransport(roots), signer)
		return func() { testkit.Must(benchOperation.Call(b.Context(), client, benchMessage())) }
	}
	benchPairs(b, "x-cryptorsa", 1000, call(benchOpenSSL()), call(walletSigner()))
}

func BenchmarkOpenSSLInbound(b *testing.B) {
	arrival := benchArrive()
	serve := func(h http.Handler) func() { return func() { arrival.serve(b, h) } }
	benchPairs(b, "x-cryptorsa", 1000,
		serve(benchHandler(b, benchOpenSSL())), serve(benchHandler(b, walletSigner())))
}

// BenchmarkOpenSSLCallShare and BenchmarkOpenSSLInboundShare measure which
// share of a call over keep-alive TLS, and of a request without its network, is
// the SDK's own work: what is neither network nor RSA. It runs in between RSA
// operations, with the caches that they leave.
func BenchmarkOpenSSLCallShare(b *testing.B) {
	baseURL, roots := benchServe(b)
	signer := benchOpenSSL()
	whole := benchClient(b, baseURL, benchTransport(roots), signer)
	// A transport of net/http, so that it needs no goroutine of its own. HTTP/2
	// would want to be "https", too.
	wire := &http.Transport{Protocols: new(http.Protocols)}
	wire.Protocols.SetHTTP1(true)
	wire.RegisterProtocol("https", benchWire{benchMakeAnswer()})
	local := benchClient(b, "https://gateway.example", wire, signer)
	call := func(client *alipayplus.Client) func() {
		return func() { testkit.Must(benchOperation.Call(b.Context(), client, benchMessage())) }
	}
	benchShare(b, call(whole), call(local))
}

func BenchmarkOpenSSLInboundShare(b *testing.B) {
	arrival := benchArrive()
	h := benchHandler(b, benchOpenSSL())
	serve := func() { arrival.serve(b, h) }
	benchShare(b, serve, serve)
}

// benchShare reports how much of local, which signs once with OpenSSL and
// verifies once, is neither, as a share of the time of whole.
func benchShare(b *testing.B, whole, local func()) {
	b.Helper()
	digest := sha256.Sum256(nil)
	signer, ring := benchOpenSSL(), ringOf(map[string]*rsa.PrivateKey{"1": testkit.Keys().Wallet})
	var own float64
	work := func() {
		took := benchTime(local)
		own = float64(took - benchTime(func() {
			_, signature, err := signer.SignDigest(context.Background(), digest)
			if err != nil {
				b.Fatal(err)
			}
			if err := ring.VerifyDigest(digest, signature); err != nil {
				b.Fatal(err)
			}
		}))
	}
	benchRatio(b, "own-share", 1000, work, whole, func(_, whole float64) float64 { return own / whole })
}
