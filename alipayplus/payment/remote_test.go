package payment_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

var errLost = errors.New("connection reset")

// A remote ledger is called after the commit, so that the commit must be the
// Service's own.
func TestRemoteLedgerInTransactionOfCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true)
		opened := s.open()
		err := s.memory.InTx(t.Context(), func(ctx context.Context) error {
			_, err := s.Confirm(ctx, agreed(opened))
			return err
		})
		if err == nil {
			t.Error("a payment with a remote ledger changes in a transaction of the caller")
		}
		s.want(payment.StateOpen, 1000)
	})
}

// A payment is paid when the ledger says that it debited, which may be long
// before it is asked again; without a time that a message can tell (one that
// took milliseconds for seconds, for example), now.
func TestPaidTimeIsTheLedgers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for _, c := range []struct{ said, want time.Time }{
			{now.Add(-3 * time.Hour), now.Add(-3 * time.Hour)},
			{time.Time{}, now},
			{time.Unix(now.UnixMilli(), 0), now},
		} {
			s := serve(t, true, func(cfg *payment.ServiceConfig) { cfg.RemoteLedger = datedLedger{cfg.RemoteLedger, c.said} })
			s.open()
			r := s.confirm()
			if paid, ok := r.PaidTime.Time(); r.State != payment.StatePaid || !ok || !paid.Equal(c.want) {
				t.Errorf("the ledger said %v: %s, paid %v, want %v", c.said, r.State, r.PaidTime, c.want)
			}
		}
	})
}

// datedLedger says when it debited.
type datedLedger struct {
	payment.RemoteLedger
	at time.Time
}

func (l datedLedger) Debit(ctx context.Context, r payment.Record, d payment.Debit) (time.Time, error) {
	_, err := l.RemoteLedger.Debit(ctx, r, d)
	return l.at, err
}

// What the ledger does not know yet is in the log with the payment and the
// reason, so that somebody can ask the ledger; and what is due is asked for in
// the order in which it came.
func TestUnansweredCallsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := serve(t, true, func(cfg *payment.ServiceConfig) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		s.open()
		s.confirm()
		if log.Len() > 0 {
			t.Errorf("control: %s", log.String())
		}
		s.remote.Fault = func(context.Context, string, bool) error { return errLost }
		for _, id := range []string{"r3", "r1", "r2"} {
			if _, err := s.On(t.Context(), "P1", refunding(id, 60)); err != nil {
				t.Fatal(err)
			}
		}
		for _, part := range []string{"level=WARN", "does not know the end yet", "paymentRequestId=P1", errLost.Error()} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("%q is missing in %s", part, log.String())
			}
		}
		var asked []string
		s.remote.Fault = func(_ context.Context, key string, after bool) error {
			if !after {
				asked = append(asked, key)
			}
			return nil
		}
		s.runs(time.Minute)
		var want []string
		for _, c := range s.find().Credits {
			want = append(want, c.Key)
		}
		if len(want) != 3 || !slices.Equal(asked, want) {
			t.Errorf("asked for %v, want %v", asked, want)
		}
		s.want(payment.StatePaid, 880, "P1 S SUCCESS")
	})
}

// The next look is stored before the ledger is called, later than the call
// ends: a crash in between forgets nothing, and nobody else calls meanwhile.
func TestBackoffBeforeCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true)
		time.Sleep(1_234_567) // a clock that shows nanoseconds; databases keep microseconds
		var waits []time.Duration
		s.remote.Fault = func(ctx context.Context, _ string, _ bool) error {
			r := s.find()
			if at := r.Resume.At; !at.Equal(at.Truncate(time.Microsecond)) {
				t.Errorf("a database cannot keep %v", at)
			}
			if wait := time.Until(r.Resume.At); len(waits) == 0 && (wait > 10*time.Second || wait <= 10*time.Second-time.Microsecond) {
				t.Errorf("the first wait is %v", wait)
			}
			deadline, ok := ctx.Deadline()
			if !ok || !r.NextTime().After(deadline) || r.NextTime() != r.Resume.At {
				t.Errorf("the next look is at %v, the call ends at %v (%t)", r.NextTime(), deadline, ok)
			}
			waits = append(waits, time.Until(r.NextTime()).Round(time.Second))
			return errLost
		}
		s.open()
		s.confirm()
		s.runs(50 * time.Minute)
		if got := fmt.Sprint(waits[:9]); got != "[10s 20s 40s 1m20s 2m40s 5m20s 10m0s 10m0s 10m0s]" {
			t.Errorf("waits %v", got)
		}
	})
}

