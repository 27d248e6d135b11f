package accept

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

var notifyChecks = []check{
	resend(231, "an acknowledgement U", unknown, unknown),
	resend(232, "a lost request", loseRequest),
	resend(233, "a lost acknowledgement", loseAnswer),
	resend(234, "an unsigned S", answering(result("S", "SUCCESS")), answering(result("S", "SUCCESS"))),
	resend(235, "an unsigned F", answering(result("F", "PROCESS_FAIL"))),
	resend(236, "a tampered acknowledgement", tampered),
	resend(237, "an acknowledgement for another client", foreignClient),
	resend(238, "an acknowledgement signed by a stranger", foreignKey(func(*exchange) []byte { return result("S", "SUCCESS") })),
	resend(239, "an acknowledgement that breaks off, and a 502", cut, badGateway),
	resend(240, "a status that is neither S nor F", strange),
	resend(241, "too much traffic", busy),
	withFreshness(resend(249, "an acknowledgement that was signed an hour ago", stale)),
	{
		number: 242, name: "an acknowledgement that takes over 5 seconds does not keep the user waiting", needs: merchantMode, slow: true,
		loses: "The user taps again, or leaves.", source: "Alipay+ API overview, time-outs",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			o.notifyFaults = []fault{slow(20 * time.Second)}
			u.cashier(o)
			began := time.Now()
			next := u.tap(o, o.debit, u.PIN)
			took := time.Since(began)
			next = u.until(o, next)
			s.must(next.State == "paid", "the app is told paid", "%v", next)
			s.must(took < 4*time.Second, "an answer to the user within 4 seconds", "after %v", took.Round(time.Second))
			again := s.eventually(s.cfg.resendWithin(), func() bool { return len(s.view(o).notes) >= 2 })
			s.must(again, "the notification again", "%d", len(s.view(o).notes))
		},
	},
	{
		number: 243, name: "an acknowledgement F changes nothing about the payment", needs: merchantMode, slow: true,
		loses: "The user has paid, and the wallet takes the money back while the merchant delivers, or the other way round.", source: "API notifyPayment, result F",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			refuse := func(x *exchange) *reply { return x.sign(result("F", "PROCESS_FAIL")) }
			for range 50 {
				o.notifyFaults = append(o.notifyFaults, refuse)
			}
			u.pays(o)
			s.must(s.eventually(s.cfg.notifyWithin(), func() bool { return len(s.view(o).notes) > 0 }), "notifyPayment", "none")
			s.sleep(3 * time.Second)
			i := s.inquire(o.id)
			s.must(i.payStatus == "S", "S, as before", "%v", i)
			next := u.result(o)
			s.must(next.State == "paid", "paid, as before", "%v", next)
			s.alipay.change(o, func(o *order) { o.notifyFaults = nil })
		},
	},
	{
		number: 244, name: "S is notified only when the payment is final in the wallet's books", needs: merchantMode,
		loses: "The merchant delivers, and the debit is rolled back.", source: "package payment, one Record: no two answers contradict each other",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			before := u.balance()
			var mu sync.Mutex
			var seen []string
			o.atNotify = func(attempt) {
				failed := s.guard(func() {
					i := s.inquire(o.id)
					s.must(i.payStatus == "S", "the inquiry says S when the notification does", "%v", i)
					s.must(u.balance() == before-o.debit.minor(), "the debit is booked when S is notified", "the balance is %d less", before-u.balance())
				})
				if failed != nil {
					mu.Lock()
					defer mu.Unlock()
					seen = append(seen, failed.expected+"; "+failed.seen)
				}
			}
			u.pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			mu.Lock()
			defer mu.Unlock()
			s.must(len(seen) == 0, "a notification of what is committed", "%s", first(seen))
		},
	},
	{
		number: 245, name: "the notification goes to paymentNotifyUrl", needs: merchantMode,
		loses: "The merchant does not hear of the payment.", source: decodePage + "paymentNotifyUrl",
		run: func(s *scenario) {
			o := s.order()
			path := notifyPath + o.id + "/notifyPayment"
			o.set(object{"paymentNotifyUrl": s.cfg.Alipay.BaseURL + path})
			if next := s.user(0).scan(o); next.Step == "failed" && !strings.HasPrefix(s.cfg.Alipay.BaseURL, "https://") {
				s.why = "the wallet refuses a paymentNotifyUrl with http, which alipay.baseUrl has"
				return
			}
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			for _, n := range s.view(o).notes {
				s.must(n.target == path, "notifyPayment at "+path, "at %s", n.target)
			}
		},
	},
	{
		number: 246, name: "an acknowledged notification is not repeated", needs: merchantMode, slow: true,
		loses: "Alipay+ blocks a wallet that floods it.", source: "API notifyPayment, result S",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			s.sleep(4 * time.Second)
			s.must(len(s.view(o).notes) == 1, "one notification", "%d", len(s.view(o).notes))
		},
	},
	{
		number: 247, name: "after an outage every payment is notified", needs: merchantMode, slow: true,
		loses: "Merchants never hear of payments that were made while Alipay+ was away.", source: "package alipayplus, delivering messages: none is dropped silently",
		run: func(s *scenario) {
			u := s.user(0)
			outage := []fault{loseRequest, badGateway, loseAnswer}
			var orders []*order
			for i := range 12 {
				o := s.order()
				o.notifyFaults = []fault{outage[i%3], outage[(i+1)%3]}
				u.pays(o)
				orders = append(orders, o)
			}
			for _, o := range orders {
				s.told(o, "S", s.cfg.resendWithin())
			}
		},
	},
	{
		number: 248, name: "a notification is not given up after a few attempts", needs: merchantMode, long: true,
		loses: "The user has paid and the merchant never hears of it.", source: "package alipayplus, delivering messages: none is dropped silently",
		run: func(s *scenario) {
			o := s.order()
			o.notifyFaults = []fault{unknown, loseRequest, badGateway, busy}
			s.user(0).pays(o)
			s.told(o, "S", 10*time.Minute)
		},
	},
}

// resend makes the check of a notification that is not acknowledged at first.
func resend(number int, what string, faults ...fault) check {
	return check{
		number: number, name: "after " + what + " the same notification comes again", needs: merchantMode, slow: number != 231 && number != 233,
		loses: "The user has paid and the merchant never hears of it, or Alipay+ refuses the repeat.", source: "API notifyPayment, result U or none: retry",
		run: func(s *scenario) {
			o := s.order()
			o.notifyFaults = faults
			s.user(0).pays(o)
			ok := s.eventually(s.cfg.resendWithin(), func() bool {
				v := s.view(o)
				return len(v.notes) > len(faults) && v.acknowledged > 0
			})
			v := s.view(o)
			s.must(ok, times(len(faults)+1, "notifyPayment")+" within "+s.limit(s.cfg.resendWithin())+", until Alipay+ takes it", "%s", times(len(v.notes), "notifyPayment"))
			for _, n := range v.notes[1:] {
				s.must(bytes.Equal(n.body, v.notes[0].body), "the same body", "another one")
			}
			i := s.inquire(o.id)
			s.must(i.payStatus == "S", "the payment is as before: S", "%v", i)
		},
	}
}

func withFreshness(k check) check {
	k.needs = []Capability{MerchantMode, Freshness}
	return k
}
