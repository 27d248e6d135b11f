package easypay_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// From the evaluation to the end of the token, in the steps of the guide.
func TestLife(t *testing.T) {
	story(t, func(w *world) {
		// Steps 3 and 4: no money, no order.
		w.is("evaluation", w.pay(request("PR0", agreement, easyPay, evaluation)).Result.Error(), "S SUCCESS")
		w.is("evaluation of a stranger", w.pay(request("PR00", agreement, easyPay, evaluation, stranger)).Result.Error(), "F USER_NOT_EXIST")
		w.is("an evaluated payment", w.inquire("PR0"), "F ORDER_NOT_EXIST")

		// Steps 7 to 11.
		request := creation("PR1")
		created := w.pay(request)
		w.is("creation", created.Result.Error(), "U PAYMENT_IN_PROCESS")
		if !strings.HasPrefix(created.PaymentURL.Reveal(), pageURL) || created.PaymentID == "" || created.CustomerID != customerID {
			w.Errorf("the creation's answer is %v", created)
		}
		w.is("balance before the verification", fmt.Sprint(w.balance()), "100000")

		// Steps 12 to 15.
		w.is("wrong PIN", w.enters(false), "verifying 2/5")
		w.is("another OTP", w.resends(), "verifying 2/4")
		w.is("wrong OTP", w.enters(false), "verifying 1/4")
		w.is("meanwhile", w.inquire("PR1"), "U PAYMENT_IN_PROCESS")
		w.is("right OTP", w.enters(true), "paid 0/0 "+redirectSuccess)
		w.is("balance after it", fmt.Sprint(w.balance()), "99950")

		// Steps 16 to 23.
		w.is("inquiry", w.inquire("PR1"), "S SUCCESS")

		// Steps 24 to 26: the first try is lost, then U.
		w.gateway.Fail(auth.AuthNotify, alipayplustest.LoseRequest())
		w.refuse = []alipayplus.ResultCode{alipayplus.CodeUnknownException}
		w.workFor(time.Hour)
		w.is("notifyPayment", w.notified("PR1"), "S")
		if len(w.known()) != 1 || w.sameBodies(auth.AuthNotify, "") != 2 { // and the lost one
			w.Fatalf("Alipay+ knows %d tokens, after %d calls", len(w.known()), len(w.gateway.Calls(auth.AuthNotify)))
		}

		// One click.
		token := w.known()[0].AccessToken
		tap := oneClick("PR2", token)
		first := w.pay(tap)
		second := w.pay(tap)
		w.is("one-click", first.Result.Error(), "S SUCCESS")
		if !reflect.DeepEqual(*first, *second) || !first.PaymentURL.IsZero() {
			w.Errorf("%v, and again %v", first, second)
		}
		w.is("balance", fmt.Sprint(w.balance()), "99900")
		w.is("its inquiry", w.inquire("PR2"), "S SUCCESS")
		w.is("its notification", w.notified("PR2"), "S")

		w.tokens.kill(token)
		w.is("the cancelled token", w.pay(oneClick("PR3", token)).Result.Error(), "F INVALID_TOKEN")
		w.is("a paid order, again", w.pay(tap).Result.Error(), "S SUCCESS")
		w.is("balance in the end", fmt.Sprint(w.balance()), "99900")
		w.is("the creation, again", w.pay(request).PaymentURL.Reveal(), created.PaymentURL.Reveal())
	})
}

// A second payment with the same agreement makes no second token.
func TestOneTokenForEachAgreement(t *testing.T) {
	story(t, func(w *world) {
		for _, id := range []string{"PR1", "PR2"} {
			w.pay(creation(id))
			w.is("right PIN", w.enters(true), "paid 0/0 "+redirectSuccess)
			w.workFor(time.Minute)
		}
		w.is("tokens", fmt.Sprint(w.tokens.count(), len(w.known())), "1 1")
	})
}

// Without consent there is no token.
func TestNoTokenWithoutConsent(t *testing.T) {
	story(t, func(w *world) {
		w.pay(request("PR1", agreement, easyPay))
		w.is("right PIN", w.enters(true), "paid 0/0 "+redirectSuccess)
		w.is("tokens", fmt.Sprint(w.tokens.count()), "0")
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
	remoteStory(t, func(w *world) {
		began := time.Now()
		speaks := w.silent(false)
		w.pay(creation("PR1"))
		at := map[int]func(){
			3: func() { w.is("wrong PIN", w.enters(false), "verifying 2/5") },
			5: func() { w.is("right PIN", w.enters(true), "paying 0/0 "+redirectSuccess) },
			7: func() { speaks() },
		}
		var answers []string
		for i := 1; i <= 12; i++ {
			w.workFor(10 * time.Second)
			if do := at[i]; do != nil {
				do()
			}
			answers = append(answers, strings.Fields(w.inquire("PR1"))[0])
		}
		if got := strings.Join(answers, ""); strings.Trim(got, "US") != "" || !strings.HasPrefix(got, "UUUUUUU") ||
			!strings.HasSuffix(got, "S") || strings.Contains(got, "SU") {
			w.Errorf("the answers are %s", got)
		}
		w.is("time", time.Since(began).String(), "2m0s")
	})
}

// The ledger of a one-click payment takes its time, and meanwhile the token
// dies. The payment may still succeed, so that nothing says that it failed.
func TestTokenDiesWhilePaying(t *testing.T) {
	remoteStory(t, func(w *world) {
		w.deals()
		token := alipayplus.Conceal("live")
		speaks := w.silent(false)
		tap := oneClick("PR2", token)
		w.is("one-click", w.pay(tap).Result.Error(), "U PAYMENT_IN_PROCESS")
		w.is("one-click, again", w.pay(tap).Result.Error(), "U PAYMENT_IN_PROCESS")
		w.tokens.kill(token)
		w.is("with a dead token", w.pay(tap).Result.Error(), "U PAYMENT_IN_PROCESS")
		speaks()
		w.workFor(time.Hour)
		w.is("when it is paid", w.pay(tap).Result.Error(), "S SUCCESS")
		w.is("inquiryPayment", w.inquire("PR2"), "S SUCCESS")
		w.is("notifyPayment", w.notified("PR2"), "S")
		w.is("another payment", w.pay(oneClick("PR3", token)).Result.Error(), "F INVALID_TOKEN")
		w.is("balance", fmt.Sprint(w.balance()), fmt.Sprint(funds-price))
	})
}