// A damaged count of looks stops no look.
func TestDamagedResume(t *testing.T) {
	for _, tries := range []int{-1, math.MinInt, math.MaxInt} {
		synctest.Test(t, func(t *testing.T) {
			var records payment.Records
			s := serve(t, true, func(cfg *payment.ServiceConfig) { records = cfg.Records })
			s.open()
			s.remote.Fault = func(context.Context, string, bool) error { return errLost }
			s.confirm()
			s.remote.Fault = nil
			if err := records.Update(t.Context(), "P1", func(_ context.Context, r payment.Record) (payment.Record, error) {
				r.Version++
				r.Resume.Tries = tries
				return r, nil
			}); err != nil {
				t.Fatal(err)
			}
			s.runs(11 * time.Minute)
			s.want(payment.StatePaid, 700, "P1 S SUCCESS")
		})
	}
}

// Money moves: what began goes on when the caller gives up.
func TestCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true)
		ctx, giveUp := context.WithCancel(t.Context())
		s.remote.Fault = func(call context.Context, _ string, after bool) error {
			if !after {
				giveUp()
				time.Sleep(3 * time.Second)
			}
			return call.Err()
		}
		s.open()
		r, err := s.Confirm(ctx, agreed(s.find()))
		if err != nil || r.State != payment.StatePaid {
			t.Errorf("%s, %v", r.State, err)
		}
		if _, err := s.Find(ctx, "P1"); !errors.Is(err, context.Canceled) {
			t.Errorf("control: %v", err)
		}
	})
}

// Only a refusal says that no money moved. Whatever else a debit returns, the
// payment waits, Alipay+ is told nothing, and the ledger is asked again.
func TestUnknownIsNoRefusal(t *testing.T) {
	refused := alipayplus.CodeUserBalanceNotEnough
	for name, unknown := range map[string]error{
		"its time is over":              context.DeadlineExceeded,
		"it was cancelled":              context.Canceled,
		"its time is over, in words":    fmt.Errorf("debit: %w", context.DeadlineExceeded),
		"the connection broke":          errLost,
		"it ended early":                io.ErrUnexpectedEOF,
		"it is pending":                 payment.ErrPending,
		"a code with U":                 alipayplus.CodeUnknownException,
		"a payment in process":          alipayplus.CodePaymentInProcess,
		"called too often":              alipayplus.CodeRequestTrafficExceedLimit,
		"a code with S":                 alipayplus.CodeSuccess,
		"a code that nobody knows":      alipayplus.ResultCode("OUT_OF_ORDER"),
		"a refusal and something else":  errors.Join(refused, errLost),
		"a refusal among several":       fmt.Errorf("%w: %w", refused, errLost),
		"a refusal of another's answer": &alipayplus.Error{Outcome: alipayplus.OutcomeFailed, Result: refused.Result()},
	} {
		for _, landed := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, true)
				opened := s.open()
				s.remote.Fault = func(_ context.Context, _ string, after bool) error {
					if after == landed {
						return unknown
					}
					return nil
				}
				r, err := s.Confirm(t.Context(), agreed(opened))
				if err != nil || r.State != payment.StatePaying {
					t.Errorf("%s, landed %t: the payment is %s, %v", name, landed, r.State, err)
				}
				s.runs(time.Minute)
				if r = s.find(); r.State != payment.StatePaying || len(s.told) != 0 || r.InquiryAnswer().PaymentResult.Status != alipayplus.StatusUnknown {
					t.Errorf("%s, landed %t, later: the payment is %s, Alipay+ was told %v", name, landed, r.State, s.told)
				}
				s.remote.Fault = nil
				s.runs(15 * time.Minute)
				s.want(payment.StatePaid, 700, "P1 S SUCCESS")
			})
		}
	}
}

// A ledger that hangs costs its caller five seconds, however much is due.
func TestHangingLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true)
		s.open()
		s.confirm()
		s.remote.Fault = func(ctx context.Context, _ string, _ bool) error {
			if ctx.Err() != nil {
				t.Error("a call is made when there is no time left for it")
			}
			<-ctx.Done()
			return ctx.Err()
		}
		for i := range 10 {
			start := time.Now()
			r, err := s.On(t.Context(), "P1", refunding(fmt.Sprint("r", i), 10))
			if err != nil || r.RefundAnswer(fmt.Sprint("r", i)).Result.Status != alipayplus.StatusUnknown {
				t.Fatal(err)
			}
			if took := time.Since(start); took != 5*time.Second {
				t.Errorf("refund %d took %v", i, took)
			}
		}
		s.remote.Fault = nil
		s.runs(15 * time.Minute)
		if len(s.find().Due()) != 0 {
			t.Error("credits are left")
		}
		s.want(payment.StatePaid, 800, "P1 S SUCCESS")
	})
}

