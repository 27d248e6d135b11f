package accept

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

var confirmChecks = []check{
	{
		number: 201, name: "a confirmed payment is debited once, notified and reported alike", needs: merchantMode,
		loses: "The user pays and the merchant does not hear of it, or hears of another sum.", source: guide + "order code, steps 17-22",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			before := u.balance()
			u.pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			i := s.final(o.id)
			s.must(i.status == "S" && i.payStatus == "S" && i.payCode == "SUCCESS", "inquiryPayment: paymentResult S SUCCESS", "%v", i)
			s.must(text(i.members, "paymentTime") != "", "paymentTime in the inquiry", "none")
			s.must(u.balance() == before-o.debit.minor(), fmt.Sprintf("the balance is %d less", o.debit.minor()), "%d", before-u.balance())
			n := s.view(o).notes[0].members
			s.must(text(n, "customerId") == u.ID, "customerId in notifyPayment", "%q", text(n, "customerId"))
		},
	},
	{
		number: 202, name: "a second tap debits nothing", needs: merchantMode,
		loses: "The user pays twice.", source: guide + "step 4, the user confirms; package payment, table of states: paying, second confirm",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.pays(o)
			for range 2 {
				next := u.confirm(o)
				s.must(next.State == "paid", "paid, as before", "%v", next)
			}
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 203, name: "sixteen taps at once debit once", needs: merchantMode,
		loses: "The user pays twice.", source: "package payment, table of states: one winner of a double confirm",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			var taps sync.WaitGroup
			for range 16 {
				taps.Go(func() { u.tap(o, o.debit, u.PIN) })
			}
			taps.Wait()
			next := u.confirm(o)
			s.must(next.State == "paid", "the app is told paid", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 204, name: "another amount than the order's is not debited", needs: merchantMode,
		loses: "The user pays an amount that they did not see.", source: "package payment, table of states: confirm of another amount",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			for _, wrong := range []amount{{s.cfg.Currency, "1"}, {s.cfg.Currency, fmt.Sprint(usual + 1)}, {"USD", fmt.Sprint(usual)}} {
				next := u.tap(o, wrong, u.PIN)
				s.must(next.http == http.StatusConflict || next.http == http.StatusBadRequest, "409 amount_changed", "%v", next)
			}
			i := s.inquire(o.id)
			s.must(i.payStatus == "U", "the payment is open", "%v", i)
			next := u.confirm(o)
			s.must(next.State == "paid", "with the right amount it is paid", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 205, name: "another customer's confirmation is refused", needs: merchantMode,
		loses: "A stranger pays, or empties somebody's account.", source: "package payment, table of states: confirm by someone else",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).cashier(o)
			next := s.user(1).tap(o, o.debit, s.user(1).PIN)
			s.must(next.http == http.StatusNotFound || next.http == http.StatusForbidden, "404: there is no such payment of this customer", "%v", next)
			i := s.inquire(o.id)
			s.must(i.payStatus == "U", "the payment is open", "%v", i)
			next = s.user(0).confirm(o)
			s.must(next.State == "paid", "its own customer can pay it", "%v", next)
			next = s.user(1).tap(o, o.debit, s.user(1).PIN)
			s.must(next.http == http.StatusNotFound || next.http == http.StatusForbidden, "404 for a paid payment, too", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 206, name: "another customer does not see a payment", needs: merchantMode,
		loses: "Who buys what is known to strangers.", source: "package payment, table of states: another customer",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			next := s.user(1).result(o)
			s.must(next.http == http.StatusNotFound || next.http == http.StatusForbidden, "the app is answered HTTP 404", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 207, name: "a payment that no user saw cannot be confirmed", needs: merchantMode,
		loses: "Money moves for an order that Alipay+ does not know.", source: guide + "steps 9-17",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			next := u.tap(o, o.debit, u.PIN)
			s.must(next.http == http.StatusNotFound, "the app is answered HTTP 404", "%v", next)
		},
	},
	{
		number: 208, name: "nobody who is not signed in gets an answer", needs: merchantMode,
		loses: "Strangers use the wallet.", source: "mpm/APP.md, errors",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).cashier(o)
			nobody := &user{s, User{}}
			next := step{}
			next.http = nobody.ask(http.MethodPost, s.cfg.Wallet.App, "/confirm", nobody.confirmation(o, o.debit, s.user(0).PIN, false), &next)
			s.must(next.http == http.StatusUnauthorized || next.http == http.StatusForbidden, "the app is answered HTTP 401", "%v", next)
		},
	},
	{
		number: 209, name: "a wrong PIN debits nothing, and nothing is notified while the user may try again", needs: []Capability{MerchantMode, WrongPIN},
		loses: "Who finds a phone pays with it; or the merchant cancels while the user corrects a typing mistake.", source: "package payment, table of states: refused, user may try again",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			next := u.until(o, u.tap(o, o.debit, u.wrongPIN(0)))
			s.must(next.State == "open" || next.State == "failed", "state open or failed, because the PIN is wrong", "%v", next)
			if next.State == "open" {
				i := s.inquire(o.id)
				s.must(i.payStatus == "U" && i.payCode == "PAYMENT_IN_PROCESS", "inquiryPayment: paymentResult U PAYMENT_IN_PROCESS", "%v", i)
				next = u.confirm(o)
				s.must(next.State == "paid", "paid with the right PIN", "%v", next)
				s.told(o, "S", s.cfg.notifyWithin())
			}
		},
	},
	{
		number: 210, name: "a balance that is too low is not debited", needs: merchantMode,
		loses: "The wallet lends money that it never meant to lend.", source: "API notifyPayment, USER_BALANCE_NOT_ENOUGH",
		run: func(s *scenario) {
			u := s.user(1)
			o := s.orderOver(u.balance()/1000*1000 + 1000)
			u.cashier(o)
			next := u.confirm(o)
			s.must(next.State == "open" || next.State == "failed", "state open or failed, because the balance is too low", "%v", next)
			s.must(next.ResultCode == "USER_BALANCE_NOT_ENOUGH", "the app is told USER_BALANCE_NOT_ENOUGH", "%v", next)
			if next.State == "failed" {
				s.told(o, "F", s.cfg.notifyWithin())
			}
		},
	},
	{
		number: 211, name: "two payments that race for one balance: one is paid", needs: merchantMode,
		loses: "The wallet lends money that it never meant to lend.", source: "alipayplus/RELIABILITY.md: on a real database",
		run: func(s *scenario) {
			u := s.user(1)
			minor := (u.balance()*6/10 + 1000) / 1000 * 1000
			var orders []*order
			for range 3 {
				o := s.orderOver(minor)
				u.cashier(o)
				orders = append(orders, o)
			}
			var taps sync.WaitGroup
			for _, o := range orders {
				taps.Go(func() { u.tap(o, o.debit, u.PIN) })
			}
			taps.Wait()
			var paid []*order
			for _, o := range orders {
				next := u.until(o, u.result(o))
				if next.State == "paid" {
					paid = append(paid, o)
				}
			}
			s.must(len(paid) == 1, "one of three is paid", "%d", len(paid))
			s.told(paid[0], "S", s.cfg.notifyWithin())
			s.cancel(paid[0]) // the next run needs the balance
		},
	},
	{
		number: 212, name: "a payment that is confirmed too late is closed, not debited", needs: merchantMode, slow: true,
		loses: "The user pays, and the merchant has closed the order.", source: decodePage + "paymentExpiryTime",
		run: func(s *scenario) {
			o, u := s.orderUntil(usual, time.Now().Add(4*time.Second)), s.user(0)
			u.cashier(o)
			s.sleep(5 * time.Second)
			next := u.confirm(o)
			s.must(next.State == "closed" || next.State == "failed", "the app is told closed", "%v", next)
			s.must(next.ResultCode == "ORDER_IS_CLOSED", "the app is told ORDER_IS_CLOSED", "%v", next)
			s.told(o, "F", s.cfg.resendWithin())
			v := s.view(o)
			_, code := v.told()
			s.must(code == "ORDER_IS_CLOSED", "notifyPayment F ORDER_IS_CLOSED", "%q", code)
		},
	},
	{
		number: 213, name: "a payment that nobody confirms is closed and notified", needs: merchantMode,
		loses: "The merchant waits for a payment that cannot come.", source: "package payment, table of states: open, expiry",
		run: func(s *scenario) {
			o := s.orderUntil(usual, time.Now().Add(4*time.Second))
			s.user(0).cashier(o)
			s.told(o, "F", s.cfg.resendWithin())
			i := s.final(o.id)
			s.must(i.payStatus == "F" && i.payCode == "ORDER_IS_CLOSED", "inquiryPayment: paymentResult F ORDER_IS_CLOSED", "%v", i)
			next := s.user(0).result(o)
			s.must(next.State == "closed" || next.State == "failed", "closed for the user, too", "%v", next)
		},
	},
	{
		number: 214, name: "after the payment the user returns to paymentRedirectUrl, byte for byte", needs: merchantMode,
		loses: "The user does not get back to the merchant, or to somebody else's page.", source: guide + "order code, steps 23-24",
		run: func(s *scenario) {
			const back = "https://shop.accept.example/result?session=n5x%2BaN%3D%3D%26%26SG&lang=en#top"
			o := s.order()
			o.set(object{"paymentRedirectUrl": back})
			next := s.user(0).pays(o)
			s.must(next.Redirect.To == "merchant" && next.Redirect.URL == back, "redirect to the merchant's URL, byte for byte", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
			plain := s.order()
			next = s.user(0).pays(plain)
			s.must(next.Redirect.To == "home" && next.Redirect.URL == "", "redirect home", "%v", next)
			s.told(plain, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 215, name: "what can be paid is paid by both customers, each their own", needs: merchantMode,
		loses: "One customer pays for another.", source: decodePage + "customerId",
		run: func(s *scenario) {
			mine, theirs := s.order(), s.order()
			s.user(0).cashier(mine)
			s.user(1).cashier(theirs)
			s.user(1).confirm(theirs)
			s.user(0).confirm(mine)
			s.told(mine, "S", s.cfg.notifyWithin())
			s.told(theirs, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 216, name: "every smallest unit is debited and given back", needs: merchantMode,
		loses: "A cent at every payment, until the audit.", source: "package alipayplus, Amount: smallest units, never a floating-point number",
		run: func(s *scenario) {
			u := s.user(0)
			var orders []*order
			for _, minor := range []int64{1003, 1012, 1020} {
				o := s.orderOver(minor)
				if _, ok := o.answer["paymentQuote"]; ok {
					o.set(object{"paymentQuote": object{"quoteId": "Q2", "quoteCurrencyPair": s.cfg.OrderCurrency + "/" + s.cfg.Currency,
						"quotePrice": fmt.Sprintf("%d.%02d", minor/100, minor%100)}})
					o.paymentAmount = amount{s.cfg.OrderCurrency, "100"}
					o.set(object{"paymentAmount": o.paymentAmount.object(), "order": o.orderObject()})
				}
				u.pays(o)
				s.told(o, "S", s.cfg.notifyWithin())
				orders = append(orders, o)
			}
			o := orders[0]
			for _, minor := range []int64{502, 501} {
				ordered := minor
				if o.paymentAmount != o.payToAmount {
					ordered = 50
				}
				got := s.ask("refund", s.refundParts(o, s.newID(), ordered, minor))
				s.must(got.status == "S", "refund is answered S", "%v", got)
				s.refunded(o, minor)
			}
		},
	},
	{
		number: 217, name: "what was paid in time stays paid after the order's expiry", needs: merchantMode, slow: true,
		loses: "The user has paid, and the merchant hears that the order is closed.", source: "package payment, table of states: paid, expiry: nothing changes",
		run: func(s *scenario) {
			o, u := s.orderUntil(usual, time.Now().Add(4*time.Second)), s.user(0)
			u.pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			s.sleep(time.Until(o.expiry) + 2*time.Second)
			i := s.inquire(o.id)
			s.must(i.payStatus == "S", "inquiryPayment: paymentResult S, as before the expiry", "%v", i)
			next := u.result(o)
			s.must(next.State == "paid", "paid, as before the expiry", "%v", next)
		},
	},
}
