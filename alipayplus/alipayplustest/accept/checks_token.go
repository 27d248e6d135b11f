package accept

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"

	"time"
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
	s.must(ok, fmt.Sprintf("%d times authNotify TOKEN_CREATED", len(faults)+1), "%d", len(s.alipay.viewAgreement(g).created))
	return g, text(g.created[0].members, "accessToken")
}

// tokenPay is a payment with a token.
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
	s.alipay.change(o, func(o *order) { o.customer, o.seen = u.ID, true })
	s.told(o, "S", s.cfg.notifyWithin())
	return o
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
			g, token := s.consents(s.user(0))
			n := g.created[0].members
			for _, member := range []string{"referenceAgreementId", "accessToken", "accessTokenExpiryTime"} {
				s.must(text(n, member) != "", member+" in authNotify", "none")
			}
			s.must(len(token) <= 128, "at most 128 characters", "%d", len(token))
			s.sleep(4 * time.Second)
			s.must(len(s.alipay.viewAgreement(g).created) == 1, "authNotify once", "%d times", len(s.alipay.viewAgreement(g).created))
		},
	},
	{
		number: 702, name: "without consent there is no token", needs: oneClick,
		loses: "A merchant debits a user who never agreed.", source: easyPayPage + "step 2: isAuthorizationAndPay",
		run: func(s *scenario) {
			u := s.user(0)
			o := s.newPay(usual)
			g := s.alipay.newAgreement(s.newID())
			s.verified(u, s.create(o, u))
			s.told(o, "S", s.cfg.notifyWithin())
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
		number: 703, name: "consent declined on the cashier page: paid, no token", needs: []Capability{MerchantMode, EasyPay, OneClick},
		loses: "A merchant debits a user who said no.", source: "flows.md, decision 12: consent is part of the confirmation",
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
				s.must(next.State == "paid", "paid", "%v", next)
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
		number: 704, name: "a report of a token that was not acknowledged comes again, with the same token", needs: oneClick,
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
			for _, n := range []int{2, 32} {
				o := s.newPay(usual)
				body := s.tokenPay(o, token)
				s.alipay.change(o, func(o *order) { o.customer, o.seen = u.ID, true })
				s.one(s.parallel(s.prepare("pay", body), n))
				got := s.ask("pay", body)
				s.must(got.status == "S", "S", "%v", got)
				s.told(o, "S", s.cfg.notifyWithin())
			}
		},
	},
	{
		number: 706, name: "a token of nobody's is INVALID_TOKEN", needs: oneClick,
		loses: "Whoever makes up a token pays with it.", source: "API pay, INVALID_TOKEN",
		run: func(s *scenario) {
			_, token := s.consents(s.user(0))
			s.dead("X"+token[1:], "INVALID_TOKEN")
			s.dead(token+"x", "INVALID_TOKEN")
		},
	},
	{
		number: 707, name: "a token pays for its own customer alone", needs: oneClick,
		loses: "One customer pays for another.", source: "flows.md, Easy Pay: paymentMethod.customerId",
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
				s.must(got.status == "S", "S", "%v", got)
			}
			s.one(s.parallel(s.prepare("cancelToken", body), 16))
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
}

var authCodes = []Capability{AuthCodes}

var codeForm = regexp.MustCompile(`^281[0-9]{3}13[0-9A-Za-z]{8,24}$`)

// authCode is the app asking for an authorization code.
func (s *scenario) authCode(u *user) string {
	var answer struct {
		AuthCode string   `json:"authCode"`
		Success  []string `json:"authSuccessScopes"`
	}
	status := u.ask(http.MethodPost, s.cfg.Wallet.Driver, "/authCode", object{"authClientId": authClientID, "scopes": []string{"BASE_USER_INFO"}}, &answer)
	s.must(status == http.StatusOK && answer.AuthCode != "", "an authorization code", "HTTP %d", status)
	return answer.AuthCode
}

func (s *scenario) apply(code string) object {
	return object{"acquirerId": acquirerID, "pspId": pspID, "authClientId": authClientID, "grantType": "AUTHORIZATION_CODE", "authCode": code}
}

func (s *scenario) applyRefresh(token string) object {
	return object{"acquirerId": acquirerID, "pspId": pspID, "authClientId": authClientID, "grantType": "REFRESH_TOKEN", "refreshToken": token}
}

// tokens must be in an answer of applyToken.
func (s *scenario) tokens(got outcome, u *user) (access, refresh string) {
	access, refresh = text(got.members, "accessToken"), text(got.members, "refreshToken")
	s.must(got.status == "S" && access != "" && text(got.members, "accessTokenExpiryTime") != "", "S with accessToken and accessTokenExpiryTime", "%s", redact(got.body))
	s.must(text(got.members, "customerId") == u.ID, "customerId "+u.ID, "%q", text(got.members, "customerId"))
	s.must(len(access) <= 128 && len(refresh) <= 128, "tokens of at most 128 characters", "%d and %d", len(access), len(refresh))
	return access, refresh
}

