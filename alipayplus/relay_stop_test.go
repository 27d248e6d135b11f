package alipayplus_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// slowQueue is a queue whose answer comes when stop was called: as a database,
// it has leased the message, and who gave up hears nothing of it.
type slowQueue struct {
	*alipayplus.Memory
	stop func()
}

func (q slowQueue) Lease(ctx context.Context, n int, d time.Duration) ([]alipayplus.Delivery, error) {
	list, err := q.Memory.Lease(ctx, n, d)
	if len(list) > 0 {
		q.stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return list, err
}

// What is leased while Run is stopped is delivered: a deployment must not delay
// a notification by a lease.
func TestRelayStopsDuringLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, memory := alipayplustest.New(t), alipayplus.NewMemory()
		alipayplustest.Answer(g, payment.NotifyPayment,
			func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
				return &payment.NotifyPaymentResponse{}, nil
			})
		client, err := alipayplus.NewClient(g.Config())
		if err != nil {
			t.Fatal(err)
		}
		m, err := payment.NotifyPayment.Prepare(&payment.NotifyPaymentRequest{
			PaymentRequestID: "P1", PaymentResult: alipayplus.CodeOrderIsClosed.Result(),
		})
		if err == nil {
			err = memory.Put(t.Context(), m)
		}
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: slowQueue{memory, stop}})
		if err != nil {
			t.Fatal(err)
		}
		_ = relay.Run(ctx)
		if calls := g.Calls(payment.NotifyPayment); len(calls) != 1 {
			t.Errorf("%d deliveries", len(calls))
		}
	})
}
