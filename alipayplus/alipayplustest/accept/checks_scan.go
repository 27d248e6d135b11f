package accept

import (
	"fmt"
	"strings"
	"time"
)

var scanChecks = []check{
	{
		number: 101, name: "an order code leads to the cashier page", needs: merchantMode,
		loses: "The user sees another amount than the merchant asked for.", source: guide + "order code, steps 6-13",
		run: func(s *scenario) {
			o := s.order()
			next := s.user(0).cashier(o)
			s.must(next.PaymentAmount == o.paymentAmount, "paymentAmount "+o.paymentAmount.String(), "%v", next.PaymentAmount)
			v := s.view(o)
			s.must(v.customer == s.user(0).ID, "customerId "+s.user(0).ID+" in userInitiatedPay", "%q", v.customer)
			s.must(len(v.decodes) == 1, "one call of userInitiatedPay", "%d", len(v.decodes))
		},
	},
	{
		number: 102, name: "with a surcharge the user pays surchargeAmount", needs: merchantMode,
		loses: "The wallet pays the surcharge out of its own pocket.", source: decodePage + "surchargeInfo",
		run: func(s *scenario) {
			o := s.surcharged(s.order())
			o.set(object{"paymentFactor": object{"isInStorePayment": "true", "isCashierPayment": "true", "needSurcharge": "true"}})
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 103, name: "an entry code leads to launch", needs: entryCodes,
		loses: "Nobody can pay at a merchant with a printed code.", source: guide + "entry code, steps 6-10",
		run: func(s *scenario) {
			for _, code := range []string{entryCode + s.newID(), entryCode + s.newID() + "?table=7&lang=en", plainEntryCode + s.newID()} {
				next := s.user(0).code("scan", code)
				s.must(next.Step == "launch", "launch", "%v", next)
				s.must(next.RedirectURL == code, "redirectUrl is the code, byte for byte", "%d bytes that differ", len(next.RedirectURL))
				s.must(strings.Contains(next.UserAgent, "AlipayConnect"), "userAgent AlipayConnect", "%q", next.UserAgent)
			}
		},
	},
	{
		number: 104, name: "an intercepted order code: cashier page, then onSuccess", needs: entryCodes,
		loses: "The merchant's page hangs although the user paid.", source: guide + "entry code, steps 19-35",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			next := u.decode(o)
			s.must(next.Step == "cashier" && next.DebitAmount == o.debit, "the cashier page over "+o.debit.String(), "%v, %v", next, next.DebitAmount)
			s.must(next.Call == "", "no callback before the payment", "%v", next)
			next = u.confirm(o)
			s.must(next.State == "paid" && next.Call == "onSuccess", "paid, and onSuccess for the client SDK", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 105, name: "a code that Alipay+ does not take is not decoded", needs: merchantMode,
		loses: "The user waits for an answer that cannot come, and codes of other schemes go to Alipay+.", source: guide + "step 2, Identify the code",
		run: func(s *scenario) {
			next := s.user(0).code("scan", "WIFI:S:"+s.newID()+";;")
			s.must(next.Step == "unsupported" || next.Step == "local" || next.Step == "rejected", "unsupported, local or rejected", "%v", next)
		},
	},
	actionCheck(106, "S", "scan", "handleAction", "order code, steps 10-16"),
	actionCheck(107, "F", "scan", "handleAction", "order code, steps 10-16, and the upgrade for the Chinese mainland"),
	actionCheck(108, "S", "decode", "onSuccess", "entry code, steps 22-30"),
	actionCheck(109, "F", "decode", "onSuccess", "entry code, steps 22-30, and the upgrade for the Chinese mainland"),
	{
		number: 110, name: "a refused decoding shows why", needs: merchantMode,
		loses: "The user pays, or waits for, an order that is gone.", source: decodePage + "result codes",
		run: func(s *scenario) {
			for _, code := range []string{"EXPIRED_CODE", "INVALID_CODE", "ORDER_IS_CLOSED", "PROCESS_FAIL", "A_CODE_OF_TOMORROW"} {
				o := s.order()
				o.answer = object{"result": object{"resultCode": code, "resultStatus": "F"}}
				next := s.user(0).scan(o)
				s.must(next.Step == "failed" && next.ResultCode == code, "failed "+code, "%v", next)
				s.must(len(s.view(o).decodes) == 1, "an F is not asked again", "%d calls", len(s.view(o).decodes))
			}
		},
	},
	{
		number: 111, name: "a refused decoding of an intercepted code runs onFailure", needs: entryCodes,
		loses: "The merchant's page hangs.", source: guide + "step 3, decode callback",
		run: func(s *scenario) {
			o := s.order()
			o.answer = object{"result": object{"resultCode": "EXPIRED_CODE", "resultStatus": "F"}}
			next := s.user(0).decode(o)
			s.must(next.Step == "failed" && next.Call == "onFailure" && len(next.Message) > 0, "failed, onFailure with a message", "%v, a message of %d bytes", next, len(next.Message))
		},
	},
	{
		number: 112, name: "an order that misses what a payment needs is never shown as payable", needs: merchantMode,
		loses: "The user pays an amount that nobody knows.", source: decodePage + "response",
		run: func(s *scenario) {
			for _, member := range []string{"payToAmount", "paymentAmount", "paymentRequestId"} {
				o := s.order()
				o.set(object{member: nil})
				next := s.user(0).scan(o)
				s.must(next.Step == "failed" || next.Step == "pending", "no cashier page without "+member, "%v", next)
			}
		},
	},
	{
		number: 113, name: "a code value over 512 characters is never sent", needs: merchantMode,
		loses: "The wallet breaks the API for everybody who scans such a code.", source: decodePage + "codeValue",
		run: func(s *scenario) {
			o := s.order()
			code := o.code + strings.Repeat("x", 513)
			next := s.user(0).code("scan", code)
			s.must(next.Step == "failed" || next.Step == "unsupported", "failed or unsupported", "%v", next)
		},
	},
	{
		number: 114, name: "native scalars, other order and unknown members are read", needs: merchantMode, slow: true,
		loses: "All payments stop when Alipay+ adds a member.", source: "Alipay+ API overview, JSON conventions",
		run: func(s *scenario) {
			o := s.order()
			o.decodeFaults = []fault{scrambled}
			o.notifyFaults = []fault{scrambled}
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			s.sleep(3 * time.Second)
			s.must(len(s.view(o).notes) == 1, "an acknowledgement with unknown members is one", "%d notifications", len(s.view(o).notes))
		},
	},
	{
		number: 115, name: "a second scan opens the same payment", needs: merchantMode,
		loses: "The user pays an order twice.", source: "Alipay+ idempotency page, userInitiatedPay: codeValue",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			u.cashier(o)
			u.pays(o)
			next := u.scan(o)
			s.must(next.Step == "resultPage" && next.State == "paid", "the result page of the paid order", "%v", next)
			next = u.confirm(o)
			s.must(next.State == "paid", "the app is told paid", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 116, name: "another customer cannot open the payment of a code", needs: merchantMode,
		loses: "A stranger sees, or pays, somebody's order.", source: "Alipay+ idempotency page, userInitiatedPay: customerId",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).cashier(o)
			next := s.user(1).scan(o)
			s.must(next.Step != "cashier" && next.Step != "resultPage", "no cashier page for another customer", "%v", next)
			s.user(0).pays(o)
			next = s.user(1).scan(o)
			s.must(next.Step != "cashier" && next.Step != "resultPage", "no result page for another customer", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 117, name: "an order that has expired cannot be paid", needs: merchantMode,
		loses: "The user pays, and the merchant has closed the order.", source: decodePage + "paymentExpiryTime",
		run: func(s *scenario) {
			o, u := s.orderUntil(usual, time.Now().Add(-time.Minute)), s.user(0)
			next := u.scan(o)
			if next.Step == "cashier" {
				next = u.confirm(o)
			}
			s.must(next.Step == "failed" || next.State == "closed" || next.State == "failed", "failed or closed", "%v", next)
		},
	},
	{
		number: 118, name: "an unusable paymentNotifyUrl is found before the user pays", needs: merchantMode,
		loses: "The wallet sends signed messages to a stranger's host, or the merchant never hears of the payment.", source: decodePage + "paymentNotifyUrl",
		run: func(s *scenario) {
			for _, address := range []string{"https://evil.example/notifyPayment", "http://10.0.0.1/notifyPayment", "ftp://gateway.example/notifyPayment"} {
				o := s.order()
				o.set(object{"paymentNotifyUrl": address})
				next := s.user(0).scan(o)
				s.must(next.Step == "failed", "failed: "+address+" cannot be used", "%v", next)
			}
		},
	},
	{
		number: 119, name: "an evaluation is no order", needs: merchantMode,
		loses: "The user pays for a question.", source: decodePage + "paymentFactor.isPaymentEvaluation",
		run: func(s *scenario) {
			o := s.order()
			o.set(object{"paymentFactor": object{"isInStorePayment": "true", "isPaymentEvaluation": "true"}, "paymentExpiryTime": nil})
			next := s.user(0).scan(o)
			s.must(next.Step != "cashier", "no cashier page", "%v", next)
		},
	},
	{
		number: 120, name: "after a promotion the user pays what is left, and the merchant hears of that", needs: merchantMode,
		loses: "The user pays without the discount that the merchant promised.", source: decodePage + "paymentAmount, which excludes the promotion; paymentPromoInfo",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			saved := amount{o.paymentAmount.Currency, "20"}
			merchant := o.orderObject()
			merchant["orderAmount"] = amount{saved.Currency, fmt.Sprint(o.paymentAmount.minor() + 20)}.object()
			o.set(object{"order": merchant, "paymentPromoInfo": object{"paymentPromoDetails": []any{object{
				"promoId": "PROMO1", "promoName": "Accept", "promoType": "DISCOUNT", "savingsAmount": saved.object()}}}})
			next := u.cashier(o)
			s.must(next.PaymentAmount == o.paymentAmount, "paymentAmount "+o.paymentAmount.String(), "%v", next.PaymentAmount)
			next = u.confirm(o)
			s.must(next.State == "paid", "the app is told paid", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 121, name: "an answer that names another payment opens nothing", needs: merchantMode,
		loses: "The user pays somebody else's order, or sees it.", source: "package payment, table of states: decode S again, another customer or code value",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			for i := range 2 {
				swapped := s.order()
				swapped.answer = o.answer // as if two answers had changed places
				next := s.user(i).scan(swapped)
				s.must(next.Step != "cashier" && next.Step != "resultPage", "no page for a code whose answer names the payment of "+map[bool]string{true: "another customer", false: "another code"}[i > 0], "%v", next)
			}
			next := u.confirm(o)
			s.must(next.State == "paid", "its own customer can pay it", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 122, name: "a surcharge amount of zero, or in a currency that is not the wallet's, is never debited", needs: merchantMode,
		loses: "The user pays nothing, or a wrong sum, and the wallet settles the whole.", source: "package payment, Amounts: the surcharge is in payToAmount's currency",
		run: func(s *scenario) {
			for _, wrong := range []amount{{s.cfg.Currency, "0"}, {s.foreign(), fmt.Sprint(usual + 50)}} {
				o := s.order()
				o.set(object{
					"surchargeInfo": object{"surchargeAmount": wrong.object()},
					"paymentFactor": object{"isInStorePayment": "true", "isCashierPayment": "true", "needSurcharge": "true"},
				})
				next := s.user(0).scan(o)
				s.must(next.Step == "failed" || next.Step == "pending", "no cashier page with a surchargeAmount of "+wrong.String(), "%v", next)
			}
		},
	},
	{
		number: 123, name: "an intercepted order code that is not paid in the end runs onFailure", needs: entryCodes,
		loses: "The merchant's page shows a success, and the merchant delivers what nobody paid.", source: guide + "entry code, steps 33-35; step 3, decode callback",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			next := u.decode(o)
			s.must(next.Step == "cashier", "the cashier page", "%v", next)
			s.cancel(o)
			next = u.confirm(o)
			s.must(next.State == "closed" || next.State == "failed", "the app is told closed", "%v", next)
			s.must(next.Call == "onFailure" && next.ResultCode == "ORDER_IS_CLOSED", "onFailure with ORDER_IS_CLOSED for the client SDK", "%v", next)
		},
	},
	{
		number: 124, name: "an amount in a currency that the user does not have is not taken", needs: merchantMode,
		loses: "The user pays the same number of something else.", source: decodePage + "payToAmount.currency",
		run: func(s *scenario) {
			o, u := s.abroad(s.order()), s.user(0)
			before := u.balance()
			if next := u.scan(o); next.Step == "cashier" { // a wallet may look at the currency later
				next = u.until(o, u.tap(o, o.debit, u.PIN))
				s.must(next.State != "paid", "a payment of "+o.debit.String()+" does not succeed", "%v", next)
			}
			s.must(u.balance() == before, "the balance in "+s.cfg.Currency+" as before", "%+d", u.balance()-before)
		},
	},
}

// surcharged gives o a surcharge: the user pays more than payToAmount.
func (s *scenario) surcharged(o *order) *order {
	o.debit = amount{s.cfg.Currency, fmt.Sprint(o.payToAmount.minor() + 50)}
	o.set(object{"surchargeInfo": object{"surchargeAmount": o.debit.object(), "surchargeQuote": object{
		"quoteCurrencyPair": s.cfg.OrderCurrency + "/" + s.cfg.Currency, "quotePrice": "10.5"}}})
	return o
}

// foreign returns a currency that is neither the wallet's nor the merchants'.
func (s *scenario) foreign() string {
	for _, c := range []string{"USD", "EUR"} {
		if c != s.cfg.Currency && c != s.cfg.OrderCurrency {
			return c
		}
	}
	return "GBP"
}

// abroad gives o a payToAmount of the same number, in a currency that the users
// do not have.
func (s *scenario) abroad(o *order) *order {
	o.payToAmount.Currency = s.foreign()
	o.debit = o.payToAmount
	o.set(object{"payToAmount": o.payToAmount.object(), "paymentQuote": object{
		"quoteId": "Q4", "quoteCurrencyPair": o.paymentAmount.Currency + "/" + o.payToAmount.Currency, "quotePrice": "10"}})
	return o
}

// actionCheck makes the check of an answer HANDLE_BY_SDK with a status, asked
// for by a call of the app.
func actionCheck(number int, status, call, want, where string) check {
	needs := merchantMode
	kind := "scanned"
	if call == "decode" {
		needs, kind = entryCodes, "intercepted"
	}
	return check{
		number: number, name: fmt.Sprintf("HANDLE_BY_SDK on %s, %s code: the client SDK acts, nobody pays", status, kind), needs: needs,
		loses: "The user pays where Alipay+ wanted to explain a limit, or never learns why the payment is impossible.", source: guide + where,
		run: func(s *scenario) {
			for _, action := range []string{"HANDLE_BY_SDK", "HANDLE_BY_TOMORROW"} {
				o := s.order()
				payload := `{"page":"limit", "b":"\u00e9<&>` + o.id + `" , "a":1}`
				o.set(object{"actionForm": object{"actionType": action, "sdkActionPayload": payload}})
				if status == "F" {
					o.set(object{"result": object{"resultCode": "PROCESS_FAIL", "resultStatus": "F"}, "payToAmount": nil, "paymentAmount": nil, "order": nil})
				}
				next := s.user(0).look(call, o)
				s.must(next.Step == "sdkAction" && next.Call == want, "sdkAction with the call "+want, "%v", next)
				s.must(next.SDKActionPayload == payload, "sdkActionPayload byte for byte", "%d bytes that differ", len(next.SDKActionPayload))
				paid := s.user(0).tap(o, o.debit, s.user(0).PIN)
				s.must(paid.State != "paid", "a confirmation of it is refused", "%v", paid)
				s.must(next.ActionType == action, "actionType "+action, "%q", next.ActionType)
			}
		},
	}
}
