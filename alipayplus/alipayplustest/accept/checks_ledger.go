package accept

import (
	"net/http"
	"sync"
	"time"
)

// losable are wallets whose driver loses the answer of a debit.
var losable = []Capability{MerchantMode, LostDebits}

// loseDebit loses the answer of the user's next debit: after it landed, or
// before anything happened.
func (u *user) loseDebit(landed bool) {
	status := u.ask(http.MethodPost, u.s.cfg.Wallet.Driver, "/loseDebit", object{"landed": landed}, nil)
	u.s.must(status/100 == 2, "the driver's loseDebit succeeds", "HTTP %d", status)
}

// waits has the user look at a payment until it has an end, and confirms
// again where the app says that they may.
func (u *user) waits(o *order, next step) step {
	u.s.eventually(u.s.cfg.resendWithin(), func() bool {
		switch next.State {
		case "open":
			next = u.tap(o, o.debit, u.PIN)
		case "", "processing":
			next = u.result(o)
		}
		return next.State == "paid" || next.State == "failed" || next.State == "closed"
	})
	return next
}

// ends checks the end of a payment whose debit was not answered, and what
// Alipay+ is told of it: paid, or, if the debit did not land, certainly not
// paid, because the ledger refuses its key for good.
func (s *scenario) ends(o *order, shown step, landed bool) {
	paid := shown.State == "paid"
	s.must(paid || shown.State == "failed" && !landed, "paid, or certainly not paid, within "+s.limit(s.cfg.resendWithin()), "%v", shown)
	s.told(o, map[bool]string{true: "S", false: "F"}[paid], s.cfg.resendWithin())
}

// unfailed says that nobody was told of a failure.
func (s *scenario) unfailed(o *order) {
	i := s.inquire(o.id)
	s.must(i.payStatus != "F", "while the debit's end is unknown, the inquiry says U", "%v", i)
	v := s.view(o)
	told, code := v.told()
	s.must(told != "F", "Alipay+ is told nothing", "F %s", code)
}

