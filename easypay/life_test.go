package easypay_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// story runs fn with a world in virtual time.
func story(t *testing.T, fn func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { fn(newWorld(t, issueInTransaction)) })
}

// happens is an event of the payment PR1: its state, or why not.
func (w *world) happens(e payment.Event) string {
	record, err := w.happened(w.Context(), "PR1", e)
	if err != nil {
		return string(record.State) + ", " + err.Error()
	}
	return string(record.State)
}

// enters is the user entering a PIN or an OTP on the page of PR1: the try is
// counted before it is compared.
func (w *world) enters(right bool) string {
	record, err := w.happened(w.Context(), "PR1", payment.VerificationTried{At: time.Now()})
	switch {
	case err != nil:
		return string(record.State) + ", " + err.Error()
	case record.State != payment.StateVerifying:
		return string(record.State)
	case right:
		return w.happens(payment.Verified{Try: len(record.Tried), At: time.Now()})
	}
	return w.happens(payment.VerificationFailed{Try: len(record.Tried), At: time.Now()})
}

// notified is the result that Alipay+ got by notifyPayment, if it got one.
func (w *world) notified(id string) string {
	w.Helper()
	w.work(w.Context())
	for _, call := range w.gateway.Calls(payment.NotifyPayment) {
		if call.Key != id {
			continue
		}
		for _, result := range []string{`"resultStatus":"S"`, `"resultCode":"ORDER_IS_CLOSED"`, `"resultCode":"USER_PAYMENT_VERIFICATION_FAILED"`, `"resultCode":"USER_BALANCE_NOT_ENOUGH"`} {
			if strings.Contains(string(call.Body), result) {
				return strings.Trim(result[strings.IndexByte(result, ':')+1:], `"`)
			}
		}
		return string(call.Body)
	}
	return ""
}

// is compares two texts of a step of a story.
func (w *world) is(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %q, want %q", what, got, want)
	}
}

// redirected is where the verification page sends the user.
func (w *world) redirected() string {
	w.Helper()
	record, err := w.record("PR1")
	if err != nil {
		w.Fatal(err)
	}
	url, err := easypay.Redirect(record.RedirectURL.Reveal(), record.Verified())
	if err != nil {
		w.Fatal(err)
	}
	return url
}

// From the evaluation to the end of the token, in the steps of the guide.
func TestLife(t *testing.T) {
	story(t, func(w *world) {
		// Steps 3 and 4: no money, no order.
		evaluate := request("PR0", agreement, easyPay, evaluation)
		w.is("evaluation", w.pay(evaluate).Result.Error(), "S SUCCESS")
		stranger := request("PR00", agreement, easyPay, evaluation)
		stranger.PaymentMethod.PaymentMethodMetaData.UserLoginID = alipayplus.Conceal("852-91111111")
		w.is("evaluation of a stranger", w.pay(stranger).Result.Error(), "F USER_NOT_EXIST")
		w.is("an evaluated payment", w.inquire("PR0"), "F ORDER_NOT_EXIST")

		// Steps 7 to 11.
		created := w.pay(creation("PR1"))
		w.is("creation", created.Result.Error(), "U PAYMENT_IN_PROCESS")
		if !strings.HasPrefix(created.PaymentURL.Reveal(), pageURL) || created.PaymentID == "" || created.CustomerID != customerID {
			w.Errorf("the creation's answer is %v", created)
		}
		w.is("balance before the verification", fmt.Sprint(w.balance()), "100000")

		// Steps 12 to 15.
		w.is("wrong PIN", w.enters(false), "verifying")
		w.is("another OTP", w.happens(payment.OTPResent{At: time.Now()}), "verifying")
		w.is("wrong OTP", w.enters(false), "verifying")
		w.is("meanwhile", w.inquire("PR1"), "U PAYMENT_IN_PROCESS")
		w.is("right OTP", w.enters(true), "paid")
		w.is("right OTP again", w.enters(true), "paid")
		w.is("redirect", w.redirected(), "https://pay.example/result?session=%2B%3D&status=success")
		w.is("balance after it", fmt.Sprint(w.balance()), "99950")

		// Steps 16 to 23.
		w.is("inquiry", w.inquire("PR1"), "S SUCCESS")

		// Steps 24 to 26: the first try is lost, then U, then F. The outbox of this
		// host repeats an F, too.
		w.gateway.Fail(auth.AuthNotify, alipayplustest.LoseRequest())
		w.refuse = []alipayplus.ResultCode{alipayplus.CodeUnknownException, alipayplus.CodeAccessDenied}
		w.workFor(time.Hour)
		w.is("notifyPayment", w.notified("PR1"), "S")
		if len(w.known()) != 1 || w.sameBodies(auth.AuthNotify.Name(), "") != 3 {
			w.Fatalf("Alipay+ knows %d tokens, after %d calls", len(w.known()), len(w.gateway.Calls(auth.AuthNotify)))
		}

		// One click.
		token := w.known()[0]
		first := w.pay(oneClick("PR2", token.AccessToken))
		second := w.pay(oneClick("PR2", token.AccessToken))
		w.is("one-click", first.Result.Error(), "S SUCCESS")
		if !reflect.DeepEqual(*first, *second) || !first.PaymentURL.IsZero() {
			w.Errorf("%v, and again %v", first, second)
		}
		w.is("balance", fmt.Sprint(w.balance()), "99900")
		w.is("its inquiry", w.inquire("PR2"), "S SUCCESS")
		w.is("its notification", w.notified("PR2"), "S")

		// Refresh, cancelToken.
		refreshed, err := send(w, "/wallet/applyToken", auth.ApplyToken, &auth.ApplyTokenRequest{
			AcquirerID: "A1", PSPID: "P1", GrantType: auth.GrantRefreshToken, RefreshToken: token.RefreshToken,
		})
		if err != nil || refreshed.Result.Status != alipayplus.StatusSucceeded {
			w.Fatalf("refresh: %v, %v", refreshed, err)
		}
		w.is("the old token", w.pay(oneClick("PR3", token.AccessToken)).Result.Error(), "F INVALID_TOKEN")
		w.is("the new token", w.pay(oneClick("PR4", refreshed.AccessToken)).Result.Error(), "S SUCCESS")
		for range 2 {
			cancelled, err := send(w, "/wallet/cancelToken", auth.CancelToken,
				&auth.CancelTokenRequest{AcquirerID: "A1", PSPID: "P1", AccessToken: refreshed.AccessToken})
			if err != nil || cancelled.Result.Status != alipayplus.StatusSucceeded {
				w.Fatalf("cancelToken: %v, %v", cancelled, err)
			}
		}
		w.is("the cancelled token", w.pay(oneClick("PR5", refreshed.AccessToken)).Result.Error(), "F INVALID_TOKEN")
		w.is("a paid order, again", w.pay(oneClick("PR4", refreshed.AccessToken)).Result.Error(), "S SUCCESS")
		w.is("balance in the end", fmt.Sprint(w.balance()), "99850")
		w.is("the creation, again", w.pay(creation("PR1")).PaymentURL.Reveal(), created.PaymentURL.Reveal())
	})
}

