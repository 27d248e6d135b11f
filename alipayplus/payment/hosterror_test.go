package payment_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

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

// Nothing that the host panics with ends the wallet: what was begun is undone
// or asked again, an alarm tells of it, and Run goes on.
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
