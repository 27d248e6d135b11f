package accept

import (
	"sync"
	"time"
)

var (
	restartable = []Capability{MerchantMode, Restart}
	loses       = "A crash costs a user money, or a merchant a payment."
)

var crashChecks = []check{
	{
		number: 801, name: "restart between scan and confirmation", needs: restartable, loses: loses, source: "alipayplus/RELIABILITY.md: calls in: crash",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			s.restart()
			next := u.confirm(o)
			s.must(next.State == "paid", "the app is told paid", "%v", next)
			s.told(o, "S", s.cfg.resendWithin())
		},
	},
	{
		number: 802, name: "restart between debit and acknowledgement: the same notification comes again", needs: restartable, loses: loses, source: "alipayplus/RELIABILITY.md: notifications", slow: true,
		run: func(s *scenario) {
			u := s.user(0)
			var orders []*order
			for _, f := range []fault{unknown, loseRequest, loseAnswer} {
				o := s.order()
				o.notifyFaults = []fault{f}
				u.pays(o)
				orders = append(orders, o)
			}
			s.restart()
			for _, o := range orders {
				ok := s.eventually(s.cfg.resendWithin(), func() bool { return s.view(o).acknowledged > 0 && len(s.view(o).notes) > 1 })
				s.must(ok, "the notification after the restart", "%d attempts", len(s.view(o).notes))
				s.must(u.result(o).State == "paid", "the app is told paid", "%v", u.result(o))
			}
		},
	},
	{
		number: 803, name: "restart after a refund: the repeat gets the same answer", needs: restartable, loses: loses, source: idemPage + "keys carry no time limit",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			body := s.refundOf(o, s.newID(), 400)
			got := s.ask("refund", body)
			s.must(got.status == "S", "refund is answered S", "%v", got)
			s.refunded(o, 400)
			s.restart()
			s.one([]outcome{got, s.ask("refund", body)})
			s.refused("a refund over the rest", s.ask("refund", s.refundOf(o, s.newID(), 700)), "REFUND_AMOUNT_EXCEED")
		},
	},
	{
		number: 804, name: "restart after a cancellation: it is not forgotten", needs: restartable, loses: loses, source: "package payment, table of states: closed",
		run: func(s *scenario) {
			paid, open, never, u := s.order(), s.order(), s.order(), s.user(0)
			u.pays(paid)
			u.cashier(open)
			for _, o := range []*order{paid, open} {
				s.cancel(o)
			}
			got := s.ask("cancelPayment", s.inquiryOf(never.id))
			if got.status == "S" {
				s.alipay.change(never, func(o *order) { o.cancelled = true })
			}
			s.restart()
			for _, o := range []*order{paid, open} {
				i := s.inquire(o.id)
				s.must(i.payStatus == "F" && i.payCode == "ORDER_IS_CLOSED", "inquiryPayment: paymentResult F ORDER_IS_CLOSED", "%v", i)
				s.must(u.confirm(o).State != "paid", "not paid", "paid")
			}
			if got.status == "S" {
				next := u.scan(never)
				if next.Step == "cashier" {
					next = u.confirm(never)
				}
				s.must(next.State != "paid" && next.State != "open", "a cancelled order is closed", "%v", next)
			}
		},
	},
	{
		number: 805, name: "restart while the page is open: it goes on, and tries stay counted", needs: []Capability{EasyPay, Restart}, loses: loses, source: "package easypay, the verification page",
		run: func(s *scenario) {
			u := s.user(0)
			counted, o := s.newPay(usual), s.newPay(usual)
			countedPage, page := s.create(counted, u), s.create(o, u)
			for i := range s.cfg.Limits.PINTries - 1 {
				u.at("pin", countedPage, u.wrongPIN(i))
			}
			s.restart()
			s.verified(u, page)
			s.told(o, "S", s.cfg.resendWithin())
			p := u.at("pin", countedPage, u.wrongPIN(9))
			s.must(p.RedirectURL == redirectURL+"&status=fail", "the tries before the restart count", "%q", tail(p.RedirectURL))
			s.told(counted, "F", s.cfg.resendWithin())
			again := s.send("pay", s.payRequest(o, u, easyPayFactor))
			s.must(again.status == "U", "the creation's answer again", "%v", again)
		},
	},
	{
		number: 806, name: "restart between a token and its report: the same token", needs: []Capability{EasyPay, OneClick, Restart}, loses: "Alipay+ never learns the token, or has two.", source: easyPayPage + "step 5", slow: true,
		run: func(s *scenario) {
			u := s.user(0)
			o := s.newPay(usual)
			g := s.alipay.newAgreement(s.newID())
			g.faults = []fault{loseAnswer}
			o.agreement = g.id
			s.verified(u, s.create(o, u))
			s.eventually(s.cfg.notifyWithin(), func() bool { return len(s.alipay.viewAgreement(g).created) > 0 })
			s.restart()
			s.must(s.eventually(s.cfg.resendWithin(), func() bool { return len(s.alipay.viewAgreement(g).created) > 1 }), "the report after the restart", "none")
			s.told(o, "S", s.cfg.resendWithin())
			s.paysWith(text(s.alipay.viewAgreement(g).created[0].members, "accessToken"), u)
		},
	},
	{
		number: 807, name: "many payments are under way at every restart, and all end", needs: restartable, loses: loses, source: "alipayplus/RELIABILITY.md: on a real database",
		run: func(s *scenario) {
			for round := range 2 {
				u := s.user(0)
				var orders []*order
				for i := range 16 {
					o := s.order()
					if i%3 == 0 {
						o.notifyFaults = []fault{loseAnswer}
					}
					u.cashier(o)
					orders = append(orders, o)
				}
				var all sync.WaitGroup
				for i, o := range orders {
					all.Go(func() {
						_ = s.guard(func() {
							s.sleep(time.Duration(i) * time.Millisecond)
							u.tap(o, o.debit, u.PIN)
						})
					})
				}
				all.Go(func() {
					_ = s.guard(func() {
						s.sleep(time.Duration(5+round) * time.Millisecond)
						s.restart()
					})
				})
				all.Wait()
				for _, o := range orders {
					next := u.until(o, u.result(o))
					if next.State == "open" || next.http != 200 { // the tap was lost with the process
						next = u.confirm(o)
					}
					s.must(next.State == "paid", o.id+" paid within "+s.limit(s.cfg.notifyWithin()), "%v", next)
					s.told(o, "S", s.cfg.resendWithin())
				}
			}
		},
	},
	{
		number: 808, name: "a repeat of what was running at a restart is answered, and booked once", needs: restartable, slow: true, loses: loses, source: "alipayplus/RELIABILITY.md: calls in: crash between commit and record",
		run: func(s *scenario) {
			u := s.user(0)
			var orders []*order
			var bodies []object
			for range 8 {
				o := s.order()
				u.pays(o)
				s.told(o, "S", s.cfg.resendWithin())
				orders, bodies = append(orders, o), append(bodies, s.refundOf(o, s.newID(), 400))
			}
			var race sync.WaitGroup
			for i, body := range bodies {
				r := s.prepare("refund", body)
				race.Go(func() {
					_ = s.guard(func() { s.sleep(time.Duration(i) * time.Millisecond) })
					_, _ = s.try(r)
				})
			}
			race.Go(func() { _ = s.guard(s.restart) })
			race.Wait()
			for i, body := range bodies {
				var got outcome
				s.eventually(s.cfg.resendWithin(), func() bool {
					var err error
					got, err = s.try(s.prepare("refund", body))
					return err == nil && got.status != "U"
				})
				s.must(got.status == "S", "the repeated refund is answered S within "+s.limit(s.cfg.resendWithin()), "%v", got)
				s.refunded(orders[i], 400)
			}
		},
	},
	{
		number: 810, name: "restart before the order's expiry: it is closed and notified all the same", needs: restartable, slow: true,
		loses: "The merchant waits for a payment that cannot come, or the user pays an order that is closed.", source: "package payment, table of states: open, expiry",
		run: func(s *scenario) {
			o := s.orderUntil(usual, time.Now().Add(6*time.Second))
			s.user(0).cashier(o)
			s.restart()
			s.told(o, "F", s.cfg.resendWithin())
			i := s.final(o.id)
			s.must(i.payStatus == "F" && i.payCode == "ORDER_IS_CLOSED", "inquiryPayment: paymentResult F ORDER_IS_CLOSED", "%v", i)
		},
	},
	{
		number: 811, name: "restart after a payment with a token, and after cancelToken: neither is forgotten", needs: []Capability{EasyPay, OneClick, Restart},
		loses: "The merchant hears that a payment failed that the user has made; a merchant debits a user who ended the agreement.", source: idemPage + "keys carry no time limit",
		run: func(s *scenario) {
			u := s.user(0)
			_, token := s.consents(u)
			o := s.newPay(usual)
			body := s.tokenPay(o, token)
			got := s.ask("pay", body)
			s.must(got.status == "S", "pay is answered S", "%v", got)
			s.alipay.change(o, func(o *order) { o.customer, o.seen = u.ID, true })
			ended := s.ask("cancelToken", object{"acquirerId": acquirerID, "pspId": pspID, "accessToken": token})
			s.must(ended.status == "S", "cancelToken is answered S", "%v", ended)
			s.told(o, "S", s.cfg.notifyWithin())
			s.restart()
			s.one([]outcome{got, s.ask("pay", body)})
			s.dead(token, "INVALID_TOKEN", "EXPIRED_ACCESS_TOKEN")
		},
	},
	{
		number: 812, name: "restart while authorization codes are out: a fresh one is good, a used one is not", needs: []Capability{AuthCodes, Restart},
		loses: "The user cannot go on at the merchant; or who reads a code on its way becomes the user.", source: guide + "workflow in the Chinese mainland: five minutes, once",
		run: func(s *scenario) {
			u := s.user(0)
			fresh, used := s.authCode(u), s.authCode(u)
			s.tokens(s.ask("applyToken", s.apply(used)), u)
			s.restart()
			s.tokens(s.ask("applyToken", s.apply(fresh)), u)
			other := s.apply(used)
			other["acquirerId"] = "ANOTHER_ACQUIRER"
			s.refused("a used code in another request", s.ask("applyToken", other))
		},
	},
}
