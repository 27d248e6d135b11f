package accept

import (
	"fmt"
	mrand "math/rand/v2"
	"time"
)

var chanceChecks = []check{chance(821, 1), chance(822, 2), chance(823, 3), chance(824, 4), easyChance(831, 5), easyChance(832, 6)}

// chance pays, refunds and cancels while calls go wrong by a seed.
func chance(number int, seed uint64) check {
	return check{
		number: number, name: fmt.Sprintf("payments on a line that breaks, changes and repeats, seed %d", seed), needs: merchantMode, slow: true,
		loses: "Money, on the first bad day of the network.", source: "alipayplus/RELIABILITY.md: the fake Alipay+: misbehaves by seed",
		run: func(s *scenario) {
			random := mrand.New(mrand.NewPCG(seed, seed)) //nolint:gosec // repeatable by its seed
			for range 12 {
				o, u := s.order(), s.user(0)
				for range random.IntN(3) {
					o.decodeFaults = append(o.decodeFaults, mischief(random))
				}
				for range random.IntN(3) {
					o.notifyFaults = append(o.notifyFaults, mischief(random))
				}
				fate := random.IntN(5)
				next := u.scan(o)
				s.must(next.Step == "cashier", "the cashier page in the end", "%v", next)
				if fate == 0 {
					s.twice(s.cancellation(o))
					s.cancel(o)
					continue
				}
				next = u.confirm(o)
				s.must(next.State == "paid", "the app is told paid", "%v", next)
				if fate == 1 {
					s.twice(s.cancellation(o))
					s.cancel(o)
					continue
				}
				s.told(o, "S", s.cfg.resendWithin())
				if fate == 2 {
					body := s.refundOf(o, s.newID(), 400)
					s.twice(s.prepare("refund", body))
					got := s.ask("refund", body)
					s.must(got.status == "S", "S for a refund", "%v", got)
					s.refunded(o, 400)
				}
			}
		},
	}
}

// easyChance pays with Easy Pay, consent and tokens while calls go wrong by a
// seed.
func easyChance(number int, seed uint64) check {
	return check{
		number: number, name: fmt.Sprintf("Easy Pay and tokens on a line that breaks, changes and repeats, seed %d", seed), needs: oneClick, slow: true,
		loses: "Money, on the first bad day of the network.", source: "alipayplus/RELIABILITY.md: the fake Alipay+: misbehaves by seed",
		run: func(s *scenario) {
			random := mrand.New(mrand.NewPCG(seed, seed)) //nolint:gosec // repeatable by its seed
			u := s.user(0)
			for range 5 {
				o := s.newPay(usual)
				g := s.alipay.newAgreement(s.newID())
				o.agreement = g.id
				for range random.IntN(3) {
					o.notifyFaults = append(o.notifyFaults, mischief(random))
					g.faults = append(g.faults, mischief(random))
				}
				r := s.prepare("pay", s.payRequest(o, u, consentFactor))
				s.twice(r)
				page := s.created(o, u, s.once(r))
				if random.IntN(3) == 0 {
					u.at("pin", page, u.wrongPIN(1))
				}
				s.verified(u, page)
				s.told(o, "S", s.cfg.resendWithin())
				ok := s.eventually(s.cfg.resendWithin(), func() bool { return s.alipay.viewAgreement(g).acknowledged > 0 })
				s.must(ok, "authNotify TOKEN_CREATED", "%d attempts", len(s.alipay.viewAgreement(g).created))
				token := text(s.alipay.viewAgreement(g).created[0].members, "accessToken")
				with := s.newPay(usual)
				body := s.tokenPay(with, token)
				s.alipay.change(with, func(o *order) { o.customer, o.seen = u.ID, true })
				s.twice(s.prepare("pay", body))
				got := s.ask("pay", body)
				s.must(got.status == "S", "pay is answered S", "%v", got)
				s.told(with, "S", s.cfg.resendWithin())
			}
		},
	}
}

// twice delivers r twice at once, and does not wait for what comes of it.
func (s *scenario) twice(r request) {
	s.one(s.parallel(r, 2))
}

// wholeRun is the number of the check that compares the books of all checks.
const wholeRun = 900

var booksChecks = []check{
	{
		number: wholeRun, name: "at the end of the run all books agree",
		loses: "Money that nobody misses until the audit.", source: "what every check ends with, over the whole run",
		run: func(s *scenario) {
			s.sleep(3 * time.Second) // what comes late
			s.orders, s.balances = s.suite.orders, s.suite.balances
		},
	},
}
