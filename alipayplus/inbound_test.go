package alipayplus_test

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

func inResultIn(body []byte) (alipayplus.Result, error) {
	var answer struct {
		Result alipayplus.Result `json:"result"`
	}
	err := json.Unmarshal(body, &answer)
	return answer.Result, err
}

// inMemory signs each digest once: the signature is deterministic.
type inMemory struct {
	alipayplus.Signer
	known sync.Map
}

func (m *inMemory) SignDigest(ctx context.Context, digest [32]byte) (string, []byte, error) {
	if signature, ok := m.known.Load(digest); ok {
		return "7", signature.([]byte), nil
	}
	version, signature, err := m.Signer.SignDigest(ctx, digest)
	m.known.Store(digest, signature)
	return version, signature, err
}

func (m *inMemory) Public() crypto.PublicKey { return &inKeys().wallet.PublicKey }

// inSend delivers the request of body to inMovePath and returns its result.
func inSend(t *testing.T, h *alipayplus.Handler, body string) alipayplus.Result {
	t.Helper()
	result, err := inResult(inServe(h, inArrive(inMovePath, body).request()), inMovePath)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// The same request 2 to 64 times in parallel: the function runs once, every
// answer is U or the one business answer, and afterwards there is only the
// latter. ALIPAYPLUS_LONG=1 makes it 10,000 requests, 64 times each.
func TestSameRequestInParallel(t *testing.T) {
	ids := 32
	if long {
		ids = 10_000
	}
	synctest.Test(t, func(t *testing.T) {
		var runs, unknown, served atomic.Int64
		cfg := inConfig()
		cfg.Signer = &inMemory{Signer: cfg.Signer}
		h := inMust(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(_ context.Context, r *inRequest) (*inResponse, error) {
			n := runs.Add(1)
			if n%2 == 0 {
				time.Sleep(time.Second) // of the bubble: all others arrive meanwhile
			}
			return &inResponse{Ref: fmt.Sprintf("run-%d", n)}, nil
		})))
		for id := range ids {
			times := 2 + 2*id
			if long {
				times = 64
			}
			a := inArrive(inMovePath, fmt.Sprintf(`{"id":"M%d"}`, id))
			first := a.request()
			var answers sync.Map // of business, by their text
			var wait sync.WaitGroup
			for range times {
				r := inAgain(first, a.body)
				wait.Go(func() {
					w := inServe(h, r)
					result, err := inResult(w, inMovePath)
					switch {
					case err != nil:
						t.Error(err)
					case result.Status == alipayplus.StatusUnknown && result.Code == alipayplus.CodePaymentInProcess:
						unknown.Add(1)
					case result.Status == alipayplus.StatusSucceeded:
						served.Add(1)
						answers.Store(w.Body.String(), true)
					default:
						t.Errorf("answered %v", result)
					}
				})
			}
			wait.Wait()
			time.Sleep(time.Millisecond) // so that a fresh signature is another one
			w := inServe(h, inAgain(first, a.body))
			result, err := inResult(w, inMovePath)
			if err != nil || result.Status != alipayplus.StatusSucceeded || w.Header().Get("Response-Time") != inNow() {
				t.Errorf("afterwards: %v %v, signed at %s", result, err, w.Header().Get("Response-Time"))
			}
			answers.Store(w.Body.String(), true)
			count := 0
			answers.Range(func(any, any) bool { count++; return true })
			if count != 1 {
				t.Errorf("%d different business answers to one request", count)
			}
		}
		if runs.Load() != int64(ids) {
			t.Errorf("%d requests, %d runs", ids, runs.Load())
		}
		if unknown.Load() == 0 || served.Load() < int64(ids) {
			t.Errorf("%d answers U and %d of business: the requests did not meet", unknown.Load(), served.Load())
		}
		t.Logf("%d requests: %d runs, %d answers U, %d of business", ids, runs.Load(), unknown.Load(), served.Load())
	})
}

