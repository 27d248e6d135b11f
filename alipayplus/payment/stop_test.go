package payment_test

import (
	"context"
	"testing"
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
