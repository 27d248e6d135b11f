package alipayplustest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// TB is the part of testing.TB that a [Gateway] needs. *testing.T, *testing.B
// and *rapid.T have it, and a program can bring its own.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Call is one request that arrived at the [Gateway] and verified.
type Call struct {
	Operation string      // the API's name
	Key       string      // the value of the idempotency field, "" if the API has none
	Target    string      // path and query
	Header    http.Header // of the request
	Body      []byte      // of the request
	Answer    []byte      // the body of the answer that was made, whether or not it arrived
	Ran       bool        // the scripted function ran; false for a repeated request and for one that met Unknown
}

// Gateway plays Alipay+. Make one with New; it is safe for concurrent use.
type Gateway struct {
	tb       TB
	pair     *keyPair
	clientID string
	signer   alipayplus.Signer   // Alipay+'s
	keys     *alipayplus.KeyRing // the wallet's public key

	traces     atomic.Int64 // answers signed so far
	mu         sync.Mutex
	operations map[string]*operation // by path
	faults     map[string][]Fault    // by operation
	calls      []Call
	mischief   *mischief // nil unless Misbehave
}

// operation is a scripted API.
type operation struct {
	name    string
	again   bool // may be delivered twice
	decode  func(body []byte) (request any, idempotency *alipayplus.Idempotency, err error)
	run     func(ctx context.Context, request any) []byte
	mu      sync.Mutex
	answers map[string]stored // by key
}

// stored is what the Gateway knows of one idempotency key.
type stored struct {
	match   string
	body    []byte // nil until S or F
	running bool
}

// keyPair holds the keys of both sides, made once for each process: making RSA
// keys takes longer than most tests.
type keyPair struct{ alipay, wallet *rsa.PrivateKey }

var makeKeys = sync.OnceValues(func() (*keyPair, error) {
	alipay, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	wallet, err := rsa.GenerateKey(rand.Reader, 2048)
	return &keyPair{alipay, wallet}, err
})

// New makes a [Gateway] that reports mistakes to tb. Its keys are generated,
// once for each process.
func New(tb TB) *Gateway {
	tb.Helper()
	pair, err := makeKeys()
	if err != nil {
		panic("alipayplustest: " + err.Error())
	}
	g := &Gateway{
		tb:         tb,
		pair:       pair,
		clientID:   "WALLET_CLIENT_01",
		signer:     must(alipayplus.NewSigner("1", pair.alipay)),
		keys:       must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": &pair.wallet.PublicKey})),
		operations: make(map[string]*operation),
		faults:     make(map[string][]Fault),
	}
	tb.Cleanup(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, name := range slices.Sorted(maps.Keys(g.faults)) {
			if n := len(g.faults[name]); n > 0 {
				g.tb.Errorf("alipayplustest: %d faults of %s were never met", n, name)
			}
		}
	})
	return g
}

func must[T any](v T, err error) T {
	if err != nil {
		panic("alipayplustest: " + err.Error())
	}
	return v
}

// Credentials returns the wallet's: its id, its key, and Alipay+'s public key.
func (g *Gateway) Credentials() alipayplus.Credentials {
	return alipayplus.Credentials{
		ClientID: g.clientID,
		Signer:   must(alipayplus.NewSigner("1", g.pair.wallet)),
		Keys:     must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": &g.pair.alipay.PublicKey})),
	}
}

// Config returns the configuration for alipayplus.NewClient. Its Transport is
// the Gateway itself; for real HTTP serve the Gateway, set BaseURL to that
// server and Transport to nil.
func (g *Gateway) Config() alipayplus.ClientConfig {
	return alipayplus.ClientConfig{
		Credentials: g.Credentials(),
		BaseURL:     "https://gateway.example",
		Transport:   g,
	}
}