var codeChecks = []check{
	{
		number: 721, name: "an authorization code has its form and gives a token with the customer's id", needs: authCodes,
		loses: "Nobody can pay at merchants of the Chinese mainland.", source: guide + "workflow in the Chinese mainland",
		run: func(s *scenario) {
			u := s.user(0)
			code := s.authCode(u)
			s.must(codeForm.MatchString(code) && len(code) <= 32, "281, three digits, 13, at most 32 characters", "%d characters of another form", len(code))
			s.must(s.authCode(u) != code, "another code each time", "the same")
			s.tokens(s.ask("applyToken", s.apply(code)), u)
		},
	},
	{
		number: 722, name: "an authorization code is used once; a repeated call gets the same token", needs: authCodes,
		loses: "Who reads a code on its way becomes the user.", source: guide + "workflow in the Chinese mainland: can be used only once",
		run: func(s *scenario) {
			u := s.user(0)
			code := s.authCode(u)
			access, _ := s.tokens(s.ask("applyToken", s.apply(code)), u)
			again := s.ask("applyToken", s.apply(code))
			if again.status == "S" {
				same, _ := s.tokens(again, u)
				s.must(same == access, "the same token for the same request", "another one")
			}
			other := s.apply(code)
			other["acquirerId"] = "ANOTHER_ACQUIRER"
			s.refused("the code in another request", s.ask("applyToken", other))
		},
	},
	{
		number: 723, name: "a code that many redeem at once gives one token", needs: authCodes,
		loses: "A code is worth several tokens.", source: "flows.md, authorization: exactly one token exists",
		run: func(s *scenario) {
			u := s.user(0)
			code := s.authCode(u)
			tokens := map[string]bool{}
			for _, got := range s.parallel(s.prepare("applyToken", s.apply(code)), 32) {
				if got.status == "S" {
					tokens[text(got.members, "accessToken")] = true
				}
			}
			if got := s.ask("applyToken", s.apply(code)); got.status == "S" {
				tokens[text(got.members, "accessToken")] = true
			}
			s.must(len(tokens) == 1, "one token", "%d", len(tokens))
		},
	},
	{
		number: 724, name: "a code that the wallet never made is refused", needs: authCodes,
		loses: "Whoever makes up a code becomes somebody.", source: "API applyToken, INVALID_CODE",
		run: func(s *scenario) {
			code := s.authCode(s.user(0))
			for _, forged := range []string{code[:31] + map[bool]string{true: "A", false: "B"}[code[31:] != "A"], code[:8], "281", "x"} {
				s.refused("a forged code", s.ask("applyToken", s.apply(forged)))
			}
			s.tokens(s.ask("applyToken", s.apply(code)), s.user(0))
		},
	},
	{
		number: 725, name: "a code lives for at least five minutes", needs: authCodes, long: true,
		loses: "A slow merchant cannot sell.", source: guide + "workflow in the Chinese mainland: at least five minutes",
		run: func(s *scenario) {
			code := s.authCode(s.user(0))
			s.sleep(4*time.Minute + 55*time.Second)
			s.tokens(s.ask("applyToken", s.apply(code)), s.user(0))
		},
	},
	{
		number: 726, name: "a refresh gives a new pair, once, and the same to a repeat", needs: []Capability{AuthCodes, Refresh},
		loses: "The agreement is lost with one answer on the way, or a stolen refresh token lives for ever.", source: "API applyToken, REFRESH_TOKEN",
		run: func(s *scenario) {
			u := s.user(0)
			oldAccess, oldRefresh := s.tokens(s.ask("applyToken", s.apply(s.authCode(u))), u)
			s.must(oldRefresh != "", "a refreshToken", "none")
			access, refresh := s.tokens(s.ask("applyToken", s.applyRefresh(oldRefresh)), u)
			s.must(access != oldAccess && refresh != oldRefresh, "a new pair", "the old one")
			again, refreshAgain := s.tokens(s.ask("applyToken", s.applyRefresh(oldRefresh)), u)
			s.must(again == access && refreshAgain == refresh, "the same pair within five minutes", "another one")
			s.refused("a forged refresh token", s.ask("applyToken", s.applyRefresh("X"+refresh[1:])), "INVALID_REFRESH_TOKEN")
			pairs := map[string]bool{}
			for _, got := range s.parallel(s.prepare("applyToken", s.applyRefresh(refresh)), 16) {
				if got.status == "S" {
					pairs[text(got.members, "accessToken")] = true
				}
			}
			s.must(len(pairs) <= 1, "one new pair from 16 calls at once", "%d", len(pairs))
		},
	},
	{
		number: 727, name: "what was refreshed is dead after five minutes", needs: []Capability{AuthCodes, Refresh}, long: true,
		loses: "A stolen refresh token lives for ever.", source: "API applyToken, REFRESH_TOKEN: five minutes",
		run: func(s *scenario) {
			u := s.user(0)
			_, old := s.tokens(s.ask("applyToken", s.apply(s.authCode(u))), u)
			s.tokens(s.ask("applyToken", s.applyRefresh(old)), u)
			s.sleep(6 * time.Minute)
			s.refused("the old refresh token", s.ask("applyToken", s.applyRefresh(old)), "INVALID_REFRESH_TOKEN", "EXPIRED_REFRESH_TOKEN")
		},
	},
	{
		number: 728, name: "a token of the mainland flow does not pay", needs: []Capability{AuthCodes, EasyPay, OneClick},
		loses: "A token that tells who the user is empties the account.", source: "flows.md, authorization: AGREEMENT_PAY",
		run: func(s *scenario) {
			u := s.user(0)
			access, _ := s.tokens(s.ask("applyToken", s.apply(s.authCode(u))), u)
			s.dead(access, "INVALID_TOKEN")
		},
	},
}
