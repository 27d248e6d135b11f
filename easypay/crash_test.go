package easypay_test

import (
	"context"
	"slices"
	"strings"
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

// workers runs the workers of one process after the other, until one survives.
func (w *world) workers(next func() *crash) {
	for range 5 {
		w.workFor(2 * time.Minute)
		if !w.isDead() {
			return
		}
		w.start(next())
	}
}

// life plays a payment with consent and a payment with the token of it, while
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
		w.open(answer)
		pages = append(pages, answer.PaymentURL.Reveal()+" "+answer.PaymentID)
		return true
	}, next)
	compared := 0
	w.until("the verification", func() bool {
		page, err := w.easypay.Verify(w.Context(), w.link(), func(context.Context, payment.Record) (bool, error) {
			compared++
			return true, nil
		})
		return err == nil && !page.Redirect.IsZero()
	}, next)
	if tried := len(w.record("PR1").Tried); compared > tried {
		w.problem("%d PINs were compared, %d are counted", compared, tried)
	}
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
	if spent := funds - w.balance(); spent != 2*price || w.bookings() != 2 {
		w.problem("%d was spent in %d bookings, not %d in 2", spent, w.bookings(), 2*price)
	}
	for _, id := range []string{"PR1", "PR2"} {
		if got := w.inquire(id); got != "S SUCCESS" {
			w.problem("inquiryPayment says %s of %s", got, id)
		}
		if n := w.sameBodies(payment.NotifyPayment, id); n == 0 {
			w.problem("the notification of %s is lost", id)
		}
	}
	if w.sameBodies(auth.AuthNotify, "") == 0 {
		w.problem("authNotify is lost")
	}
	if w.tokens.count() != 1 {
		w.problem("the wallet has %d tokens, not 1", w.tokens.count())
	}
	for _, known := range w.known() {
		if g, err := w.tokens.Check(w.Context(), known.AccessToken, auth.ScopeAgreementPay); err != nil || g.CustomerID != customerID {
			w.problem("a token that Alipay+ knows is worth nothing: %v", err)
		}
	}
	if n := w.waiting(); n != 0 {
		w.problem("%d messages are left", n)
	}
}

// Wherever the wallet dies between the creation and the last acknowledgement:
// no notification is lost, there is one token, and each payment is debited
// once.
func TestCrashAtEveryStep(t *testing.T) {
	for _, remote := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			steps, met := 0, true
			for at := 1; met; at++ {
				first := &crash{at: at, after: after}
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, remote, mistake{}, "HKD")
					w.life(first, never)
					if len(w.problems) > 0 {
						w.problem("remote=%t: it died at step %d, after it %t", remote, at, after)
					}
				})
				if met = first.isDead(); met {
					steps = at
				}
				if t.Failed() {
					return
				}
			}
			if steps < 20 {
				t.Errorf("remote=%t: only %d steps", remote, steps)
			}
			where, when := "in the database", "before"
			if remote {
				where = "elsewhere"
			}
			if after {
				when = "after"
			}
			t.Logf("the ledger %s: died %s each of %d steps", where, when, steps)
		}
	}
}

// Every two deaths.
func TestCrashTwice(t *testing.T) {
	if !long() {
		t.Skip("ALIPAYPLUS_LONG is not set")
	}
	for _, remote := range []bool{false, true} {
		runs := 0
		for i, met := 1, true; met; i++ {
			for j, again := 1, true; again; j++ {
				for mode := range 4 {
					first, second := &crash{at: i, after: mode&1 == 1}, &crash{at: j, after: mode&2 == 2}
					processes := 0
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, remote, mistake{}, "HKD")
						w.life(first, func() *crash {
							if processes++; processes == 1 {
								return second
							}
							return never()
						})
						if len(w.problems) > 0 {
							w.problem("remote=%t: it died at step %d and then %d, mode %d", remote, i, j, mode)
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
		t.Logf("remote=%t: %d runs", remote, runs)
	}
}

// The controls: wallets with a mistake that no test without a crash would show.
func TestCrashControls(t *testing.T) {
	for _, c := range []struct {
		rule    string
		mistake mistake
		problem string
	}{
		{"issues the token after the commit, once", mistake{issuesAfterwards: true}, "Alipay+ knows 0 tokens"},
		{"writes messages after the commit", mistake{putsLater: true}, "the notification of PR2 is lost"},
		{"debits outside of the transaction, without a key", mistake{debitsOutside: true}, "150 was spent in 3 bookings"},
	} {
		caught := ""
		for at, met := 0, true; met && caught == ""; at++ {
			for _, after := range []bool{false, true} {
				first := &crash{at: at, after: after}
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, false, c.mistake, "HKD")
					w.life(first, never)
					for _, problem := range w.problems {
						if at == 0 {
							t.Errorf("a wallet that %s: without a crash: %s", c.rule, problem)
						} else if strings.Contains(problem, c.problem) {
							caught = problem
						}
					}
					w.problems = nil
				})
				if met = at == 0 || first.isDead(); at == 0 {
					break // it does not die
				}
			}
			if caught != "" {
				t.Logf("a wallet that %s is caught at step %d: %s", c.rule, at, caught)
			}
		}
		if caught == "" {
			t.Errorf("a wallet that %s is not caught", c.rule)
		}
	}
}
