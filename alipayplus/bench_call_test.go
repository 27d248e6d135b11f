package alipayplus_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// The messages of the benchmarks, as a wallet sends and gets them: 1 KB each.
type benchRequest struct {
	PaymentRequestID string            `json:"paymentRequestId,omitzero" wire:"required,max=64"`
	PaymentAmount    alipayplus.Amount `json:"paymentAmount,omitzero" wire:"required"`
	PayToAmount      alipayplus.Amount `json:"payToAmount,omitzero" wire:"required"`
	PaymentTime      alipayplus.Time   `json:"paymentTime,omitzero"`
	CustomerID       string            `json:"customerId,omitzero" wire:"max=64"`
	PassThroughInfo  string            `json:"passThroughInfo,omitzero" wire:"max=20000"`
}

type benchResponse struct {
	Result           alipayplus.Result `json:"result" wire:"check"`
	AcquirerID       string            `json:"acquirerId,omitzero" wire:"check,max=64"`
	PaymentRequestID string            `json:"paymentRequestId,omitzero" wire:"check,max=64"`
	Order            benchOrder        `json:"order,omitzero" wire:"check"`
	PaymentAmount    alipayplus.Amount `json:"paymentAmount,omitzero" wire:"check"`
	PayToAmount      alipayplus.Amount `json:"payToAmount,omitzero" wire:"check"`
	PassThroughInfo  string            `json:"passThroughInfo,omitzero" wire:"max=20000"`
}

type benchOrder struct {
	ReferenceOrderID string            `json:"referenceOrderId,omitzero" wire:"max=64"`
	OrderDescription string            `json:"orderDescription,omitzero" wire:"max=256"`
	OrderAmount      alipayplus.Amount `json:"orderAmount,omitzero" wire:"check"`
}

// The same messages for encoding/json.
type benchPlainRequest struct {
	PaymentRequestID string           `json:"paymentRequestId"`
	PaymentAmount    benchPlainAmount `json:"paymentAmount"`
	PayToAmount      benchPlainAmount `json:"payToAmount"`
	PaymentTime      string           `json:"paymentTime"`
	CustomerID       string           `json:"customerId"`
	PassThroughInfo  string           `json:"passThroughInfo"`
}

type benchPlainResponse struct {
	Result           benchPlainResult `json:"result"`
	AcquirerID       string           `json:"acquirerId"`
	PaymentRequestID string           `json:"paymentRequestId"`
	Order            struct {
		ReferenceOrderID string           `json:"referenceOrderId"`
		OrderDescription string           `json:"orderDescription"`
		OrderAmount      benchPlainAmount `json:"orderAmount"`
	} `json:"order"`
	PaymentAmount   benchPlainAmount `json:"paymentAmount"`
	PayToAmount     benchPlainAmount `json:"payToAmount"`
	PassThroughInfo string           `json:"passThroughInfo"`
}

type benchPlainResult struct {
	ResultCode    string `json:"resultCode"`
	ResultStatus  string `json:"resultStatus"`
	ResultMessage string `json:"resultMessage"`
}

type benchPlainAmount struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
}

var benchOperation = alipayplus.NewOutbound(alipayplus.Spec[benchRequest, benchResponse]{
	Name: "benchmark", Path: benchTarget,
	Idempotency: func(r *benchRequest) alipayplus.Idempotency { return alipayplus.Idempotency{Key: r.PaymentRequestID} },
})

func benchMessage() *benchRequest {
	return &benchRequest{
		PaymentRequestID: "PR-0001",
		PaymentAmount:    alipayplus.Amount{Currency: "JPY", Minor: 100},
		PayToAmount:      alipayplus.Amount{Currency: "KRW", Minor: 1000},
		PaymentTime:      testkit.Must(alipayplus.ParseTime("2025-02-20T08:51:49+08:00")),
		CustomerID:       "C-4711",
		PassThroughInfo:  strings.Repeat("x", 760),
	}
}

func benchPlainMessage() *benchPlainRequest {
	return &benchPlainRequest{
		PaymentRequestID: "PR-0001",
		PaymentAmount:    benchPlainAmount{"JPY", "100"},
		PayToAmount:      benchPlainAmount{"KRW", "1000"},
		PaymentTime:      "2025-02-20T08:51:49+08:00",
		CustomerID:       "C-4711",
		PassThroughInfo:  strings.Repeat("x", 760),
	}
}