// A token ends with its time.
func TestExpiredToken(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		w.enters(true)
		w.workFor(time.Minute)
		time.Sleep(31 * 24 * time.Hour)
		w.is("one-click", w.pay(oneClick("PR2", w.known()[0].AccessToken)).Result.Error(), "F EXPIRED_ACCESS_TOKEN")
	})
}

// inquiryPayment every 10 seconds, 12 times: U while the user is verified and
// while the ledger works, then S and nothing else.
func TestInquiryPolling(t *testing.T) {
	story(t, func(w *world) {
		w.slow = true
		began := time.Now()
		w.pay(creation("PR1"))
		at := map[int]func(){
			3: func() { w.is("wrong PIN", w.enters(false), "verifying") },
			5: func() { w.is("right PIN", w.enters(true), "paying") },
			9: func() {
				if err := w.settle(w.Context(), "PR1"); err != nil {
					w.Fatal(err)
				}
			},
		}
		var answers []string
		for i := 1; i <= 12; i++ {
			time.Sleep(10 * time.Second)
			if do := at[i]; do != nil {
				do()
			}
			answers = append(answers, w.inquire("PR1"))
		}
		want := strings.Repeat("U PAYMENT_IN_PROCESS, ", 8) + strings.Repeat("S SUCCESS, ", 4)
		w.is("answers", strings.Join(answers, ", ")+", ", want)
		w.is("time", time.Since(began).String(), "2m0s")
	})
}

// The ledger of a one-click payment takes its time, and meanwhile the token dies.
// The payment may still succeed, so that nothing says that it failed.
func TestTokenDiesWhilePaying(t *testing.T) {
	story(t, func(w *world) {
		w.pay(creation("PR1"))
		w.enters(true)
		w.workFor(time.Minute)
		token := w.known()[0].AccessToken
		w.slow = true
		w.is("one-click", w.pay(oneClick("PR2", token)).Result.Error(), "U PAYMENT_IN_PROCESS")
		w.is("one-click, again", w.pay(oneClick("PR2", token)).Result.Error(), "U PAYMENT_IN_PROCESS")
		if _, err := send(w, "/wallet/cancelToken", auth.CancelToken,
			&auth.CancelTokenRequest{AcquirerID: "A1", PSPID: "P1", AccessToken: token}); err != nil {
			w.Fatal(err)
		}
		w.is("with a dead token", w.pay(oneClick("PR2", token)).Result.Error(), "U UNKNOWN_EXCEPTION")
		if err := w.settle(w.Context(), "PR2"); err != nil {
			w.Fatal(err)
		}
		w.is("when it is paid", w.pay(oneClick("PR2", token)).Result.Error(), "U UNKNOWN_EXCEPTION")
		w.is("inquiryPayment", w.inquire("PR2"), "S SUCCESS")
		w.is("notifyPayment", w.notified("PR2"), "S")
		w.is("another payment", w.pay(oneClick("PR3", token)).Result.Error(), "F INVALID_TOKEN")
		w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds-2*price))
		if errors.Is(w.pay(oneClick("PR3", token)).Result, alipayplus.CodeUnknownException) {
			w.Error("a refusal is not kept")
		}
	})
}