// A repetition that meets the first run gets U at once; the late answer is kept
// and served, with the deadline long over.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		var ended error
		cfg := inConfig()
		cfg.Store = &inStoreFault{ // one that obeys its context, like a database
			Store: cfg.Store,
			begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.Store) (alipayplus.Standing, error) {
				return next.Begin(ctx, c)
			},
			finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.Store) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return next.Finish(ctx, c, answer)
			},
		}
		h := inMust(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
			runs++
			deadline, _ := ctx.Deadline()
			if left := time.Until(deadline); left != 7*time.Second {
				t.Errorf("the function has %v", left)
			}
			time.Sleep(20 * time.Second)
			ended = ctx.Err()
			return inDone(ctx, r)
		})))
		var first alipayplus.Result
		var wait sync.WaitGroup
		wait.Go(func() { first = inSend(t, h, inValid) })
		for range 3 {
			time.Sleep(5 * time.Second)
			began := time.Now()
			if result := inSend(t, h, inValid); result.Status != "U" || result.Code != alipayplus.CodePaymentInProcess || time.Since(began) != 0 {
				t.Errorf("while the first runs: %v after %v", result, time.Since(began))
			}
		}
		wait.Wait()
		if result := inSend(t, h, inValid); result != first || first.Status != "S" || runs != 1 || !errors.Is(ended, context.DeadlineExceeded) {
			t.Errorf("first %v, repeated %v, %d runs, context %v", first, result, runs, ended)
		}
	})
}

// A connection that breaks stops neither the function nor the record.
func TestBrokenConnection(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	h := inMust(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
		runs++
		cancel()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return inDone(ctx, r)
	})))
	inServe(h, inArrive(inMovePath, inValid).request().WithContext(ctx))
	if result := inSend(t, h, inValid); result.Status != "S" || runs != 1 {
		t.Errorf("repeated: %v after %d runs", result, runs)
	}
}

// An API without Identity is not answered from the store.
func TestReadsRunEachTime(t *testing.T) {
	runs := 0
	h := inMust(alipayplus.NewHandler(inConfig(), inAsk.Handle(inAskPath, func(ctx context.Context, _ *inRequest) (*inResponse, error) {
		runs++
		if info, ok := alipayplus.RequestInfo(ctx); !ok || info.Again {
			t.Errorf("RequestInfo: %v %t", info, ok)
		}
		return &inResponse{Ref: fmt.Sprint(runs)}, nil
	})))
	for range 3 {
		inServe(h, inArrive(inAskPath, inValid).request())
	}
	if runs != 3 {
		t.Errorf("%d runs of 3 requests", runs)
	}
}

func TestRequestInfo(t *testing.T) {
	var infos []alipayplus.Info
	fail := true
	h := inMust(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
		info, _ := alipayplus.RequestInfo(ctx)
		infos = append(infos, info)
		if fail {
			return nil, errors.New("no connection to the ledger")
		}
		return inDone(ctx, r)
	})))
	body := `{ "unknown":{"member":1}, "id":"M1" }`
	for i := range 3 {
		fail = i < 2
		r := inArrive(inMovePath, body).request()
		r.Header.Set("Trace-Id", "trace 1")
		inServe(h, r)
	}
	if len(infos) != 3 || infos[0].Again || !infos[1].Again || !infos[2].Again {
		t.Fatalf("told about earlier runs: %v", infos)
	}
	for _, info := range infos {
		if string(info.Body) != body || info.TraceID != "trace?1" || info.Attempts != 1 || info.HTTPStatus != 0 {
			t.Errorf("%v with body %s", info, info.Body)
		}
		if text := fmt.Sprintf("%v %+v %#v %s", info, info, info, info); strings.Contains(text, "unknown") {
			t.Errorf("an Info prints the body: %s", text)
		}
	}
	if _, ok := alipayplus.RequestInfo(t.Context()); ok {
		t.Error("there is information about a request that is none")
	}
}

