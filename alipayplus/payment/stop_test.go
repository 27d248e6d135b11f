package payment_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// slowRecords answer a Lease when stop was called: as a database, they have
// leased the payments, and who gave up hears nothing of it.
type slowRecords struct {
	payment.Records
	stop func()
}

func (r slowRecords) Lease(ctx context.Context, n int, d time.Duration) ([]string, error) {
	ids, err := r.Records.Lease(ctx, n, d)
	if len(ids) > 0 {
		r.stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return ids, err
}

// What is leased while Run is stopped is looked at.
func TestRunStopsDuringLease(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		s := serve(t, remote, func(cfg *payment.ServiceConfig) { cfg.Records = slowRecords{cfg.Records, stop} })
		s.open()
		time.Sleep(payment.DefaultExpiry + time.Second)
		_ = s.Run(ctx)
		if r := s.find(); r.State != payment.StateClosed {
			t.Errorf("the payment is %s", r.State)
		}
	})
}

// lockedRecords wait in each Update of one payment, as for a lock that nobody
// gives back, until the context ends.
type lockedRecords struct {
	payment.Records
	id     string
	locked *atomic.Bool
}

func (r lockedRecords) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	if id == r.id && r.locked.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return r.Records.Update(ctx, id, change)
}

// A lock that nobody gives back holds up neither the other payments nor the end
// of Run, and when it is gone, the payment goes on.
func TestRunWithLockedPayment(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		var locked atomic.Bool
		s := serve(t, remote, func(cfg *payment.ServiceConfig) { cfg.Records = lockedRecords{cfg.Records, "locked", &locked} })
		if _, err := s.Open(t.Context(), payment.Opened{Terms: scannedTerms("locked")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.open()
		locked.Store(true)
		s.runs(payment.DefaultExpiry + 2*time.Minute)
		if r := s.find(); r.State != payment.StateClosed {
			t.Errorf("two minutes after its expiry the other payment is %s", r.State)
		}
		locked.Store(false)
		s.runs(3 * time.Minute)
		if r, err := s.Find(t.Context(), "locked"); err != nil || r.State != payment.StateClosed {
			t.Errorf("three minutes after the lock is gone the payment is %s: %v", r.State, err)
		}
	})
}

// A lock that nobody gives back does not hold whoever waits for the record of
// what a RemoteLedger did: less than the lease of a handler, of a minute. Run
// finds the end later.
func TestLockedAfterMoneyMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locked atomic.Bool
		s := serve(t, true, func(cfg *payment.ServiceConfig) { cfg.Records = lockedRecords{cfg.Records, "P1", &locked} })
		s.remote.Fault = func(_ context.Context, _ string, after bool) error {
			locked.Store(after)
			return nil
		}
		s.open()
		start := time.Now()
		r := s.confirm()
		if took := time.Since(start); r.State != payment.StatePaying || took > 40*time.Second {
			t.Errorf("it is %s after %v", r.State, took)
		}
		s.remote.Fault = nil
		locked.Store(false)
		s.runs(3 * time.Minute)
		s.want(payment.StatePaid, 700, "P1 S SUCCESS")
	})
}
