package accept

import (
	"context"
	"fmt"
	"time"
)

// check is one rule.
type check struct {
	number int
	name   string
	loses  string // what a user or a merchant would lose
	source string // where the documents have it
	needs  []Capability
	slow   bool // waits for seconds: not in a quick run
	long   bool // waits for minutes: in virtual time only
	run    func(s *scenario)
}

// scenario is one run of a check.
type scenario struct {
	ctx    context.Context //nolint:containedctx // of the whole check
	suite  *Suite
	cfg    *Config
	log    *journal
	alipay *alipay
	number int

	orders   []*order
	balances []int64 // of the users, when it began
	why      string  // the check turned out not to be applicable
}

// failure is what a check panics with.
type failure struct{ expected, seen string }

// fail ends the check.
func (s *scenario) fail(expected, seen string, args ...any) {
	panic(failure{expected, fmt.Sprintf(seen, args...)})
}

// must ends the check unless ok.
func (s *scenario) must(ok bool, expected, seen string, args ...any) {
	if !ok {
		s.fail(expected, seen, args...)
	}
}

func (s *scenario) user(i int) *user { return &user{s, s.cfg.Users[i]} }

// newID returns an id that no other run has.
func (s *scenario) newID() string {
	return fmt.Sprintf("%s%03d%04d", s.cfg.Prefix, s.number, s.suite.count())
}

// usual is what most orders cost.
const usual = 1000

func (s *scenario) order() *order { return s.orderOver(usual) }

// orderOver makes an order that the user pays with minor smallest units.
func (s *scenario) orderOver(minor int64) *order {
	return s.orderUntil(minor, time.Now().Add(30*time.Minute))
}

func (s *scenario) orderUntil(minor int64, expiry time.Time) *order {
	o := s.alipay.newOrder(s.newID(), minor, expiry)
	s.orders = append(s.orders, o)
	return o
}

func (s *scenario) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
		s.fail("the check ends in time", "%v", s.ctx.Err())
	}
}

// eventually asks until done, and reports whether it came true within d.
func (s *scenario) eventually(d time.Duration, done func() bool) bool {
	deadline := time.Now().Add(d)
	for pause := 20 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		if done() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		s.sleep(pause)
	}
}

// view returns a copy of o as it is now.
func (s *scenario) view(o *order) order { return s.alipay.view(o) }

// told waits until Alipay+ has acknowledged the result of o.
func (s *scenario) told(o *order, status string, d time.Duration) {
	ok := s.eventually(d, func() bool {
		v := s.view(o)
		told, _ := v.told()
		return v.acknowledged > 0 && told == status
	})
	if v := s.view(o); !ok {
		told, code := v.told()
		expected := fmt.Sprintf("notifyPayment %s of %s, taken by Alipay+ within %s", status, o.id, s.limit(d))
		if len(v.notes) == 0 {
			s.fail(expected, "no notifyPayment that could be used")
		}
		s.fail(expected, "%s, the last one says %s %s; Alipay+ took %d of them", times(len(v.notes), "notifyPayment"), told, code, v.acknowledged)
	}
}

// limit is d, with the member of accept.json that it comes from.
func (s *scenario) limit(d time.Duration) string {
	switch {
	case d == s.cfg.notifyWithin():
		return d.String() + " (limits.notifySeconds)"
	case d == s.cfg.resendWithin():
		return d.String() + " (limits.resendSeconds)"
	default:
		return d.String()
	}
}

// times says how often something came.
func times(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return what + " once"
	}
	return fmt.Sprintf("%s %d times", what, n)
}