// Answer scripts op with the kind of function that a wallet gives to
// Inbound.Handle: a nil error is an answer, whose zero Result means success; a
// ResultCode or a Result as the error is a refusal; any other error is
// UNKNOWN_EXCEPTION. A repeated request gets the stored answer, if that was S
// or F. Scripting an API again replaces its function and keeps its answers.
func Answer[Req, Resp any](g *Gateway, op *alipayplus.Outbound[Req, Resp], fn func(context.Context, *Req) (*Resp, error)) {
	spec := op.Spec()
	o := &operation{name: spec.Name, again: spec.Idempotency != nil || spec.ReadOnly, answers: make(map[string]stored)}
	o.decode = func(body []byte) (any, *alipayplus.Idempotency, error) {
		request := new(Req)
		if err := wire.Decode(body, request); err != nil {
			return nil, nil, err
		}
		if spec.Idempotency == nil {
			return request, nil, nil
		}
		idempotency := spec.Idempotency(request)
		return request, &idempotency, nil
	}
	o.run = func(ctx context.Context, request any) []byte {
		response, err := fn(ctx, request.(*Req))
		return encodeAnswer(response, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if before := g.operations[spec.Path]; before != nil {
		o.answers = before.answers
	}
	g.operations[spec.Path] = o
}

// encodeAnswer makes the body of what a scripted function returned.
func encodeAnswer[Resp any](response *Resp, err error) []byte {
	if err != nil || response == nil {
		return resultBody(resultOf(err))
	}
	body, err := wire.EncodeUnchecked(response)
	if err != nil {
		return resultBody(alipayplus.CodeUnknownException.Result())
	}
	var answer resultOnly
	if json.Unmarshal(body, &answer) == nil && answer.Result == (alipayplus.Result{}) {
		body = withResult(body, alipayplus.CodeSuccess.Result())
	}
	return body
}

// resultOf returns the result that err is, alone or at the end of a chain of
// single %w, as in Inbound.Handle; else UNKNOWN_EXCEPTION.
func resultOf(err error) alipayplus.Result {
	for err != nil {
		switch own := err.(type) { //nolint:errorlint // errors.As would look into every branch
		case alipayplus.Result:
			return own
		case alipayplus.ResultCode:
			return own.Result()
		}
		err = errors.Unwrap(err)
	}
	return alipayplus.CodeUnknownException.Result()
}

// resultOnly is what all answers have.
type resultOnly struct {
	Result alipayplus.Result `json:"result"`
}

func resultBody(r alipayplus.Result) []byte { return must(wire.EncodeUnchecked(resultOnly{r})) }

// withResult puts r before the members of an answer without result.
func withResult(body []byte, r alipayplus.Result) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return body
	}
	members["result"] = must(json.Marshal(r))
	return must(json.Marshal(members))
}

// Calls returns the verified requests of op so far, in the order of their
// arrival, also those that met Unknown and were not processed.
func (g *Gateway) Calls(op interface{ Name() string }) []Call {
	g.mu.Lock()
	defer g.mu.Unlock()
	var calls []Call
	for _, call := range g.calls {
		if call.Operation == op.Name() {
			calls = append(calls, call)
		}
	}
	return calls
}

// RoundTrip implements http.RoundTripper, without a socket.
func (g *Gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(r.URL.Host)
	}
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	// What is not sent is not read.
	body := sync.OnceValues(func() ([]byte, error) { return readRequest(r) })
	response, err := g.exchange(r, r.URL.RequestURI(), body)
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		return nil, err
	}
	if trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if _, readErr := body(); err == nil && readErr != nil {
		return nil, readErr
	}
	return response, err
}

// ServeHTTP implements http.Handler. A lost request or answer closes the
// connection.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readRequest(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	response, err := g.exchange(r, r.RequestURI, func() ([]byte, error) { return body, nil })
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = response.Body.Close() }()
	maps.Copy(w.Header(), response.Header)
	if response.ContentLength >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(response.ContentLength, 10))
	}
	w.WriteHeader(response.StatusCode)
	if _, err := io.Copy(w, response.Body); err != nil {
		_ = http.NewResponseController(w).Flush() // what came before the break arrives
		panic(http.ErrAbortHandler)
	}
}

func readRequest(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(r.Body, 8<<20))
}

// exchange applies the next fault, if there is one, around serve.
func (g *Gateway) exchange(r *http.Request, target string, read func() ([]byte, error)) (*http.Response, error) {
	at := &served{g: g, target: target}
	r = r.Clone(context.WithValue(r.Context(), gatewayKey{}, at))
	serveWith := func(r *http.Request, answer []byte) *http.Response {
		body, err := read()
		if err != nil {
			g.tb.Errorf("alipayplustest: a request whose body cannot be read: %v", err)
			return unsigned(http.StatusBadRequest, alipayplus.CodeParamIllegal.Result())
		}
		return g.serve(r, target, body, answer)
	}
	serve := func(r *http.Request) *http.Response { return serveWith(r, nil) }
	at.instead = func(r *http.Request, result alipayplus.Result) *http.Response {
		return serveWith(r, resultBody(result))
	}
	g.mu.Lock()
	var fault Fault
	op, mischief := g.operationAt(r.URL.Path), g.mischief
	if op != nil && len(g.faults[op.name]) > 0 {
		fault, g.faults[op.name] = g.faults[op.name][0], g.faults[op.name][1:]
	}
	g.mu.Unlock()
	if op != nil && fault == nil && mischief != nil {
		var due []func()
		due, fault = mischief.fault(op.again)
		for _, deliver := range due {
			deliver()
		}
	}
	if fault == nil {
		return serve(r), nil
	}
	return fault(r, serve)
}

// operationAt finds the API at path. A notification may come to another path
// than the API's own; it is known by the end of the path. g.mu is held.
func (g *Gateway) operationAt(path string) *operation {
	if op := g.operations[path]; op != nil {
		return op
	}
	for _, op := range g.operations {
		if len(path) > len(op.name) && path[len(path)-len(op.name)-1:] == "/"+op.name {
			return op
		}
	}
	return nil
}

