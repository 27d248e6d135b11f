package easypay_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// How a verification ends without a payment: nothing is debited, no token is
// issued, and pay, inquiryPayment and notifyPayment agree.
func TestVerificationEndsBadly(t *testing.T) {
	now := time.Now
	const debitRefused = "verified, but without money"
	for _, c := range []struct {
		rule     string
		run      func(*world) string // the last answer
		want     string
		inquiry  string
		notified string
		rerun    string // the creation, if the handler's Store forgot its answer
	}{
		{"three wrong PINs", func(w *world) string {
			w.is("one", w.enters(false), "verifying")
			w.is("two", w.enters(false), "verifying")
			w.is("three", w.enters(false), "failed")
			return w.enters(true)
		}, "failed",
			"F USER_PAYMENT_VERIFICATION_FAILED", "USER_PAYMENT_VERIFICATION_FAILED", "F USER_PAYMENT_VERIFICATION_FAILED"},
		{"the user leaves", func(w *world) string { return w.happens(payment.GaveUp{}) }, "failed",
			"F USER_PAYMENT_VERIFICATION_FAILED", "USER_PAYMENT_VERIFICATION_FAILED", "F USER_PAYMENT_VERIFICATION_FAILED"},
		{"expired, then verified", func(w *world) string {
			time.Sleep(25 * time.Hour)
			return w.enters(true)
		}, "closed", "F ORDER_IS_CLOSED", "ORDER_IS_CLOSED", "F ORDER_IS_CLOSED"},
		{"expired while the user types", func(w *world) string {
			time.Sleep(25 * time.Hour)
			w.is("the clock", w.happens(payment.Expired{At: now()}), "closed")
			return w.enters(true)
		}, "closed", "F ORDER_IS_CLOSED", "ORDER_IS_CLOSED", "F ORDER_IS_CLOSED"},
		{"cancelled while the user types", func(w *world) string {
			w.is("cancelPayment", w.cancel("PR1"), "S SUCCESS")
			return w.enters(true)
		}, "closed", "F ORDER_IS_CLOSED", "", "F ORDER_IS_CLOSED"},
		{"cancelled before it came", func(w *world) string {
			w.is("cancelPayment", w.cancel("PR9"), "S SUCCESS")
			w.is("creation", w.pay(creation("PR9")).Result.Error(), "F ORDER_IS_CLOSED")
			return w.happens(payment.GaveUp{})
		}, "failed", "F USER_PAYMENT_VERIFICATION_FAILED", "USER_PAYMENT_VERIFICATION_FAILED", "F USER_PAYMENT_VERIFICATION_FAILED"},
		{debitRefused, func(w *world) string {
			w.db.committed.Balances[customerID] = price - 1
			defer func() { w.db.committed.Balances[customerID] = funds }()
			return w.enters(true)
		}, "failed", "F USER_BALANCE_NOT_ENOUGH", "USER_BALANCE_NOT_ENOUGH", "F USER_BALANCE_NOT_ENOUGH"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			story(t, func(w *world) {
				created := w.pay(creation("PR1"))
				w.is("the last answer", c.run(w), c.want)
				w.is("inquiryPayment", w.inquire("PR1"), c.inquiry)
				w.workFor(time.Hour)
				w.is("notifyPayment", w.notified("PR1"), c.notified)
				w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds))
				w.is("tokens", fmt.Sprint(len(w.view().Tokens)), "0")
				status := "fail"
				if c.rule == debitRefused { // the verification's status, not the payment's
					status = "success"
				}
				w.is("redirect", w.redirected(), "https://pay.example/result?session=%2B%3D&status="+status)
				// The recorded answer stays; without it the record decides.
				again := w.pay(creation("PR1"))
				if !reflect.DeepEqual(*again, *created) {
					w.Errorf("the creation is answered %v, and again %v", created, again)
				}
				w.store = alipayplus.NewMemoryIdempotencyStore(100)
				w.start(never())
				w.is("the creation, forgotten", w.pay(creation("PR1")).Result.Error(), c.rerun)
			})
		})
	}
}

// cancelPayment while the debit runs: S only when it is certain that the user
// pays nothing, whoever wins the race in the ledger.
func TestCancelWhilePaying(t *testing.T) {
	for _, landed := range []bool{false, true} {
		t.Run(fmt.Sprintf("the debit landed: %t", landed), func(t *testing.T) {
			story(t, func(w *world) {
				w.slow = true
				w.pay(creation("PR1"))
				w.is("right PIN", w.enters(true), "paying")
				record, err := w.record("PR1")
				if err != nil {
					w.Fatal(err)
				}
				debit := record.Due()
				w.is("cancelPayment", w.cancel("PR1"), "U UNKNOWN_EXCEPTION")
				w.is("inquiryPayment", w.inquire("PR1"), "U PAYMENT_IN_PROCESS")
				if landed {
					if err := w.settle(w.Context(), "PR1", debit...); err != nil {
						w.Fatal(err)
					}
					w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds-price))
					w.is("cancelPayment, after the debit", w.cancel("PR1"), "U UNKNOWN_EXCEPTION")
				}
				if err := w.settle(w.Context(), "PR1"); err != nil { // the void, or the credit
					w.Fatal(err)
				}
				if err := w.settle(w.Context(), "PR1", debit...); err != nil { // a late order to the ledger
					w.Fatal(err)
				}
				w.is("cancelPayment, again", w.cancel("PR1"), "S SUCCESS")
				w.is("inquiryPayment", w.inquire("PR1"), "F ORDER_IS_CLOSED")
				w.is("notifyPayment", w.notified("PR1"), "")
				w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds))
				w.is("tokens", fmt.Sprint(len(w.view().Tokens)), "0")
			})
		})
	}
}
