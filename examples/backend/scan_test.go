package main

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// The whole life of a scanned payment. The network fails at every step, each
// request comes twice, and the wallet's process is a new one after each.
func TestScannedPayment(t *testing.T) {
	each(t, func(w *world) {
		code := w.shop.OrderCode(alipayplus.Amount{Currency: "JPY", Minor: 100}) // KRW 1,000
		id := w.shop.Orders()[0].PaymentRequestID

		w.gateway.Fail(mpm.UserInitiatedPay, alipayplustest.LoseAnswer(), alipayplustest.Unknown(alipayplus.CodeUnknownException), alipayplustest.Tamper())
		cashier := w.app("scan", map[string]any{"code": code})
		for cashier.Step == "pending" { // the app asks again
			cashier = w.app("scan", map[string]any{"code": code})
		}
		w.is("scan", cashier.Step+" "+cashier.PaymentRequestID, "cashier "+id)
		w.is("debitAmount", string(cashier.DebitAmount), `{"currency":"KRW","value":"1000","display":"KRW 1000"}`)

		// Alipay+ cannot be asked for code rules now: the file has them.
		w.gateway.Fail(codeid.InquiryCodeRules, alipayplustest.LoseRequest(), alipayplustest.LoseRequest(), alipayplustest.LoseRequest())
		w.restart()
		w.is("scanned again", w.app("scan", map[string]any{"code": code}).Step, "cashier")
		w.is("inquiry of an open payment", w.inquire(id), "U PAYMENT_IN_PROCESS")

		confirm := map[string]any{"paymentRequestId": id, "amount": cashier.DebitAmount, "proof": "0000"}
		refused := w.app("confirm", confirm)
		w.is("wrong PIN", refused.State+" "+refused.ResultCode, "open USER_PAYMENT_VERIFICATION_FAILED")
		w.is("balance before", w.balance("KRW"), int64(start))

		w.gateway.Fail(payment.NotifyPayment, alipayplustest.LoseAnswer())
		confirm["proof"] = "1234"
		w.is("right PIN", w.app("confirm", confirm).State, "paid")
		w.until("the first notifyPayment", func() bool { return len(w.gateway.Calls(payment.NotifyPayment)) > 0 })
		w.restart()
		w.is("confirmed again", w.app("confirm", confirm).State, "paid")
		w.is("scanned when paid", w.app("scan", map[string]any{"code": code}).Step, "resultPage")
		w.is("balance after", w.balance("KRW"), int64(start-1000))
		w.is("inquiry of a paid one", w.inquire(id), "S SUCCESS")
		w.until("notifyPayment, again", func() bool { return len(w.gateway.Calls(payment.NotifyPayment)) > 1 })
		calls := w.gateway.Calls(payment.NotifyPayment)
		if !bytes.Equal(calls[0].Body, calls[1].Body) {
			w.Error("notifyPayment was repeated with other bytes")
		}
		w.is("Alipay+ is told once", w.result(id), "S SUCCESS")

		part, from := alipayplus.Amount{Currency: "JPY", Minor: 30}, alipayplus.Amount{Currency: "KRW", Minor: 300}
		w.is("refund", w.refund(id, "R1", part, from), "S SUCCESS")
		w.restart()
		w.is("refund, again", w.refund(id, "R1", part, from), "S SUCCESS")
		w.is("refund of another amount", w.refund(id, "R1", from, from), "F REPEAT_REQ_INCONSISTENT")
		w.is("refund of too much", w.refund(id, "R2", alipayplus.Amount{Currency: "JPY", Minor: 71}, alipayplus.Amount{Currency: "KRW", Minor: 710}), "F REFUND_AMOUNT_EXCEED")
		w.is("balance after the refund", w.balance("KRW"), int64(start-700))

		// cancelPayment: a forged one, then the same bytes twice.
		const body = `{"acquirerId":"A1","pspId":"P1","paymentRequestId":"`
		request := w.gateway.NewRequest(w.Context(), "/alipayplus/cancelPayment", []byte(body+id+`"}`))
		forged := w.gateway.NewRequest(w.Context(), "/alipayplus/cancelPayment", []byte(body+id+`" }`))
		forged.Header = request.Header.Clone()
		if answer, err := w.gateway.Exchange(w.inbound, forged); err == nil {
			w.Errorf("a forged request is answered %s", answer)
		}
		w.is("balance after a forgery", w.balance("KRW"), int64(start-700))
		for range 2 {
			answer, err := w.gateway.Exchange(w.inbound, request)
			if err != nil || !bytes.Contains(answer, []byte(`"SUCCESS"`)) {
				w.Errorf("cancelPayment: %s, %v", answer, err)
			}
			w.restart()
		}
		w.is("balance in the end", w.balance("KRW"), int64(start))
		w.is("inquiry in the end", w.inquire(id), "F ORDER_IS_CLOSED")
	})
}

// An account that has too little is refused; the payment stays open, and can be
// paid when the customer put money into it. Somebody else cannot pay it.
func TestRefusedDebit(t *testing.T) {
	each(t, func(w *world) {
		w.exec(`UPDATE account SET balance = 999 WHERE customer = $1 AND currency = 'KRW'`, alice)
		cashier := w.app("scan", map[string]any{"code": w.shop.OrderCode(alipayplus.Amount{Currency: "JPY", Minor: 100})})
		confirm := map[string]any{"paymentRequestId": cashier.PaymentRequestID, "amount": cashier.DebitAmount, "proof": "1234"}
		refused := w.app("confirm", confirm)
		w.is("too little", refused.State+" "+refused.ResultCode, "open USER_BALANCE_NOT_ENOUGH")
		w.exec(`UPDATE account SET balance = $2 WHERE customer = $1 AND currency = 'KRW'`, alice, start)
		w.is("entries", w.balance("KRW"), int64(start))
		status, _, _ := w.http(http.MethodGet, w.site+"/app/payments/"+cashier.PaymentRequestID, "", nil, "customer-2")
		w.is("somebody else's payment", status, http.StatusNotFound)
		status, _, _ = w.http(http.MethodGet, w.site+"/app/payments/"+cashier.PaymentRequestID, "", nil, "")
		w.is("nobody's", status, http.StatusUnauthorized)
		w.is("enough", w.app("confirm", confirm).State, "paid")
		w.is("balance", w.balance("KRW"), int64(start-1000))
	})
}

// Five wrong PINs lock the customer's PIN, whatever payments they are for.
func TestLockedPIN(t *testing.T) {
	each(t, func(w *world) {
		for n := range 6 {
			cashier := w.app("scan", map[string]any{"code": w.shop.OrderCode(alipayplus.Amount{Currency: "JPY", Minor: 100})})
			proof := "0000"
			if n == 5 {
				proof = "1234"
			}
			w.is("locked", w.app("confirm", map[string]any{
				"paymentRequestId": cashier.PaymentRequestID, "amount": cashier.DebitAmount, "proof": proof,
			}).State, "open")
		}
		w.is("balance", w.balance("KRW"), int64(start))
	})
}