// serve plays Alipay+ without faults. An answer that is given takes the place
// of what the scripted function would say: the request is not processed.
func (g *Gateway) serve(r *http.Request, target string, body, answer []byte) *http.Response {
	g.mu.Lock()
	op := g.operationAt(r.URL.Path)
	g.mu.Unlock()
	if op == nil {
		g.tb.Errorf("alipayplustest: a request for %s, which no Answer scripts", r.URL.Path)
		return unsigned(http.StatusNotFound, alipayplus.CodeNoInterfaceDef.Result())
	}
	if err := g.verify(r, target, body); err != nil {
		g.tb.Errorf("alipayplustest: a request for %s does not verify: %v", op.name, err)
		return unsigned(http.StatusOK, alipayplus.CodeInvalidSignature.Result())
	}
	request, idempotency, err := any(nil), (*alipayplus.Idempotency)(nil), strict(body)
	if err == nil {
		request, idempotency, err = op.decode(body)
	}
	if err != nil {
		g.tb.Errorf("alipayplustest: a request for %s breaks the rules of the protocol: %v", op.name, err)
		return g.sign(target, resultBody(alipayplus.CodeParamIllegal.Result()), time.Now())
	}
	call := Call{Operation: op.name, Target: target, Header: r.Header.Clone(), Body: body}
	if idempotency != nil {
		call.Key = idempotency.Key
	}
	if call.Answer = answer; answer == nil {
		call.Answer, call.Ran = op.answer(r.Context(), request, idempotency)
	}
	g.mu.Lock()
	g.calls = append(g.calls, call)
	g.mu.Unlock()
	return g.sign(target, call.Answer, time.Now())
}

func (g *Gateway) verify(r *http.Request, target string, body []byte) error {
	h := r.Header
	if len(h.Values("Client-Id")) != 1 || len(h.Values("Request-Time")) != 1 || len(h.Values("Signature")) != 1 {
		return errors.New("it does not have each of Client-Id, Request-Time and Signature once")
	}
	if h.Get("Client-Id") != g.clientID {
		return errors.New("it has another Client-Id")
	}
	return alipayplus.Content{
		Method: r.Method, Target: target, ClientID: h.Get("Client-Id"), Time: h.Get("Request-Time"), Body: body,
	}.Verify(h.Get("Signature"), g.keys)
}

// answer runs the scripted function, once for each idempotency key that got S
// or F.
func (o *operation) answer(ctx context.Context, request any, idempotency *alipayplus.Idempotency) (body []byte, ran bool) {
	if idempotency == nil {
		return o.run(ctx, request), true
	}
	match := string(must(alipayplus.Marshal(idempotency.Match)))
	o.mu.Lock()
	before, known := o.answers[idempotency.Key]
	if !known || (before.match == match && before.body == nil && !before.running) {
		o.answers[idempotency.Key] = stored{match: match, running: true}
	}
	o.mu.Unlock()
	switch {
	case known && before.match != match:
		return resultBody(alipayplus.CodeRepeatReqInconsistent.Result()), false
	case before.body != nil:
		return before.body, false
	case before.running:
		return resultBody(alipayplus.CodeUnknownException.Result()), false
	}
	body = o.run(ctx, request) // without the lock: it may wait
	entry := stored{match: match}
	if status := statusIn(body); status == alipayplus.StatusSucceeded || status == alipayplus.StatusFailed {
		entry.body = body
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers[idempotency.Key] = entry
	return body, true
}

func statusIn(body []byte) alipayplus.ResultStatus {
	var answer resultOnly
	_ = json.Unmarshal(body, &answer)
	return answer.Result.Status
}

// sign makes a signed answer to a request for target.
func (g *Gateway) sign(target string, body []byte, at time.Time) *http.Response {
	content := alipayplus.Content{
		Method: http.MethodPost, Target: target, ClientID: g.clientID,
		Time: headerTime(at), Body: body,
	}
	return respond(http.StatusOK, http.Header{
		"Client-Id":     {content.ClientID},
		"Response-Time": {content.Time},
		"Signature":     {must(content.Sign(context.Background(), g.signer))},
		"Content-Type":  {"application/json; charset=UTF-8"},
		"Trace-Id":      {"T" + strconv.FormatInt(g.traces.Add(1), 10)},
	}, body)
}

func unsigned(status int, r alipayplus.Result) *http.Response {
	return respond(status, http.Header{"Content-Type": {"application/json"}}, resultBody(r))
}

func respond(status int, header http.Header, body []byte) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)),
	}
}

// strict checks what the documents ask of a sender: strings only, nothing
// empty.
func strict(body []byte) error {
	if err := wire.Check(body); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return err
	}
	return strictValue("", v)
}

func strictValue(path string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := strictValue(path+"."+name, v[name]); err != nil {
				return err
			}
		}
	case []any:
		for i, element := range v {
			if err := strictValue(fmt.Sprintf("%s[%d]", path, i), element); err != nil {
				return err
			}
		}
	case string:
		if v == "" {
			return fmt.Errorf("%s is empty", path[1:])
		}
	case bool, json.Number:
		return fmt.Errorf("%s is not a string", path[1:])
	}
	return nil
}