// inOp is an API for tests that go through all of them.
type inOp struct {
	name   string
	body   string // of a valid request
	stored bool   // has an Identity
	kept   bool   // keeps its U PAYMENT_IN_PROCESS
	route  func(path string, fn func(context.Context) (alipayplus.Result, error)) alipayplus.Route
	bad    func(path string) alipayplus.Route // answers with a member that must not be sent
}

func inOpOf[Req, Resp any](op *alipayplus.Inbound[Req, Resp], body string, spoil func(*Resp)) inOp {
	return inOp{
		name: op.Name(), body: body, stored: op.Spec().Identity != nil, kept: op.Spec().Pending != "",
		route: func(path string, fn func(context.Context) (alipayplus.Result, error)) alipayplus.Route {
			return op.Handle(path, func(ctx context.Context, _ *Req) (*Resp, error) {
				result, err := fn(ctx)
				if err != nil {
					return nil, err
				}
				response := new(Resp)
				reflect.ValueOf(response).Elem().FieldByName("Result").Set(reflect.ValueOf(result))
				return response, nil
			})
		},
		bad: func(path string) alipayplus.Route {
			return op.Handle(path, func(context.Context, *Req) (*Resp, error) {
				response := new(Resp)
				spoil(response)
				return response, nil
			})
		},
	}
}

func inOps() []inOp {
	long := strings.Repeat("x", 65)
	return []inOp{
		inOpOf(payment.Pay, `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1","paymentAmount":{"currency":"JPY","value":"100"},`+
			`"payToAmount":{"currency":"JPY","value":"100"},"paymentMethod":{"paymentMethodType":"CONNECT_WALLET"}}`,
			func(r *payment.PayResponse) { r.PaymentID = long }),
		inOpOf(payment.Refund, `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1","paymentId":"W1","refundRequestId":"RR1",`+
			`"refundAmount":{"currency":"JPY","value":"100"},"refundFromAmount":{"currency":"JPY","value":"100"}}`,
			func(r *payment.RefundResponse) { r.RefundID = long }),
		inOpOf(payment.CancelPayment, `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1"}`,
			func(r *payment.CancelPaymentResponse) { r.Result.Code = alipayplus.ResultCode(long) }),
		inOpOf(payment.InquiryPayment, `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1"}`,
			func(r *payment.InquiryPaymentResponse) { r.PaymentID = long }),
		inOpOf(inMove, inValid, func(r *inResponse) { r.Ref = "\xff" }),
	}
}

