package alipayplus_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// Every JSON media type is fine, and none at all; the header's spelling is
// free.
func TestHandlerTakes(t *testing.T) {
	h := testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, inDone)))
	for rule, spoil := range map[string]func(*http.Request){
		"as documented":          func(*http.Request) {},
		"no Content-Type":        func(r *http.Request) { r.Header.Del("Content-Type") },
		"another charset":        func(r *http.Request) { r.Header.Set("Content-Type", "Application/JSON ; charset=gbk; x=y") },
		"text/json":              func(r *http.Request) { r.Header.Set("Content-Type", "text/json") },
		"a structured suffix":    func(r *http.Request) { r.Header.Set("Content-Type", "application/problem+json") },
		"identity encoding":      func(r *http.Request) { r.Header.Set("Content-Encoding", "identity") },
		"no announced length":    func(r *http.Request) { r.ContentLength = -1 },
		"a request of no server": func(r *http.Request) { r.RequestURI = "" },
		"spaces in the signature": func(r *http.Request) {
			r.Header.Set("Signature", strings.ReplaceAll(r.Header.Get("Signature"), ",", " , "))
		},
		"an unknown header": func(r *http.Request) { r.Header.Set("Idempotency-Key", "x") },
	} {
		r := inArrive(inMovePath, inValid).request()
		spoil(r)
		if result, err := inResult(inServe(h, r), inMovePath); err != nil || result.Status != alipayplus.StatusSucceeded {
			t.Errorf("%s: %v %v", rule, result, err)
		}
	}
}

func TestRefusalOptions(t *testing.T) {
	cfg := inConfig()
	cfg.RefusalStatus, cfg.SignRefusals = http.StatusForbidden, true
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone)))
	stranger := inArrive(inMovePath, inValid)
	stranger.signer = signerOf("1", testkit.Keys().Next)
	r := stranger.request()
	w := inServe(h, r)
	result, err := inVerified(w, inMovePath)
	if w.Code != http.StatusForbidden || err != nil || result.Code != alipayplus.CodeInvalidSignature || w.Header().Get("Client-Id") != inClientID {
		t.Errorf("a refusal with both options: HTTP %d, %v, %v", w.Code, result, err)
	}

	// Whatever the target is, the status is the same: there is nothing to sign.
	r = stranger.request()
	r.RequestURI += "?" + strings.Repeat("x", 5000)
	if w = inServe(h, r); w.Code != http.StatusForbidden || w.Header().Get("Signature") != "" || w.Body.String() != inRefused401 {
		t.Errorf("a refusal for an unusable target: HTTP %d %s", w.Code, w.Body)
	}
	r = stranger.request()
	r.Method = http.MethodGet
	if w = inServe(h, r); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Signature") != "" {
		t.Errorf("another method: HTTP %d, signature %q", w.Code, w.Header().Get("Signature"))
	}
}

