package payment_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// call is one step of a payment's life. It reports whether who made it has a
// final answer.
type call struct {
	alipay bool // Alipay+'s, which calls until the answer is S or F
	make   func(p *process) bool
}

// flow is a payment's life, as far as others play a part in it.
type flow struct {
	name  string
	terms payment.Terms
	calls []call
	state payment.State // without a fault
}

func openCall(terms payment.Terms) call {
	return call{false, func(p *process) bool {
		_, err := p.Open(p.wallet.t.Context(), payment.Opened{Terms: terms})
		return err == nil
	}}
}

func eventCall(e func() payment.Event) call {
	return call{false, func(p *process) bool {
		_, err := p.On(p.wallet.t.Context(), "P1", e())
		return err == nil
	}}
}

func confirmCall(p *process) bool {
	r, err := p.Find(p.wallet.t.Context(), "P1")
	if err == nil && r.State != "" {
		_, err = p.Confirm(p.wallet.t.Context(), agreed(r))
	}
	return err == nil
}

func cancelCall(id string) call {
	return call{true, func(p *process) bool {
		r, err := p.On(p.wallet.t.Context(), id, cancelling())
		if _, refused := alipayplus.RefusalOf(err); refused {
			return true
		}
		if err != nil || r.CancelAnswer().Result.Status != alipayplus.StatusSucceeded {
			return false
		}
		p.wallet.mu.Lock()
		defer p.wallet.mu.Unlock()
		p.wallet.cancelled[id] = true
		return true
	}}
}

func refundCall(id, refund string, minor int64) call {
	return call{true, func(p *process) bool {
		e := refunding(refund, minor)
		e.Request.PaymentRequestID = id
		r, err := p.On(p.wallet.t.Context(), id, e)
		if _, refused := alipayplus.RefusalOf(err); refused {
			return true
		}
		if err != nil || r.RefundAnswer(refund).Result.Status != alipayplus.StatusSucceeded {
			return false
		}
		p.wallet.mu.Lock()
		defer p.wallet.mu.Unlock()
		p.wallet.refunded[refund] = true
		return true
	}}
}

func passes(d time.Duration) call {
	return call{false, func(p *process) bool {
		p.runs(d)
		return true
	}}
}

func flows() []flow {
	confirm := call{false, confirmCall}
	tries := func() payment.Event { return payment.VerificationTried{At: time.Now()} }
	wrong := func(n int) func() payment.Event {
		return func() payment.Event { return payment.VerificationFailed{Try: n, At: time.Now()} }
	}
	right := func() payment.Event { return payment.Verified{Try: 2, At: time.Now()} }
	scanned, dear, easy := scannedTerms("P1"), scannedTerms("P1"), verifiedTerms("P1")
	dear.Amounts.PayToAmount.Minor = 3000
	dearOneClick := dear
	dearOneClick.CodeValueDigest = ""
	lost := call{false, func(p *process) bool { // the answer of the first remote debit is lost
		if remote := p.wallet.remote; remote != nil {
			if _, met := remote.Entries()["debit/1/P1"]; met {
				return true
			}
			others, first := p.fault, true
			p.fault = func(name string) (what fault, hit bool) {
				if name == "Debit" && first {
					first = false
					return failAfter, true
				}
				return others(name)
			}
		}
		return true
	}}
	return []flow{
		{"pay", scanned, []call{openCall(scanned), confirm}, payment.StatePaid},
		{"refuse", dear, []call{openCall(dear), confirm, passes(payment.DefaultExpiry + 10*time.Second)}, payment.StateClosed},
		{"refuse for good", dear, []call{openCall(dearOneClick), confirm}, payment.StateFailed},
		{"expire", scanned, []call{openCall(scanned), passes(payment.DefaultExpiry + 10*time.Second)}, payment.StateClosed},
		{"cancel first", scanned, []call{cancelCall("P1"), openCall(scanned), confirm}, payment.StateClosed},
		{"cancel open", scanned, []call{openCall(scanned), cancelCall("P1"), confirm}, payment.StateClosed},
		{"cancel during the debit", scanned, []call{openCall(scanned), lost, confirm, cancelCall("P1")}, payment.StateClosed},
		{"cancel paid", scanned, []call{openCall(scanned), confirm, passes(time.Second), cancelCall("P1")}, payment.StateClosed},
		{"refund in parts, cancel", scanned, []call{
			openCall(scanned), confirm, refundCall("P1", "P1-r1", 100), refundCall("P1", "P1-r2", 50), cancelCall("P1"),
		}, payment.StateClosed},
		{"Easy Pay", easy, []call{
			openCall(easy), eventCall(tries), eventCall(wrong(1)), eventCall(tries), eventCall(right),
		}, payment.StatePaid},
		{"Easy Pay, wrong", easy, []call{
			openCall(easy), eventCall(tries), eventCall(tries), eventCall(wrong(1)), eventCall(wrong(2)),
		}, payment.StateFailed},
	}
}

// Whatever breaks, at whatever step, for good or once: after a restart every
// payment comes to its end, no money is lost or moved twice, and Alipay+ knows
// what the wallet knows.
func TestCrashes(t *testing.T) {
	for _, f := range flows() {
		for _, remote := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, remote=%t", f.name, remote), func(t *testing.T) {
				t.Parallel()
				steps := 0
				for at := 1; ; at++ {
					hit := false
					for what, name := range faultNames {
						// Alipay+ asks again; the user does, or does not.
						for _, again := range []bool{true, false} {
							if again == ((at+what)%2 == 0) && os.Getenv("ALIPAYPLUS_LONG") == "" {
								continue
							}
							synctest.Test(t, func(t *testing.T) {
								met := crash(t, f, remote, at, fault(what), again)
								hit = hit || met != ""
								if t.Failed() {
									t.Errorf("it %s step %d, %s; the user asks again: %t", name, at, met, again)
								}
							})
							if t.Failed() {
								return
							}
						}
					}
					if !hit {
						break
					}
					steps = at
				}
				if steps < 8 {
					t.Errorf("only %d steps", steps)
				}
				t.Logf("%d steps", steps)
			})
		}
	}
}

// crash lives f with a fault at a step, whose name it returns, and again
// without.
func crash(t *testing.T, f flow, remote bool, at int, what fault, again bool) (met string) {
	w := newWallet(t, remote)
	w.deposit("C1", 1000)
	steps := 0
	first := w.start(func(name string) (fault, bool) {
		steps++
		if steps == at {
			met = name
		}
		return what, steps == at
	})
	for _, c := range f.calls {
		if !first.isDead() {
			c.make(first)
		}
	}
	if !first.isDead() {
		first.runs(2 * time.Second)
	}
	second := w.start(func(string) (fault, bool) { return 0, false })
	for _, c := range f.calls {
		if c.alipay {
			for tries := 0; !c.make(second); tries++ {
				if tries == 20 {
					t.Error("Alipay+ gets no final answer")
					return met
				}
				second.runs(10 * time.Second)
			}
		} else if again {
			c.make(second)
		}
	}
	second.runs(2 * time.Minute)
	if record, err := w.records.Find(t.Context(), "P1"); err != nil || !record.NextTime().IsZero() {
		second.runs(payment.DefaultExpiry + 2*time.Minute)
	}
	w.audit([]string{"C1"}, "P1")
	if met == "" { // nothing broke
		record, err := w.records.Find(t.Context(), "P1")
		if err != nil || record.State != f.state {
			t.Errorf("without a fault it is %s, want %s, %v", record.State, f.state, err)
		}
	}
	return met
}