// What a function returns decides the answer and whether it is kept, for every
// API. The verdict of a table row is for one that has an Identity.
func TestErrorsOfFunctions(t *testing.T) {
	u := alipayplus.CodeUnknownException.Result()
	failed := func(code alipayplus.ResultCode) alipayplus.Result {
		return alipayplus.Result{Code: code, Status: alipayplus.StatusFailed}
	}
	unknown := func(code alipayplus.ResultCode) alipayplus.Result {
		return alipayplus.Result{Code: code, Status: alipayplus.StatusUnknown}
	}
	call := &alipayplus.Error{Operation: "userInitiatedPay", Outcome: alipayplus.OutcomeFailed, Result: failed(alipayplus.CodeOrderIsClosed)}
	long := strings.Repeat("m", 300)
	requests := map[string]*http.Request{}
	for _, op := range inOps() {
		requests[op.name] = inArrive("/x", op.body).request()
	}
	for _, c := range []struct {
		rule   string
		answer alipayplus.Result
		err    error
		panics any
		want   alipayplus.Result
		kept   bool
	}{
		{rule: "a zero result is success", want: alipayplus.CodeSuccess.Result(), kept: true},
		{rule: "success", answer: alipayplus.CodeSuccess.Result(), want: alipayplus.CodeSuccess.Result(), kept: true},
		{rule: "a code alone has its documented status", answer: alipayplus.Result{Code: alipayplus.CodeUserNotExist}, want: failed(alipayplus.CodeUserNotExist), kept: true},
		{rule: "S alone has a code", answer: alipayplus.Result{Status: "S"}, want: alipayplus.CodeSuccess.Result(), kept: true},
		{rule: "F alone has a code", answer: alipayplus.Result{Status: "F"}, want: failed(alipayplus.CodeProcessFail), kept: true},
		{rule: "a refusal as the answer", answer: failed("MY_CODE"), want: failed("MY_CODE"), kept: true},
		{rule: "an unknown code alone is U", answer: alipayplus.Result{Code: "MY_CODE"}, want: unknown("MY_CODE")},
		{rule: "a status of no protocol is U", answer: alipayplus.Result{Code: "MY_CODE", Status: "s"}, want: unknown("MY_CODE")},
		{rule: "U as the answer", answer: u, want: u},
		{rule: "throttling as the answer", answer: alipayplus.CodeRequestTrafficExceedLimit.Result(), want: alipayplus.CodeRequestTrafficExceedLimit.Result()},
		{
			rule:   "a long message is cut, the answer is not lost",
			answer: alipayplus.Result{Code: alipayplus.CodeSuccess, Status: "S", Message: long + "\xff"},
			want:   alipayplus.Result{Code: alipayplus.CodeSuccess, Status: "S", Message: long[:256]}, kept: true,
		},
		{
			rule:   "a message that is no UTF-8 is repaired",
			answer: alipayplus.Result{Code: alipayplus.CodeSuccess, Status: "S", Message: "a\xffb"},
			want:   alipayplus.Result{Code: alipayplus.CodeSuccess, Status: "S", Message: "a?b"}, kept: true,
		},
		{rule: "a code that is too long is no answer", answer: failed(alipayplus.ResultCode(long)), want: u},

		{rule: "a failing code", err: alipayplus.CodeUserNotExist, want: failed(alipayplus.CodeUserNotExist), kept: true},
		{rule: "a failing code, wrapped", err: fmt.Errorf("looking: %w", alipayplus.CodeUserNotExist), want: failed(alipayplus.CodeUserNotExist), kept: true},
		{rule: "a failing code, joined", err: errors.Join(errors.New("rolled back"), alipayplus.CodeRiskReject), want: failed(alipayplus.CodeRiskReject), kept: true},
		{rule: "a failing result", err: failed("MY_CODE"), want: failed("MY_CODE"), kept: true},
		{rule: "a failing result without code", err: alipayplus.Result{Status: "F"}, want: failed(alipayplus.CodeProcessFail), kept: true},
		{
			rule: "a failing result with a long message", err: alipayplus.Result{Code: "MY_CODE", Status: "F", Message: long},
			want: alipayplus.Result{Code: "MY_CODE", Status: "F", Message: long[:256]}, kept: true,
		},
		{rule: "a result U", err: unknown("MY_CODE"), want: unknown("MY_CODE")},
		{rule: "PAYMENT_IN_PROCESS as an error is not kept", err: alipayplus.CodePaymentInProcess, want: unknown(alipayplus.CodePaymentInProcess)},
		{rule: "throttling", err: alipayplus.CodeRequestTrafficExceedLimit, want: unknown(alipayplus.CodeRequestTrafficExceedLimit)},
		{rule: "a code of the wallet's own is U", err: alipayplus.ResultCode("MY_CODE"), want: unknown("MY_CODE")},
		{rule: "an S code is no error", err: alipayplus.CodeSuccess, want: u},
		{rule: "an S result is no error", err: alipayplus.Result{Code: "FINE", Status: "S"}, want: u},
		{rule: "an empty code", err: alipayplus.ResultCode(""), want: u},
		{rule: "an empty result", err: alipayplus.Result{}, want: u},
		{rule: "a code that is too long", err: failed(alipayplus.ResultCode(long)), want: u},
		{rule: "an error of a call", err: call, want: u},
		{rule: "an error of a call, wrapped", err: fmt.Errorf("decoding: %w", call), want: u},
		{rule: "an error of a call, joined with a code", err: errors.Join(alipayplus.CodeProcessFail, call), want: u},
		{rule: "any other error", err: errors.New("no connection to the ledger"), want: u},
		{rule: "the deadline", err: context.DeadlineExceeded, want: u},
		{rule: "cancelled", err: fmt.Errorf("debit: %w", context.Canceled), want: u},
		{rule: "the cause of a verification", err: alipayplus.ErrSignature, want: u},
		{rule: "a panic", panics: "boom", want: u},
		{rule: "a panic with a failing code", panics: alipayplus.CodeUserNotExist, want: u},
		{rule: "a nil pointer", panics: (*alipayplus.Result)(nil), want: u},
	} {
		for _, op := range inOps() {
			runs := 0
			cfg := inConfig()
			h := inMust(alipayplus.NewHandler(cfg, op.route("/x", func(context.Context) (alipayplus.Result, error) {
				if runs++; c.panics != nil {
					panic(c.panics)
				}
				return c.answer, c.err
			})))
			for i := range 2 {
				got, err := inResult(inServe(h, inAgain(requests[op.name], []byte(op.body))), "/x")
				if err != nil || got != c.want {
					t.Errorf("%s, %s, request %d: %v %v, want %v", c.rule, op.name, i, got, err, c.want)
				}
			}
			if want := map[bool]int{true: 1, false: 2}[c.kept && op.stored]; runs != want {
				t.Errorf("%s, %s: %d runs, want %d", c.rule, op.name, runs, want)
			}
		}
	}
}