// What hangs holds up nothing else that Run does.
func TestRunIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true)
		s.remote.Fault = func(ctx context.Context, _ string, _ bool) error {
			<-ctx.Done()
			return ctx.Err()
		}
		for i := range 200 {
			terms := scannedTerms(fmt.Sprint("hangs", i))
			terms.Amounts.PayToAmount.Minor = 1
			r, err := s.Open(t.Context(), payment.Opened{Terms: terms})
			if err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = s.Confirm(t.Context(), agreed(r)) }()
		}
		s.open()
		s.runs(payment.DefaultExpiry + 3*time.Minute)
		if r := s.find(); r.State != payment.StateClosed {
			t.Errorf("three minutes after its expiry it is %s", r.State)
		}
	})
}

// OnChange that fails for good does not hide money.
func TestOnChangeFailsAfterMoneyMoved(t *testing.T) {
	for _, c := range []struct {
		rule  string
		minor int64
		state payment.State
		seen  string
		told  string
	}{
		{"debited", 300, payment.StatePaid, "paying>paid", "P1 S SUCCESS"},
		{"refused", 3000, payment.StateOpen, "paying>open", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, broken := newAlarms(), true
				var seen, committed []string
				s := serve(t, true, func(cfg *payment.ServiceConfig) {
					cfg.Logger = slog.New(log)
					cfg.OnChange = func(_ context.Context, before, after payment.Record) error {
						if before.State != payment.StatePaying {
							return nil
						}
						if broken {
							return alipayplus.CodeProcessFail
						}
						seen = append(seen, fmt.Sprintf("%s>%s", before.State, after.State))
						return nil
					}
					cfg.AfterCommit = func(_ context.Context, before, after payment.Record) {
						committed = append(committed, fmt.Sprintf("%s>%s", before.State, after.State))
					}
				})
				terms := scannedTerms("P1")
				terms.Amounts.PayToAmount.Minor = c.minor
				if _, err := s.Open(t.Context(), payment.Opened{Terms: terms}); err != nil {
					t.Fatal(err)
				}
				if r := s.confirm(); r.State != c.state || log.count("alarm: OnChange") != 1 {
					t.Errorf("%s, alarms %q", r.State, log.texts)
				}
				if s.find().NextTime().IsZero() {
					t.Error("nobody looks again")
				}
				s.runs(time.Minute)
				if log.count("alarm: OnChange fails again") == 0 || len(seen) != 0 {
					t.Errorf("seen %v, alarms %q", seen, log.texts)
				}
				broken = false
				s.runs(5 * time.Minute)
				if fmt.Sprint(seen) != "["+c.seen+"]" || s.find().Missed {
					t.Errorf("OnChange saw %q", seen)
				}
				if fmt.Sprint(committed) != "[>open open>paying "+c.seen+"]" {
					t.Errorf("AfterCommit saw %q", committed)
				}
				if fmt.Sprint(s.told) != "["+c.told+"]" {
					t.Errorf("told %q", s.told)
				}
			})
		})
	}
}

// A credit that is recorded although OnChange fails is not made again, and the
// next event tells OnChange what it missed.
func TestOnChangeMissesCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken, missed := false, 0
		s := serve(t, true, func(cfg *payment.ServiceConfig) {
			cfg.OnChange = func(context.Context, payment.Record, payment.Record) error {
				if broken {
					return errLost
				}
				missed++
				return nil
			}
		})
		s.open()
		s.confirm()
		s.remote.Fault = func(_ context.Context, _ string, after bool) error {
			broken = after
			return nil
		}
		missed = 0
		r, err := s.On(t.Context(), "P1", cancelling())
		if err != nil || r.CancelAnswer().Result.Status != alipayplus.StatusSucceeded || !r.Missed {
			t.Errorf("%v, missed %t, %v", r.CancelAnswer().Result, r.Missed, err)
		}
		broken, s.remote.Fault = false, nil
		if r, err = s.On(t.Context(), "P1", cancelling()); err != nil || r.Missed || missed != 2 {
			t.Errorf("missed %t, OnChange is called %d times, %v", r.Missed, missed, err)
		}
		s.want(payment.StateClosed, 1000)
	})
}

