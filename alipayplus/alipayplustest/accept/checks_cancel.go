package accept

import (
	"sync"
	"time"
)

// cancelDuring cancels o while f runs, as many milliseconds after its start as
// turn says: at 0 either may be first. An S of that moment has to hold by itself:
// only what was not answered S is cancelled again.
func (s *scenario) cancelDuring(turn int, o *order, f func()) {
	r := s.cancellation(o)
	var got outcome
	var race sync.WaitGroup
	race.Go(func() { _ = s.guard(f) })
	s.sleep(time.Duration(turn) * time.Millisecond)
	got, _ = s.try(r)
	race.Wait()
	if got.status != "S" {
		s.cancel(o)
		return
	}
	s.alipay.change(o, func(o *order) { o.cancelled = true })
}

// cancelledUnseen cancels a payment that the wallet never saw. A wallet that
// answers ORDER_NOT_EXIST has to remember it all the same.
func (s *scenario) cancelledUnseen(o *order) {
	got := s.ask("cancelPayment", s.inquiryOf(o.id))
	s.must(got.status == "S" || got.code == "ORDER_NOT_EXIST", "S, or F ORDER_NOT_EXIST", "%v", got)
	if got.status == "S" {
		s.alipay.change(o, func(o *order) { o.cancelled = true })
	}
}

