package accept_test

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// ServeHTTP serves the app below /app/, the driver below /driver/ and Alipay+
// below /in/.
func (w *plain) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	if api, ok := strings.CutPrefix(r.URL.Path, "/in/"); ok {
		w.inbound(out, r, api, body)
		return
	}
	customer := r.Header.Get("X-Customer")
	if customer == "" {
		write(out, http.StatusUnauthorized, members{"error": "unauthenticated"})
		return
	}
	var request members
	if len(body) > 0 {
		if request, err = w.parse(body); err != nil {
			write(out, http.StatusBadRequest, members{"error": "bad_request"})
			return
		}
	}
	status, answer := w.ask(r, customer, request)
	write(out, status, answer)
}

func (w *plain) ask(r *http.Request, customer string, request members) (int, members) {
	switch path := r.URL.Path; path {
	case "/app/scan", "/app/decode":
		return http.StatusOK, w.look(r.Context(), customer, str(request, "code"), path == "/app/decode")
	case "/app/confirm":
		status, answer := w.confirm(customer, request)
		if w.is("waits for the acknowledgement") {
			w.await(str(request, "paymentRequestId"))
		}
		return status, answer
	case "/driver/balance":
		w.db.mu.Lock()
		defer w.db.mu.Unlock()
		return http.StatusOK, money{"HKD", w.db.balances[customer]}.json()
	case "/driver/page/open", "/driver/page/pin", "/driver/page/resend", "/driver/page/giveUp":
		return w.page(strings.TrimPrefix(path, "/driver/page/"), str(request, "page"), str(request, "pin"))
	case "/driver/authCode":
		return http.StatusOK, w.authCode(customer, request)
	case "/driver/unbind":
		return w.unbind(r.Context(), customer, request)
	case "/driver/rotateKey":
		w.db.mu.Lock()
		defer w.db.mu.Unlock()
		w.db.version = str(request, "version")
		return http.StatusOK, members{}
	case "/driver/loseDebit":
		w.db.mu.Lock()
		defer w.db.mu.Unlock()
		w.db.lose[customer] = str(request, "landed") == "true"
		return http.StatusOK, members{}
	case "/driver/restart":
		w.stop()
		w.start(background)
		return http.StatusOK, members{}
	default:
		id, ok := strings.CutPrefix(path, "/app/payments/")
		w.db.mu.Lock()
		defer w.db.mu.Unlock()
		p := w.db.payments[id]
		if !ok || p == nil || p.customer != customer && !w.is("shows payments to anybody") {
			return http.StatusNotFound, members{"error": "not_found"}
		}
		return http.StatusOK, w.resultPage(p)
	}
}

