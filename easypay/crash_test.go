package easypay_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// until repeats what Alipay+ or the user repeats until it is done. A process
// that died is started again.
func (w *world) until(what string, done func() bool, next func() *crash) {
	for range 10 {
		ok := done()
		if w.isDead() {
			w.start(next())
			ok = false // nobody got the answer
		}
		if ok {
			return
		}
		time.Sleep(61 * time.Second) // the lease of a run that died is over then
	}
	w.problem("%s is not done", what)
}

// workers is the worker of one process after the other, until one survives.
func (w *world) workers(next func() *crash) {
	for range 5 {
		w.workFor(4 * time.Minute)
		if !w.isDead() {
			return
		}
		w.start(next())
	}
}

// life is a payment with consent and a payment with the token of it, while
// processes of the wallet die. It ends with what both sides know.
func (w *world) life(first *crash, next func() *crash) {
	w.start(first)
	var pages []string
	w.until("the creation", func() bool {
		answer, err := send(w, payPath, payment.Pay, creation("PR1"))
		if err != nil {
			return false
		}
		if answer.Result.Status != alipayplus.StatusUnknown {
			w.problem("the creation is answered %v", answer.Result)
		}
		if answer.PaymentURL.IsZero() {
			return false
		}
		pages = append(pages, answer.PaymentURL.Reveal()+" "+answer.PaymentID)
		return true
	}, next)
	try := 0 // of the PIN: counted once, reported until the report is stored
	w.until("the verification", func() bool {
		if try == 0 {
			record, err := w.happened(w.Context(), "PR1", payment.VerificationTried{At: time.Now()})
			if err != nil {
				return false
			}
			try = len(record.Tried)
		}
		record, err := w.happened(w.Context(), "PR1", payment.Verified{Try: try, At: time.Now()})
		return err == nil && record.State == payment.StatePaid
	}, next)
	w.workers(next)
	if answer, err := send(w, payPath, payment.Pay, creation("PR1")); err == nil {
		pages = append(pages, answer.PaymentURL.Reveal()+" "+answer.PaymentID)
	}
	if slices.Sort(pages); len(slices.Compact(pages)) > 1 {
		w.problem("a creation has two pages")
	}
	if len(w.known()) != 1 {
		w.problem("Alipay+ knows %d tokens, not 1", len(w.known()))
		return
	}
	w.until("the payment with the token", func() bool {
		answer, err := send(w, payPath, payment.Pay, oneClick("PR2", w.known()[0].AccessToken))
		if err == nil && answer.Result.Status == alipayplus.StatusFailed {
			w.problem("the payment with the token is answered %v", answer.Result)
		}
		return err == nil && answer.Result.Status == alipayplus.StatusSucceeded
	}, next)
	w.workers(next)
	w.audit()
}

// audit compares what the wallet, its customer and Alipay+ know in the end.
func (w *world) audit() {
	tables := w.view()
	if spent := funds - tables.Balances[customerID]; spent != 2*price || len(tables.Ledger) != 2 {
		w.problem("%d was spent in %d bookings, not %d in 2", spent, len(tables.Ledger), 2*price)
	}
	if len(tables.Payments) != 2 || len(tables.Outbox) != 0 || len(tables.Due) != 0 {
		w.problem("%d payments, %d messages and %d issues are left", len(tables.Payments), len(tables.Outbox), len(tables.Due))
	}
	for _, id := range []string{"PR1", "PR2"} {
		if got := w.inquire(id); got != "S SUCCESS" {
			w.problem("inquiryPayment says %s of %s", got, id)
		}
		if n := w.sameBodies(payment.NotifyPayment.Name(), id); n == 0 {
			w.problem("the notification of %s is lost", id)
		}
	}
	if w.sameBodies(auth.AuthNotify.Name(), "") == 0 {
		w.problem("authNotify is lost")
	}
	if len(tables.Tokens) != 1 {
		w.problem("the wallet has %d tokens, not 1", len(tables.Tokens))
	}
	for _, known := range w.known() {
		if g, err := w.tokens.Check(w.Context(), known.AccessToken, auth.ScopeAgreementPay); err != nil || g.CustomerID != customerID {
			w.problem("a token that Alipay+ knows is worth nothing: %v", err)
		}
	}
}

// sameBodies counts the requests of an API that reached Alipay+, which must all
// be the same.
func (w *world) sameBodies(name, key string) (n int) {
	var first string
	for _, call := range w.gateway.Calls(operation(name)) {
		switch {
		case call.Key != key:
		case n == 0:
			first, n = string(call.Body), 1
		default:
			n++
			if string(call.Body) != first {
				w.problem("two %s of one key have other bodies", name)
			}
		}
	}
	return n
}

type operation string

func (o operation) Name() string { return string(o) }

// never is a process that does not die.
func never() *crash { return new(crash) }

// Wherever the wallet dies, and whichever way it issues the token, between the
// creation and the last acknowledgement: no notification is lost, there is one
// token, and each payment is debited once.
func TestCrashAtEveryStep(t *testing.T) {
	for _, way := range []issuing{issueInTransaction, issueAfterwards} {
		for _, after := range []bool{false, true} {
			steps, met := 0, true
			for at := 1; met; at++ {
				first := &crash{at: at, after: after}
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, way)
					w.life(first, never)
					if len(w.problems) > 0 {
						w.problem("%s: it died at step %d, after it %t", way.name, at, after)
					}
				})
				if met = first.isDead(); met {
					steps = at
				}
				if t.Failed() {
					return
				}
			}
			if steps < 14 {
				t.Errorf("%s: only %d steps", way.name, steps)
			}
			t.Logf("%s: died at each of %d steps, after it %t", way.name, steps, after)
		}
	}
}

// Every two deaths.
func TestCrashTwice(t *testing.T) {
	if !long() {
		t.Skip("ALIPAYPLUS_LONG is not set")
	}
	for _, way := range []issuing{issueInTransaction, issueAfterwards} {
		runs := 0
		for i, met := 1, true; met; i++ {
			for j, again := 1, true; again; j++ {
				for mode := range 4 {
					first, second := &crash{at: i, after: mode&1 == 1}, &crash{at: j, after: mode&2 == 2}
					processes := 0
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, way)
						w.life(first, func() *crash {
							if processes++; processes == 1 {
								return second
							}
							return never()
						})
						if len(w.problems) > 0 {
							w.problem("%s: it died at step %d and then %d, mode %d", way.name, i, j, mode)
						}
					})
					if t.Failed() {
						return
					}
					runs++
					met, again = first.isDead(), second.isDead()
				}
				again = again && met
			}
		}
		t.Logf("%s: %d runs", way.name, runs)
	}
}
