package accept

import (
	"bytes"
	"net/http"
	"strings"
	"time"
	"unicode"
)

var oneClick = []Capability{EasyPay, OneClick}

// consents pays with Easy Pay and consent, and returns the agreement with its
// token.
func (s *scenario) consents(u *user, faults ...fault) (*agreement, string) {
	o := s.newPay(usual)
	g := s.alipay.newAgreement(s.newID())
	g.faults = faults
	o.agreement = g.id
	s.verified(u, s.create(o, u))
	s.told(o, "S", s.cfg.notifyWithin())
	ok := s.eventually(s.cfg.resendWithin(), func() bool { return len(s.alipay.viewAgreement(g).created) > len(faults) })
	s.must(ok, times(len(faults)+1, "authNotify TOKEN_CREATED")+" within "+s.limit(s.cfg.resendWithin()), "%s", times(len(s.alipay.viewAgreement(g).created), "authNotify TOKEN_CREATED"))
	return g, text(s.alipay.viewAgreement(g).created[0].members, "accessToken")
}

// tokenPay makes a payment with a token.
func (s *scenario) tokenPay(o *order, token string) object {
	r := s.payRequest(o, s.user(0), oneClickFactor)
	r["paymentMethod"] = object{"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": token}
	delete(r, "paymentRedirectUrl")
	return r
}

func (s *scenario) paysWith(token string, u *user) *order {
	o := s.newPay(usual)
	got := s.ask("pay", s.tokenPay(o, token))
	s.must(got.status == "S" && text(got.members, "paymentId") != "" && text(got.members, "paymentTime") != "", "S with paymentId and paymentTime", "%s", redact(got.body))
	s.named(got, u)
	s.alipay.change(o, func(o *order) {
		o.customer, o.seen, o.paymentID = u.ID, true, text(got.members, "paymentId")
	})
	s.told(o, "S", s.cfg.notifyWithin())
	return o
}

// altered returns a token with another first letter.
func altered(token string) string {
	if strings.HasPrefix(token, "X") {
		return "Y" + token[1:]
	}
	return "X" + token[1:]
}

// swapCase returns a text with its small letters large and the other way round.
func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}

// dead says that nobody can pay with the token.
func (s *scenario) dead(token string, codes ...string) {
	o := s.newPay(usual)
	s.refused("a payment with a dead token", s.ask("pay", s.tokenPay(o, token)), codes...)
}

