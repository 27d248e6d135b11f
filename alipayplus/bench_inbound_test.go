package alipayplus_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

const benchPath = "/wallet/benchmark"

type benchPayResponse struct {
	Result    alipayplus.Result `json:"result" wire:"required"`
	PaymentID string            `json:"paymentId,omitzero" wire:"max=64"`
}

var benchInbound = alipayplus.NewInbound(alipayplus.Spec[benchRequest, benchPayResponse]{
	Name: "benchmark",
	Idempotency: func(r *benchRequest) alipayplus.Idempotency {
		return alipayplus.Idempotency{Key: r.PaymentRequestID, Match: []any{r.PaymentAmount.Currency, r.PaymentAmount.Minor}}
	},
})

// benchStore is a MemoryStore that takes every claim for a new one, so that one
// signed request runs the function again and again.
type benchStore struct {
	alipayplus.IdempotencyStore
	runs int
}

func (s *benchStore) Begin(ctx context.Context, c alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
	s.runs++
	return s.IdempotencyStore.Begin(ctx, s.renamed(c))
}

func (s *benchStore) Finish(ctx context.Context, c alipayplus.Claim, answer []byte) error {
	return s.IdempotencyStore.Finish(ctx, s.renamed(c), answer)
}

func (s *benchStore) renamed(c alipayplus.Claim) alipayplus.Claim {
	c.Key += strconv.Itoa(s.runs)
	return c
}

// benchArrival is one request of Alipay+, to be served many times.
type benchArrival struct {
	header http.Header
	body   []byte
}

func benchArrive() benchArrival {
	body, at := testkit.Must(json.Marshal(benchPlainMessage())), stamp(time.Now())
	return benchArrival{http.Header{
		"Client-Id":    {benchClientID},
		"Request-Time": {at},
		"Signature":    {testkit.Must(benchHandSign(testkit.Keys().Alipay, benchPath, benchClientID, at, body))},
		"Content-Type": {"application/json; charset=UTF-8"},
	}, body}
}

// serve serves the request as net/http would, and expects success.
func (a benchArrival) serve(b *testing.B, h http.Handler) {
	b.Helper()
	r := testkit.Must(http.NewRequestWithContext(b.Context(), http.MethodPost, "https://wallet.example"+benchPath, bytes.NewReader(a.body)))
	r.RequestURI = benchPath
	r.Header = a.header
	w := benchRecorder{header: make(http.Header)}
	h.ServeHTTP(&w, r)
	if w.status != http.StatusOK || !bytes.Contains(w.body.Bytes(), []byte(`"resultStatus":"S"`)) || w.header.Get("Signature") == "" {
		b.Fatalf("HTTP %d %s", w.status, w.body.Bytes())
	}
}

type benchRecorder struct {
	header http.Header
	body   bytes.Buffer
	status int
}

func (w *benchRecorder) Header() http.Header                { return w.header }
func (w *benchRecorder) WriteHeader(status int)             { w.status = status }
func (w *benchRecorder) Write(data []byte) (n int, _ error) { return w.body.Write(data) }
func (w *benchRecorder) SetReadDeadline(time.Time) error    { return nil } // as a server's can

func benchHandler(b *testing.B, signer alipayplus.Signer) *alipayplus.Handler {
	b.Helper()
	return testkit.Must(alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: alipayplus.Credentials{ClientID: benchClientID, Signer: signer, Keys: ringOf(map[string]*rsa.PrivateKey{"1": testkit.Keys().Alipay})},
		Idempotency: &benchStore{IdempotencyStore: alipayplus.NewMemoryIdempotencyStore(1 << 30)},
		MaxSkew:     time.Hour,
	}, benchInbound.Handle(benchPath, func(context.Context, *benchRequest) (*benchPayResponse, error) {
		return &benchPayResponse{PaymentID: "W-0001"}, nil
	})))
}

// benchHandHandler returns a handler as a wallet writes it by hand; it has no
// store.
func benchHandHandler(own *rsa.PrivateKey, theirs *rsa.PublicKey) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		clientID := r.Header.Get("Client-Id")
		if benchHandVerify(theirs, r.RequestURI, clientID, r.Header.Get("Request-Time"), body, r.Header.Get("Signature")) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var request benchPlainRequest
		if json.Unmarshal(body, &request) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer, err := json.Marshal(struct {
			Result    benchPlainResult `json:"result"`
			PaymentID string           `json:"paymentId"`
		}{benchPlainResult{"SUCCESS", "S", "success"}, "W-0001"})
		if err != nil {
			return
		}
		at := stamp(time.Now())
		signature, err := benchHandSign(own, r.RequestURI, clientID, at, answer)
		if err != nil {
			return
		}
		w.Header().Set("Client-Id", clientID)
		w.Header().Set("Response-Time", at)
		w.Header().Set("Signature", signature)
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(answer)
	})
}

// BenchmarkInbound compares a request that the Handler answers, with its Store,
// with the same done by hand without one.
func BenchmarkInbound(b *testing.B) {
	keys := testkit.Keys()
	arrival := benchArrive()
	sdk := benchHandler(b, signerOf("1", keys.Wallet))
	byHand := benchHandHandler(keys.Wallet, &keys.Alipay.PublicKey)
	benchPairs(b, "x-floor", 1000, func() { arrival.serve(b, sdk) }, func() { arrival.serve(b, byHand) })
}

// BenchmarkInboundOverhead measures the Handler's own work, without the RSA
// operations, in units of one verification.
func BenchmarkInboundOverhead(b *testing.B) {
	arrival := benchArrive()
	h := benchHandler(b, testkit.Unverified{})
	benchOwnWork(b, func() { arrival.serve(b, h) })
}
