package alipayplus_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// benchPairs runs f and floor in turns and reports how many times as long f
// takes as floor: the median of the pairs, so that a busy machine slows both or
// neither. It makes at least want pairs unless that takes over three seconds or
// the benchmark is asked for a single one. ns/op is the median of f alone.
func benchPairs(b *testing.B, unit string, want int, f, floor func()) {
	b.Helper()
	benchRatio(b, unit, want, f, floor, func(f, floor float64) float64 { return f / floor })
}

// benchRatio does what benchPairs does for another figure of both times.
func benchRatio(b *testing.B, unit string, want int, f, floor func(), figure func(f, floor float64) float64) {
	b.Helper()
	for range 3 { // caches, pools, connections
		f()
		floor()
	}
	var figures, took, tookFloor []float64
	pair := func() {
		var f1, f2 time.Duration
		if len(figures)%2 == 0 {
			f1, f2 = benchTime(f), benchTime(floor)
		} else {
			f2, f1 = benchTime(floor), benchTime(f)
		}
		figures = append(figures, figure(float64(f1), float64(f2)))
		took, tookFloor = append(took, float64(f1)), append(tookFloor, float64(f2))
	}
	for b.Loop() {
		pair()
	}
	if n := len(figures); n > 1 {
		for began := time.Now(); len(figures) < want && time.Since(began) < 2*time.Second; {
			pair()
		}
	}
	b.ReportMetric(benchMedian(figures), unit)
	b.ReportMetric(benchMedian(took), "ns/op")
	b.ReportMetric(benchMedian(tookFloor), "floor-ns")
	b.ReportMetric(float64(len(figures)), "pairs")
}

func benchTime(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func benchMedian(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

const benchClientID = "WALLET_CLIENT_01"

// benchHandSign and benchHandVerify are what a wallet writes by hand: the
// protocol with crypto/rsa, and no check that is not needed for a well-formed
// message.
func benchHandSign(key *rsa.PrivateKey, target, clientID, at string, body []byte) (string, error) {
	h := sha256.New()
	h.Write([]byte("POST " + target + "\n" + clientID + "." + at + "."))
	h.Write(body)
	signature, err := rsa.SignPKCS1v15(nil, key, benchHash, h.Sum(nil))
	if err != nil {
		return "", err
	}
	return "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), nil
}

func benchHandVerify(key *rsa.PublicKey, target, clientID, at string, body []byte, header string) error {
	_, value, ok := strings.Cut(header, "signature=")
	if !ok {
		return errors.New("no signature")
	}
	text, err := url.PathUnescape(value)
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	h := sha256.New()
	h.Write([]byte("POST " + target + "\n" + clientID + "." + at + "."))
	h.Write(body)
	return rsa.VerifyPKCS1v15(key, benchHash, h.Sum(nil), signature)
}

const (
	benchTarget = "/aps/api/v1/payments/benchmark"
	benchHash   = crypto.SHA256
)

// benchBody returns 1 KB of JSON.
func benchBody() []byte {
	const head, tail = `{"paymentRequestId":"PR-0001","passThroughInfo":"`, `"}`
	return []byte(head + strings.Repeat("x", 1024-len(head)-len(tail)) + tail)
}

// BenchmarkSign compares Content.Sign with the same done by hand.
func BenchmarkSign(b *testing.B) {
	key, body, at := testkit.Keys().Wallet, benchBody(), stamp(time.Now())
	signer := signerOf("1", key)
	content := alipayplus.Content{Method: "POST", Target: benchTarget, ClientID: benchClientID, Time: at, Body: body}
	var sdk, hand string
	benchPairs(b, "x-floor", 300,
		func() { sdk = testkit.Must(content.Sign(b.Context(), signer)) },
		func() { hand = testkit.Must(benchHandSign(key, benchTarget, benchClientID, at, body)) })
	if sdk != hand {
		b.Fatal("the two do not do the same work")
	}
}

// BenchmarkVerify compares Content.Verify with the same done by hand.
func BenchmarkVerify(b *testing.B) {
	key, body, at := testkit.Keys().Alipay, benchBody(), stamp(time.Now())
	ring := ringOf(map[string]*rsa.PrivateKey{"1": key})
	header := testkit.Must(benchHandSign(key, benchTarget, benchClientID, at, body))
	content := alipayplus.Content{Method: "POST", Target: benchTarget, ClientID: benchClientID, Time: at, Body: body}
	benchPairs(b, "x-floor", 1000,
		func() {
			if err := content.Verify(header, ring); err != nil {
				b.Fatal(err)
			}
		},
		func() {
			if err := benchHandVerify(&key.PublicKey, benchTarget, benchClientID, at, body, header); err != nil {
				b.Fatal(err)
			}
		})
}
