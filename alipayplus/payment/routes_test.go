package payment_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// A refund that the ledger does not answer is answered U through the handler,
// and S when Alipay+ asks again.
func TestRoutes(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		s := serve(t, remote)
		handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
			Credentials: s.gateway.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000),
		}, s.Routes("/")...)
		if err != nil {
			t.Fatal(err)
		}
		inquiry := func() string {
			a, err := alipayplustest.Send(t.Context(), s.gateway, handler, "/inquiryPayment", payment.InquiryPayment,
				&payment.InquiryPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: "P1"})
			if err != nil {
				return err.Error()
			}
			return a.Result.Error() + ", " + a.PaymentResult.Error()
		}
		cancel := func() string {
			a, err := alipayplustest.Send(t.Context(), s.gateway, handler, "/cancelPayment", payment.CancelPayment,
				&payment.CancelPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: "P1"})
			if err != nil {
				return err.Error()
			}
			return a.Result.Error()
		}
		refund := func(id string, minor int64) string {
			e := refunding(id, minor)
			a, err := alipayplustest.Send(t.Context(), s.gateway, handler, "/refund", payment.Refund, &e.Request)
			if err != nil {
				return err.Error()
			}
			return fmt.Sprint(a.Result.Error(), " ", len(a.RefundID))
		}
		down := func(is bool) string {
			if remote {
				s.remote.Fault = nil
				if is {
					s.remote.Fault = func(context.Context, string, bool) error { return errLost }
				}
			}
			return ""
		}
		unknownIf := func(text string) string {
			if remote {
				return "U UNKNOWN_EXCEPTION" + text
			}
			return ""
		}
		steps := []struct{ got, want string }{
			{inquiry(), "F ORDER_NOT_EXIST, no result"},
			{refund("r0", 100), "F ORDER_NOT_EXIST 0"},
			{string(s.open().State), "open"},
			{inquiry(), "S SUCCESS, U PAYMENT_IN_PROCESS"},
			{refund("r1", 100), "F PROCESS_FAIL 0"},
			{string(s.confirm().State), "paid"},
			{inquiry(), "S SUCCESS, S SUCCESS"},
			{refund("r2", 100), "S SUCCESS 26"},
			{refund("r2", 100), "S SUCCESS 26"},
			{refund("r2", 110), "F REPEAT_REQ_INCONSISTENT 0"},
			{refund("r3", 210), "F REFUND_AMOUNT_EXCEED 0"},
			{down(true), ""},
		}
		if remote {
			steps = append(steps, struct{ got, want string }{refund("r4", 50), unknownIf(" 0")})
		}
		steps = append(steps, []struct{ got, want string }{
			{down(false), ""},
			{refund("r4", 50), "S SUCCESS 26"},
			{fmt.Sprint(s.balance()), "850"},
			{down(true), ""},
		}...)
		if remote {
			steps = append(steps, struct{ got, want string }{cancel(), unknownIf("")})
			steps = append(steps, struct{ got, want string }{inquiry(), "S SUCCESS, U PAYMENT_IN_PROCESS"})
		}
		steps = append(steps, []struct{ got, want string }{
			{down(false), ""},
			{cancel(), "S SUCCESS"},
			{cancel(), "S SUCCESS"},
			{inquiry(), "S SUCCESS, F ORDER_IS_CLOSED"},
			{refund("r5", 10), "F ORDER_IS_CLOSED 0"},
			{string(s.confirm().State), "closed"},
			{fmt.Sprint(s.balance()), "1000"},
		}...)
		for i, c := range steps {
			if c.got != c.want {
				t.Errorf("step %d: %q, want %q", i+1, c.got, c.want)
			}
		}
	})
}

// A refund that comes again is the same refund, also if the Store does not know
// the first answer any more.
func TestRefundAgain(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		s := serve(t, remote)
		s.open()
		s.confirm()
		var answers []payment.RefundResponse
		for range 2 {
			handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
				Credentials: s.gateway.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(10),
			}, s.Routes("/")...)
			if err != nil {
				t.Fatal(err)
			}
			e := refunding("r1", 100)
			answer, err := alipayplustest.Send(t.Context(), s.gateway, handler, "/refund", payment.Refund, &e.Request)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, *answer)
		}
		stored, err := s.Find(t.Context(), "P1")
		if err != nil || len(stored.Refunds) != 1 {
			t.Fatalf("refunds %v, %v", stored.Refunds, err)
		}
		entry := stored.Refunds[0]
		for i, a := range answers {
			if a.RefundID != entry.RefundID || a.RefundTime != entry.RefundTime || s.balance() != 800 {
				t.Errorf("answer %d: refund %s of %v, stored are %s and %v; balance %d", i+1, a.RefundID, a.RefundTime, entry.RefundID, entry.RefundTime, s.balance())
			}
		}
	})
}

// A prefix without its last slash names the same paths.
func TestRoutesPrefix(t *testing.T) {
	s := serve(t, false)
	for _, prefix := range []string{"/alipayplus/", "/alipayplus"} {
		handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
			Credentials: s.gateway.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(10),
		}, s.Routes(prefix)...)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := alipayplustest.Send(t.Context(), s.gateway, handler, "/alipayplus/inquiryPayment", payment.InquiryPayment,
			&payment.InquiryPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: "P1"})
		if err != nil || answer.Result.Code != alipayplus.CodeOrderNotExist {
			t.Errorf("below %q: %v, %v", prefix, answer, err)
		}
	}
}