// The constructor finds every mistake that would otherwise show in production.
func TestNewHandlerRefuses(t *testing.T) {
	move := func(path string) alipayplus.Route { return inMove.Handle(path, inDone) }
	ask := func(path string) alipayplus.Route { return inAsk.Handle(path, inDone) }
	one := []alipayplus.Route{move(inMovePath)}
	for _, c := range []struct {
		rule   string
		change func(*alipayplus.HandlerConfig)
		routes []alipayplus.Route
		want   string
	}{
		{"no credentials", func(c *alipayplus.HandlerConfig) { c.Credentials = alipayplus.Credentials{} }, one, "ClientID"},
		{"no signer", func(c *alipayplus.HandlerConfig) { c.Signer = nil }, one, "Signer"},
		{"no keys", func(c *alipayplus.HandlerConfig) { c.Keys = nil }, one, "Keys"},
		{"our own key as Alipay+'s", func(c *alipayplus.HandlerConfig) {
			c.Keys = ringOf(map[string]*rsa.PrivateKey{"1": testkit.Keys().Alipay, "2": testkit.Keys().Wallet})
		}, one, "own public key"},
		{"our own key, in a signer that hides it", func(c *alipayplus.HandlerConfig) {
			c.Signer = struct{ alipayplus.Signer }{c.Signer}
			c.Keys = ringOf(map[string]*rsa.PrivateKey{"2": testkit.Keys().Wallet})
		}, one, "own public key"},
		{"no routes", nil, nil, "without routes"},
		{"a zero route", nil, []alipayplus.Route{{}}, "without a function"},
		{"no function", nil, []alipayplus.Route{inMove.Handle(inMovePath, nil)}, "without a function"},
		{"one path twice", nil, []alipayplus.Route{move("/a"), ask("/a")}, "two routes"},
		{"two APIs with one signed target", nil, []alipayplus.Route{move("/a").WithTarget("/x"), ask("/b").WithTarget("/x")}, "one signed target"},
		{"one route's signed target is another's path", nil, []alipayplus.Route{move("/x/a"), ask("/a").WithTargetPrefix("/x")}, "one signed target"},
		{"an empty path", nil, []alipayplus.Route{move("")}, "no plain path"},
		{"a path without slash", nil, []alipayplus.Route{move("wallet/move")}, "no plain path"},
		{"a path with a query", nil, []alipayplus.Route{move("/a?b")}, "no plain path"},
		{"an encoded path", nil, []alipayplus.Route{move("/%61")}, "no plain path"},
		{"a target that is a URL", nil, []alipayplus.Route{move("/a").WithTarget("https://wallet.example/a")}, "no raw path"},
		{"a prefix without slash", nil, []alipayplus.Route{move("/a").WithTargetPrefix("x")}, "no raw path"},
		{"a path of Alipay+'s own APIs", nil, []alipayplus.Route{move("/aps/api/v1/payments/notifyPayment")}, "could pass for a request"},
		{"a signed target of Alipay+'s own APIs", nil, []alipayplus.Route{move("/move").WithTargetPrefix("/aps/api/v1")}, "could pass for a request"},
		{"no store", func(c *alipayplus.HandlerConfig) { c.Idempotency = nil }, one, "needs an IdempotencyStore"},
		{"a lease that ends while a function may run", func(c *alipayplus.HandlerConfig) { c.Lease = time.Second }, one, "Lease"},
		{"a negative lease", func(c *alipayplus.HandlerConfig) { c.Lease = -1 }, one, "Lease"},
		{"an unusable client id", func(c *alipayplus.HandlerConfig) { c.ClientIDs = []string{"a.b"} }, one, "ClientIDs"},
		{"a status of no answer", func(c *alipayplus.HandlerConfig) { c.RefusalStatus = 100 }, one, "RefusalStatus"},
	} {
		cfg := inConfig()
		if c.change != nil {
			c.change(&cfg)
		}
		h, err := alipayplus.NewHandler(cfg, c.routes...)
		if h != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that names %s", c.rule, err, c.want)
		}
	}
	cfg := inConfig()
	cfg.Idempotency = nil
	if _, err := alipayplus.NewHandler(cfg, ask(inAskPath)); err != nil {
		t.Errorf("an API that only reads needs no store: %v", err)
	}
	if _, err := alipayplus.NewHandler(inConfig(), move("/a").WithTarget("/x"), move("/b").WithTarget("/x")); err != nil {
		t.Errorf("one API may stand at two paths: %v", err)
	}
}

func TestHandlerIsImmutable(t *testing.T) {
	cfg := inConfig()
	cfg.ClientIDs = []string{inClientID}
	routes := []alipayplus.Route{inMove.Handle(inMovePath, inDone)}
	h := testkit.Must(alipayplus.NewHandler(cfg, routes...))
	cfg.ClientIDs[0] = "OTHER"
	routes[0] = inMove.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) { panic("swapped") })
	if result, err := inResult(inServe(h, inArrive(inMovePath, inValid).request()), inMovePath); err != nil || result.Code != alipayplus.CodeSuccess {
		t.Errorf("what the caller changed later shows: %v %v", result, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, h); text != "alipayplus.Handler{WALLET_CLIENT_01, 1 routes}" {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

// Alipay+ may know the wallet by several ids; the answer names the caller's.
func TestClientIDs(t *testing.T) {
	cfg := inConfig()
	cfg.ClientIDs = []string{"REGION_A", "REGION_B"}
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone)))
	for id, want := range map[string]int{"REGION_A": 200, "REGION_B": 200, inClientID: 401} {
		a := inArrive(inMovePath, inValid)
		a.clientID = id
		w := inServe(h, a.request())
		if w.Code != want {
			t.Errorf("%s: HTTP %d, want %d", id, w.Code, want)
		}
		if want == 200 && w.Header().Get("Client-Id") != id {
			t.Errorf("%s: the answer names %s", id, w.Header().Get("Client-Id"))
		}
	}
}

