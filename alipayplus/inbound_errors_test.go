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
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// inOp is an API for tests that go through all of them.
type inOp struct {
	name   string
	body   string // of a valid request
	stored bool   // has an idempotency key
	kept   bool   // keeps its U PAYMENT_IN_PROCESS
	route  func(path string, fn func(context.Context) (alipayplus.Result, error)) alipayplus.Route
	bad    func(path string) alipayplus.Route // answers with a member that must not be sent
}

func inOpOf[Req, Resp any](op *alipayplus.Inbound[Req, Resp], body string, full Resp, spoil func(*Resp)) inOp {
	return inOp{
		name: op.Name(), body: body, stored: op.Spec().Idempotency != nil, kept: op.Spec().Keep != nil,
		route: func(path string, fn func(context.Context) (alipayplus.Result, error)) alipayplus.Route {
			return op.Handle(path, func(ctx context.Context, _ *Req) (*Resp, error) {
				result, err := fn(ctx)
				if err != nil {
					return nil, err
				}
				response := full
				reflect.ValueOf(&response).Elem().FieldByName("Result").Set(reflect.ValueOf(result))
				return &response, nil
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
	long, at := strings.Repeat("x", 65), alipayplus.TimeOf(time.Now())
	return []inOp{
		inOpOf(payment.Pay, `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1","paymentAmount":{"currency":"JPY","value":"100"},`+
			`"payToAmount":{"currency":"JPY","value":"100"},"paymentMethod":{"paymentMethodType":"CONNECT_WALLET"}}`,
			payment.PayResponse{PaymentID: "W1", PaymentTime: at, PaymentURL: alipayplus.Conceal("https://wallet.example/verify")},
			func(r *payment.PayResponse) { r.PaymentID = long }),
		inOpOf(payment.Refund, `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1","paymentId":"W1","refundRequestId":"RR1",`+
			`"refundAmount":{"currency":"JPY","value":"100"},"refundFromAmount":{"currency":"JPY","value":"100"}}`,
			payment.RefundResponse{RefundID: "R1", RefundTime: at},
			func(r *payment.RefundResponse) { r.RefundID = long }),
		inOpOf(payment.CancelPayment, `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1"}`, payment.CancelPaymentResponse{},
			func(r *payment.CancelPaymentResponse) { r.Result.Code = alipayplus.ResultCode(long) }),
		inOpOf(payment.InquiryPayment, `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1"}`,
			payment.InquiryPaymentResponse{PaymentResult: alipayplus.CodePaymentInProcess.Result()},
			func(r *payment.InquiryPaymentResponse) { r.PaymentID = long }),
		inOpOf(inMove, inValid, inResponse{Ref: "R"}, func(r *inResponse) { r.Ref = "\xff" }),
	}
}

// What a function returns decides the answer and whether it is kept, for every
// API. The verdict of a table row is for one that has an idempotency key.
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
		{rule: "a failing code, wrapped twice", err: fmt.Errorf("debit: %w", fmt.Errorf("looking: %w", alipayplus.CodeUserNotExist)), want: failed(alipayplus.CodeUserNotExist), kept: true},
		{rule: "a failing result, wrapped", err: fmt.Errorf("looking: %w", failed("MY_CODE")), want: failed("MY_CODE"), kept: true},
		{rule: "a failing code beside a database's error", err: errors.Join(errors.New("the transaction broke"), alipayplus.CodeRiskReject), want: u},
		{rule: "a failing code before a database's error", err: errors.Join(alipayplus.CodeRiskReject, errors.New("the transaction broke")), want: u},
		{rule: "a failing code, joined with nothing", err: errors.Join(nil, alipayplus.CodeRiskReject), want: u},
		{rule: "a failing code and a cause", err: fmt.Errorf("%w: %w", alipayplus.CodeRiskReject, errors.New("the transaction broke")), want: u},
		{rule: "a failing code and a cause, wrapped", err: fmt.Errorf("debit: %w", fmt.Errorf("%w: %w", errors.New("commit"), failed("MY_CODE"))), want: u},
		{rule: "two failing codes", err: errors.Join(alipayplus.CodeRiskReject, alipayplus.CodeRiskReject), want: u},
		{rule: "U beside a database's error", err: errors.Join(unknown("MY_CODE"), errors.New("the transaction broke")), want: u},
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
			h := testkit.Must(alipayplus.NewHandler(cfg, op.route("/x", func(context.Context) (alipayplus.Result, error) {
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

// Only the answer to a creation keeps a U, a PAYMENT_IN_PROCESS with paymentUrl
// and paymentId: any other would stay U for ever, whatever becomes of the
// payment.
func TestKeep(t *testing.T) {
	for _, op := range inOps() {
		runs := 0
		h := testkit.Must(alipayplus.NewHandler(inConfig(), op.route("/x", func(context.Context) (alipayplus.Result, error) {
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
	inProcess, at := alipayplus.CodePaymentInProcess.Result(), alipayplus.TimeOf(time.Now())
	for name, answer := range map[string]payment.PayResponse{
		"nothing":             {Result: inProcess},
		"no paymentUrl":       {Result: inProcess, PaymentID: "W1"},
		"no paymentId":        {Result: inProcess, PaymentURL: alipayplus.Conceal("https://wallet.example/verify")},
		"a time, but no page": {Result: inProcess, PaymentID: "W1", PaymentTime: at},
		"another code":        {Result: alipayplus.CodeUnknownException.Result(), PaymentID: "W1", PaymentURL: alipayplus.Conceal("https://wallet.example/verify")},
	} {
		runs := 0
		h := testkit.Must(alipayplus.NewHandler(inConfig(), payment.Pay.Handle("/x", func(context.Context, *payment.PayRequest) (*payment.PayResponse, error) {
			if runs++; runs == 1 {
				return &answer, nil
			}
			return &payment.PayResponse{PaymentID: "W1", PaymentTime: at}, nil
		})))
		for _, want := range []alipayplus.Result{answer.Result, alipayplus.CodeSuccess.Result()} {
			if got, err := inResult(inServe(h, inArrive("/x", inOps()[0].body).request()), "/x"); err != nil || got != want {
				t.Errorf("%s: %v %v, want %v", name, got, err, want)
			}
		}
	}
}

// A store that returns a U that is never kept is not believed: for an API
// without Keep, and for an answer that Keep does not keep.
func TestRecordedUnknown(t *testing.T) {
	inProcess := `{"result":{"resultCode":"PAYMENT_IN_PROCESS","resultStatus":"U"}`
	page := `,"paymentId":"W1","paymentUrl":"https://wallet.example/verify"`
	for _, c := range []struct {
		name, operation, recorded string
		want                      alipayplus.ResultCode
	}{
		{"creation's answer", "pay", inProcess + page + "}", alipayplus.CodePaymentInProcess},
		{"pay without page", "pay", inProcess + "}", alipayplus.CodeUnknownException},
		{"refund", "refund", inProcess + page + "}", alipayplus.CodeUnknownException},
		{"cancelPayment", "cancelPayment", inProcess + page + "}", alipayplus.CodeUnknownException},
		{"another U", "pay", `{"result":{"resultCode":"RISK","resultStatus":"U"}` + page + "}", alipayplus.CodeUnknownException},
		{"an S without payment", "pay", `{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}`, alipayplus.CodeUnknownException},
		{"an S without refund", "refund", `{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}`, alipayplus.CodeUnknownException},
	} {
		for _, op := range inOps() {
			if op.name != c.operation {
				continue
			}
			cfg := inConfig()
			cfg.Idempotency = inRecorded(c.recorded)
			h := testkit.Must(alipayplus.NewHandler(cfg, op.route("/x", func(context.Context) (alipayplus.Result, error) {
				t.Errorf("%s: the function ran", c.name)
				return alipayplus.Result{}, nil
			})))
			if got, err := inResult(inServe(h, inArrive("/x", op.body).request()), "/x"); err != nil || got.Code != c.want {
				t.Errorf("%s: %v %v, want %v", c.name, got, err, c.want)
			}
		}
	}
}

// inRecorded is a store that has this answer to everything.
type inRecorded string

func (s inRecorded) Begin(context.Context, alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
	return alipayplus.ClaimAnswered, []byte(s), nil
}
func (inRecorded) Finish(context.Context, alipayplus.Claim, []byte) error { return nil }

// An S that lacks what S requires for its request is answered U, is an alarm
// that names what is missing, and is not kept.
func TestSuccessRequires(t *testing.T) {
	at, amount := alipayplus.TimeOf(time.Now()), alipayplus.Amount{Currency: "JPY", Minor: 100}
	paid := alipayplus.CodeSuccess.Result()
	inquired := payment.InquiryPaymentResponse{PaymentResult: paid, PaymentID: "W1", PaymentTime: at, PaymentAmount: amount, PayToAmount: amount}
	pay, refund := inOps()[0].body, inOps()[1].body
	inquiry := `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1"}`
	evaluation := strings.Replace(pay, `{`, `{"paymentFactor":{"isPaymentEvaluation":"true"},`, 1)
	inRequires(t, payment.Pay, evaluation, payment.PayResponse{})
	inRequires(t, payment.Pay, pay, payment.PayResponse{PaymentID: "W1", PaymentTime: at}, "PaymentID", "PaymentTime")
	inRequires(t, payment.Refund, refund, payment.RefundResponse{RefundID: "R1", RefundTime: at}, "RefundID", "RefundTime")
	inRequires(t, payment.CancelPayment, inquiry, payment.CancelPaymentResponse{})
	inRequires(t, payment.InquiryPayment, inquiry, inquired, "PaymentResult", "PaymentID", "PaymentTime", "PaymentAmount", "PayToAmount")
	for _, result := range []alipayplus.Result{alipayplus.CodePaymentInProcess.Result(), alipayplus.CodeOrderIsClosed.Result()} {
		inRequires(t, payment.InquiryPayment, inquiry, payment.InquiryPaymentResponse{PaymentResult: result}, "PaymentResult")
	}
	for _, result := range []alipayplus.Result{{Code: "SUCCESS"}, {Status: "S"}, {Code: "SUCCESS", Status: "s"}} {
		inquired.PaymentResult = result
		inLacks(t, payment.InquiryPayment, inquiry, inquired, "paymentResult")
	}
}

// inRequires checks that full is answered S, and U without any one of members.
func inRequires[Req, Resp any](t *testing.T, op *alipayplus.Inbound[Req, Resp], body string, full Resp, members ...string) {
	t.Helper()
	if got, text := inAnswerOf(op, body, full); got != alipayplus.CodeSuccess.Result() {
		t.Errorf("%s: %v\n%s", op.Name(), got, text)
	}
	for _, member := range members {
		field, _ := reflect.TypeFor[Resp]().FieldByName(member)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		without := full
		reflect.ValueOf(&without).Elem().FieldByName(member).SetZero()
		inLacks(t, op, body, without, name)
	}
}

// inLacks checks that answer is U and an alarm that names the member.
func inLacks[Req, Resp any](t *testing.T, op *alipayplus.Inbound[Req, Resp], body string, answer Resp, member string) {
	t.Helper()
	got, log := inAnswerOf(op, body, answer)
	if got != alipayplus.CodeUnknownException.Result() || !strings.Contains(log, `"ERROR"`) || !strings.Contains(log, "lacks "+member) {
		t.Errorf("%s without %s: %v\n%s", op.Name(), member, got, log)
	}
}

// inAnswerOf sends body twice and returns the second result: what was kept
// shows.
func inAnswerOf[Req, Resp any](op *alipayplus.Inbound[Req, Resp], body string, answer Resp) (alipayplus.Result, string) {
	log := &inLog{}
	cfg := inConfig()
	cfg.Logger = log.logger()
	h := testkit.Must(alipayplus.NewHandler(cfg, op.Handle("/x", func(context.Context, *Req) (*Resp, error) { return &answer, nil })))
	inServe(h, inArrive("/x", body).request())
	return testkit.Must(inResult(inServe(h, inArrive("/x", body).request()), "/x")), log.String()
}

// A key that no store can keep is refused, and no function runs.
func TestUnusableKeys(t *testing.T) {
	for name, key := range map[string]string{
		"a null": `M\u00001`, "a line end": `M\n1`, "an escape": `M\u001b1`, "a delete": "M\x7f1", "a control of Latin-1": `M\u00851`,
	} {
		ran := false
		h := testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
			ran = true
			return inDone(ctx, r)
		})))
		if got := inSend(t, h, `{"id":"`+key+`"}`); got != alipayplus.CodeParamIllegal.Result() || ran {
			t.Errorf("%s: %v, the function ran: %t", name, got, ran)
		}
	}
	for name, key := range map[string]string{"no UTF-8": "M\xff", "257 bytes": strings.Repeat("M", 257)} {
		op := alipayplus.NewInbound(alipayplus.Spec[inRequest, inResponse]{
			Name: "odd", Idempotency: func(*inRequest) alipayplus.Idempotency { return alipayplus.Idempotency{Key: key} },
		})
		h := testkit.Must(alipayplus.NewHandler(inConfig(), op.Handle(inMovePath, inDone)))
		if got := inSend(t, h, inValid); got != alipayplus.CodeParamIllegal.Result() {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := inSend(t, testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, inDone))), `{"id":"Bücher ☃ 1"}`); got.Status != "S" {
		t.Errorf("a key that is text: %v", got)
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
			h := testkit.Must(alipayplus.NewHandler(inConfig(), op.bad("/x")))
			for range 2 { // also from the store
				if got, err := serve(h); err != nil || got != alipayplus.CodeUnknownException.Result() {
					t.Errorf("%s, an answer that must not be sent: %v %v", op.name, got, err)
				}
			}
			runs := 0
			h = testkit.Must(alipayplus.NewHandler(inConfig(), op.route("/x", func(ctx context.Context) (alipayplus.Result, error) {
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
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) { return nil, nil })))
	if got := inSend(t, h, inValid); got != alipayplus.CodeUnknownException.Result() || !strings.Contains(log.String(), "neither an answer nor an error") {
		t.Errorf("neither an answer nor an error: %v\n%s", got, log)
	}
}
