package main

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// wallet is the backend of a wallet, reduced to its payments. Its maps stand for
// the tables of a database, and a held lock for a transaction.
type wallet struct {
	mu       sync.Mutex
	payments map[string]payment.Record     // paymentRequestId → record
	balances map[string]int64              // customer → KRW
	ledger   map[string]int64              // key, UNIQUE → what the customer got, negative for a debit
	outbox   map[string]alipayplus.Message // operation and key, UNIQUE
}

func newWallet() *wallet {
	return &wallet{
		payments: make(map[string]payment.Record),
		balances: map[string]int64{customer: 50_000},
		ledger:   make(map[string]int64),
		outbox:   make(map[string]alipayplus.Message),
	}
}

// happened is the one place where a payment changes: the record, the ledger and
// the outbox in one transaction. refused is what the payment's rules say against
// the event.
func (w *wallet) happened(id string, event payment.Event) (record payment.Record, refused error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	record, known := w.payments[id]
	if !known {
		record = payment.Record{Terms: payment.Terms{PaymentRequestID: id}}
	}
	record, do, refused := record.On(event)
	for len(do) > 0 {
		var end payment.Event // what is done here is reported at once
		switch d := do[0].(type) {
		case payment.Debit:
			if w.balances[d.CustomerID] < d.Amount.Minor {
				end = payment.Refused{Attempt: d.Attempt, Code: alipayplus.CodeUserBalanceNotEnough}
				break
			}
			w.book(d.Key, d.CustomerID, -d.Amount.Minor)
			end = payment.Debited{Attempt: d.Attempt, At: time.Now()}
		case payment.Void:
			end = payment.Refused{Attempt: d.Attempt} // debits are booked here, so that none is under way
		case payment.Credit:
			w.book(d.Key, d.CustomerID, d.Amount.Minor)
			end = payment.Credited{Key: d.Key}
		case payment.Notify:
			w.outbox[d.Message.Operation+" "+d.Message.Key] = d.Message
		case payment.Withdraw:
			delete(w.outbox, d.Operation+" "+d.Key)
		}
		do = do[1:]
		if end != nil {
			next, more, err := record.On(end)
			if err != nil {
				return record, errors.Join(refused, err)
			}
			record, do = next, append(do, more...)
		}
	}
	w.payments[id] = record
	return record, refused
}

// book moves money once for each key.
func (w *wallet) book(key, who string, amount int64) {
	if _, done := w.ledger[key]; !done {
		w.ledger[key] = amount
		w.balances[who] += amount
	}
}

func (w *wallet) record(id string) payment.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r, ok := w.payments[id]; ok {
		return r
	}
	return payment.Record{Terms: payment.Terms{PaymentRequestID: id}}
}

func (w *wallet) balance() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.balances[customer]
}

// deliver sends what waits in the outbox. A real worker keeps the number of
// tries and the next time beside each message and asks alipayplus.Schedule.
func (w *wallet) deliver(ctx context.Context, client *alipayplus.Client) error {
	w.mu.Lock()
	waiting := maps.Clone(w.outbox)
	w.mu.Unlock()
	for row, message := range waiting {
		if err := client.Deliver(ctx, message); err != nil {
			return err
		}
		w.mu.Lock()
		delete(w.outbox, row)
		w.mu.Unlock()
	}
	return nil
}

// The functions behind the APIs that Alipay+ calls.

func (w *wallet) inquire(_ context.Context, r *payment.InquiryPaymentRequest) (*payment.InquiryPaymentResponse, error) {
	return w.record(r.PaymentRequestID).InquiryAnswer(), nil
}

func (w *wallet) refund(_ context.Context, r *payment.RefundRequest) (*payment.RefundResponse, error) {
	record, refused := w.happened(r.PaymentRequestID,
		payment.Refunded{Request: *r, RefundID: "WR-" + r.RefundRequestID, At: time.Now()})
	if refused != nil {
		return nil, refused
	}
	return record.RefundAnswer(r.RefundRequestID), nil
}

func (w *wallet) cancel(_ context.Context, r *payment.CancelPaymentRequest) (*payment.CancelPaymentResponse, error) {
	record, refused := w.happened(r.PaymentRequestID, payment.Cancelled{At: time.Now()})
	if refused != nil {
		return nil, refused
	}
	return record.CancelAnswer(), nil
}
