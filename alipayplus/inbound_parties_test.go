package alipayplus_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// inRequest and inResponse are the messages of two small APIs: inMove moves
// money, inAsk only reads.
type inRequest struct {
	ID     string            `json:"id,omitzero" wire:"required,max=64"`
	Amount alipayplus.Amount `json:"amount,omitzero" wire:"check"`
	Note   string            `json:"note,omitzero"`
}

type inResponse struct {
	Result alipayplus.Result `json:"result"`
	Ref    string            `json:"ref,omitzero" wire:"max=64"`
}

var (
	inMove = alipayplus.NewInbound(alipayplus.Spec[inRequest, inResponse]{
		Name: "move", Timeout: 8 * time.Second, Running: alipayplus.CodePaymentInProcess,
		Keep: func(a *inResponse) bool { return a.Result.Code == alipayplus.CodePaymentInProcess && a.Ref != "" },
		Idempotency: func(r *inRequest) alipayplus.Idempotency {
			return alipayplus.Idempotency{Key: r.ID, Match: []any{string(r.Amount.Currency), r.Amount.Minor}}
		},
	})
	inAsk = alipayplus.NewInbound(alipayplus.Spec[inRequest, inResponse]{Name: "ask", ReadOnly: true})
)

const (
	inMovePath, inAskPath = "/wallet/move", "/wallet/ask"
	inValid               = `{"id":"M1","amount":{"currency":"JPY","value":"100"}}`
	inClientID            = "WALLET_CLIENT_01"
)

func inDone(_ context.Context, r *inRequest) (*inResponse, error) {
	return &inResponse{Ref: "ref-" + r.ID}, nil
}

// inConfig trusts testkit.Keys().Alipay and is otherwise plain. Its log is
// discarded.
func inConfig() alipayplus.HandlerConfig {
	keys := testkit.Keys()
	return alipayplus.HandlerConfig{
		Credentials: alipayplus.Credentials{
			ClientID: inClientID, Signer: signerOf("7", keys.Wallet),
			Keys: ringOf(map[string]*rsa.PrivateKey{"1": keys.Alipay}),
		},
		Idempotency: alipayplus.NewMemoryIdempotencyStore(1 << 20),
	}
}

// inArrival is a request of Alipay+ as its raw texts.
type inArrival struct {
	target, clientID, time string
	body                   []byte
	signer                 alipayplus.Signer
}

func inArrive(target, body string) inArrival {
	return inArrival{target, inClientID, stamp(time.Now()), []byte(body), signerOf("1", testkit.Keys().Alipay)}
}

func (a inArrival) header() http.Header {
	return http.Header{
		"Client-Id":    {a.clientID},
		"Request-Time": {a.time},
		"Content-Type": {"application/json; charset=UTF-8"},
		"Signature":    {a.signature()},
	}
}

// signature signs by hand: Alipay+ may sign what the SDK never would.
func (a inArrival) signature() string {
	digest := sha256.Sum256([]byte("POST " + a.target + "\n" + a.clientID + "." + a.time + "." + string(a.body)))
	version, signature, err := a.signer.SignDigest(context.Background(), digest)
	if err != nil {
		panic(err)
	}
	return "algorithm=RSA256,keyVersion=" + version + ",signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// request returns the arrival as net/http gives it to a handler.
func (a inArrival) request() *http.Request {
	return inAgain(&http.Request{Header: a.header(), RequestURI: a.target, Method: http.MethodPost}, a.body)
}

// inAgain returns a copy of r that can be served by itself.
func inAgain(r *http.Request, body []byte) *http.Request {
	fresh := testkit.Must(http.NewRequest(r.Method, "https://wallet.example"+r.RequestURI, bytes.NewReader(body)))
	fresh.Header, fresh.RequestURI = r.Header.Clone(), r.RequestURI
	return fresh
}

func inServe(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// inResult returns the result of a signed answer to a request for target, and
// an error if the answer is not one.
func inResult(w *httptest.ResponseRecorder, target string) (alipayplus.Result, error) {
	if w.Code != http.StatusOK {
		return alipayplus.Result{}, fmt.Errorf("HTTP %d %s", w.Code, w.Body)
	}
	return inVerified(w, target)
}

func inVerified(w *httptest.ResponseRecorder, target string) (alipayplus.Result, error) {
	err := alipayplus.Content{
		Method: "POST", Target: target, ClientID: w.Header().Get("Client-Id"), Time: w.Header().Get("Response-Time"), Body: w.Body.Bytes(),
	}.Verify(w.Header().Get("Signature"), ringOf(map[string]*rsa.PrivateKey{"7": testkit.Keys().Wallet}))
	if err != nil {
		return alipayplus.Result{}, err
	}
	signed, err := time.Parse(time.RFC3339, w.Header().Get("Response-Time"))
	if err != nil || time.Since(signed).Abs() > time.Minute {
		return alipayplus.Result{}, errors.New("the answer is not freshly signed")
	}
	return inResultIn(w.Body.Bytes())
}

// inLog is a log that a test can read while others write.
type inLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *inLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *inLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *inLog) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func inResultIn(body []byte) (alipayplus.Result, error) {
	var answer struct {
		Result alipayplus.Result `json:"result"`
	}
	err := json.Unmarshal(body, &answer)
	return answer.Result, err
}

// inSend delivers the request of body to inMovePath and returns its result.
func inSend(t *testing.T, h *alipayplus.Handler, body string) alipayplus.Result {
	t.Helper()
	result, err := inResult(inServe(h, inArrive(inMovePath, body).request()), inMovePath)
	if err != nil {
		t.Fatal(err)
	}
	return result
}
