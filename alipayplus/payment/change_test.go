package payment_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// What a ledger in the database wrote before it refused is gone; the refusal is
// recorded without the ledger, and for good it is reported.
func TestRefusedDebitLeavesNothing(t *testing.T) {
	for _, c := range []struct {
		rule  string
		err   error
		state payment.State
		code  alipayplus.ResultCode
		told  []string
	}{
		{"for good", alipayplus.CodeRiskReject, payment.StateFailed, alipayplus.CodeRiskReject, []string{"P1 F RISK_REJECT"}},
		{"wrapped once", fmt.Errorf("bank: %w", alipayplus.CodeRiskReject), payment.StateFailed, alipayplus.CodeRiskReject, []string{"P1 F RISK_REJECT"}},
		{"retryable", payment.Retryable(alipayplus.CodeUserBalanceNotEnough), payment.StateOpen, alipayplus.CodeUserBalanceNotEnough, nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				var s *served
				s = serve(t, false, func(cfg *payment.ServiceConfig) {
					cfg.Ledger = ledgerFuncs{Ledger: cfg.Ledger, debit: func(ctx context.Context, r payment.Record, d payment.Debit) error {
						calls++
						if err := s.bank.Debit(ctx, r, d); err != nil {
							return err
						}
						return c.err
					}}
				})
				s.open()
				r := s.confirm()
				if r.Code != c.code || calls != 1 || len(s.bank.Entries()) != 0 {
					t.Errorf("code %s, %d debits, entries %v", r.Code, calls, s.bank.Entries())
				}
				s.runs(3 * time.Second)
				s.want(c.state, 1000, c.told...)
			})
		})
	}
}

// Only a refusal refuses: whatever result code another error holds, the payment
// stays as it was, the caller cannot take it for F, and the same call works
// when the fault is over.
func TestOtherErrorsDecideNothing(t *testing.T) {
	code := error(alipayplus.CodeProcessFail)
	for _, c := range []struct {
		rule string
		// begin brings the payment to where event fails.
		paid  bool
		event func() payment.Event
		spoil func(cfg *payment.ServiceConfig, broken *bool)
	}{
		{"a debit that says more than a refusal", false, confirming, func(cfg *payment.ServiceConfig, broken *bool) {
			bank := cfg.Ledger
			cfg.Ledger = ledgerFuncs{Ledger: bank, debit: func(ctx context.Context, r payment.Record, d payment.Debit) error {
				if *broken {
					return errors.Join(code, errors.New("the connection broke"))
				}
				return bank.Debit(ctx, r, d)
			}}
		}},
		{"a credit", true, func() payment.Event { return cancelling() }, func(cfg *payment.ServiceConfig, broken *bool) {
			bank := cfg.Ledger
			cfg.Ledger = ledgerFuncs{Ledger: bank, credit: func(ctx context.Context, r payment.Record, c payment.Credit) error {
				if *broken {
					return code
				}
				return bank.Credit(ctx, r, c)
			}}
		}},
		{"OnChange", false, confirming, func(cfg *payment.ServiceConfig, broken *bool) {
			cfg.OnChange = func(context.Context, payment.Record, payment.Record) error {
				if *broken {
					return code
				}
				return nil
			}
		}},
		{"Check", false, confirming, func(cfg *payment.ServiceConfig, broken *bool) {
			cfg.Check = func(context.Context, payment.Check) error {
				if *broken {
					return errors.Join(code)
				}
				return nil
			}
		}},
		{"the outbox", false, confirming, statementFails("put", code)},
		{"the outbox, withdrawing", true, func() payment.Event { return cancelling() }, statementFails("withdraw", code)},
		{"a transaction", false, confirming, statementFails("update", code)},
		{"a transaction that fails after the ledger refused", false, confirming, func(cfg *payment.ServiceConfig, broken *bool) {
			bank, records := cfg.Ledger, cfg.Records
			cfg.Ledger = ledgerFuncs{Ledger: bank, debit: func(ctx context.Context, r payment.Record, d payment.Debit) error {
				if *broken {
					return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
				}
				return bank.Debit(ctx, r, d)
			}}
			cfg.Records = rollbackFails{records, broken, code}
		}},
		{"a query", false, confirming, func(cfg *payment.ServiceConfig, broken *bool) {
			cfg.Check = func(context.Context, payment.Check) error { return nil }
			statementFails("find", code)(cfg, broken)
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				broken := false
				s := serve(t, false, func(cfg *payment.ServiceConfig) { c.spoil(cfg, &broken) })
				s.open()
				if c.paid {
					s.confirm()
				}
				before, balance := s.find(), s.balance()
				broken = true
				_, err := s.On(t.Context(), "P1", c.event())
				if err == nil || !errors.Is(err, code) {
					t.Fatalf("the error is %v", err)
				}
				if _, refused := alipayplus.RefusalOf(err); refused {
					t.Errorf("a handler answers F: %v", err)
				}
				broken = false
				if after := s.find(); after.Version != before.Version || s.balance() != balance {
					t.Errorf("%s became %s, the balance %d", before.State, after.State, s.balance())
				}
				if _, err := s.On(t.Context(), "P1", c.event()); err != nil {
					t.Errorf("the second time: %v", err)
				}
				if after := s.find(); after.Version == before.Version {
					t.Errorf("it is still %s", after.State)
				}
			})
		})
	}
}

