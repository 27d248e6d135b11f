package payment_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// alarms collects what is logged with level ERROR.
type alarms struct {
	slog.Handler
	mu    sync.Mutex
	texts []string
}

func newAlarms() *alarms { return &alarms{Handler: slog.DiscardHandler} }

func (a *alarms) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

func (a *alarms) Handle(_ context.Context, r slog.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.texts = append(a.texts, r.Message)
	return nil
}

func (a *alarms) WithAttrs([]slog.Attr) slog.Handler { return a }

func (a *alarms) count(part string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, text := range a.texts {
		if strings.Contains(text, part) {
			n++
		}
	}
	return n
}

// ledgerFuncs changes what a Ledger does.
type ledgerFuncs struct {
	payment.Ledger
	debit  func(context.Context, payment.Record, payment.Debit) error
	credit func(context.Context, payment.Record, payment.Credit) error
}

func (l ledgerFuncs) Debit(ctx context.Context, r payment.Record, d payment.Debit) error {
	if l.debit != nil {
		return l.debit(ctx, r, d)
	}
	return l.Ledger.Debit(ctx, r, d)
}

func (l ledgerFuncs) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	if l.credit != nil {
		return l.credit(ctx, r, c)
	}
	return l.Ledger.Credit(ctx, r, c)
}

// recordFuncs runs fault before each statement of Records, by its name.
type recordFuncs struct {
	payment.Records
	fault func(statement string) error
}

func (r recordFuncs) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	if err := r.fault("update"); err != nil {
		return err
	}
	return r.Records.Update(ctx, id, change)
}

func (r recordFuncs) Find(ctx context.Context, id string) (payment.Record, error) {
	if err := r.fault("find"); err != nil {
		return payment.Record{}, err
	}
	return r.Records.Find(ctx, id)
}

func (r recordFuncs) Put(ctx context.Context, m alipayplus.Message) error {
	if err := r.fault("put"); err != nil {
		return err
	}
	return r.Records.Put(ctx, m)
}

func (r recordFuncs) Withdraw(ctx context.Context, operation, key string) error {
	if err := r.fault("withdraw"); err != nil {
		return err
	}
	return r.Records.Withdraw(ctx, operation, key)
}

// open opens P1, for 300 of the 1,000 that C1 has.
func (s *served) open() payment.Record {
	s.t.Helper()
	r, err := s.Open(s.t.Context(), payment.Opened{Terms: scannedTerms("P1")})
	if err != nil || r.State != payment.StateOpen {
		s.t.Fatal(r.State, err)
	}
	return r
}

func (s *served) confirm() payment.Record {
	s.t.Helper()
	r, err := s.Confirm(s.t.Context(), agreed(s.find()))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *served) find() payment.Record {
	s.t.Helper()
	r, err := s.Find(context.WithoutCancel(s.t.Context()), "P1")
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *served) want(state payment.State, balance int64, told ...string) {
	s.t.Helper()
	r := s.find()
	if r.State != state || s.balance() != balance || !slices.Equal(s.told, told) {
		s.t.Errorf("%s, balance %d, told %q; want %s, %d, %q", r.State, s.balance(), s.told, state, balance, told)
	}
}

func cancelling() payment.Cancelled { return payment.Cancelled{At: time.Now()} }

func refunding(id string, minor int64) payment.Refunded {
	return payment.Refunded{
		Request: payment.RefundRequest{
			PaymentRequestID: "P1", RefundRequestID: id,
			RefundAmount: jpy(minor / 10), RefundFromAmount: alipayplus.Amount{Currency: "KRW", Minor: minor},
		},
		RefundID: "W" + id, At: time.Now(),
	}
}

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
// stays as it was, the caller cannot take it for F, and the same call works when
// the fault is over.
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

// The host's functions cannot change the payment that they are called for; it
// would be lost, or wait for itself.
func TestReentered(t *testing.T) {
	for _, where := range []string{"OnChange", "Check at open", "Check at debit", "Ledger"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s *served
				var inner error
				again := func(ctx context.Context) {
					if _, err := s.On(ctx, "P1", cancelling()); err != nil {
						inner = err
					}
				}
				s = serve(t, false, func(cfg *payment.ServiceConfig) {
					switch where {
					case "OnChange":
						cfg.OnChange = func(ctx context.Context, _, after payment.Record) error {
							if after.State == payment.StatePaid {
								again(ctx)
							}
							return nil
						}
					case "Ledger":
						cfg.Ledger = ledgerFuncs{Ledger: cfg.Ledger, debit: func(ctx context.Context, r payment.Record, d payment.Debit) error {
							again(ctx)
							return s.bank.Debit(ctx, r, d)
						}}
					default:
						cfg.Check = func(ctx context.Context, c payment.Check) error {
							if strings.HasSuffix(where, string(c.Stage)) {
								again(ctx)
							}
							return nil
						}
					}
				})
				s.open()
				s.confirm()
				if inner == nil || !strings.Contains(inner.Error(), "must not change the payment") {
					t.Errorf("the inner event: %v", inner)
				}
				s.want(payment.StatePaid, 700)
			})
		})
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
		// The ledger refuses the other payment's debit: that is no refusal of this
		// one.
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

