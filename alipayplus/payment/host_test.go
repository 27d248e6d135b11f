package payment_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// newHost is the example's host with a customer who has 100.00 HKD.
func newHost() *host {
	h := &host{db: newDatabase(), now: func() time.Time { return noon }}
	h.db.committed.Balances["alice"] = 10_000
	return h
}

// plainOpened is an order that is notified to the default path.
func plainOpened() payment.Opened {
	return with(opened, func(e *payment.Opened) { e.NotifyURL = "" })
}

// What Alipay+ gets from the host through the real handler.
func TestHostBehindHandler(t *testing.T) {
	g := alipayplustest.New(t)
	h := newHost()
	handler, err := alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: g.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000)},
		payment.InquiryPayment.Handle("/inquiryPayment", h.inquiryPayment),
		payment.CancelPayment.Handle("/cancelPayment", h.cancelPayment),
		payment.Refund.Handle("/refund", h.refund),
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	inquiry := func() string {
		a, err := alipayplustest.Send(ctx, g, handler, "/inquiryPayment", payment.InquiryPayment,
			&payment.InquiryPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: orderID})
		if err != nil {
			return err.Error()
		}
		return a.Result.Error() + ", " + a.PaymentResult.Error()
	}
	cancel := func() string {
		a, err := alipayplustest.Send(ctx, g, handler, "/cancelPayment", payment.CancelPayment,
			&payment.CancelPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: orderID})
		if err != nil {
			return err.Error()
		}
		return a.Result.Error()
	}
	refund := func(e payment.Refunded) string {
		a, err := alipayplustest.Send(ctx, g, handler, "/refund", payment.Refund, &e.Request)
		if err != nil {
			return err.Error()
		}
		return a.Result.Error() + " " + a.RefundID
	}
	happens := func(e payment.Event) string {
		record, refused, err := h.happened(orderID, e)
		return fmt.Sprint(record.State, " ", firstOf(err, refused))
	}
	for i, c := range []struct{ got, want string }{
		{inquiry(), "F ORDER_NOT_EXIST, no result"},
		{refund(part), "F ORDER_NOT_EXIST "},
		{happens(plainOpened()), "open <nil>"},
		{inquiry(), "S SUCCESS, U PAYMENT_IN_PROCESS"},
		{happens(confirmed), "paid <nil>"},
		{inquiry(), "S SUCCESS, S SUCCESS"},
		{refund(rest), "S SUCCESS refund of r2"},
		{refund(rest), "S SUCCESS refund of r2"},
		{refund(refundOf("r2", 894, 7662, 8020)), "F REPEAT_REQ_INCONSISTENT "},
		{refund(with(rest, func(e *payment.Refunded) { e.Request.PaymentRequestID = "another" })), "F REPEAT_REQ_INCONSISTENT "},
		{refund(refundOf("r0", 0, 1, 1)), "F PARAM_ILLEGAL "},
		{refund(refundOf("r3", 101, 856, 896)), "F REFUND_AMOUNT_EXCEED "},
		{inquiry(), "S SUCCESS, S SUCCESS"},
		{cancel(), "S SUCCESS"},
		{cancel(), "S SUCCESS"},
		{inquiry(), "S SUCCESS, F ORDER_IS_CLOSED"},
		{refund(refundOf("r4", 100, 856, 896)), "F ORDER_IS_CLOSED "},
		{happens(confirmed), "closed <nil>"},
		{fmt.Sprint(h.db.committed.Balances["alice"]), "10000"},
	} {
		if c.got != c.want {
			t.Errorf("step %d: %q, want %q", i+1, c.got, c.want)
		}
	}
}

var errCrash = errors.New("crash")

// Wherever the wallet dies, the user is debited once, the result is reported
// once, and every attempt to report it has the same bytes.
func TestDeliveryAfterCrash(t *testing.T) {
	for _, c := range []struct {
		rule  string
		spoil func(g *alipayplustest.Gateway)
		// crash is called around each delivery and may end it.
		before, after func()
		rollback      bool
	}{
		{rule: "no crash"},
		{rule: "before the result is committed", rollback: true},
		{rule: "before sending", before: func() { panic(errCrash) }},
		{rule: "the request is lost", spoil: func(g *alipayplustest.Gateway) {
			g.Fail(payment.NotifyPayment, alipayplustest.LoseRequest())
		}},
		{rule: "the answer is lost", spoil: func(g *alipayplustest.Gateway) {
			g.Fail(payment.NotifyPayment, alipayplustest.LoseAnswer())
		}},
		{rule: "the answer is U", spoil: func(g *alipayplustest.Gateway) {
			g.Fail(payment.NotifyPayment, alipayplustest.Unknown(alipayplus.CodeUnknownException))
		}},
		{rule: "after the answer, before it is marked", after: func() { panic(errCrash) }},
	} {
		t.Run(c.rule, func(t *testing.T) {
			g := alipayplustest.New(t)
			changes := 0
			alipayplustest.Answer(g, payment.NotifyPayment, func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
				changes++
				return &payment.NotifyPaymentResponse{}, nil
			})
			if c.spoil != nil {
				c.spoil(g)
			}
			config := g.Config()
			config.Retry = alipayplus.NoRetry
			client, err := alipayplus.NewClient(config)
			if err != nil {
				t.Fatal(err)
			}
			h := newHost()
			if _, _, err := h.happened(orderID, plainOpened()); err != nil {
				t.Fatal(err)
			}
			if c.rollback {
				survive(func() {
					_ = h.db.transaction(func(tables *tables) error {
						inner := &host{db: &database{*tables}, now: h.now}
						_, _, _ = inner.happened(orderID, confirmed)
						panic(errCrash) // before the commit
					})
				})
			}
			if _, refused, err := h.happened(orderID, confirmed); err != nil || refused != nil {
				t.Fatal(err, refused)
			}
			send := func(ctx context.Context, m alipayplus.Message) error {
				if c.before != nil {
					c.before()
				}
				err := client.Deliver(ctx, m)
				if c.after != nil {
					c.after()
				}
				return err
			}
			survive(func() { h.deliver(t.Context(), send) })
			c.before, c.after = nil, nil // it runs again
			survive(func() { h.deliver(t.Context(), send) })

			if changes != 1 || len(h.db.committed.Outbox) != 0 {
				t.Errorf("reported %d times, %d messages are left", changes, len(h.db.committed.Outbox))
			}
			if h.db.committed.Balances["alice"] != 10_000-8916 {
				t.Errorf("a balance of %d", h.db.committed.Balances["alice"])
			}
			calls := g.Calls(payment.NotifyPayment)
			for _, call := range calls {
				if string(call.Body) != string(calls[0].Body) {
					t.Errorf("another body:\n%s\n%s", call.Body, calls[0].Body)
				}
			}
		})
	}
}

// survive runs fn and takes its crash.
func survive(fn func()) {
	defer func() {
		if v := recover(); v != nil && v != any(errCrash) {
			panic(v)
		}
	}()
	fn()
}
