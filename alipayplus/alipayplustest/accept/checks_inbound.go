package accept

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

var inboundChecks = []check{
	spoiled(501, "unsigned", func(s *scenario, r *request) { r.header.Del("Signature") }),
	spoiled(502, "changed on its way", func(s *scenario, r *request) {
		r.body = []byte(strings.Replace(string(r.body), acquirerID, "ACCEPT_acquirer", 1))
	}),
	spoiled(503, "signed with a stranger's key", func(s *scenario, r *request) {
		*r = s.prepareWith(r.api, PrivateKey{s.cfg.Alipay.Keys[0].Version, strangersKey()}, s.cfg.Wallet.ClientID, time.Now(), r.body)
	}),
	spoiled(504, "signed for another client", func(s *scenario, r *request) {
		*r = s.prepareWith(r.api, s.cfg.Alipay.Keys[0], "SOMEBODY_ELSE", time.Now(), r.body)
	}),
	spoiled(505, "without its Request-Time", func(s *scenario, r *request) { r.header.Del("Request-Time") }),
	spoiled(506, "with another Request-Time than the signed one", func(s *scenario, r *request) {
		r.header.Set("Request-Time", stamp(time.Now().Add(time.Second)))
	}),
	spoiled(507, "signed for another path", func(s *scenario, r *request) {
		r.header = signed(s.cfg.Alipay.Keys[0], "Request-Time", r.target+"x", s.cfg.Wallet.ClientID, stamp(time.Now()), r.body)
	}),
	spoiled(508, "with the algorithm none", func(s *scenario, r *request) {
		r.header.Set("Signature", "algorithm=none,keyVersion=1,signature=")
	}),
	spoiled(509, "with an empty signature", func(s *scenario, r *request) {
		r.header.Set("Signature", "")
	}),
	{
		number: 511, name: "every answer is signed, also to what cannot be used",
		loses: "Alipay+ cannot believe the answer and repeats, or takes a payment for unknown.", source: "Alipay+ API overview, signature of responses",
		run: func(s *scenario) {
			for _, api := range s.cfg.inbound() {
				for _, c := range []struct{ what, body string }{
					{"without a member", `{}`}, {"with an object for paymentRequestId", `{"paymentRequestId":{"a":"b"}}`},
					{"with a paymentRequestId of 3000 characters", `{"paymentRequestId":"` + strings.Repeat("x", 3000) + `"}`},
					{"with an unknown member alone", `{"unknown":"x"}`},
				} {
					got := s.once(s.prepareBody(api, []byte(c.body)))
					s.must(got.status != "S", api+" "+c.what+" is no S", "%v", got)
				}
			}
		},
	},
	{
		number: 512, name: "inbound native scalars, other order and unknown members are read", needs: merchantMode,
		loses: "All inquiries, refunds and cancellations fail when Alipay+ adds a member.", source: "Alipay+ API overview, JSON conventions",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			got := s.once(s.prepareBody("inquiryPayment", scramble(encode(s.inquiryOf(o.id)), true)))
			s.must(got.status == "S" && text(got.members, "paymentResult", "resultStatus") == "S", "inquiryPayment is answered S", "%v", got)
			got = s.once(s.prepareBody("refund", scramble(encode(s.refundOf(o, s.newID(), 300)), true)))
			s.must(got.status == "S", "S for a refund", "%v", got)
			s.refunded(o, 300)
			got = s.once(s.prepareBody("cancelPayment", scramble(encode(s.inquiryOf(o.id)), true)))
			s.must(got.status == "S", "S for a cancellation", "%v", got)
			s.alipay.change(o, func(o *order) { o.cancelled = true })
		},
	},
	{
		number: 513, name: "a member that is there twice with two values decides nothing", needs: merchantMode,
		loses: "A check reads one value and the booking another.", source: "package alipayplus, answering Alipay+: no member twice",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			body := string(encode(s.refundOf(o, s.newID(), 100)))
			twice := strings.Replace(body, `"refundAmount":`, fmt.Sprintf(`"refundAmount":%s,"refundAmount":`, encode(o.paymentAmount.object())), 1)
			got := s.once(s.prepareBody("refund", []byte(twice)))
			s.must(got.status != "S", "refund is answered F or U", "%v", got)
		},
	},
	{
		number: 514, name: "a repeat that was signed an hour ago is answered like any other", needs: merchantMode,
		loses: "A refund or a cancellation that Alipay+ repeats is refused for its age, and never made.", source: "package alipayplus, HandlerConfig: the age of a call that changes something",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			r := s.prepareWith("cancelPayment", s.cfg.Alipay.Keys[0], s.cfg.Wallet.ClientID, time.Now().Add(-time.Hour), encode(s.inquiryOf(o.id)))
			got := s.once(r)
			s.must(got.status == "S", "cancelPayment is answered S", "%v", got)
			s.alipay.change(o, func(o *order) { o.cancelled = true })
		},
	},
	{
		number: 515, name: "both keys of Alipay+ are taken during its rotation", needs: []Capability{KeyRotation},
		loses: "All payments stop on the day of a rotation.", source: "Alipay+ API overview, keyVersion",
		run: func(s *scenario) {
			for i := range 2 {
				got := s.once(s.prepareWith("inquiryPayment", s.cfg.Alipay.Keys[i], s.cfg.Wallet.ClientID, time.Now(), encode(s.inquiryOf(s.newID()))))
				s.must(got.code == "ORDER_NOT_EXIST", "inquiryPayment is answered ORDER_NOT_EXIST", "%v", got)
			}
			if s.cfg.can(MerchantMode) {
				s.useKey(1)
				defer s.useKey(0)
				o := s.order()
				s.user(0).pays(o)
				s.told(o, "S", s.cfg.notifyWithin())
			}
		},
	},
	{
		number: 516, name: "a payment goes on while the wallet changes its own key", needs: []Capability{MerchantMode, KeyRotation},
		loses: "What was not acknowledged before a rotation never is.", source: "Alipay+ API overview, keyVersion",
		run: func(s *scenario) {
			o := s.order()
			o.notifyFaults = []fault{unknown}
			s.user(0).pays(o)
			s.eventually(s.cfg.notifyWithin(), func() bool { return len(s.view(o).notes) > 0 })
			s.walletKeys(2)
			s.control("rotateKey", object{"version": s.cfg.Wallet.Keys[1].Version})
			defer func() {
				s.control("rotateKey", object{"version": s.cfg.Wallet.Keys[0].Version})
				s.walletKeys(1)
			}()
			got := s.once(s.prepare("inquiryPayment", s.inquiryOf(o.id)))
			s.must(got.keyVersion == s.cfg.Wallet.Keys[1].Version, "answers signed with key "+s.cfg.Wallet.Keys[1].Version, "key %s", got.keyVersion)
			s.told(o, "S", s.cfg.resendWithin())
			later := s.order()
			s.user(0).pays(later)
			s.told(later, "S", s.cfg.notifyWithin())
			for _, sent := range slices.Concat(s.view(later).decodes, s.view(later).notes) {
				s.must(sent.keyVersion == s.cfg.Wallet.Keys[1].Version, "what the wallet sends afterwards is signed with key "+s.cfg.Wallet.Keys[1].Version, "%s is signed with key %s", sent.target, sent.keyVersion)
			}
		},
	},
	{
		number: 518, name: "native scalars, other order and unknown members of pay and of the token APIs are read", needs: easyPay,
		loses: "All payments of Easy Pay fail when Alipay+ adds a member.", source: "Alipay+ API overview, JSON conventions",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			ask := func(api string, members object) outcome {
				return s.once(s.prepareBody(api, scramble(encode(members), true)))
			}
			got := ask("pay", s.payRequest(o, u, evaluationFactor))
			s.must(got.status == "S", "an evaluation is answered S", "%v", got)
			s.verified(u, s.created(o, u, ask("pay", s.payRequest(o, u, easyPayFactor))))
			s.told(o, "S", s.cfg.notifyWithin())
			if s.cfg.can(AuthCodes) {
				s.tokens(ask("applyToken", s.apply(s.authCode(u))), u)
			}
			if s.cfg.can(OneClick) {
				_, token := s.consents(u)
				with := s.newPay(usual)
				got := ask("pay", s.tokenPay(with, token))
				s.must(got.status == "S", "a payment with a token is answered S", "%v", got)
				s.alipay.change(with, func(o *order) { o.customer, o.seen = u.ID, true })
				s.told(with, "S", s.cfg.notifyWithin())
				got = ask("cancelToken", object{"acquirerId": acquirerID, "pspId": pspID, "accessToken": token})
				s.must(got.status == "S", "cancelToken is answered S", "%v", got)
			}
		},
	},
	{
		number: 517, name: "another method than POST changes nothing",
		loses: "A link on a web page cancels a payment.", source: "Alipay+ API overview, transport",
		run: func(s *scenario) {
			for _, api := range s.cfg.inbound() {
				status, header, body, err := exchangeWith(s.ctx, s.cfg.Transport, within(api), http.MethodGet, s.cfg.Wallet.Inbound[api], func(http.Header) {}, nil)
				s.must(err == nil, "an answer", "%v", err)
				s.must(status >= 400 || header.Get("Signature") != "" && !strings.Contains(string(body), `"S"`), "405", "HTTP %d", status)
			}
		},
	},
}

