package accept

import (
	"strconv"
	"sync"
	"time"
)

var refundChecks = []check{
	{
		number: 401, name: "a whole refund gives everything back", needs: merchantMode,
		loses: "The user has returned the goods and not got the money.", source: "API refund",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			got := s.ask("refund", s.refundOf(o, s.newID(), usual))
			s.must(got.status == "S", "refund is answered S", "%v", got)
			s.refunded(o, usual)
			s.must(text(got.members, "refundId") != "" && text(got.members, "refundTime") != "", "refundId and refundTime", "%s", redact(got.body))
			i := s.inquire(o.id)
			s.must(i.payStatus == "S", "the payment stays S", "%v", i)
		},
	},
	{
		number: 402, name: "refunds in parts, up to the cap and not over it", needs: merchantMode,
		loses: "The wallet gives back more than was paid.", source: "API refund, REFUND_AMOUNT_EXCEED",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			s.refund(o, 300)
			s.refund(o, 450)
			s.refused("a refund over the rest", s.ask("refund", s.refundOf(o, s.newID(), 260)), "REFUND_AMOUNT_EXCEED")
			s.refund(o, 250)
			s.refused("a refund after the whole", s.ask("refund", s.refundOf(o, s.newID(), 10)), "REFUND_AMOUNT_EXCEED")
		},
	},
	{
		number: 403, name: "a refund over the whole is refused", needs: merchantMode,
		loses: "The wallet gives back more than was paid.", source: "API refund, REFUND_AMOUNT_EXCEED",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			s.refused("a refund of more than the payment", s.ask("refund", s.refundOf(o, s.newID(), usual+10)), "REFUND_AMOUNT_EXCEED")
			if s.cfg.OrderCurrency != s.cfg.Currency {
				body := s.refundParts(o, s.newID(), o.paymentAmount.minor()+1, usual)
				s.refused("a refundAmount of more than paymentAmount, with all of payToAmount", s.ask("refund", body), "REFUND_AMOUNT_EXCEED")
			}
		},
	},
	{
		number: 404, name: "a refund of zero, of nonsense or in another currency is refused", needs: merchantMode,
		loses: "Money is booked that nobody owes.", source: "package payment, Refund: refundAmount is positive, in paymentAmount's currency",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			for _, wrong := range []amount{{o.paymentAmount.Currency, "0"}, {"XXX", "10"}, {o.paymentAmount.Currency, "-10"}, {o.paymentAmount.Currency, "1.5"}, {o.paymentAmount.Currency, "1e2"}} {
				body := s.refundOf(o, s.newID(), 100)
				body["refundAmount"] = wrong.object()
				s.refused("a refund of "+wrong.String(), s.ask("refund", body))
			}
		},
	},
	{
		number: 405, name: "no refund after a cancellation", needs: merchantMode,
		loses: "The wallet gives the money back twice.", source: "package payment, table of states: any other but paid, refund",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			body := s.refundOf(o, s.newID(), 100) // with the paymentId, which no answer has afterwards
			s.cancel(o)
			s.refused("a refund of a cancelled payment", s.ask("refund", body))
		},
	},
	{
		number: 406, name: "no refund of what was not paid", needs: merchantMode,
		loses: "The wallet gives away money.", source: "package payment, table of states: any other but paid, refund",
		run: func(s *scenario) {
			o := s.order()
			s.refused("a refund of an unknown payment", s.ask("refund", s.refundOf(o, s.newID(), 100)), "ORDER_NOT_EXIST")
			s.user(0).cashier(o)
			s.refused("a refund of an open payment", s.ask("refund", s.refundOf(o, s.newID(), 100)))
		},
	},
	{
		number: 407, name: "a repeated refund gets the same answer and books once", needs: merchantMode,
		loses: "The wallet gives the money back twice.", source: idemPage + "refund",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			body := s.refundOf(o, s.newID(), 400)
			firstly := s.ask("refund", body)
			s.must(firstly.status == "S", "S", "%v", firstly)
			s.refunded(o, 400)
			again := s.ask("refund", body)
			s.one([]outcome{firstly, again})
			body["extendInfo"] = "{}" // not a consistency field
			s.one([]outcome{firstly, s.ask("refund", body)})
		},
	},
	{
		number: 408, name: "the same refundRequestId with other amounts is refused", needs: merchantMode,
		loses: "Alipay+ believes in a refund that was never booked.", source: idemPage + "refund, REPEAT_REQ_INCONSISTENT",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			id := s.newID()
			s.must(s.ask("refund", s.refundOf(o, id, 400)).status == "S", "S", "not S")
			s.refunded(o, 400)
			s.refused("another refundAmount", s.ask("refund", s.refundOf(o, id, 300)), "REPEAT_REQ_INCONSISTENT")
			for _, member := range []struct {
				name  string
				value object
			}{
				{"surchargeInfo", object{"surchargeAmount": amount{s.cfg.Currency, "420"}.object()}},
				{"refundPromoInfo", object{"refundPromoDetails": []any{object{"promoId": "PROMO1", "refundAmount": amount{o.paymentAmount.Currency, "1"}.object()}}}},
			} {
				body := s.refundOf(o, id, 400)
				body[member.name] = member.value
				s.refused("another "+member.name, s.ask("refund", body), "REPEAT_REQ_INCONSISTENT")
			}
			s.refused("another refundFromAmount", s.ask("refund", s.refundParts(o, id, 400*o.paymentAmount.minor()/o.payToAmount.minor(), 410)), "REPEAT_REQ_INCONSISTENT")
		},
	},
	{
		number: 409, name: "the same refundRequestId for another payment is refused", needs: merchantMode,
		loses: "One payment is refunded instead of another.", source: idemPage + "refund, REPEAT_REQ_INCONSISTENT",
		run: func(s *scenario) {
			a, b := s.order(), s.order()
			s.user(0).pays(a)
			s.user(0).pays(b)
			s.told(a, "S", s.cfg.notifyWithin())
			s.told(b, "S", s.cfg.notifyWithin())
			id := s.newID()
			s.must(s.ask("refund", s.refundOf(a, id, 400)).status == "S", "S", "not S")
			s.refunded(a, 400)
			s.refused("the id of another payment's refund", s.ask("refund", s.refundOf(b, id, 400)), "REPEAT_REQ_INCONSISTENT")
		},
	},
	{
		number: 410, name: "2 to 64 copies of a refund at once book once", needs: merchantMode,
		loses: "The wallet gives the money back several times.", source: idemPage + "refund",
		run: func(s *scenario) {
			for _, n := range []int{2, 8, 64} {
				o := s.order()
				s.user(0).pays(o)
				s.told(o, "S", s.cfg.notifyWithin())
				body := s.refundOf(o, s.newID(), 400)
				at := s.one(s.parallel(s.prepare("refund", body), n))
				s.must(at.status == "S" || at.status == "", "S", "%v", at)
				after := s.ask("refund", body)
				s.must(after.status == "S", "S afterwards", "%v", after)
				s.one([]outcome{at, after})
				s.refunded(o, 400)
			}
		},
	},
	{
		number: 411, name: "refunds that race for the rest: what is accepted is covered", needs: merchantMode,
		loses: "The wallet gives back more than was paid.", source: "package payment, Refund: Σ refundAmount ≤ paymentAmount",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			bodies := make([]object, 6)
			for i := range bodies {
				bodies[i] = s.refundOf(o, s.newID(), 400)
			}
			var race sync.WaitGroup
			for _, body := range bodies {
				r := s.prepare("refund", body)
				race.Go(func() { _, _ = s.try(r) })
			}
			race.Wait()
			accepted := 0
			for _, body := range bodies {
				if got := s.ask("refund", body); got.status == "S" {
					accepted++
					s.refunded(o, 400)
				}
			}
			s.must(accepted == 2, "2 of 6 refunds of 400 from "+strconv.Itoa(usual), "%d", accepted)
		},
	},
	{
		number: 412, name: "a refund that races with a cancellation: the money is back once", needs: merchantMode,
		loses: "The wallet gives the money back twice.", source: "alipayplus/RELIABILITY.md: on a real database: refund against cancel",
		run: func(s *scenario) {
			for turn := range 6 {
				o := s.order()
				s.user(0).pays(o)
				refund := s.prepare("refund", s.refundOf(o, s.newID(), 400))
				s.cancelDuring(turn, o, func() { _, _ = s.try(refund) })
			}
		},
	},
	{
		number: 413, name: "with a surcharge, refunds never give back more than the user paid", needs: merchantMode,
		loses: "The wallet gives back more than was paid.", source: "package payment, Refund: never more in all than was debited",
		run: func(s *scenario) {
			o := s.order()
			o.debit = amount{s.cfg.Currency, strconv.Itoa(usual + 50)}
			o.set(object{"surchargeInfo": object{"surchargeAmount": o.debit.object()}})
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			half := o.paymentAmount.minor() / 2
			for range 2 {
				body := s.refundParts(o, s.newID(), half, usual/2)
				body["surchargeInfo"] = object{"surchargeAmount": amount{s.cfg.Currency, strconv.Itoa(usual/2 + 26)}.object()} // half of the surcharge amount, rounded up
				got := s.ask("refund", body)
				s.must(got.status == "S", "refund is answered S", "%v", got)
			}
			s.refunded(o, o.debit.minor())
		},
	},
	{
		number: 415, name: "a refund so small that the user gets nothing for it is taken", needs: merchantMode,
		loses: "The merchant's refund hangs for a rounding.", source: "package payment, Refund: refundFromAmount may round to zero",
		run: func(s *scenario) {
			o := s.orderOver(1200)
			if s.cfg.OrderCurrency == s.cfg.Currency {
				s.why = "nothing is converted: orderCurrency is currency"
				return
			}
			o.paymentAmount = amount{s.cfg.OrderCurrency, "4000"}
			o.set(object{
				"paymentAmount": o.paymentAmount.object(), "order": o.orderObject(),
				"paymentQuote": object{"quoteId": "Q3", "quoteCurrencyPair": s.cfg.OrderCurrency + "/" + s.cfg.Currency, "quotePrice": "0.3"},
			})
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			got := s.ask("refund", s.refundParts(o, s.newID(), 1, 0)) // 0.3 of a smallest unit
			s.must(got.status == "S", "a refund with a refundFromAmount of 0 is answered S", "%v", got)
		},
	},
	{
		number: 416, name: "ids that differ in upper and lower case alone are two", needs: merchantMode,
		loses: "A database that folds case takes one payment or refund for another, and the money of one is gone.", source: "alipayplus/RELIABILITY.md: on a real database: texts that databases fold",
		run: func(s *scenario) {
			id, u := s.newID(), s.user(0)
			var orders []*order
			for _, last := range []string{"k", "K"} {
				o := s.alipay.newOrder(id+last, usual, time.Now().Add(30*time.Minute))
				s.orders = append(s.orders, o)
				u.pays(o)
				s.told(o, "S", s.cfg.notifyWithin())
				orders = append(orders, o)
			}
			for i, last := range []string{"k", "K"} {
				got := s.ask("refund", s.refundOf(orders[i], id+"r"+last, 400))
				s.must(got.status == "S", "refund "+id+"r"+last+" is answered S", "%v", got)
				s.refunded(orders[i], 400)
			}
		},
	},
	{
		number: 417, name: "a refund that names two payments is refused", needs: merchantMode,
		loses: "One payment is refunded instead of another.", source: "package payment, RefundRequest: paymentId is the MPP's id of the payment",
		run: func(s *scenario) {
			a, b := s.order(), s.order()
			s.user(0).pays(a)
			s.user(0).pays(b)
			s.told(a, "S", s.cfg.notifyWithin())
			s.told(b, "S", s.cfg.notifyWithin())
			body := s.refundOf(a, s.newID(), 400)
			body["paymentId"] = s.inquire(b.id).paymentID
			s.refused("the paymentRequestId of one payment with the paymentId of another", s.ask("refund", body))
		},
	},
	{
		number: 418, name: "no refund of what is being verified, or was never paid after a creation", needs: easyPay,
		loses: "The wallet gives away money.", source: "package payment, table of states: any other but paid, refund",
		run: func(s *scenario) {
			o, u := s.newPay(usual), s.user(0)
			got := s.send("pay", s.payRequest(o, u, easyPayFactor))
			page := s.created(o, u, got)
			ask := func(what string) {
				body := s.refundOf(o, s.newID(), 100)
				body["paymentId"] = text(got.members, "paymentId")
				s.refused(what, s.ask("refund", body))
			}
			ask("a refund of a payment that is being verified")
			u.at("giveUp", page, "")
			s.told(o, "F", s.cfg.notifyWithin())
			ask("a refund of a payment that failed")
		},
	},
}
