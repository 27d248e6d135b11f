package payment_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

func oneClickTerms(id string) payment.Terms {
	t := scannedTerms(id)
	t.CodeValueDigest = ""
	return t
}

func verifiedTerms(id string) payment.Terms {
	t := oneClickTerms(id)
	t.Verification = easyTerms().Verification
	return t
}

// checks is a Check that answers err at one stage.
type checks struct {
	mu    sync.Mutex
	stage payment.Stage
	err   error
	asked []payment.Check
}

func (c *checks) check(_ context.Context, q payment.Check) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, q)
	if q.Stage == c.stage {
		return c.err
	}
	return nil
}

func (c *checks) stages() string {
	var all []payment.Stage
	for _, q := range c.asked {
		all = append(all, q.Stage)
	}
	return fmt.Sprint(all)
}

// Check is asked at each stage with what it needs, and not again for what is
// known already.
func TestCheckIsAsked(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		c := &checks{}
		s := serve(t, remote, func(cfg *payment.ServiceConfig) { cfg.Check = c.check })
		if err := s.Evaluate(t.Context(), scannedTerms("P1")); err != nil {
			t.Error(err)
		}
		if r := s.find(); r.State != "" {
			t.Errorf("an evaluation stored a payment: %s", r.State)
		}
		s.open()
		s.open()
		confirmation := agreed(s.find())
		confirmation.Source, confirmation.Proof = "card", alipayplus.Conceal("1234")
		for range 2 {
			if _, err := s.Confirm(t.Context(), confirmation); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.On(t.Context(), "P1", cancelling()); err != nil {
			t.Error(err)
		}
		if stages := c.stages(); stages != "[evaluation open debit]" {
			t.Fatalf("asked at %v", stages)
		}
		q := c.asked[2]
		if q.Record.State != payment.StateOpen || q.Source != "card" || q.Proof.Reveal() != "1234" ||
			q.Terms.PaymentID != s.find().PaymentID || c.asked[1].Terms.CustomerID != "C1" {
			t.Errorf("asked %+v", q)
		}
	})
}

// What Check refuses: nothing is stored at open, the refusal is recorded at
// debit, and the ledger is not asked.
func TestCheckRefuses(t *testing.T) {
	final, again := error(alipayplus.CodeRiskReject), payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
	for _, c := range []struct {
		rule  string
		terms payment.Terms
		stage payment.Stage
		err   error
		state payment.State
		code  alipayplus.ResultCode
		told  string
	}{
		{"evaluation", scannedTerms("P1"), payment.StageEvaluation, final, "", "", "[]"},
		{"open", scannedTerms("P1"), payment.StageOpen, final, "", "", "[]"},
		{"debit", scannedTerms("P1"), payment.StageDebit, final, payment.StateFailed, alipayplus.CodeRiskReject, "[P1 F RISK_REJECT]"},
		{"debit, retryable", scannedTerms("P1"), payment.StageDebit, again, payment.StateOpen, alipayplus.CodeUserPaymentVerificationFailed, "[]"},
		{"one-click, retryable", oneClickTerms("P1"), payment.StageDebit, again, payment.StateFailed,
			alipayplus.CodeUserPaymentVerificationFailed, "[P1 F USER_PAYMENT_VERIFICATION_FAILED]"},
		{"Easy Pay", verifiedTerms("P1"), payment.StageDebit, final, payment.StateFailed, alipayplus.CodeRiskReject, "[P1 F RISK_REJECT]"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			both(t, func(t *testing.T, remote bool) {
				k := &checks{stage: c.stage, err: c.err}
				s := serve(t, remote, func(cfg *payment.ServiceConfig) { cfg.Check = k.check })
				if c.stage != payment.StageDebit {
					err := s.Evaluate(t.Context(), c.terms)
					if c.stage == payment.StageOpen {
						_, err = s.Open(t.Context(), payment.Opened{Terms: c.terms})
					}
					if r, refused := alipayplus.RefusalOf(err); !refused || r.Code != alipayplus.CodeRiskReject {
						t.Errorf("the error is %v", err)
					}
					if r := s.find(); r.State != "" {
						t.Errorf("it is stored: %s", r.State)
					}
					return
				}
				r, err := s.Open(t.Context(), payment.Opened{Terms: c.terms})
				if err != nil {
					t.Fatal(err)
				}
				if r.State == payment.StateVerifying {
					if _, err = s.On(t.Context(), "P1", payment.VerificationTried{At: time.Now()}); err != nil {
						t.Fatal(err)
					}
					r, err = s.On(t.Context(), "P1", payment.Verified{Try: 1, At: time.Now()})
				} else {
					r, err = s.Confirm(t.Context(), agreed(r))
				}
				if err != nil || r.State != c.state || r.Code != c.code {
					t.Errorf("%s %s, %v", r.State, r.Code, err)
				}
				s.runs(3 * time.Second)
				if fmt.Sprint(s.told) != c.told || s.balance() != 1000 {
					t.Errorf("told %v, balance %d", s.told, s.balance())
				}
				if remote && len(s.remote.Entries()) > 0 {
					t.Errorf("the ledger was asked: %v", s.remote.Entries())
				}
				if c.state == payment.StateOpen {
					k.stage = ""
					s.confirm()
					s.want(payment.StatePaid, 700)
				}
			})
		})
	}
}

