package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

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
		name: op.Name(), body: body, stored: op.Spec().Idempotency != nil, kept: op.Spec().Pending != "",
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