var ledgerChecks = []check{
	{
		number: 221, name: "a debit that landed without an answer is paid, and is no failure on the way", needs: losable,
		loses: "The user has paid, is told that they have not, and pays again.", source: "package payment, table of states: paying, unknown",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			u.loseDebit(true)
			next := u.tap(o, o.debit, u.PIN)
			s.must(next.State != "failed" && next.State != "closed", "no failure: the user was debited", "%v", next)
			s.unfailed(o)
			next = u.waits(o, next)
			s.must(next.State == "paid", o.id+" paid within "+s.limit(s.cfg.resendWithin()), "%v", next)
			s.told(o, "S", s.cfg.resendWithin())
		},
	},
	{
		number: 222, name: "a debit that did not arrive, and was not answered, has an end and is made at most once", needs: losable,
		loses: "A payment hangs for ever, or is debited when nobody expects it any more.", source: "package payment, table of states: paying, unknown",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			u.loseDebit(false)
			next := u.waits(o, u.tap(o, o.debit, u.PIN))
			s.ends(o, next, false)
		},
	},
	{
		number: 223, name: "sixteen taps while the debit's end is unknown debit once", needs: losable,
		loses: "The user pays twice.", source: "package payment, table of states: paying, second confirm",
		run: func(s *scenario) {
			for _, landed := range []bool{true, false} {
				o, u := s.order(), s.user(0)
				u.cashier(o)
				u.loseDebit(landed)
				u.tap(o, o.debit, u.PIN)
				var taps sync.WaitGroup
				for range 16 {
					taps.Go(func() { u.tap(o, o.debit, u.PIN) })
				}
				taps.Wait()
				s.ends(o, u.waits(o, u.result(o)), landed)
			}
		},
	},
	{
		number: 224, name: "a debit whose end is unknown at the order's expiry is no failure", needs: losable, slow: true,
		loses: "The user has paid, and the merchant hears that the order is closed.", source: "package payment, table of states: paying, expiry: the debit may still land",
		run: func(s *scenario) {
			o, u := s.orderUntil(usual, time.Now().Add(4*time.Second)), s.user(0)
			u.cashier(o)
			u.loseDebit(true)
			next := u.tap(o, o.debit, u.PIN)
			s.sleep(time.Until(o.expiry) + 2*time.Second)
			s.unfailed(o)
			next = u.waits(o, next)
			s.must(next.State == "paid", o.id+" paid within "+s.limit(s.cfg.resendWithin()), "%v", next)
			s.told(o, "S", s.cfg.resendWithin())
		},
	},
	{
		number: 319, name: "cancelled while the debit's end is unknown: the money is back, once", needs: losable,
		loses: "The user has paid an order that the merchant knows to be cancelled.", source: "package payment, table of states: paying, cancelPayment",
		run: func(s *scenario) {
			for _, landed := range []bool{true, false} {
				o, u := s.order(), s.user(0)
				u.cashier(o)
				u.loseDebit(landed)
				u.tap(o, o.debit, u.PIN)
				s.settled("cancelPayment", s.inquiryOf(o.id))
				s.alipay.change(o, func(o *order) { o.cancelled = true })
				i := s.final(o.id)
				s.must(i.payStatus == "F" && i.payCode == "ORDER_IS_CLOSED", "F ORDER_IS_CLOSED after the cancellation", "%v", i)
			}
			if s.cfg.VirtualTime { // a debit that comes late
				s.sleep(s.cfg.resendWithin())
			}
			s.sleep(3 * time.Second)
		},
	},
	{
		number: 414, name: "a refund while the debit's end is unknown is not refused", needs: []Capability{EasyPay, LostDebits},
		loses: "The merchant gives up a refund of what the user has paid.", source: "package payment, table of states, paying: a refund while the debit's end is unknown is U",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			got := s.send("pay", s.payRequest(o, u, easyPayFactor))
			page := s.created(o, u, got)
			body := s.refundOf(o, s.newID(), 400)
			body["paymentId"] = text(got.members, "paymentId")
			u.loseDebit(true)
			u.at("pin", page, u.PIN)
			s.settled("refund", body)
			s.refunded(o, 400)
			s.told(o, "S", s.cfg.resendWithin())
		},
	},
	{
		number: 621, name: "a debit without an answer after the verification: redirect with success, paid once", needs: []Capability{EasyPay, LostDebits},
		loses: "The user has paid, and the shop shows a failure.", source: "package easypay, a payment: the verification's status, not the payment's",
		run: func(s *scenario) {
			for _, landed := range []bool{true, false} {
				o, u := s.newPay(usual), s.user(0)
				g := s.alipay.newAgreement(s.newID())
				if s.cfg.can(OneClick) {
					o.agreement = g.id
				}
				page := s.create(o, u)
				u.loseDebit(landed)
				shown := u.at("pin", page, u.PIN)
				for range 3 { // a page with an error is opened again
					if shown.http == http.StatusOK {
						break
					}
					if shown = u.at("open", page, ""); shown.http == http.StatusOK && shown.RedirectURL == "" {
						shown = u.at("pin", page, u.PIN)
					}
				}
				s.must(shown.RedirectURL == redirectURL+"&status=success", "the redirect URL with &status=success", "HTTP %d %q", shown.http, tail(shown.RedirectURL))
				if landed {
					s.unfailed(o)
				}
				s.eventually(s.cfg.resendWithin(), func() bool { return s.view(o).acknowledged > 0 })
				i := s.final(o.id)
				s.must(i.payStatus == "S" || i.payStatus == "F" && !landed, "inquiryPayment: paymentResult S within "+s.limit(s.cfg.resendWithin()), "%v", i)
				s.told(o, i.payStatus, s.cfg.resendWithin())
				if i.payStatus == "S" && s.cfg.can(OneClick) {
					ok := s.eventually(s.cfg.notifyWithin(), func() bool { return s.alipay.viewAgreement(g).acknowledged > 0 })
					s.must(ok, "with consent, authNotify TOKEN_CREATED within "+s.limit(s.cfg.notifyWithin()), "%s", times(len(s.alipay.viewAgreement(g).created), "authNotify TOKEN_CREATED"))
				}
			}
		},
	},
	{
		number: 711, name: "a one-click payment whose debit was not answered is not refused, and is paid once", needs: []Capability{EasyPay, OneClick, LostDebits},
		loses: "The user has paid, and the merchant hears that they have not.", source: "package easypay, a one-click payment: S, F or U",
		run: func(s *scenario) {
			u := s.user(0)
			_, token := s.consents(u)
			for _, landed := range []bool{true, false} {
				o := s.newPay(usual)
				body := s.tokenPay(o, token)
				s.alipay.change(o, func(o *order) { o.customer, o.seen = u.ID, true })
				u.loseDebit(landed)
				got := s.send("pay", body)
				s.must(got.status != "F" || !landed, "U, or S: the user was debited", "%v", got)
				if landed {
					s.unfailed(o)
				}
				s.eventually(s.cfg.resendWithin(), func() bool {
					got = s.send("pay", body)
					return got.status != "U"
				})
				s.must(got.status == "S" || got.status == "F" && !landed, "S to the same request within "+s.limit(s.cfg.resendWithin()), "%v", got)
				s.told(o, got.status, s.cfg.resendWithin())
			}
		},
	},
	{
		number: 809, name: "restart while the debit's end is unknown: it is not forgotten, and not made twice", needs: []Capability{MerchantMode, LostDebits, Restart},
		loses: loses, source: "alipayplus/RELIABILITY.md: calls in: crash; package payment, table of states: paying, unknown",
		run: func(s *scenario) {
			for _, landed := range []bool{true, false} {
				o, u := s.order(), s.user(0)
				u.cashier(o)
				u.loseDebit(landed)
				u.tap(o, o.debit, u.PIN)
				s.restart()
				next := u.waits(o, u.result(o))
				s.ends(o, next, landed)
			}
		},
	},
}

// settled asks until the answer is not U any more, and it must be S.
func (s *scenario) settled(api string, members object) {
	var got outcome
	s.eventually(s.cfg.resendWithin(), func() bool {
		got = s.once(s.prepare(api, members))
		return got.status != "U"
	})
	s.must(got.status == "S", api+" is U while the debit's end is unknown, and S in the end", "%v", got)
}
