package easypay_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// wallet is one process of the wallet. What it holds besides the database is
// lost when it dies.
type wallet struct {
	*crash
	db      *database
	issuing issuing
	slow    bool          // the ledger is another service: settle reports what became of a debit
	mistake string        // of a control
	latency time.Duration // before every change of a payment
	runs    atomic.Int64  // of Create and Pay

	tokens  *auth.Service
	sealer  *alipayplus.Sealer
	client  *alipayplus.Client
	handler http.Handler
}

// happened is the one place where a payment changes.
func (w *wallet) happened(ctx context.Context, id string, event payment.Event) (record payment.Record, err error) {
	time.Sleep(w.latency)
	var refused error
	var later []alipayplus.Message
	err = w.transaction(ctx, func(ctx context.Context, t *tables) error {
		var err error
		if record, err = t.load(id); err != nil {
			return err
		}
		before := record
		var do []payment.Effect
		record, do, refused = record.On(event)
		for len(do) > 0 {
			effect := do[0]
			do = do[1:]
			var end payment.Event
			switch e := effect.(type) {
			case payment.Notify:
				if w.mistake == notifiesLater {
					later = append(later, e.Message)
					break
				}
				t.Outbox[e.Message.Operation+" "+e.Message.Key] = e.Message
			case payment.Withdraw:
				delete(t.Outbox, e.Operation+" "+e.Key)
			default:
				if w.slow {
					break // settle does it
				}
				if w.mistake == debitsOutside {
					end = w.debitOutside(t, e)
					break
				}
				end = t.perform(e)
			}
			if end == nil {
				continue
			}
			next, more, err := record.On(end)
			if err != nil {
				return err
			}
			record, do = next, append(do, more...)
		}
		if record.Version == before.Version {
			return nil
		}
		if info := record.AuthorizationInfo; record.State == payment.StatePaid && before.State != payment.StatePaid &&
			record.Consented && w.issuing.within != nil {
			grant := auth.Grant{
				CustomerID: record.CustomerID, AuthClientID: info.AuthClientID,
				ReferenceAgreementID: info.ReferenceAgreementID,
				ReferenceMerchantID:  record.Order.Merchant.ReferenceMerchantID,
			}
			if err := w.issuing.within(ctx, w, t, id, grant); err != nil {
				return err
			}
		}
		return t.store(record)
	})
	if err == nil && later != nil {
		err = w.transaction(ctx, func(_ context.Context, t *tables) error {
			for _, m := range later {
				t.Outbox[m.Operation+" "+m.Key] = m
			}
			return nil
		})
	}
	if err == nil && w.issuing.after != nil {
		err = w.issuing.after(ctx, w)
	}
	if err == nil {
		err = refused
	}
	return record, err
}

// settle is the ledger as a service of its own: it does what is due, or the
// effects, and reports it.
func (w *wallet) settle(ctx context.Context, id string, effects ...payment.Effect) error {
	if effects == nil {
		record, err := w.record(id)
		if err != nil {
			return err
		}
		effects = record.Due()
	}
	for _, effect := range effects {
		var end payment.Event
		err := w.transaction(ctx, func(_ context.Context, t *tables) error { end = t.perform(effect); return nil })
		if err == nil {
			_, err = w.happened(ctx, id, end)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// work is the worker of the process: it delivers what waits in the outbox.
func (w *wallet) work(ctx context.Context) {
	if w.issuing.after != nil {
		_ = w.issuing.after(ctx, w)
	}
	outbox := w.view().Outbox
	for _, row := range slices.Sorted(maps.Keys(outbox)) {
		m, err := w.sealer.OpenMessage(outbox[row])
		if err != nil || w.client.Deliver(ctx, m) != nil {
			continue
		}
		_ = w.transaction(ctx, func(_ context.Context, t *tables) error { delete(t.Outbox, row); return nil })
	}
}

const (
	loginID    = "852-90000000"
	customerID = "customer-1"
	pageURL    = "https://wallet.example/verify?session="
)

// service is the wallet's side of pay. Its functions are idempotent by
// paymentRequestId, the key of the table of payments.
func (w *wallet) service() easypay.Service {
	return easypay.Service{
		Tokens: w.tokens,
		Evaluate: func(_ context.Context, e easypay.Evaluation) (easypay.Eligible, error) {
			if e.Account().UserLoginID.Reveal() != loginID {
				return easypay.Eligible{}, alipayplus.CodeUserNotExist
			}
			return easypay.Eligible{CustomerID: customerID}, nil
		},
		Create: func(ctx context.Context, c easypay.Creation) (easypay.Verification, error) {
			w.runs.Add(1)
			if c.Account().UserLoginID.Reveal() != loginID {
				return easypay.Verification{}, alipayplus.CodeUserNotExist
			}
			terms := c.Terms()
			terms.CustomerID = customerID
			terms.PaymentID = "W" + w.db.newID()
			terms.Verification = payment.Verification{URL: alipayplus.Conceal(pageURL + w.db.newID())}
			record, err := w.happened(ctx, c.PaymentRequestID, payment.Opened{Terms: terms, At: time.Now()})
			if err != nil {
				return easypay.Verification{}, err
			}
			return easypay.VerificationOf(record)
		},
		Pay: func(ctx context.Context, c easypay.OneClick) (easypay.Paid, error) {
			w.runs.Add(1)
			terms := c.Terms()
			terms.CustomerID = c.Grant.CustomerID
			terms.PaymentID = "W" + w.db.newID()
			record, err := w.happened(ctx, c.PaymentRequestID, payment.Opened{Terms: terms, At: time.Now()})
			if err == nil && record.State == payment.StateOpen {
				record, err = w.happened(ctx, c.PaymentRequestID, payment.Confirmed{
					CustomerID: c.Grant.CustomerID, Amount: record.Amounts.Debit(), At: time.Now(),
				})
			}
			if err != nil {
				return easypay.Paid{}, err
			}
			return easypay.PaidOf(record)
		},
	}
}

func (w *wallet) inquiryPayment(_ context.Context, r *payment.InquiryPaymentRequest) (*payment.InquiryPaymentResponse, error) {
	record, err := w.record(r.PaymentRequestID)
	return record.InquiryAnswer(), err
}

func (w *wallet) cancelPayment(ctx context.Context, r *payment.CancelPaymentRequest) (*payment.CancelPaymentResponse, error) {
	record, err := w.happened(ctx, r.PaymentRequestID, payment.Cancelled{At: time.Now()})
	if err != nil {
		return nil, err
	}
	return record.CancelAnswer(), nil
}