// Only pay keeps a U: the PAYMENT_IN_PROCESS that the function itself returned.
func TestPendingIsKept(t *testing.T) {
	for _, op := range inOps() {
		runs := 0
		h := inMust(alipayplus.NewHandler(inConfig(), op.route("/x", func(context.Context) (alipayplus.Result, error) {
			runs++
			return alipayplus.CodePaymentInProcess.Result(), nil
		})))
		for range 2 {
			if got, err := inResult(inServe(h, inArrive("/x", op.body).request()), "/x"); err != nil || got != alipayplus.CodePaymentInProcess.Result() {
				t.Errorf("%s: %v %v", op.name, got, err)
			}
		}
		if (runs == 1) != op.kept {
			t.Errorf("%s: %d runs", op.name, runs)
		}
	}
}

// An answer that must not be sent, no answer at all, or a deadline: signed U,
// and nothing is final.
func TestUnusableAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, op := range inOps() {
			serve := func(h http.Handler) (alipayplus.Result, error) {
				return inResult(inServe(h, inArrive("/x", op.body).request()), "/x")
			}
			h := inMust(alipayplus.NewHandler(inConfig(), op.bad("/x")))
			for range 2 { // also from the store
				if got, err := serve(h); err != nil || got != alipayplus.CodeUnknownException.Result() {
					t.Errorf("%s, an answer that must not be sent: %v %v", op.name, got, err)
				}
			}
			runs := 0
			h = inMust(alipayplus.NewHandler(inConfig(), op.route("/x", func(ctx context.Context) (alipayplus.Result, error) {
				if runs++; runs == 1 {
					<-ctx.Done()
					return alipayplus.Result{}, ctx.Err()
				}
				return alipayplus.Result{}, nil
			})))
			if got, err := serve(h); err != nil || got != alipayplus.CodeUnknownException.Result() {
				t.Errorf("%s, the deadline: %v %v", op.name, got, err)
			}
			if got, err := serve(h); err != nil || got.Status != "S" || runs != 2 {
				t.Errorf("%s, after the deadline: %v %v, %d runs", op.name, got, err, runs)
			}
		}
	})
	log := &inLog{}
	cfg := inConfig()
	cfg.Logger = log.logger()
	h := inMust(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) { return nil, nil })))
	if got := inSend(t, h, inValid); got != alipayplus.CodeUnknownException.Result() || !strings.Contains(log.String(), "neither an answer nor an error") {
		t.Errorf("neither an answer nor an error: %v\n%s", got, log)
	}
}