// rollbackFails are records whose failed transactions end with an error of
// their own.
type rollbackFails struct {
	payment.Records
	broken *bool
	err    error
}

func (r rollbackFails) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	err := r.Records.Update(ctx, id, change)
	if err != nil && *r.broken {
		return r.err
	}
	return err
}

func confirming() payment.Event {
	return payment.Confirmed{CustomerID: "C1", Amount: alipayplus.Amount{Currency: "KRW", Minor: 300}, At: time.Now()}
}

func statementFails(statement string, err error) func(*payment.ServiceConfig, *bool) {
	return func(cfg *payment.ServiceConfig, broken *bool) {
		cfg.Records = recordFuncs{cfg.Records, func(s string) error {
			if *broken && s == statement {
				return err
			}
			return nil
		}}
	}
}

// OnChange may change another payment, in the same transaction.
func TestOnChangeOfAnotherPayment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *served
		refuse := true
		s = serve(t, false, func(cfg *payment.ServiceConfig) {
			cfg.OnChange = func(ctx context.Context, _, after payment.Record) error {
				if after.PaymentRequestID != "P1" || after.State != payment.StatePaid {
					return nil
				}
				terms := scannedTerms("P2")
				if refuse {
					terms.Amounts.PayToAmount.Minor = 5000
				}
				other, err := s.Open(ctx, payment.Opened{Terms: terms})
				if err == nil {
					_, err = s.Confirm(ctx, agreed(other))
				}
				return err
			}
		})
		s.open()
		// The ledger refuses the other payment's debit: that is no refusal of
		// this one.
		_, err := s.Confirm(t.Context(), agreed(s.find()))
		if _, refused := alipayplus.RefusalOf(err); err == nil || refused || !errors.Is(err, alipayplus.CodeUserBalanceNotEnough) {
			t.Fatalf("the error is %v", err)
		}
		if other, err := s.Find(t.Context(), "P2"); err != nil || other.State != "" {
			t.Errorf("the other payment is %q, %v", other.State, err)
		}
		s.want(payment.StateOpen, 1000)
		refuse = false
		s.confirm()
		s.want(payment.StatePaid, 400)
	})
}

// A change in a transaction of the caller is committed or undone with it.
func TestJoinedTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		commits := 0
		s := serve(t, false, func(cfg *payment.ServiceConfig) {
			cfg.AfterCommit = func(context.Context, payment.Record, payment.Record) { commits++ }
		})
		s.open()
		c := agreed(s.find())
		undo := errors.New("the caller changes its mind")
		err := s.memory.InTx(t.Context(), func(ctx context.Context) error {
			if r, err := s.Confirm(ctx, c); err != nil || r.State != payment.StatePaid {
				t.Error(r.State, err)
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Error(err)
		}
		s.want(payment.StateOpen, 1000)

		s.bank.Deposit("C1", -900)
		err = s.memory.InTx(t.Context(), func(ctx context.Context) error {
			_, err := s.Confirm(ctx, c)
			if _, refused := alipayplus.RefusalOf(err); refused || !errors.Is(err, alipayplus.CodeUserBalanceNotEnough) {
				t.Errorf("a refusal in a transaction of the caller is %v", err)
			}
			return nil // and forgets it
		})
		if err == nil {
			t.Error("a transaction whose part failed is committed")
		}
		if r := s.find(); r.State != payment.StateOpen || len(r.Attempts) != 0 {
			t.Errorf("%s, attempts %v", r.State, r.Attempts)
		}
		s.bank.Deposit("C1", 900)

		if err := s.memory.InTx(t.Context(), func(ctx context.Context) error {
			_, err := s.Confirm(ctx, c)
			return err
		}); err != nil {
			t.Error(err)
		}
		if commits != 1 { // of Open
			t.Errorf("AfterCommit is called %d times", commits)
		}
		s.runs(3 * time.Second)
		s.want(payment.StatePaid, 700, "P1 S SUCCESS")
	})
}

// AfterCommit is called once for each change, after it can be seen.
func TestAfterCommitOnce(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		var s *served
		var changes []string
		s = serve(t, remote, func(cfg *payment.ServiceConfig) {
			cfg.AfterCommit = func(ctx context.Context, before, after payment.Record) {
				if seen, err := s.Find(ctx, after.PaymentRequestID); err != nil || seen.Version != after.Version {
					t.Errorf("version %d is not committed: %d, %v", after.Version, seen.Version, err)
				}
				changes = append(changes, fmt.Sprintf("%s>%s", before.State, after.State))
			}
		})
		s.open()
		s.open()
		s.confirm()
		s.confirm()
		if _, err := s.On(t.Context(), "P1", cancelling()); err != nil {
			t.Fatal(err)
		}
		s.runs(time.Minute)
		want := "[>open open>paid paid>closed]"
		if remote {
			want = "[>open open>paying paying>paid paid>closed closed>closed]"
		}
		if fmt.Sprint(changes) != want {
			t.Errorf("%v, want %s", changes, want)
		}
	})
}