// Every debit is checked: a second tap that waits while the first attempt is
// refused does not slip through with the first one's check.
func TestSecondTapIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held, hold := make(chan struct{}), false
		s := serve(t, true, func(cfg *payment.ServiceConfig) {
			cfg.Check = func(_ context.Context, c payment.Check) error {
				if c.Stage == payment.StageDebit && c.Proof.Reveal() != "1234" {
					return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
				}
				return nil
			}
			cfg.Records = recordFuncs{cfg.Records, func(statement string) error {
				if statement == "update" && hold {
					hold = false
					<-held
				}
				return nil
			}}
		})
		answer := make(chan struct{})
		s.remote.Fault = func(_ context.Context, _ string, after bool) error {
			if after {
				<-answer
			}
			return nil
		}
		s.remote.Deposit("C1", -900) // the first tap is refused
		c := agreed(s.open())
		c.Proof = alipayplus.Conceal("1234")
		var taps sync.WaitGroup
		taps.Go(func() {
			if _, err := s.Confirm(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		wrong := c
		wrong.Proof = alipayplus.Conceal("0000")
		hold = true
		taps.Go(func() { // sees that the first one is running, and waits for its transaction
			if r, err := s.Confirm(t.Context(), wrong); err != nil || r.State != payment.StateOpen ||
				r.Code != alipayplus.CodeUserPaymentVerificationFailed {
				t.Errorf("the second tap, with a wrong PIN: %s %s, %v", r.State, r.Code, err)
			}
		})
		synctest.Wait()
		close(answer)
		synctest.Wait()
		if r := s.find(); r.State != payment.StateOpen {
			t.Fatalf("the first tap is not refused: %s", r.State)
		}
		s.remote.Deposit("C1", 900)
		close(held)
		taps.Wait()
		s.want(payment.StateOpen, 1000)
	})
}

// A user who agrees too late is not asked for anything any more: the payment is
// closed, and Check hears of no debit.
func TestLateConfirmationIsNotChecked(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		k := &checks{stage: payment.StageDebit, err: alipayplus.CodeRiskReject}
		s := serve(t, remote, func(cfg *payment.ServiceConfig) { cfg.Check = k.check })
		opened := s.open()
		time.Sleep(payment.DefaultExpiry + time.Second)
		if r, err := s.Confirm(t.Context(), agreed(opened)); err != nil || r.State != payment.StateClosed {
			t.Errorf("%s, %v", r.State, err)
		}
		if stages := k.stages(); stages != "[open]" {
			t.Errorf("asked at %v", stages)
		}
		s.runs(3 * time.Second)
		s.want(payment.StateClosed, 1000, "P1 F ORDER_IS_CLOSED")
	})
}

