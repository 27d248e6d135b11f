package payment_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
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