// benchAnswer is a signed answer. A signature covers the target of the request
// but not its body, so that one answer, made now, fits every call of a run.
type benchAnswer struct {
	Header http.Header
	Body   []byte
}

func benchMakeAnswer() benchAnswer {
	body := testkit.Must(json.Marshal(benchPlainResponse{
		Result: benchPlainResult{"SUCCESS", "S", "success"}, AcquirerID: "1020000000000000001", PaymentRequestID: "PR-0001",
		PaymentAmount: benchPlainAmount{"JPY", "100"}, PayToAmount: benchPlainAmount{"KRW", "1000"},
		PassThroughInfo: strings.Repeat("x", 640),
	}))
	body = bytes.Replace(body, []byte(`"order":{"referenceOrderId":"","orderDescription":"","orderAmount":{"currency":"","value":""}}`),
		[]byte(`"order":{"referenceOrderId":"OrderID_0101010101","orderDescription":"SHOES","orderAmount":{"currency":"JPY","value":"100"}}`), 1)
	at := stamp(time.Now())
	return benchAnswer{http.Header{
		"Client-Id":     {benchClientID},
		"Response-Time": {at},
		"Signature":     {testkit.Must(benchHandSign(testkit.Keys().Alipay, benchTarget, benchClientID, at, body))},
		"Content-Type":  {"application/json; charset=UTF-8"},
	}, body}
}

// benchServe runs a TLS server with this answer in a process of its own, the
// test binary once more, so that what is measured here is the client alone.
func benchServe(tb testing.TB) (baseURL string, roots *x509.CertPool) {
	tb.Helper()
	server := exec.Command(os.Args[0], "-test.run=^TestBenchServer$", "-test.timeout=0")
	server.Env = append(os.Environ(), "ALIPAYPLUS_BENCH_SERVER=1")
	server.Stderr = os.Stderr
	stdin, stdout := testkit.Must(server.StdinPipe()), testkit.Must(server.StdoutPipe())
	if err := server.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close() // the server's sign to leave
		_ = server.Wait()
	})
	if err := json.NewEncoder(stdin).Encode(benchMakeAnswer()); err != nil {
		tb.Fatal(err)
	}
	var ready struct {
		Address     string
		Certificate []byte
	}
	if err := json.NewDecoder(stdout).Decode(&ready); err != nil {
		tb.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(testkit.Must(x509.ParseCertificate(ready.Certificate)))
	return "https://" + ready.Address, roots
}

// TestBenchServer is the other process of benchServe and no test.
func TestBenchServer(t *testing.T) {
	if os.Getenv("ALIPAYPLUS_BENCH_SERVER") == "" {
		t.Skip("the server of the benchmarks")
	}
	input := json.NewDecoder(os.Stdin)
	var answer benchAnswer
	if err := input.Decode(&answer); err != nil {
		t.Fatal(err)
	}
	key := testkit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate := testkit.Must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	listener := testkit.Must(tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
		NextProtos:   []string{"http/1.1"},
	}))
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for name, values := range answer.Header {
				w.Header()[name] = values
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(answer.Body)))
			_, _ = w.Write(answer.Body)
		}),
	}
	go func() {
		_, _ = input.Token() // waits for the end of the input
		_ = server.Close()
	}()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"Address": listener.Addr().String(), "Certificate": certificate,
	}); err != nil {
		t.Fatal(err)
	}
	_ = server.Serve(listener)
}

func benchTransport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableCompression: true}
}

