package accept

import (
	"sync"
	"time"
)

var inquiryChecks = []check{
	{
		number: 301, name: "a payment that nobody knows: ORDER_NOT_EXIST",
		loses: "Alipay+ waits for a payment that never was.", source: "API inquiryPayment",
		run: func(s *scenario) {
			i := s.inquire(s.newID())
			s.must(i.status == "F" && i.code == "ORDER_NOT_EXIST", "inquiryPayment: result F ORDER_NOT_EXIST", "%v", i)
			s.must(i.payStatus == "", "no paymentResult", "%v", i)
		},
	},
	{
		number: 302, name: "a payment that the user has not confirmed is in process", needs: merchantMode,
		loses: "The merchant gives up on a user who is about to pay.", source: "API inquiryPayment, PAYMENT_IN_PROCESS",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).cashier(o)
			i := s.inquire(o.id)
			s.must(i.status == "S" && i.payStatus == "U" && i.payCode == "PAYMENT_IN_PROCESS", "S, paymentResult U PAYMENT_IN_PROCESS", "%v", i)
			s.must(len(s.view(o).notes) == 0, "no notification yet", "%d", len(s.view(o).notes))
		},
	},
	{
		number: 303, name: "inquiries at any time never contradict the notification", needs: merchantMode,
		loses: "The merchant hears yes and no.", source: "package payment, table of states",
		run: func(s *scenario) {
			o, u := s.order(), s.user(0)
			u.cashier(o)
			stop := make(chan struct{})
			var asking sync.WaitGroup
			var wrong *failure
			asking.Go(func() {
				wrong = s.guard(func() {
					paid := false
					for {
						i := s.inquire(o.id)
						s.must(i.payStatus != "F", "no F for a payment that is paid in the end", "%v", i)
						s.must(!paid || i.payStatus == "S", "S after S", "%v", i)
						paid = i.payStatus == "S"
						select {
						case <-stop:
							return
						default:
							s.sleep(5 * time.Millisecond)
						}
					}
				})
			})
			next := u.confirm(o)
			close(stop)
			asking.Wait()
			if wrong != nil {
				s.fail(wrong.expected, "%s", wrong.seen)
			}
			s.must(next.State == "paid", "the app is told paid", "%v", next)
			s.told(o, "S", s.cfg.notifyWithin())
		},
	},
	{
		number: 304, name: "2 to 64 inquiries at once are answered alike", needs: merchantMode,
		loses: "The merchant hears yes and no.", source: "API inquiryPayment",
		run: func(s *scenario) {
			o := s.order()
			s.user(0).pays(o)
			s.told(o, "S", s.cfg.notifyWithin())
			for _, n := range []int{2, 8, 64} {
				got := s.one(s.parallel(s.prepare("inquiryPayment", s.inquiryOf(o.id)), n))
				s.must(text(got.members, "paymentResult", "resultStatus") == "S", "inquiryPayment: paymentResult S", "%v", got)
			}
		},
	},
}
