package accept

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

var easyPay = []Capability{EasyPay}

// The kinds of pay.
var (
	evaluationFactor = object{"isAgreementPayment": "true", "isEasyPayScenario": "true", "isPaymentEvaluation": "true"}
	easyPayFactor    = object{"isAgreementPayment": "true", "isEasyPayScenario": "true"}
	consentFactor    = object{"isAgreementPayment": "true", "isEasyPayScenario": "true", "isAuthorizationAndPay": "true"}
	oneClickFactor   = object{"isAgreementPayment": "true"}
)

const redirectURL = "https://pay.accept.example/result/index.html?paymentSessionData=n5xHy7%2BaNKek%2FotYQ3%2B%2FOkM%3D%3D%26%26SG%26%26188&ps=EASY_PAY&app=app&en_US=en_US"

// newPay makes a payment that Alipay+ asks for.
func (s *scenario) newPay(minor int64) *order { return s.orderOver(minor) }

// payRequest returns the pay request for a user who is named by the login id.
func (s *scenario) payRequest(o *order, u *user, factor object) object {
	r := object{
		"acquirerId": acquirerID, "pspId": pspID, "paymentRequestId": o.id, "order": o.orderObject(),
		"paymentAmount": o.paymentAmount.object(), "payToAmount": o.payToAmount.object(), "paymentFactor": maps.Clone(factor),
		"paymentMethod": object{"paymentMethodType": "CONNECT_WALLET", "paymentMethodMetaData": object{
			"userLoginId": u.LoginID, "userLoginIdType": "MOBILE"}},
		"paymentExpiryTime":  o.expiry.UTC().Format("2006-01-02T15:04:05Z07:00"),
		"paymentRedirectUrl": redirectURL,
	}
	if quote, ok := o.answer["paymentQuote"]; ok {
		r["paymentQuote"] = quote
	}
	if surcharge, ok := o.answer["surchargeInfo"]; ok {
		r["surchargeInfo"] = surcharge
		r["paymentFactor"].(object)["needSurcharge"] = "true"
	}
	if factor["isAuthorizationAndPay"] != nil {
		r["authorizationInfo"] = object{"authClientId": authClientID, "authState": "state", "referenceAgreementId": o.agreement}
	}
	return r
}

const authClientID = "ACCEPT_MERCHANT"

// create asks for a payment and must get its verification page.
func (s *scenario) create(o *order, u *user) (pageURL string) {
	factor := easyPayFactor
	if o.agreement != "" {
		factor = consentFactor
	}
	got := s.send("pay", s.payRequest(o, u, factor))
	return s.created(o, u, got)
}

func (s *scenario) created(o *order, u *user, got outcome) (pageURL string) {
	pageURL = text(got.members, "paymentUrl")
	if got.status != "U" || got.code != "PAYMENT_IN_PROCESS" || pageURL == "" || text(got.members, "paymentId") == "" {
		s.fail("U PAYMENT_IN_PROCESS with paymentUrl and paymentId", "%v", redact(got.body))
	}
	s.named(got, u)
	s.alipay.change(o, func(o *order) {
		o.customer, o.seen, o.paymentID = u.ID, true, text(got.members, "paymentId")
	})
	return pageURL
}

// named says that an answer, if it names a customer, names the one who pays.
func (s *scenario) named(got outcome, u *user) {
	id := text(got.members, "customerId")
	s.must(id == "" || id == u.ID, "customerId "+u.ID+", or none, in the answer to pay", "%q", id)
}

// send asks once: U is an answer here.
func (s *scenario) send(api string, members object) outcome { return s.once(s.prepare(api, members)) }

// verified enters the right PIN and must be sent back with success.
func (s *scenario) verified(u *user, pageURL string) {
	p := u.at("pin", pageURL, u.PIN)
	s.must(p.http == http.StatusOK && p.RedirectURL == redirectURL+"&status=success", "the redirect URL of the creation with &status=success, every other byte as it was", "HTTP %d, a URL of %d bytes that ends %q", p.http, len(p.RedirectURL), tail(p.RedirectURL))
}

func tail(u string) string {
	if i := strings.LastIndex(u, "&"); i >= 0 {
		return u[i:]
	}
	return ""
}