// livingToken returns a token that no check uses up.
func (s *scenario) livingToken() string {
	if s.suite.token == "" {
		_, s.suite.token = s.consents(s.user(0))
	}
	return s.suite.token
}

func (s *scenario) useKey(i int) {
	s.alipay.mu.Lock()
	defer s.alipay.mu.Unlock()
	s.alipay.key = s.cfg.Alipay.Keys[i]
}

func (s *scenario) walletKeys(n int) {
	s.alipay.mu.Lock()
	defer s.alipay.mu.Unlock()
	s.alipay.walletKeys = s.cfg.Wallet.Keys[:n]
}

// spoiled sends requests that must not be believed.
func spoiled(number int, what string, spoil func(s *scenario, r *request)) check {
	return check{
		number: number, name: "a call " + what + " is refused, by every API, and changes nothing",
		loses: "Anybody cancels, refunds and debits.", source: "Alipay+ API overview, signature of requests",
		run: func(s *scenario) {
			u, o := s.user(0), s.order()
			if s.cfg.can(MerchantMode) {
				u.pays(o)
			} else {
				s.verified(u, s.create(o, u))
			}
			s.told(o, "S", s.cfg.notifyWithin())
			for _, api := range s.cfg.inbound() {
				body := s.inquiryOf(o.id)
				switch api {
				case "refund":
					body = s.refundOf(o, s.newID(), 100)
				case "pay":
					body = s.payRequest(s.newPay(usual), u, easyPayFactor)
				case "applyToken":
					body = s.apply(s.authCode(u)) // one that is good: another would be refused anyway
				case "cancelToken":
					body = object{"acquirerId": acquirerID, "pspId": pspID, "accessToken": s.livingToken()}
				}
				r := s.prepare(api, body)
				spoil(s, &r)
				status, _, answer, err := s.raw(r, " "+what)
				s.must(err == nil, "an answer to "+api, "%v", err)
				var members object
				_ = json.Unmarshal(answer, &members)
				refused := text(members, "result", "resultStatus") != "S" && text(members, "paymentUrl") == "" &&
					text(members, "paymentResult", "resultStatus") == ""
				s.must(refused, api+": refused", "HTTP %d, %s", status, redact(answer))
			}
		},
	}
}