// Nothing that the host panics with ends the wallet: what was begun is undone or
// asked again, an alarm tells of it, and Run goes on.
func TestPanics(t *testing.T) {
	for _, where := range []string{"Ledger", "OnChange", "Check", "AfterCommit", "RemoteLedger", "RemoteLedger and OnChange", "Run"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, start := newAlarms(), time.Now()
				broken := true
				bang := func() {
					if broken {
						panic("a secret")
					}
				}
				var s *served
				s = serve(t, strings.HasPrefix(where, "Remote"), func(cfg *payment.ServiceConfig) {
					cfg.Logger = slog.New(log)
					switch where {
					case "Ledger":
						cfg.Ledger = ledgerFuncs{Ledger: cfg.Ledger, debit: func(ctx context.Context, r payment.Record, d payment.Debit) error {
							_ = s.bank.Debit(ctx, r, d)
							bang()
							return nil
						}}
					case "OnChange", "RemoteLedger and OnChange":
						cfg.OnChange = func(_ context.Context, _, after payment.Record) error {
							if after.State == payment.StatePaid {
								bang()
							}
							return nil
						}
					case "Check":
						cfg.Check = func(_ context.Context, c payment.Check) error {
							if c.Stage == payment.StageDebit {
								bang()
							}
							return nil
						}
					case "AfterCommit":
						cfg.AfterCommit = func(context.Context, payment.Record, payment.Record) { bang() }
					case "Run":
						cfg.Records = recordFuncs{cfg.Records, func(statement string) error {
							if statement == "update" && time.Since(start) > 10*time.Minute {
								bang()
							}
							return nil
						}}
					}
				})
				if s.remote != nil && where == "RemoteLedger" {
					s.remote.Fault = func(_ context.Context, _ string, after bool) error {
						if after {
							bang()
						}
						return nil
					}
				}
				s.open()
				if where == "Run" { // it panics again and again, and expires the payment at last
					s.runs(12 * time.Minute)
					broken = false
					s.runs(2 * time.Minute)
					s.want(payment.StateClosed, 1000, "P1 F ORDER_IS_CLOSED")
				} else {
					r, err := s.Confirm(t.Context(), agreed(s.find()))
					switch where {
					case "AfterCommit", "RemoteLedger and OnChange":
						if err != nil || r.State != payment.StatePaid {
							t.Errorf("%s, %v", r.State, err)
						}
					case "RemoteLedger":
						if err != nil || r.State != payment.StatePaying {
							t.Errorf("%s, %v", r.State, err)
						}
					default:
						if _, refused := alipayplus.RefusalOf(err); err == nil || refused || strings.Contains(err.Error(), "secret") {
							t.Errorf("the error is %v", err)
						}
						s.want(payment.StateOpen, 1000)
						broken = false
						s.confirm()
					}
					s.runs(30 * time.Second)
					broken = false
					s.runs(5 * time.Minute)
					s.want(payment.StatePaid, 700, "P1 S SUCCESS")
				}
				if log.count("alarm: panic") == 0 {
					t.Error("no alarm")
				}
			})
		})
	}
}

// Ids of the wallet are unique, and the host can make them.
func TestNewID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, false)
		seen := map[string]bool{}
		for i := range 1000 {
			r, err := s.Open(t.Context(), payment.Opened{Terms: scannedTerms(fmt.Sprint("P", i))})
			if err != nil || len(r.PaymentID) < 20 || len(r.PaymentID) > 64 || seen[r.PaymentID] {
				t.Fatalf("%q, %v", r.PaymentID, err)
			}
			seen[r.PaymentID] = true
		}
		own := serve(t, false, func(cfg *payment.ServiceConfig) { cfg.NewID = func() string { return "own" } })
		if r := own.open(); r.PaymentID != "own" {
			t.Errorf("%q", r.PaymentID)
		}
	})
}

func TestNewServiceChecksConfig(t *testing.T) {
	memory := alipayplus.NewMemory()
	records := payment.NewMemoryRecords(memory)
	for _, cfg := range []payment.ServiceConfig{
		{},
		{Ledger: paymenttest.NewBank(memory)},
		{Records: records},
		{Records: records, Ledger: paymenttest.NewBank(memory), RemoteLedger: paymenttest.NewRemoteBank()},
	} {
		if _, err := payment.NewService(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	if s, err := payment.NewService(payment.ServiceConfig{Records: records, Ledger: paymenttest.NewBank(memory)}); err != nil {
		t.Error(err)
	} else if _, err := s.On(t.Context(), "P1", nil); !errors.Is(err, payment.ErrEvent) {
		t.Errorf("a nil event: %v", err)
	}
}