var easyPayChecks = []check{
	{
		number: 601, name: "an evaluation moves no money and makes no order", needs: easyPay,
		loses: "The user pays for a question.", source: easyPayPage + "step 1",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			before := u.balance()
			got := s.ask("pay", s.payRequest(o, u, evaluationFactor))
			s.must(got.status == "S", "pay is answered S", "%v", got)
			s.must(text(got.members, "paymentUrl") == "", "no paymentUrl", "one")
			s.named(got, u)
			s.one(s.parallel(s.prepare("pay", s.payRequest(o, u, evaluationFactor)), 64))
			i := s.inquire(o.id)
			s.must(i.status == "F" && i.code == "ORDER_NOT_EXIST", "no order: ORDER_NOT_EXIST", "%v", i)
			s.must(u.balance() == before, "the balance as before", "%d less", before-u.balance())
		},
	},
	{
		number: 602, name: "an evaluation and a creation for nobody are refused", needs: easyPay,
		loses: "The user comes to a page that cannot work.", source: easyPayPage + "step 1, USER_NOT_EXIST",
		run: func(s *scenario) {
			for _, factor := range []object{evaluationFactor, easyPayFactor} {
				o := s.newPay(usual)
				body := s.payRequest(o, &user{s, User{LoginID: "852-00000000"}}, factor)
				s.refused("an unknown login id", s.ask("pay", body))
			}
		},
	},
	{
		number: 603, name: "a creation is U with the verification page, and debits nothing", needs: easyPay,
		loses: "The user pays without having been asked.", source: easyPayPage + "step 2: S is forbidden",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			before := u.balance()
			page := s.create(o, u)
			s.must(strings.HasPrefix(page, "https://") || strings.HasPrefix(page, "http://"), "a URL", "%d bytes", len(page))
			s.must(!strings.Contains(page, o.id), "a page that cannot be guessed", "paymentUrl holds the paymentRequestId")
			i := s.inquire(o.id)
			s.must(i.payStatus == "U" && i.payCode == "PAYMENT_IN_PROCESS", "inquiryPayment: paymentResult U PAYMENT_IN_PROCESS", "%v", i)
			s.must(u.balance() == before, "the balance as before", "%d less", before-u.balance())
		},
	},
	{
		number: 604, name: "the right PIN: debit, redirect with success, notification", needs: easyPay,
		loses: "The user has paid and the merchant does not hear of it, or the page is lost on the way back.", source: easyPayPage + "steps 3 and 4",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			s.verified(u, s.create(o, u))
			s.told(o, "S", s.cfg.notifyWithin())
			i := s.final(o.id)
			s.must(i.payStatus == "S", "inquiryPayment: paymentResult S", "%v", i)
		},
	},
	{
		number: 605, name: "too many wrong PINs end the payment", needs: easyPay,
		loses: "Who finds a phone guesses the PIN.", source: "package payment, table of states: verifying, attempts exhausted",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			page := s.create(o, u)
			for i := range s.cfg.Limits.PINTries {
				p := u.at("pin", page, u.wrongPIN(i))
				last := i == s.cfg.Limits.PINTries-1
				s.must(last == (p.RedirectURL != ""), fmt.Sprintf("the end after %d tries", s.cfg.Limits.PINTries), "after %d tries: redirect %t", i+1, p.RedirectURL != "")
				if last {
					s.must(p.RedirectURL == redirectURL+"&status=fail", "the user is sent back with &status=fail", "%q", tail(p.RedirectURL))
				} else {
					s.must(s.inquire(o.id).payStatus == "U", "U while tries are left", "not U")
				}
			}
			p := u.at("pin", page, u.PIN)
			s.must(p.RedirectURL == redirectURL+"&status=fail", "the right PIN comes too late", "%q", tail(p.RedirectURL))
			s.told(o, "F", s.cfg.notifyWithin())
			i := s.final(o.id)
			s.must(i.payStatus == "F" && i.payCode == "USER_PAYMENT_VERIFICATION_FAILED", "F USER_PAYMENT_VERIFICATION_FAILED", "%v", i)
		},
	},
	{
		number: 606, name: "PIN guesses at once are not more than the tries", needs: easyPay,
		loses: "Who finds a phone guesses the PIN, many at a time.", source: "alipayplus/RELIABILITY.md: on a real database: parallel PIN guesses",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			page := s.create(o, u)
			var guesses sync.WaitGroup
			for i := range 24 {
				guesses.Go(func() {
					_ = s.guard(func() { u.at("pin", page, u.wrongPIN(i)) })
				})
			}
			guesses.Wait()
			p := u.at("pin", page, u.PIN)
			s.must(p.RedirectURL == redirectURL+"&status=fail", "no try is left after 24 wrong ones", "%q", tail(p.RedirectURL))
			i := s.final(o.id)
			s.must(i.payStatus == "F", "inquiryPayment: paymentResult F", "%v", i)
		},
	},
	{
		number: 607, name: "2 to 64 copies of a creation at once make one order", needs: easyPay,
		loses: "The user pays twice.", source: idemPage + "pay",
		run: func(s *scenario) {
			for _, n := range []int{2, 8, 64} {
				o, u := s.newPay(usual), s.user(0)
				body := s.payRequest(o, u, easyPayFactor)
				pages := map[string]bool{}
				for _, got := range s.parallel(s.prepare("pay", body), n) {
					s.must(got.status == "U", "U: S is forbidden", "%v", got)
					if page := text(got.members, "paymentUrl"); page != "" {
						pages[text(got.members, "paymentId")] = true
					}
				}
				again := s.send("pay", body)
				pages[text(again.members, "paymentId")] = true
				s.must(len(pages) == 1, "one paymentId", "%d", len(pages))
				s.verified(u, s.created(o, u, again))
				s.told(o, "S", s.cfg.notifyWithin())
				after := s.send("pay", body)
				s.must(after.status == "U", "the creation's answer again: "+again.String(), "%v", after)
			}
		},
	},
	{
		number: 608, name: "an evaluation's S is never a payment's", needs: easyPay,
		loses: "The merchant delivers what nobody paid.", source: "package payment, Pay: an evaluation's key is not a payment's",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			got := s.ask("pay", s.payRequest(o, u, evaluationFactor))
			s.must(got.status == "S", "pay is answered S", "%v", got)
			s.verified(u, s.create(o, u))
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 609, name: "the same paymentRequestId with another amount is refused", needs: easyPay,
		loses: "The user pays another sum than the merchant asked for.", source: idemPage + "pay, REPEAT_REQ_INCONSISTENT",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			s.create(o, u)
			for _, member := range []struct {
				name  string
				value object
			}{
				{"payToAmount", amount{s.cfg.Currency, fmt.Sprint(usual + 10)}.object()},
				{"paymentAmount", amount{o.paymentAmount.Currency, fmt.Sprint(o.paymentAmount.minor() + 1)}.object()},
				{"surchargeInfo", object{"surchargeAmount": amount{s.cfg.Currency, fmt.Sprint(usual + 10)}.object()}},
				{"paymentPromoInfo", object{"paymentPromoDetails": []any{object{"promoId": "PROMO1", "savingsAmount": amount{o.paymentAmount.Currency, "1"}.object()}}}},
			} {
				body := s.payRequest(o, u, easyPayFactor)
				body[member.name] = member.value
				s.refused("another "+member.name, s.send("pay", body), "REPEAT_REQ_INCONSISTENT")
			}
			body := s.payRequest(o, s.user(1), easyPayFactor)
			s.refused("another user", s.send("pay", body), "REPEAT_REQ_INCONSISTENT")
		},
	},
	{
		number: 610, name: "a user who gives up has not paid", needs: easyPay,
		loses: "The merchant waits.", source: "package payment, table of states: verifying, given up",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			page := s.create(o, u)
			p := u.at("giveUp", page, "")
			s.must(p.RedirectURL == redirectURL+"&status=fail", "the user is sent back with &status=fail", "%q", tail(p.RedirectURL))
			p = u.at("pin", page, u.PIN)
			s.must(p.RedirectURL == redirectURL+"&status=fail", "a PIN afterwards changes nothing", "%q", tail(p.RedirectURL))
			s.told(o, "F", s.cfg.notifyWithin())
		},
	},
	{
		number: 611, name: "a redirect URL that is unusable makes no order", needs: easyPay,
		loses: "The user ends on a stranger's page.", source: "package easypay, the verification page: https only",
		run: func(s *scenario) {
			for _, bad := range []string{"http://pay.accept.example/r", "javascript:alert(1)", "https://user:pw@pay.accept.example/r", "https://pay.accept.example/r\r\nX: y"} {
				o, u := s.newPay(usual), s.user(0)
				body := s.payRequest(o, u, easyPayFactor)
				body["paymentRedirectUrl"] = bad
				s.refused("the redirect URL "+fmt.Sprintf("%q", bad), s.send("pay", body), "PARAM_ILLEGAL")
			}
		},
	},
	{
		number: 612, name: "cancelled during the verification: the PIN comes too late", needs: easyPay,
		loses: "The user pays an order that the merchant gave up.", source: "package payment, table of states: verifying, cancelPayment",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			page := s.create(o, u)
			s.cancel(o)
			p := u.at("pin", page, u.PIN)
			s.must(p.RedirectURL == redirectURL+"&status=fail", "the user is sent back with &status=fail", "%q", tail(p.RedirectURL))
		},
	},
	{
		number: 613, name: "an expired verification is closed and notified", needs: easyPay, slow: true,
		loses: "The user pays an order that the merchant has closed.", source: "package payment, table of states: verifying, expiry",
		run: func(s *scenario) {
			o, u := s.orderUntil(usual, time.Now().Add(4*time.Second)), s.user(0)
			page := s.create(o, u)
			s.sleep(5 * time.Second)
			p := u.at("pin", page, u.PIN)
			s.must(p.RedirectURL == redirectURL+"&status=fail", "the user is sent back with &status=fail", "%q", tail(p.RedirectURL))
			s.told(o, "F", s.cfg.resendWithin())
			v := s.view(o)
			_, code := v.told()
			s.must(code == "ORDER_IS_CLOSED", "ORDER_IS_CLOSED", "%q", code)
		},
	},
	{
		number: 614, name: "the right PIN twice, and at once, debits once", needs: easyPay,
		loses: "The user pays twice.", source: "package payment, table of states: verifying, correct: one transition",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			page := s.create(o, u)
			var taps sync.WaitGroup
			for range s.cfg.Limits.PINTries {
				taps.Go(func() { _ = s.guard(func() { u.at("pin", page, u.PIN) }) })
			}
			taps.Wait()
			s.told(o, "S", s.cfg.notifyWithin())
			p := u.at("open", page, "")
			s.must(p.RedirectURL == redirectURL+"&status=success", "the page sends on with success", "%q", tail(p.RedirectURL))
		},
	},
	{
		number: 615, name: "a new code can be sent, and sending it is no try", needs: []Capability{EasyPay, ResendOTP},
		loses: "A user who got no SMS cannot pay.", source: easyPayPage + "step 3: resending a new SMS",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			page := s.create(o, u)
			p := u.at("resend", page, "")
			s.must(p.http == http.StatusOK && p.RedirectURL == "", "the page goes on", "HTTP %d", p.http)
			s.verified(u, page)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 616, name: "a page that the wallet did not give out opens nothing", needs: easyPay,
		loses: "A stranger guesses the PIN of somebody else's payment.", source: "package easypay, the verification page",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			page := s.create(o, u)
			last := "A"
			if strings.HasSuffix(page, "A") {
				last = "B"
			}
			for _, forged := range []string{page[:len(page)-10] + strings.Repeat(last, 10), page[:len(page)-20], page + "x", ""} {
				p := u.at("pin", forged, u.PIN)
				s.must(p.http >= 400, "404 for a page of nobody's", "HTTP %d", p.http)
			}
			s.must(s.inquire(o.id).payStatus == "U", "the payment goes on", "not U")
		},
	},
	{
		number: 617, name: "a balance that is too low after the verification: F, redirect success or fail, no debit", needs: easyPay,
		loses: "The wallet lends money that it never meant to lend.", source: "API notifyPayment, USER_BALANCE_NOT_ENOUGH",
		run: func(s *scenario) {
			u := s.user(1)
			o := s.newPay(u.balance()/1000*1000 + 1000)
			got := s.send("pay", s.payRequest(o, u, easyPayFactor))
			if got.status == "F" { // a wallet may look at the balance first
				return
			}
			p := u.at("pin", s.created(o, u, got), u.PIN)
			s.must(strings.HasPrefix(p.RedirectURL, redirectURL+"&status="), "the user goes back", "%q", tail(p.RedirectURL))
			i := s.final(o.id)
			s.must(i.payStatus == "F", "inquiryPayment: paymentResult F", "%v", i)
			s.told(o, "F", s.cfg.notifyWithin())
		},
	},
	{
		number: 618, name: "an Easy Pay payment is refunded and cancelled like any other", needs: easyPay,
		loses: "The user does not get the money back.", source: "API refund, API cancelPayment",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			s.verified(u, s.create(o, u))
			s.told(o, "S", s.cfg.notifyWithin())
			s.refund(o, 300)
			s.cancel(o)
		},
	},
	{
		number: 619, name: "a pay that is of no known kind is refused", needs: easyPay,
		loses: "The user pays by a product that the wallet does not offer.", source: "package payment, PayRequest: which kind a pay is",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			got := s.send("pay", s.payRequest(o, u, object{}))
			s.must(got.status == "F", "pay is answered F", "%v", got)
		},
	},
	{
		number: 620, name: "a cancellation of what failed succeeds, and the reason stays", needs: easyPay,
		loses: "Alipay+ repeats the cancellation for ever, or the merchant hears another reason.", source: "package payment, table of states: failed, cancelPayment",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			u.at("giveUp", s.create(o, u), "")
			s.told(o, "F", s.cfg.notifyWithin())
			before := s.final(o.id)
			s.cancel(o)
			after := s.final(o.id)
			s.must(after.payStatus == "F" && after.payCode == before.payCode, "F "+before.payCode+", as before", "%v", after)
		},
	},
	{
		number: 622, name: "tries stay counted: a page that is opened again, a new code and a repeated creation give none back", needs: easyPay,
		loses: "Who finds a phone guesses the PIN.", source: "package easypay, the verification page: tries",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			body := s.payRequest(o, u, easyPayFactor)
			page := s.created(o, u, s.send("pay", body))
			for i := range s.cfg.Limits.PINTries - 1 {
				u.at("pin", page, u.wrongPIN(i))
			}
			u.at("open", page, "")
			if s.cfg.can(ResendOTP) {
				u.at("resend", page, "")
			}
			page = s.created(o, u, s.send("pay", body))
			p := u.at("pin", page, u.wrongPIN(9))
			s.must(p.RedirectURL == redirectURL+"&status=fail", fmt.Sprintf("the end after %d tries", s.cfg.Limits.PINTries), "HTTP %d, redirectUrl %q", p.http, tail(p.RedirectURL))
			p = u.at("pin", page, u.PIN)
			s.must(p.RedirectURL == redirectURL+"&status=fail", "the right PIN comes too late", "%q", tail(p.RedirectURL))
			s.told(o, "F", s.cfg.notifyWithin())
		},
	},
	{
		number: 623, name: "a PIN pays the payment it was entered for, and no other", needs: easyPay,
		loses: "The user pays an order that they did not agree to.", source: "package payment, table of states: verifying, correct: one payment",
		run: func(s *scenario) {
			o, other, u := s.newPay(usual), s.newPay(usual), s.user(0)
			page, otherPage := s.create(o, u), s.create(other, u)
			s.verified(u, page)
			s.told(o, "S", s.cfg.notifyWithin())
			p := u.at("open", otherPage, "")
			s.must(p.http == http.StatusOK && p.RedirectURL == "", "the other page still asks for the PIN", "HTTP %d, redirectUrl %q", p.http, tail(p.RedirectURL))
			i := s.inquire(other.id)
			s.must(i.payStatus == "U", "inquiryPayment of the other: paymentResult U", "%v", i)
			u.at("giveUp", otherPage, "")
			s.told(other, "F", s.cfg.notifyWithin())
		},
	},
	{
		number: 624, name: "with a surcharge the user pays surchargeAmount after the verification, too", needs: easyPay,
		loses: "The wallet pays the surcharge out of its own pocket.", source: "API pay, surchargeInfo",
		run: func(s *scenario) {
			o, u := s.surcharged(s.newPay(usual)), s.user(0)
			s.verified(u, s.create(o, u))
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 625, name: "the notification goes to the paymentNotifyUrl of pay", needs: easyPay,
		loses: "The merchant does not hear of the payment.", source: "API pay, paymentNotifyUrl",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			path := notifyPath + o.id + "/notifyPayment"
			body := s.payRequest(o, u, easyPayFactor)
			body["paymentNotifyUrl"] = s.cfg.Alipay.BaseURL + path
			got := s.send("pay", body)
			if got.status == "F" && !strings.HasPrefix(s.cfg.Alipay.BaseURL, "https://") {
				s.why = "the wallet refuses a paymentNotifyUrl with http, which alipay.baseUrl has"
				return
			}
			s.verified(u, s.created(o, u, got))
			s.told(o, "S", s.cfg.notifyWithin())
			for _, n := range s.view(o).notes {
				s.must(n.target == path, "notifyPayment at "+path, "at %s", n.target)
			}
		},
	},
	{
		number: 626, name: "a creation that comes after its cancellation is refused", needs: easyPay,
		loses: "The user pays an order that the merchant gave up.", source: "package payment, table of states: –, cancelPayment",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			s.cancelledUnseen(o)
			s.refused("a creation after its cancellation", s.send("pay", s.payRequest(o, u, easyPayFactor)), "ORDER_IS_CLOSED")
		},
	},
	{
		number: 627, name: "an unusable paymentNotifyUrl of pay makes no order", needs: easyPay,
		loses: "The wallet sends signed messages to a stranger's host, or the merchant never hears of the payment.", source: "API pay, paymentNotifyUrl",
		run: func(s *scenario) {
			for _, address := range []string{"https://evil.example/notifyPayment", "http://10.0.0.1/notifyPayment", "ftp://gateway.example/notifyPayment"} {
				o, u := s.newPay(usual), s.user(0)
				body := s.payRequest(o, u, easyPayFactor)
				body["paymentNotifyUrl"] = address
				s.refused("a creation with the paymentNotifyUrl "+address, s.send("pay", body))
			}
		},
	},
	{
		number: 628, name: "cancelled while the PIN is entered: a cancellation that succeeds costs nothing", needs: easyPay,
		loses: "The user has paid an order that the merchant knows to be cancelled.", source: "package payment, table of states: verifying or paying, cancelPayment",
		run: func(s *scenario) {
			u := s.user(0)
			for turn := range 6 {
				o := s.newPay(usual)
				page := s.create(o, u)
				s.cancelDuring(turn, o, func() { u.at("pin", page, u.PIN) })
				i := s.final(o.id)
				s.must(i.payStatus == "F" && i.payCode == "ORDER_IS_CLOSED", "F ORDER_IS_CLOSED after the cancellation", "%v", i)
			}
		},
	},
	{
		number: 629, name: "nothing on the page changes what is paid", needs: easyPay,
		loses: "The user has paid, and the merchant hears that they have not.", source: "package payment, table of states: paid; wrong PIN, resend, give up",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			page := s.create(o, u)
			s.verified(u, page)
			s.told(o, "S", s.cfg.notifyWithin())
			for i := range s.cfg.Limits.PINTries + 1 {
				u.at("pin", page, u.wrongPIN(i))
			}
			if s.cfg.can(ResendOTP) {
				u.at("resend", page, "")
			}
			p := u.at("giveUp", page, "")
			s.must(p.RedirectURL == redirectURL+"&status=success", "the page sends on with success", "%q", tail(p.RedirectURL))
			i := s.inquire(o.id)
			s.must(i.payStatus == "S", "inquiryPayment: paymentResult S, as before", "%v", i)
		},
	},
	{
		number: 630, name: "an amount in a currency that the user does not have is not taken after the verification", needs: easyPay,
		loses: "The user pays the same number of something else.", source: "API pay, payToAmount.currency",
		run: func(s *scenario) {
			o, u := s.abroad(s.newPay(usual)), s.user(0)
			before := u.balance()
			if got := s.send("pay", s.payRequest(o, u, easyPayFactor)); got.status != "F" { // a wallet may look at the currency later
				u.at("pin", s.created(o, u, got), u.PIN)
				i := s.final(o.id)
				s.must(i.payStatus == "F", "inquiryPayment: paymentResult F", "%v", i)
				s.told(o, "F", s.cfg.notifyWithin())
			}
			s.must(u.balance() == before, "the balance in "+s.cfg.Currency+" as before", "%+d", u.balance()-before)
		},
	},
}