var cancelChecks = []check{
	{
		number: 311, name: "cancelled before the confirmation: nobody pays", needs: merchantMode,
		loses: "The user pays an order that the merchant gave up.", source: "API cancelPayment; package payment, table of states: open, cancelPayment",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			s.cancel(o)
			next := u.confirm(o)
			s.must(next.State == "closed" || next.State == "failed", "the app is told closed", "%v", next)
			s.must(next.ResultCode == "ORDER_IS_CLOSED", "the app is told ORDER_IS_CLOSED", "%v", next)
			next = u.scan(o)
			s.must(next.Step == "failed" || next.State == "closed" || next.State == "failed", "a second scan says so, too", "%v", next)
			i := s.inquire(o.id)
			s.must(i.payStatus == "F" && i.payCode == "ORDER_IS_CLOSED", "inquiryPayment: paymentResult F ORDER_IS_CLOSED", "%v", i)
		},
	},
	{
		number: 312, name: "cancelled before the wallet saw it: it can never be paid", needs: merchantMode,
		loses: "The user pays an order that the merchant gave up.", source: "package payment, table of states: –, cancelPayment",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			got := s.ask("cancelPayment", s.inquiryOf(o.id))
			s.must(got.status == "S" || got.code == "ORDER_NOT_EXIST", "S, or F ORDER_NOT_EXIST", "%v", got)
			if got.status == "S" {
				s.alipay.change(o, func(o *order) { o.cancelled = true })
				next := u.scan(o)
				if next.Step == "cashier" {
					next = u.confirm(o)
				}
				s.must(next.State != "paid" && next.State != "open", "an order that is closed", "%v", next)
			}
		},
	},
	{
		number: 313, name: "cancelled after the payment: the money is back, once", needs: merchantMode,
		loses: "The user has paid for nothing.", source: "API cancelPayment; package payment, table of states: paid, cancelPayment",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			for range 3 {
				s.cancel(o)
			}
			i := s.inquire(o.id)
			s.must(i.payStatus == "F" && i.payCode == "ORDER_IS_CLOSED", "inquiryPayment: paymentResult F ORDER_IS_CLOSED", "%v", i)
			next := u.result(o)
			s.must(next.State == "closed" || next.State == "failed", "closed for the user, too", "%v", next)
			next = u.confirm(o)
			s.must(next.State != "paid", "a later confirmation debits nothing", "%v", next)
		},
	},
	{
		number: 314, name: "cancelled during the debit: a cancellation that succeeds costs nothing", needs: merchantMode,
		loses: "The user has paid an order that the merchant knows to be cancelled.", source: "package payment, table of states: paying, cancelPayment",
		run: func(s *scenario) {
			u := s.user(0)
			for turn := range 12 {
				o := s.order()
				u.cashier(o)
				s.cancelDuring(turn, o, func() { u.tap(o, o.debit, u.PIN) })
				i := s.final(o.id)
				s.must(i.payStatus == "F" && i.payCode == "ORDER_IS_CLOSED", "F ORDER_IS_CLOSED after the cancellation", "%v", i)
			}
		},
	},
	{
		number: 315, name: "2 to 64 cancellations at once give the money back once", needs: merchantMode,
		loses: "The wallet pays the user out several times.", source: idemPage + "cancelPayment",
		run: func(s *scenario) {
			for _, n := range []int{2, 8, 64} {
				o := s.order()
				s.user(0).pays(o)
				got := s.one(s.parallel(s.cancellation(o), n))
				s.must(got.status == "S" || got.status == "", "cancelPayment is answered S", "%v", got)
				s.cancel(o)
			}
		},
	},
	{
		number: 316, name: "cancelled after a part was refunded: the rest is back", needs: merchantMode,
		loses: "The wallet gives back more than was paid.", source: "package payment, table of states: paid, cancelPayment",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			body := s.refundOf(o, s.newID(), 300)
			got := s.ask("refund", body)
			s.must(got.status == "S", "refund is answered S", "%v", got)
			s.refunded(o, 300)
			s.cancel(o)
			s.one([]outcome{got, s.ask("refund", body)}) // a repeat that comes late
		},
	},
	{
		number: 317, name: "a cancellation of what was closed or failed before succeeds and changes nothing", needs: merchantMode, slow: true,
		loses: "Alipay+ repeats a cancellation for ever.", source: "package payment, table of states: failed or closed, cancelPayment",
		run: func(s *scenario) {
			o := s.orderUntil(usual, time.Now().Add(3*time.Second))
			s.user(0).cashier(o)
			s.told(o, "F", s.cfg.resendWithin())
			before := s.final(o.id)
			s.cancel(o)
			after := s.final(o.id)
			s.must(before.payCode == after.payCode, "the code stays "+before.payCode, "%v", after)
		},
	},
	{
		number: 318, name: "an S that was not acknowledged is not sent after a cancellation", needs: merchantMode, slow: true,
		loses: "The merchant hears of a payment that was given back.", source: "package payment, table of states: an unsent S notification is dropped",
		run: func(s *scenario) {
			o := s.order()
			for range 50 {
				o.notifyFaults = append(o.notifyFaults, unknown)
			}
			s.user(0).pays(o)
			s.eventually(s.cfg.notifyWithin(), func() bool { return len(s.view(o).notes) > 0 })
			s.cancel(o)
			cancelledAt := time.Now()
			s.sleep(min(s.cfg.resendWithin(), 10*time.Second))
			for _, n := range s.view(o).notes {
				late := n.at.Sub(cancelledAt) > time.Second // one may be on its way
				s.must(!late || text(n.members, "paymentResult", "resultStatus") != "S", "no S after the cancellation", "one %v later", n.at.Sub(cancelledAt).Round(time.Millisecond))
			}
		},
	},
	{
		number: 320, name: "a cancellation is taken until 00:30 (UTC+8) of the next day, and a later one leaves the books in order", needs: merchantMode, long: true,
		loses: "The merchant's system is down for an hour, and the user has paid for nothing.", source: "API cancelPayment; package payment, table of states, paid: in its window, until 00:30 UTC+8 of the next day",
		run: func(s *scenario) {
			inTime, late, u := s.order(), s.order(), s.user(0)
			for _, o := range []*order{inTime, late} {
				u.pays(o)
				s.told(o, "S", s.cfg.notifyWithin())
			}
			day := time.Now().In(time.FixedZone("UTC+8", 8*60*60))
			end := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 30, 0, 0, day.Location())
			s.sleep(time.Until(end.Add(-2 * time.Minute)))
			s.cancel(inTime)
			s.sleep(time.Until(end.Add(2 * time.Minute)))
			got := s.ask("cancelPayment", s.inquiryOf(late.id))
			s.must(got.status == "S" || got.code == "CANCEL_WINDOW_EXCEED", "F CANCEL_WINDOW_EXCEED, or S by the wallet's own policy", "%v", got)
			if got.status == "S" {
				s.alipay.change(late, func(o *order) { o.cancelled = true })
				return
			}
			i := s.inquire(late.id)
			s.must(i.payStatus == "S", "the payment stays paid", "%v", i)
			s.refund(late, 400) // a refund is taken for a year
		},
	},
}