// A cancellation meets a debit whose answer is lost: the void finds out, and
// what was taken is given back.
func TestCancelDuringRemoteDebit(t *testing.T) {
	for _, landed := range []bool{false, true} {
		t.Run(fmt.Sprintf("landed=%t", landed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, true)
				s.open()
				s.remote.Fault = func(_ context.Context, _ string, after bool) error {
					if after == landed {
						return errLost
					}
					return nil
				}
				if r := s.confirm(); r.State != payment.StatePaying {
					t.Fatal(r.State)
				}
				r, err := s.On(t.Context(), "P1", cancelling())
				if err != nil || r.CancelAnswer().Result.Status != alipayplus.StatusUnknown {
					t.Errorf("%v, %v", r.CancelAnswer().Result, err)
				}
				s.remote.Fault = nil
				s.runs(time.Minute)
				if r := s.find(); r.CancelAnswer().Result.Status != alipayplus.StatusSucceeded {
					t.Errorf("%v", r.CancelAnswer().Result)
				}
				s.want(payment.StateClosed, 1000)
				if entries := len(s.remote.Entries()); landed && entries != 2 || !landed && entries != 1 {
					t.Errorf("entries %v", s.remote.Entries())
				}
			})
		})
	}
}

// A debit that was on the wire when the payment was cancelled, and lands
// although it was voided (the ledger is at fault), is given back when it is
// reported.
func TestLateDebitIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetful := &forgetfulLedger{wait: make(chan struct{})}
		s := serve(t, true, func(cfg *payment.ServiceConfig) {
			forgetful.RemoteLedger = cfg.RemoteLedger
			cfg.RemoteLedger = forgetful
		})
		s.open()
		done := make(chan payment.Record)
		go func() {
			r, err := s.Confirm(t.Context(), agreed(s.find()))
			if err != nil {
				t.Error(err)
			}
			done <- r
		}()
		synctest.Wait()
		r, err := s.On(t.Context(), "P1", cancelling())
		if err != nil || r.CancelAnswer().Result.Status != alipayplus.StatusSucceeded {
			t.Errorf("%v, %v", r.CancelAnswer().Result, err)
		}
		close(forgetful.wait)
		if r := <-done; r.State != payment.StateClosed || len(r.Credits) != 1 {
			t.Errorf("%s, credits %v", r.State, r.Credits)
		}
		s.want(payment.StateClosed, 1000)
	})
}

// A process with a ledger in the database does nothing about a debit that another
// one began at a remote ledger: it neither debits again nor says that no money
// moved. An alarm says that the payment waits for one that can ask.
func TestOnlyRemoteLedgerEndsWhatItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var records payment.Records
		s := serve(t, true, func(cfg *payment.ServiceConfig) { records = cfg.Records })
		var log strings.Builder
		other := serve(t, false, func(cfg *payment.ServiceConfig) {
			cfg.Records, cfg.Logger = records, slog.New(slog.NewTextHandler(&log, nil))
		})
		s.open()
		s.remote.Fault = func(_ context.Context, _ string, after bool) error {
			if after {
				return errLost
			}
			return nil
		}
		if r := s.confirm(); r.State != payment.StatePaying {
			t.Fatal(r.State)
		}
		for range 2 {
			log.Reset()
			other.runs(time.Hour)
			if balance := other.bank.Balance("C1"); balance != 1000 || !strings.Contains(log.String(), "a RemoteLedger began what is due") {
				t.Errorf("the other ledger has %d: %s", balance, log.String())
			}
			r, err := other.On(t.Context(), "P1", cancelling())
			if err != nil || r.CancelAnswer().Result.Status != alipayplus.StatusUnknown {
				t.Errorf("%v, %v", r.CancelAnswer().Result, err)
			}
		}
		s.remote.Fault = nil
		s.runs(time.Hour)
		if r := s.find(); r.CancelAnswer().Result.Status != alipayplus.StatusSucceeded {
			t.Errorf("%v", r.CancelAnswer().Result)
		}
		s.want(payment.StateClosed, 1000)
	})
}

// forgetfulLedger does not remember a void, and its debits wait.
type forgetfulLedger struct {
	payment.RemoteLedger
	wait chan struct{}
}

func (l *forgetfulLedger) Debit(ctx context.Context, r payment.Record, d payment.Debit) (time.Time, error) {
	<-l.wait
	return l.RemoteLedger.Debit(ctx, r, d)
}

func (l *forgetfulLedger) Void(context.Context, payment.Record, payment.Void) (time.Time, error) {
	return time.Time{}, nil
}

// Two processes run: what is due is looked at by one of them.
func TestTwoRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true)
		var mu sync.Mutex
		var calls []time.Duration
		start := time.Now()
		s.remote.Fault = func(context.Context, string, bool) error {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, time.Since(start))
			return errLost
		}
		s.open()
		s.confirm()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var runs sync.WaitGroup
		for range 4 {
			runs.Go(func() { _ = s.Run(ctx) })
		}
		runs.Wait()
		// After 10, 30, 70, 150, 310 s and so on, each a moment later.
		if len(calls) != 6 {
			t.Errorf("called at %v", calls)
		}
		for i := 1; i < len(calls); i++ {
			if calls[i]-calls[i-1] < 9*time.Second {
				t.Errorf("called at %v", calls)
			}
		}
	})
}