func benchClient(tb testing.TB, baseURL string, transport http.RoundTripper, signer alipayplus.Signer) *alipayplus.Client {
	tb.Helper()
	client, err := alipayplus.NewClient(alipayplus.ClientConfig{
		Credentials: alipayplus.Credentials{ClientID: benchClientID, Signer: signer, Keys: ringOf(map[string]*rsa.PrivateKey{"1": testkit.Keys().Alipay})},
		BaseURL:     baseURL,
		Transport:   transport,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.CloseIdleConnections)
	return client
}

// benchHandCall makes a call as a wallet writes it by hand.
func benchHandCall(ctx context.Context, client *http.Client, baseURL string, own *rsa.PrivateKey, theirs *rsa.PublicKey, request *benchPlainRequest) (*benchPlainResponse, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	at := stamp(time.Now())
	signature, err := benchHandSign(own, benchTarget, benchClientID, at, body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+benchTarget, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Header.Set("Client-Id", benchClientID)
	out.Header.Set("Request-Time", at)
	out.Header.Set("Signature", signature)
	out.Header.Set("Content-Type", "application/json; charset=UTF-8")
	response, err := client.Do(out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	err = benchHandVerify(theirs, benchTarget, response.Header.Get("Client-Id"), response.Header.Get("Response-Time"), answer, response.Header.Get("Signature"))
	if err != nil {
		return nil, err
	}
	decoded := new(benchPlainResponse)
	if err := json.Unmarshal(answer, decoded); err != nil {
		return nil, err
	}
	if decoded.Result.ResultStatus != "S" {
		return nil, errors.New("not S")
	}
	return decoded, nil
}

// BenchmarkCall compares a call over keep-alive TLS on loopback with the same
// done by hand.
func BenchmarkCall(b *testing.B) {
	baseURL, roots := benchServe(b)
	keys := testkit.Keys()
	client := benchClient(b, baseURL, benchTransport(roots), signerOf("1", keys.Wallet))
	transport := benchTransport(roots)
	defer transport.CloseIdleConnections()
	byHand := &http.Client{Transport: transport}
	request, plain := benchMessage(), benchPlainMessage()
	benchPairs(b, "x-floor", 1000,
		func() {
			answer := testkit.Must(benchOperation.Call(b.Context(), client, request))
			if answer.Order.OrderAmount.Minor != 100 {
				b.Fatal("not decoded")
			}
		},
		func() {
			answer := testkit.Must(benchHandCall(b.Context(), byHand, baseURL, keys.Wallet, &keys.Alipay.PublicKey, plain))
			if answer.Order.OrderAmount.Value != "100" {
				b.Fatal("not decoded")
			}
		})
}

// benchWire answers without a network.
type benchWire struct{ answer benchAnswer }

func (w benchWire) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.answer.Header, ContentLength: int64(len(w.answer.Body)), Body: io.NopCloser(bytes.NewReader(w.answer.Body)),
	}, r.Body.Close()
}

// BenchmarkCallOverhead measures a client's own work in a call, without
// network, signing and the answer's RSA verification, in units of one such
// verification.
func BenchmarkCallOverhead(b *testing.B) {
	client := benchClient(b, "https://gateway.example", benchWire{benchMakeAnswer()}, testkit.Unverified{})
	request := benchMessage()
	benchOwnWork(b, func() { testkit.Must(benchOperation.Call(b.Context(), client, request)) })
}

// benchOwnWork reports what f, which verifies once, does besides that, in units
// of one RSA verification.
func benchOwnWork(b *testing.B, f func()) {
	b.Helper()
	key := testkit.Keys().Alipay
	digest := sha256.Sum256(nil)
	signature := testkit.Must(rsa.SignPKCS1v15(nil, key, benchHash, digest[:]))
	benchRatio(b, "x-verify", 1000, f,
		func() {
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, benchHash, digest[:], signature); err != nil {
				b.Fatal(err)
			}
		},
		func(f, verify float64) float64 { return f/verify - 1 })
}

// TestCallAllocations bounds what a call over keep-alive TLS takes from the
// client's memory: 150 objects and 20 KB, of which net/http and crypto/rsa take
// most.
func TestCallAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	baseURL, roots := benchServe(t)
	client := benchClient(t, baseURL, benchTransport(roots), signerOf("1", testkit.Keys().Wallet))
	request := benchMessage()
	call := func() { testkit.Must(benchOperation.Call(t.Context(), client, request)) }
	for range 20 {
		call()
	}
	const calls = 300
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		call()
	}
	runtime.ReadMemStats(&after)
	objects := float64(after.Mallocs-before.Mallocs) / calls
	size := float64(after.TotalAlloc-before.TotalAlloc) / calls
	t.Logf("a call takes %.1f objects and %.0f bytes", objects, size)
	if objects > 150 || size > 20<<10 {
		t.Errorf("a call takes %.1f objects and %.0f bytes, more than 150 and 20480", objects, size)
	}
}