var tokenChecks = []check{
	{
		number: 701, name: "with consent, and after the payment, Alipay+ gets a token", needs: oneClick,
		loses: "The user agreed, and cannot pay with one click.", source: easyPayPage + "step 5",
		run: func(s *scenario) {
			g, _ := s.consents(s.user(0))
			n := s.alipay.viewAgreement(g).created[0].members
			for _, member := range []string{"referenceAgreementId", "accessToken", "accessTokenExpiryTime"} {
				s.must(text(n, member) != "", member+" in authNotify", "none")
			}
			s.must(text(n, "authClientId") == authClientID, "authClientId "+authClientID+" in authNotify", "%q", text(n, "authClientId"))
			customer := text(n, "customerId")
			s.must(customer == "" || customer == s.user(0).ID, "customerId "+s.user(0).ID+", or none, in authNotify", "%q", customer)
			s.living(n)
			s.sleep(4 * time.Second)
			s.must(len(s.alipay.viewAgreement(g).created) == 1, "authNotify once", "%d times", len(s.alipay.viewAgreement(g).created))
		},
	},
	{
		number: 702, name: "without consent there is no token", needs: oneClick, slow: true,
		loses: "A merchant debits a user who never agreed.", source: easyPayPage + "step 2: isAuthorizationAndPay",
		run: func(s *scenario) {
			u := s.user(0)
			o := s.newPay(usual)
			g := s.alipay.newAgreement(s.newID())
			s.verified(u, s.create(o, u))
			s.told(o, "S", s.cfg.notifyWithin())
			// Not agreed, though the agreement has a name.
			declined := s.newPay(usual)
			body := s.payRequest(declined, u, easyPayFactor)
			body["paymentFactor"].(object)["isAuthorizationAndPay"] = "false"
			body["authorizationInfo"] = object{"authClientId": authClientID, "authState": "state", "referenceAgreementId": g.id}
			s.verified(u, s.created(declined, u, s.send("pay", body)))
			s.told(declined, "S", s.cfg.notifyWithin())
			// Agreed, and not paid.
			failed := s.newPay(usual)
			failed.agreement = g.id
			page := s.create(failed, u)
			u.at("giveUp", page, "")
			s.told(failed, "F", s.cfg.notifyWithin())
			s.sleep(3 * time.Second)
			s.must(len(s.alipay.viewAgreement(g).created) == 0, "no TOKEN_CREATED", "one")
		},
	},
	{
		number: 703, name: "consent declined on the cashier page: paid, no token", needs: []Capability{MerchantMode, EasyPay, OneClick}, slow: true,
		loses: "A merchant debits a user who said no.", source: "package payment, Confirmed: consent is part of the confirmation",
		run: func(s *scenario) {
			for _, agrees := range []bool{false, true} {
				o, u := s.order(), s.user(0)
				g := s.alipay.newAgreement(s.newID())
				o.set(object{
					"paymentFactor":     object{"isInStorePayment": "true", "isCashierPayment": "true", "isAuthorizationAndPay": "true"},
					"authorizationInfo": object{"authClientId": authClientID, "authState": "state", "referenceAgreementId": g.id},
				})
				u.cashier(o)
				next := u.confirmed(o, agrees)
				s.must(next.State == "paid", "the app is told paid", "%v", next)
				s.told(o, "S", s.cfg.notifyWithin())
				if agrees {
					s.must(s.eventually(s.cfg.notifyWithin(), func() bool { return len(s.alipay.viewAgreement(g).created) == 1 }), "TOKEN_CREATED", "none")
					continue
				}
				s.sleep(3 * time.Second)
				s.must(len(s.alipay.viewAgreement(g).created) == 0, "no TOKEN_CREATED", "one")
			}
		},
	},
	{
		number: 704, name: "a report of a token that was not acknowledged comes again, with the same token", needs: oneClick, slow: true,
		loses: "Alipay+ never learns the token, or has two.", source: easyPayPage + "step 5, unknown exception",
		run: func(s *scenario) {
			for _, f := range []fault{unknown, loseAnswer, answering(result("S", "SUCCESS")), tampered} {
				g, _ := s.consents(s.user(0), f)
				v := s.alipay.viewAgreement(g)
				for _, again := range v.created {
					s.must(bytes.Equal(again.body, v.created[0].body), "the same body", "another one")
				}
			}
		},
	},
	{
		number: 705, name: "a payment with the token is debited once, however often it comes", needs: oneClick,
		loses: "The user pays twice.", source: idemPage + "pay",
		run: func(s *scenario) {
			u := s.user(0)
			_, token := s.consents(u)
			o := s.paysWith(token, u)
			again := s.ask("pay", s.tokenPay(o, token))
			s.must(again.status == "S", "S again", "%v", again)
			for _, n := range []int{2, 8, 64} {
				o := s.newPay(usual)
				body := s.tokenPay(o, token)
				s.alipay.change(o, func(o *order) { o.customer, o.seen = u.ID, true })
				s.one(s.parallel(s.prepare("pay", body), n))
				got := s.ask("pay", body)
				s.must(got.status == "S", "pay is answered S", "%v", got)
				s.told(o, "S", s.cfg.notifyWithin())
			}
		},
	},
	{
		number: 706, name: "a token of nobody's is INVALID_TOKEN", needs: oneClick,
		loses: "Whoever makes up a token pays with it.", source: "API pay, INVALID_TOKEN",
		run: func(s *scenario) {
			_, token := s.consents(s.user(0))
			s.dead(altered(token), "INVALID_TOKEN")
			s.dead(token+"x", "INVALID_TOKEN")
			if other := swapCase(token); other != token {
				s.dead(other, "INVALID_TOKEN")
			}
		},
	},
	{
		number: 707, name: "a token pays for its own customer alone", needs: oneClick,
		loses: "One customer pays for another.", source: "package easypay, a one-click payment: paymentMethod.customerId",
		run: func(s *scenario) {
			_, token := s.consents(s.user(0))
			o := s.newPay(usual)
			body := s.tokenPay(o, token)
			body["paymentMethod"] = object{"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": token, "customerId": s.user(1).ID}
			s.refused("another customer's id with the token", s.ask("pay", body), "INVALID_TOKEN")
		},
	},
	{
		number: 708, name: "cancelToken kills the token, and can come again", needs: oneClick,
		loses: "A merchant debits a user who ended the agreement.", source: "API cancelToken",
		run: func(s *scenario) {
			u := s.user(0)
			_, token := s.consents(u)
			body := object{"acquirerId": acquirerID, "pspId": pspID, "accessToken": token}
			paid := s.paysWith(token, u)
			for range 2 {
				got := s.ask("cancelToken", body)
				s.must(got.status == "S", "cancelToken is answered S", "%v", got)
			}
			s.one(s.parallel(s.prepare("cancelToken", body), 64))
			s.dead(token, "INVALID_TOKEN", "EXPIRED_ACCESS_TOKEN")
			again := s.ask("pay", s.tokenPay(paid, token))
			s.must(again.status == "S", "what was paid before stays paid", "%v", again)
		},
	},
	{
		number: 709, name: "the user ends the agreement in the wallet, if the merchant allows it", needs: []Capability{EasyPay, OneClick, Unbind},
		loses: "A merchant debits a user who ended the agreement, or loses one whose subscription runs.", source: "API consultUnbinding",
		run: func(s *scenario) {
			u := s.user(0)
			g, token := s.consents(u)
			unbind := func() (unbound bool) {
				var answer struct {
					Unbound bool `json:"unbound"`
				}
				status := u.ask(http.MethodPost, s.cfg.Wallet.Driver, "/unbind", object{"referenceAgreementId": g.id, "accessToken": token}, &answer)
				s.must(status == http.StatusOK, "unbind is answered", "HTTP %d", status)
				return answer.Unbound
			}
			s.must(!unbind(), "not unbound: the merchant does not allow it", "unbound")
			s.must(s.alipay.viewAgreement(g).asked > 0, "consultUnbinding", "no call")
			s.paysWith(token, u)
			s.alipay.mu.Lock()
			g.allow = true
			s.alipay.mu.Unlock()
			s.must(unbind(), "unbound", "not unbound")
			s.must(s.eventually(s.cfg.notifyWithin(), func() bool { return len(s.alipay.viewAgreement(g).ended) > 0 }), "authNotify TOKEN_CANCELED", "none")
			n := s.alipay.viewAgreement(g).ended[0].members
			s.must(text(n, "accessToken") == token && text(n, "authClientId") == authClientID, "the token's accessToken and authClientId in authNotify TOKEN_CANCELED", "another one, or none")
			s.dead(token, "INVALID_TOKEN", "EXPIRED_ACCESS_TOKEN")
		},
	},
	{
		number: 710, name: "a balance that is too low for a one-click payment: F, and F for good", needs: oneClick,
		loses: "The wallet lends money, or the merchant hears yes and no.", source: "API pay, USER_BALANCE_NOT_ENOUGH",
		run: func(s *scenario) {
			u := s.user(1)
			_, token := s.consents(u)
			o := s.newPay(u.balance()/1000*1000 + 1000)
			body := s.tokenPay(o, token)
			got := s.ask("pay", body)
			s.refused("a payment over the balance", got, "USER_BALANCE_NOT_ENOUGH")
			s.one([]outcome{got, s.ask("pay", body)})
		},
	},
	{
		number: 712, name: "a payment with a token that comes after its cancellation is refused", needs: oneClick,
		loses: "The user pays an order that the merchant gave up.", source: "package payment, table of states: –, cancelPayment",
		run: func(s *scenario) {
			_, token := s.consents(s.user(0))
			o := s.newPay(usual)
			s.cancelledUnseen(o)
			s.refused("a payment after its cancellation", s.ask("pay", s.tokenPay(o, token)), "ORDER_IS_CLOSED")
		},
	},
	{
		number: 713, name: "a second consent to the same agreement gives no second token", needs: oneClick,
		loses: "The user ends the agreement, and another token of it lives on.", source: "package auth, Issue: one token for each agreement",
		run: func(s *scenario) {
			u := s.user(0)
			g, _ := s.consents(u)
			o := s.newPay(usual)
			o.agreement = g.id
			s.verified(u, s.create(o, u))
			s.told(o, "S", s.cfg.notifyWithin())
			s.sleep(2 * time.Second) // that authNotify never changes is checked whenever it comes
		},
	},
	{
		number: 714, name: "a payment with a token that has expired is refused", needs: oneClick,
		loses: "The user pays, and the merchant has closed the order.", source: "API pay, paymentExpiryTime",
		run: func(s *scenario) {
			_, token := s.consents(s.user(0))
			o := s.orderUntil(usual, time.Now().Add(-time.Minute))
			s.refused("a payment that expired a minute ago", s.ask("pay", s.tokenPay(o, token)))
		},
	},
	{
		number: 715, name: "with a surcharge the user pays surchargeAmount with a token, too", needs: oneClick,
		loses: "The wallet pays the surcharge out of its own pocket.", source: "API pay, surchargeInfo",
		run: func(s *scenario) {
			u := s.user(0)
			_, token := s.consents(u)
			o := s.surcharged(s.newPay(usual))
			got := s.ask("pay", s.tokenPay(o, token))
			s.must(got.status == "S", "pay is answered S", "%v", got)
			s.alipay.change(o, func(o *order) { o.customer, o.seen = u.ID, true })
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 716, name: "cancelToken ends one agreement, and no other", needs: oneClick,
		loses: "The user's other subscriptions stop.", source: "API cancelToken: accessToken",
		run: func(s *scenario) {
			u := s.user(0)
			_, token := s.consents(u)
			_, other := s.consents(u)
			got := s.ask("cancelToken", object{"acquirerId": acquirerID, "pspId": pspID, "accessToken": token})
			s.must(got.status == "S", "cancelToken is answered S", "%v", got)
			s.dead(token, "INVALID_TOKEN", "EXPIRED_ACCESS_TOKEN")
			s.paysWith(other, u)
		},
	},
	{
		number: 717, name: "an evaluation with a token moves no money, and a dead token supports nothing", needs: oneClick,
		loses: "The user pays for a question.", source: "package easypay, which kind a pay is: isPaymentEvaluation first",
		run: func(s *scenario) {
			_, token := s.consents(s.user(0))
			evaluate := func() (*order, outcome) {
				o := s.newPay(usual)
				body := s.tokenPay(o, token)
				body["paymentFactor"] = object{"isAgreementPayment": "true", "isPaymentEvaluation": "true"}
				delete(body, "paymentExpiryTime")
				return o, s.ask("pay", body)
			}
			o, got := evaluate()
			s.must(got.status == "S" && text(got.members, "paymentUrl") == "", "S without a paymentUrl", "%s", redact(got.body))
			i := s.inquire(o.id)
			s.must(i.status == "F" && i.code == "ORDER_NOT_EXIST", "no order: ORDER_NOT_EXIST", "%v", i)
			ended := s.ask("cancelToken", object{"acquirerId": acquirerID, "pspId": pspID, "accessToken": token})
			s.must(ended.status == "S", "cancelToken is answered S", "%v", ended)
			_, got = evaluate()
			s.refused("an evaluation with a dead token", got, "INVALID_TOKEN", "EXPIRED_ACCESS_TOKEN")
		},
	},
	{
		number: 730, name: "an amount in a currency that the user does not have is not taken with a token", needs: oneClick,
		loses: "The user pays the same number of something else.", source: "API pay, payToAmount.currency",
		run: func(s *scenario) {
			u := s.user(0)
			_, token := s.consents(u)
			o, before := s.abroad(s.newPay(usual)), u.balance()
			s.refused("a payment of "+o.debit.String(), s.ask("pay", s.tokenPay(o, token)))
			s.must(u.balance() == before, "the balance in "+s.cfg.Currency+" as before", "%+d", u.balance()-before)
		},
	},
}
