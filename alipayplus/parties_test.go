package alipayplus_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// long asks for the full form of the figures.
var long = os.Getenv("ALIPAYPLUS_LONG") != ""

// size returns how large a simulation is: full in the long form, small under
// the race detector, which makes everything ten times as slow.
func size(short, race, full int) int {
	switch {
	case long:
		return full
	case raceEnabled:
		return race
	}
	return short
}

const clientID = "WALLET_01"

// signByHand makes a Signature header as the Alipay+ documents say, without the
// SDK: whatever content.go gets wrong must not be wrong here, too.
func signByHand(key *rsa.PrivateKey, method, target, id, at, body string) string {
	content := method + " " + target + "\n" + id + "." + at + "." + body
	return "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(rawSignature(key, content)))
}

type signedText struct {
	key  *rsa.PrivateKey
	text string
}

var madeByHand sync.Map // signedText → []byte: a signature takes a millisecond and is always the same

func rawSignature(key *rsa.PrivateKey, text string) []byte {
	if known, ok := madeByHand.Load(signedText{key, text}); ok {
		return known.([]byte)
	}
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	madeByHand.Store(signedText{key, text}, signature)
	return signature
}

// signerOf returns a signer with key.
func signerOf(version string, key *rsa.PrivateKey) alipayplus.Signer {
	return testkit.Must(alipayplus.NewSigner(version, key))
}

// ringOf returns a ring with the public parts of keys.
func ringOf(keys map[string]*rsa.PrivateKey) *alipayplus.KeyRing {
	public := map[string]*rsa.PublicKey{}
	for version, key := range keys {
		public[version] = &key.PublicKey
	}
	return testkit.Must(alipayplus.NewKeyRing(public))
}

func walletSigner() alipayplus.Signer { return signerOf("1", testkit.Keys().Wallet) }

func alipayRing() *alipayplus.KeyRing {
	return ringOf(map[string]*rsa.PrivateKey{"1": testkit.Keys().Alipay})
}

// transport is an http.RoundTripper made of a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newClient returns a client with a constant signer over rt.
func newClient(t testing.TB, rt http.RoundTripper, change ...func(*alipayplus.ClientConfig)) *alipayplus.Client {
	t.Helper()
	cfg := alipayplus.ClientConfig{
		Credentials: alipayplus.Credentials{ClientID: clientID, Signer: testkit.Unverified{}, Keys: alipayRing()},
		BaseURL:     "https://gateway.example",
		Transport:   rt,
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := alipayplus.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The APIs of these tests: one with an identity, one that only reads, one that
// must not be sent twice.
type order struct {
	ID    string            `json:"id,omitzero" wire:"required,max=64"`
	Code  alipayplus.Secret `json:"code,omitzero" wire:"max=512"`
	Payer string            `json:"payer,omitzero" wire:"max=64"`
}

type orderAnswer struct {
	Result alipayplus.Result `json:"result" wire:"check"`
	Action string            `json:"action,omitzero" wire:"check"`
	Amount alipayplus.Amount `json:"amount,omitzero" wire:"check"`
}

const decodePath = "/aps/api/v1/payments/decode"

var (
	decodeOrder = alipayplus.NewOutbound(alipayplus.Spec[order, orderAnswer]{
		Name: "decodeOrder", Path: decodePath,
		Idempotency: func(o *order) alipayplus.Idempotency { return alipayplus.Idempotency{Key: o.ID, Match: []any{o.Payer}} },
	})
	readOrder = alipayplus.NewOutbound(alipayplus.Spec[order, orderAnswer]{
		Name: "readOrder", Path: "/aps/api/v1/payments/read", ReadOnly: true,
	})
	onceOnly = alipayplus.NewOutbound(alipayplus.Spec[order, orderAnswer]{
		Name: "onceOnly", Path: "/aps/api/v1/payments/once",
	})
)

const (
	bodyS = `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"Success"},"action":"none"}`
	bodyF = `{"result":{"resultCode":"ORDER_IS_CLOSED","resultStatus":"F"},"action":"redirect"}`
	bodyU = `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"},"action":"wait"}`
)

// stamp returns a time in the form of a header.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// signedHeader returns the headers of an answer to a request for target.
func signedHeader(target, at, body string) http.Header {
	return http.Header{
		"Client-Id": {clientID}, "Response-Time": {at}, "Content-Type": {"application/json"},
		"Signature": {signByHand(testkit.Keys().Alipay, "POST", target, clientID, at, body)},
	}
}

func response(status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// answers returns a gateway that verifies nothing and gives these signed
// answers, the last one for ever.
func answers(bodies ...string) transport {
	var mu sync.Mutex
	return func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		body := bodies[0]
		if len(bodies) > 1 {
			bodies = bodies[1:]
		}
		mu.Unlock()
		return response(200, signedHeader(r.URL.RequestURI(), stamp(time.Now()), body), body), nil
	}
}

// request is what arrived at a tap.
type request struct {
	method, target, host, body string
	header                     http.Header
	at                         time.Time
}

// tap records what passes to next.
type tap struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []request
}

func (p *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.seen = append(p.seen, request{r.Method, r.URL.RequestURI(), r.Host, string(body), r.Header.Clone(), time.Now()})
	p.mu.Unlock()
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return p.next.RoundTrip(r)
}

func (p *tap) requests() []request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]request(nil), p.seen...)
}

// journal is a slog.Handler that keeps the records.
type journal struct {
	mu      sync.Mutex
	records []slog.Record
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	return nil
}

// count returns how many records have this text in their message.
func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, r := range j.records {
		if strings.Contains(r.Message, text) {
			n++
		}
	}
	return n
}

// quick is a policy that repeats without waiting.
type quick int

func (q quick) Next(a alipayplus.Attempt) (time.Duration, bool) { return 0, a.Number < int(q) }