// A signer that fails loses the answer, never the record of it.
func TestSignerFails(t *testing.T) {
	signer := &inFailingSigner{Signer: signerOf("7", testkit.Keys().Wallet)}
	cfg := inConfig()
	cfg.Signer = signer
	runs := 0
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) {
		runs++
		return &inResponse{Ref: "R"}, nil
	})))
	signer.err = errors.New("the vault is sealed")
	w := inServe(h, inArrive(inMovePath, inValid).request())
	if w.Code != http.StatusInternalServerError || w.Header().Get("Signature") != "" || !strings.Contains(w.Body.String(), `"U"`) {
		t.Errorf("HTTP %d %s", w.Code, w.Body)
	}
	signer.err = nil
	if result, err := inResult(inServe(h, inArrive(inMovePath, inValid).request()), inMovePath); err != nil || result.Status != "S" || runs != 1 {
		t.Errorf("afterwards %v %v after %d runs", result, err, runs)
	}
}

type inFailingSigner struct {
	alipayplus.Signer
	err error
}

func (s *inFailingSigner) SignDigest(ctx context.Context, digest [32]byte) (string, []byte, error) {
	if s.err != nil {
		return "", nil, s.err
	}
	return s.Signer.SignDigest(ctx, digest)
}

func (s *inFailingSigner) Public() crypto.PublicKey { return &testkit.Keys().Wallet.PublicKey }

// Hooks see each request for a known path once, whatever comes of it, and their
// context reaches the function and the store.
func TestHandlerHooks(t *testing.T) {
	type key struct{}
	var seen []string
	cfg := inConfig()
	cfg.Idempotency = &inStoreFault{
		IdempotencyStore: cfg.Idempotency,
		begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
			seen = append(seen, fmt.Sprint("store ", ctx.Value(key{})))
			return next.Begin(ctx, c)
		},
		finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
			seen = append(seen, fmt.Sprint("store ", ctx.Value(key{})))
			return next.Finish(ctx, c, answer)
		},
	}
	cfg.Hooks = alipayplus.Hooks{
		Start: func(ctx context.Context, operation string) context.Context {
			seen = append(seen, "start "+operation)
			return context.WithValue(ctx, key{}, "traced")
		},
		Attempt: func(ctx context.Context, a alipayplus.Attempt) {
			seen = append(seen, fmt.Sprintf("attempt %s %d %t %v", a.Operation, a.Number, a.Err != nil && errors.Is(a.Err, alipayplus.ErrSignature), ctx.Value(key{})))
		},
		Finish: func(ctx context.Context, operation string, _ time.Duration, r alipayplus.Result, err error) {
			seen = append(seen, fmt.Sprintf("finish %s %v, error %t, %v", operation, r, err != nil, ctx.Value(key{})))
		},
	}
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
		seen = append(seen, fmt.Sprint("function ", ctx.Value(key{})))
		if r.ID == "F" {
			return nil, alipayplus.CodeRiskReject
		}
		return &inResponse{}, nil
	})))
	for _, c := range []struct {
		rule  string
		spoil func(*inArrival)
		want  []string
	}{
		{"an answer", nil, []string{
			"start move", "attempt move 1 false traced", "store traced", "function traced", "store traced", "finish move S SUCCESS, error false, traced",
		}},
		{"the same again", nil, []string{"start move", "attempt move 1 false traced", "store traced", "finish move S SUCCESS, error false, traced"}},
		{"a conflict", func(a *inArrival) { a.body = []byte(`{"id":"M1"}`) }, []string{
			"start move", "attempt move 1 false traced", "store traced", "finish move F REPEAT_REQ_INCONSISTENT, error true, traced",
		}},
		{"a refusal of the function", func(a *inArrival) { a.body = []byte(`{"id":"F"}`) }, []string{
			"start move", "attempt move 1 false traced", "store traced", "function traced", "store traced", "finish move F RISK_REJECT, error true, traced",
		}},
		{"a request that cannot be used", func(a *inArrival) { a.body = []byte(`{}`) }, []string{
			"start move", "attempt move 1 false traced", "finish move F PARAM_ILLEGAL, error true, traced",
		}},
		{"a stranger", func(a *inArrival) { a.signer = signerOf("1", testkit.Keys().Next) }, []string{
			"start move", "attempt move 1 true traced", "finish move F INVALID_SIGNATURE, error true, traced",
		}},
		{"an unknown path", func(a *inArrival) { a.target = "/wallet/other" }, nil},
	} {
		seen = nil
		a := inArrive(inMovePath, inValid)
		if c.spoil != nil {
			c.spoil(&a)
		}
		inServe(h, a.request())
		if !slices.Equal(seen, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.rule, seen, c.want)
		}
	}
}
