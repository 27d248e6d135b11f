package easypay_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// notified returns the result that Alipay+ got by notifyPayment, if it got one.
func (w *world) notified(id string) string {
	w.Helper()
	w.workFor(10 * time.Second)
	if bodies := w.calls(payment.NotifyPayment, id); len(bodies) > 0 {
		body := bodies[0]
		for _, result := range []string{`"resultStatus":"S"`, `"resultCode":"ORDER_IS_CLOSED"`, `"resultCode":"USER_PAYMENT_VERIFICATION_FAILED"`, `"resultCode":"USER_BALANCE_NOT_ENOUGH"`} {
			if strings.Contains(body, result) {
				return strings.Trim(result[strings.IndexByte(result, ':')+1:], `"`)
			}
		}
		return body
	}
	return ""
}

// How a verification ends without a payment: nothing is debited, no token is
// issued, and pay, inquiryPayment, notifyPayment and the page agree.
func TestVerificationEndsBadly(t *testing.T) {
	const failed, closed = "failed 0/0 " + redirectFail, "closed 0/0 " + redirectFail
	for _, c := range []struct {
		rule     string
		run      func(*world) string // the last page
		want     string
		inquiry  string
		notified string
		rerun    string // the creation, if the handler's Store forgot its answer
	}{
		{"three wrong PINs", func(w *world) string {
			w.is("one", w.enters(false), "verifying 2/5")
			w.is("two", w.enters(false), "verifying 1/5")
			w.is("three", w.enters(false), failed)
			return w.enters(true)
		}, failed, "F USER_PAYMENT_VERIFICATION_FAILED", "USER_PAYMENT_VERIFICATION_FAILED", "F USER_PAYMENT_VERIFICATION_FAILED"},
		{"the user leaves", (*world).leaves, failed,
			"F USER_PAYMENT_VERIFICATION_FAILED", "USER_PAYMENT_VERIFICATION_FAILED", "F USER_PAYMENT_VERIFICATION_FAILED"},
		{"expired, then verified", func(w *world) string {
			time.Sleep(25 * time.Hour)
			return w.enters(true)
		}, closed, "F ORDER_IS_CLOSED", "ORDER_IS_CLOSED", "F ORDER_IS_CLOSED"},
		{"expired while the user types", func(w *world) string {
			w.workFor(24*time.Hour + 2*time.Second)
			w.is("the clock", string(w.record("PR1").State), "closed")
			return w.enters(true)
		}, closed, "F ORDER_IS_CLOSED", "ORDER_IS_CLOSED", "F ORDER_IS_CLOSED"},
		{"cancelled while the user types", func(w *world) string {
			w.is("cancelPayment", w.cancel("PR1"), "S SUCCESS")
			return w.enters(true)
		}, closed, "F ORDER_IS_CLOSED", "", "F ORDER_IS_CLOSED"},
		{"cancelled before it came", func(w *world) string {
			w.is("cancelPayment", w.cancel("PR9"), "S SUCCESS")
			w.is("creation", w.pay(creation("PR9")).Result.Error(), "F ORDER_IS_CLOSED")
			return w.leaves()
		}, failed, "F USER_PAYMENT_VERIFICATION_FAILED", "USER_PAYMENT_VERIFICATION_FAILED", "F USER_PAYMENT_VERIFICATION_FAILED"},
		{"verified, but without money", func(w *world) string { // the redirect has the verification's status, not the payment's
			w.bank.Deposit(customerID, price-1-funds)
			defer w.bank.Deposit(customerID, funds-price+1)
			return w.enters(true)
		}, "failed 0/0 " + redirectSuccess, "F USER_BALANCE_NOT_ENOUGH", "USER_BALANCE_NOT_ENOUGH", "F USER_BALANCE_NOT_ENOUGH"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			story(t, func(w *world) {
				request := creation("PR1")
				created := w.pay(request)
				w.is("the last page", c.run(w), c.want)
				w.is("the page again", w.looks(), c.want)
				w.is("inquiryPayment", w.inquire("PR1"), c.inquiry)
				w.is("notifyPayment", w.notified("PR1"), c.notified)
				w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds))
				w.is("tokens", fmt.Sprint(w.tokens.count()), "0")
				// The recorded answer stays; without it the record decides.
				again := w.pay(request)
				if !reflect.DeepEqual(*again, *created) {
					w.Errorf("the creation is answered %v, and again %v", created, again)
				}
				w.over(alipayplus.NewMemoryIdempotencyStore(100))
				w.is("the creation, forgotten", w.pay(request).Result.Error(), c.rerun)
			})
		})
	}
}

var errLedger = errors.New("the ledger does not answer")

// silent makes the ledger fail until the returned function is called: its calls
// do not arrive, or only their answers are lost.
func (w *world) silent(arrives bool) (speaks func()) {
	var quiet atomic.Bool
	quiet.Store(true)
	w.remote.Fault = func(_ context.Context, _ string, after bool) error {
		if quiet.Load() && after == arrives {
			return errLedger
		}
		return nil
	}
	return func() { quiet.Store(false) }
}

// cancelPayment while the debit runs: S only when it is certain that the user
// pays nothing, whoever wins the race in the ledger.
func TestCancelWhilePaying(t *testing.T) {
	for _, withToken := range []bool{false, true} {
		for _, landed := range []bool{false, true} {
			t.Run(fmt.Sprintf("with a token: %t, the debit landed: %t", withToken, landed), func(t *testing.T) {
				remoteStory(t, func(w *world) {
					w.deals()
					tokens := w.tokens.count()
					speaks := w.silent(landed)
					request, end := creation("PR1"), "U PAYMENT_IN_PROCESS" // a creation's answer is kept
					if withToken {
						end = "F ORDER_IS_CLOSED"
						request = oneClick("PR1", alipayplus.Conceal("live"))
						w.is("one-click", w.pay(request).Result.Error(), "U PAYMENT_IN_PROCESS")
					} else {
						w.pay(request)
						w.is("right PIN", w.enters(true), "paying 0/0 "+redirectSuccess)
					}
					debit := w.record("PR1").Due()[0].(payment.Debit)
					w.is("cancelPayment", w.cancel("PR1"), "U UNKNOWN_EXCEPTION")
					w.is("inquiryPayment", w.inquire("PR1"), "U PAYMENT_IN_PROCESS")
					w.over(alipayplus.NewMemoryIdempotencyStore(100))
					w.is("pay, again", w.pay(request).Result.Error(), "U PAYMENT_IN_PROCESS")
					speaks()
					w.workFor(time.Hour)
					if _, err := w.remote.Debit(w.Context(), w.record("PR1"), debit); landed != (err == nil) {
						w.Errorf("a late order to the ledger: %v", err)
					}
					w.is("cancelPayment, again", w.cancel("PR1"), "S SUCCESS")
					w.is("inquiryPayment", w.inquire("PR1"), "F ORDER_IS_CLOSED")
					w.is("pay, in the end", w.pay(request).Result.Error(), end)
					w.over(alipayplus.NewMemoryIdempotencyStore(100))
					w.is("pay, forgotten", w.pay(request).Result.Error(), "F ORDER_IS_CLOSED")
					w.is("notifyPayment", w.notified("PR1"), "")
					w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds))
					w.is("tokens", fmt.Sprint(w.tokens.count()-tokens), "0")
				})
			})
		}
	}
}