// Whatever a second phone does meanwhile, a confirmation ends with what became
// of the payment: each debit that gets in between uses up an attempt.
func TestConfirmationsPassEachOther(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		var s *served
		checked := 0
		var c payment.Confirmation
		s = serve(t, remote, func(cfg *payment.ServiceConfig) {
			cfg.Check = func(_ context.Context, q payment.Check) error {
				if q.Stage != payment.StageDebit {
					return nil
				}
				if q.Proof.Reveal() != "1234" {
					return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
				}
				checked++
				wrong := c
				wrong.Proof = alipayplus.Conceal("0000")
				_, err := s.Confirm(s.t.Context(), wrong) // the second phone is faster
				return err
			}
		})
		c = agreed(s.open())
		c.Proof = alipayplus.Conceal("1234")
		r, err := s.Confirm(t.Context(), c)
		if err != nil || r.State != payment.StateFailed || r.Code != alipayplus.CodeUserPaymentVerificationFailed {
			t.Errorf("%s %s, %v", r.State, r.Code, err)
		}
		if checked != payment.MaxAttempts {
			t.Errorf("checked %d times, want once for each of %d attempts", checked, payment.MaxAttempts)
		}
		s.runs(3 * time.Second)
		s.want(payment.StateFailed, 1000, "P1 F USER_PAYMENT_VERIFICATION_FAILED")
	})
}

// Records that read from a copy that lags cost a confirmation a few questions
// to Check, not an endless number, and debit nothing that was not checked.
func TestStaleRecords(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		k := &checks{stage: payment.StageDebit, err: payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)}
		copied := &copiedRecords{}
		s := serve(t, remote, func(cfg *payment.ServiceConfig) {
			copied.Records = cfg.Records
			cfg.Check, cfg.Records = k.check, copied
		})
		opened := s.open()
		if r := s.confirm(); r.State != payment.StateOpen {
			t.Fatal(r.State)
		}
		k.err, k.asked, copied.old = nil, nil, &opened
		_, err := s.Confirm(t.Context(), agreed(opened))
		if _, refused := alipayplus.RefusalOf(err); err == nil || refused || len(k.asked) != payment.MaxAttempts {
			t.Errorf("asked %d times, %v", len(k.asked), err)
		}
		copied.old = nil // it caught up
		s.want(payment.StateOpen, 1000)
		s.confirm()
		s.want(payment.StatePaid, 700)
	})
}

// copiedRecords finds what is old, if there is something.
type copiedRecords struct {
	payment.Records
	old *payment.Record
}

func (r *copiedRecords) Find(ctx context.Context, id string) (payment.Record, error) {
	if r.old != nil {
		return *r.old, nil
	}
	return r.Records.Find(ctx, id)
}

// However many guesses come at once, no more are compared than there are tries.
func TestGuessesAtOnce(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		s := serve(t, remote)
		r, err := s.Open(t.Context(), payment.Opened{Terms: verifiedTerms("P1")})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		compared, refused := 0, 0
		var guesses sync.WaitGroup
		for range 50 {
			guesses.Go(func() {
				next, err := s.On(t.Context(), "P1", payment.VerificationTried{At: time.Now()})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, payment.ErrTries):
					refused++
				case err != nil:
					t.Error(err)
				case next.State == payment.StateVerifying:
					compared++
				}
			})
		}
		guesses.Wait()
		if compared != r.Verification.Tries || refused != 50-compared {
			t.Errorf("%d guesses compared, %d refused, of %d tries", compared, refused, r.Verification.Tries)
		}
		for try := range compared {
			if _, err := s.On(t.Context(), "P1", payment.VerificationFailed{Try: try + 1, At: time.Now()}); err != nil {
				t.Error(err)
			}
		}
		s.runs(3 * time.Second)
		s.want(payment.StateFailed, 1000, "P1 F USER_PAYMENT_VERIFICATION_FAILED")
	})
}

// Refund and cancellation at the same time: whoever is first, the user gets
// back what was taken, once.
func TestRefundMeetsCancel(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		for i := range 20 {
			s := serve(t, remote)
			s.open()
			s.confirm()
			var both sync.WaitGroup
			for n := range 6 {
				both.Go(func() {
					var err error
					if (n+i)%6 == 0 {
						_, err = s.On(t.Context(), "P1", cancelling())
					} else {
						_, err = s.On(t.Context(), "P1", refunding(fmt.Sprint("r", n), 60))
					}
					if err != nil && !errors.Is(err, payment.ErrClosed) {
						t.Error(err)
					}
				})
			}
			both.Wait()
			s.want(payment.StateClosed, 1000)
			if len(s.find().Due()) > 0 {
				t.Error("something is due")
			}
		}
	})
}