func (w *plain) await(id string) {
	for range 600 {
		w.db.mu.Lock()
		waiting := false
		for _, m := range w.db.outbox {
			waiting = waiting || m.key == id && !m.done
		}
		w.db.mu.Unlock()
		if !waiting {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func write(out http.ResponseWriter, status int, answer members) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_, _ = out.Write(marshal(answer))
}

// inbound answers Alipay+.
func (w *plain) inbound(out http.ResponseWriter, r *http.Request, api string, body []byte) {
	answer := func(v members) {
		data := marshal(v)
		if v["result"] != nil && str(v, "result", "resultCode") == "PARAM_ILLEGAL" && w.is("does not sign what it refuses") {
			write(out, http.StatusBadRequest, v)
			return
		}
		w.sign(out.Header(), "Response-Time", r.URL.RequestURI(), data)
		_, _ = out.Write(data)
	}
	if r.Method != http.MethodPost {
		write(out, http.StatusMethodNotAllowed, plainResult("F", "METHOD_NOT_SUPPORTED"))
		return
	}
	believes := w.is("verifies refunds alone") && api != "refund" || w.is("verifies no applyToken") && api == "applyToken" ||
		w.is("verifies no cancelToken") && api == "cancelToken"
	if !believes && !w.verifies(r.Header, "Request-Time", r.URL.RequestURI(), body) {
		write(out, http.StatusUnauthorized, plainResult("F", "INVALID_SIGNATURE"))
		return
	}
	if at, err := time.Parse(time.RFC3339, r.Header.Get("Request-Time")); err == nil && time.Since(at) > 15*time.Minute && w.is("refuses late repeats") {
		answer(plainResult("F", "PROCESS_FAIL"))
		return
	}
	request, err := w.parse(body)
	if err != nil {
		answer(plainResult("F", "PARAM_ILLEGAL"))
		return
	}
	w.db.mu.Lock()
	var v members
	switch api {
	case "inquiryPayment":
		v = w.inquiry(request)
	case "cancelPayment":
		v = w.cancel(request)
	case "refund":
		v = w.refund(request)
	case "pay":
		v = w.pay(request)
	case "applyToken":
		v = w.applyToken(request)
	case "cancelToken":
		v = w.cancelToken(request)
	default:
		v = plainResult("F", "NO_INTERFACE_DEF")
	}
	w.db.mu.Unlock()
	answer(v)
}

func (w *plain) inquiry(r members) members {
	id := str(r, "paymentRequestId")
	if id == "" || len(id) > 64 {
		return plainResult("F", "PARAM_ILLEGAL")
	}
	p := w.db.payments[id]
	if p == nil {
		if w.is("calls unknown payments in process") {
			a := plainResult("S", "SUCCESS")
			a["paymentResult"] = members{"resultStatus": "U", "resultCode": "PAYMENT_IN_PROCESS"}
			return a
		}
		return plainResult("F", "ORDER_NOT_EXIST")
	}
	a := plainResult("S", "SUCCESS")
	switch p.state {
	case "paid":
		a["paymentResult"] = members{"resultStatus": "S", "resultCode": "SUCCESS"}
		a["paymentId"], a["paymentTime"], a["customerId"] = p.paymentID, p.paidAt.Format(time.RFC3339), p.customer
		a["paymentAmount"], a["payToAmount"] = p.paymentAmount.json(), p.payTo.json()
		if w.is("reports the debit as payToAmount in an inquiry") {
			a["payToAmount"] = p.debit.json()
		}
		if w.is("reports the time of the inquiry as paymentTime") {
			a["paymentTime"] = time.Now().Format(time.RFC3339)
		}
		if w.is("makes a new paymentId for an inquiry") {
			a["paymentId"] = "P" + random(20)
		}
	case "failed", "closed":
		a["paymentResult"] = members{"resultStatus": "F", "resultCode": p.result}
		if p.state == "closed" && p.credited > 0 && w.is("calls a cancelled payment paid") {
			a["paymentResult"] = members{"resultStatus": "S", "resultCode": "SUCCESS"}
			a["paymentId"] = p.paymentID
		}
	default:
		a["paymentResult"] = members{"resultStatus": "U", "resultCode": "PAYMENT_IN_PROCESS"}
		if w.is("calls an open payment failed") {
			a["paymentResult"] = members{"resultStatus": "F", "resultCode": "PROCESS_FAIL"}
		}
	}
	return a
}

func (w *plain) cancel(r members) members {
	id := str(r, "paymentRequestId")
	if id == "" || len(id) > 64 {
		return plainResult("F", "PARAM_ILLEGAL")
	}
	p := w.db.payments[id]
	switch {
	case p == nil && w.is("keeps no tombstone"):
	case p == nil:
		w.db.payments[id] = &plainPayment{id: id, state: "closed", result: "ORDER_IS_CLOSED"}
	case p.state == "paid" && time.Since(p.paidAt) > 10*time.Minute && w.is("takes cancellations for ten minutes"):
		return plainResult("F", "CANCEL_WINDOW_EXCEED")
	case p.state == "paid" && w.cancelledTooLate(p):
		return plainResult("F", "CANCEL_WINDOW_EXCEED")
	case p.state == "paying": // voids the debit, or gives it back
		if !p.landed && w.is("makes a debit after its cancellation") {
			time.AfterFunc(20*time.Second, func() {
				w.db.mu.Lock()
				defer w.db.mu.Unlock()
				w.db.balances[p.customer] -= p.debit.minor
			})
		}
		if p.landed && !w.is("cancels an unknown debit without giving it back") {
			w.db.balances[p.customer] += p.debit.minor
		}
		p.state, p.result = "closed", "ORDER_IS_CLOSED"
	case p.state == "paid":
		if before := p.credited; w.is("gives back every cancellation at once") {
			w.pause()
			p.credited = before
		}
		w.reverse(p)
	case p.state == "closed" && p.credited > 0 && w.is("gives back at every cancellation"):
		w.db.balances[p.customer] += p.debit.minor
	case p.state == "open", p.state == "verifying":
		p.state, p.result = "closed", "ORDER_IS_CLOSED"
		if w.is("cancels nothing that is not paid") {
			p.state, p.result = map[bool]string{true: "open", false: "verifying"}[p.link == ""], ""
		}
	case p.state == "failed" && w.is("forgets why a payment failed"):
		p.result = "ORDER_IS_CLOSED"
	case p.state == "failed" && w.is("refuses to cancel what failed"), p.state == "closed" && w.is("refuses to cancel what failed"):
		return plainResult("F", "PROCESS_FAIL")
	}
	return plainResult("S", "SUCCESS")
}

// cancelledTooLate reports whether a cancellation comes after 00:30 (UTC+8) of
// the day after the payment.
func (w *plain) cancelledTooLate(p *plainPayment) bool {
	day := p.paidAt.UTC().Add(8 * time.Hour)
	end := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 30, 0, 0, time.UTC).Add(-8 * time.Hour)
	return time.Now().After(end)
}

func (w *plain) refund(r members) members {
	id, refundID := str(r, "paymentRequestId"), str(r, "refundRequestId")
	amount, ok := amountAt(r, "refundAmount")
	from, ok2 := amountAt(r, "refundFromAmount")
	if id == "" || refundID == "" || !ok || !ok2 || amount.minor == 0 && !w.is("takes refunds of zero") || from.minor == 0 && w.is("refuses refunds that round to nothing") {
		return plainResult("F", "PARAM_ILLEGAL")
	}
	credit := from
	if surcharge, ok := amountAt(r, "surchargeInfo", "surchargeAmount"); ok {
		credit = surcharge
	}
	key, print := refundID, string(marshal(members{"id": id, "a": amount.json(), "f": from.json(), "s": credit.json(), "o": obj(r, "refundPromoInfo")}))
	if w.is("compares two amounts of a repeated refund alone") {
		print = string(marshal(members{"id": id, "a": amount.json(), "f": from.json()}))
	}
	if w.is("keeps refund ids for each payment") {
		key = id + refundID
	}
	if w.is("looks at no consistency fields") {
		print = ""
	}
	if w.is("folds the case of ids") {
		key = strings.ToLower(key)
	}
	store := w.db.refunds
	if w.is("forgets its answers at a restart") {
		store = w.idem
	}
	if before := store[key]; before != nil && !w.is("books every repeat of a refund") {
		if before.fingerprint != print {
			return plainResult("F", "REPEAT_REQ_INCONSISTENT")
		}
		return before.answer
	}
	if w.is("books every copy of a refund at once") {
		w.pause()
	}
	if p := w.db.payments[id]; p != nil && p.paymentID != str(r, "paymentId") && !w.is("looks at no paymentId of a refund") {
		return plainResult("F", "PARAM_ILLEGAL")
	}
	answer := w.refundNow(id, amount, credit)
	if str(answer, "result", "resultStatus") == "U" {
		return answer
	}
	store[key] = &answered{print, answer}
	return answer
}

func (w *plain) refundNow(id string, amount, credit money) members {
	p := w.db.payments[id]
	switch {
	case p == nil || p.customer == "":
		return plainResult("F", "ORDER_NOT_EXIST")
	case p.state == "paying" && !w.is("refuses a refund while the debit is unknown"):
		return plainResult("U", "UNKNOWN_EXCEPTION")
	case p.state != "paid" && !(p.state == "closed" && w.is("refunds after a cancellation")) && !(p.state == "failed" && w.is("refunds what failed")):
		return plainResult("F", "PROCESS_FAIL")
	case amount.currency != p.paymentAmount.currency:
		return plainResult("F", "PARAM_ILLEGAL")
	case w.is("caps refunds by refundFromAmount") && p.credited+credit.minor <= p.debit.minor:
	case p.refunded+amount.minor > p.paymentAmount.minor && !w.is("refunds over the cap"),
		amount.minor > p.paymentAmount.minor && w.is("refunds over the cap"):
		return plainResult("F", "REFUND_AMOUNT_EXCEED")
	}
	p.refunded += amount.minor
	if !w.is("gives back more than the user paid") {
		credit.minor = min(credit.minor, p.debit.minor-p.credited)
	}
	if w.is("looks at the payment, then refunds") {
		w.pause()
	}
	p.credited += credit.minor
	if !w.is("books no refund") {
		w.db.balances[p.customer] += credit.minor
	}
	a := plainResult("S", "SUCCESS")
	a["refundId"], a["refundTime"] = "R"+random(20), time.Now().Format(time.RFC3339)
	return a
}
