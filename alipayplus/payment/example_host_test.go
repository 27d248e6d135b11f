package payment_test

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// tables is the host's database: four tables, here as maps.
type tables struct {
	Payments map[string][]byte             // paymentRequestId → Record as JSON
	Balances map[string]int64              // customer → smallest units
	Ledger   map[string]int64              // key, UNIQUE → what the customer got, negative for a debit
	Outbox   map[string]alipayplus.Message // operation and key, UNIQUE → not yet acknowledged
}

// database runs one transaction at a time and commits it as a whole.
type database struct{ committed tables }

func newDatabase() *database {
	return &database{tables{
		map[string][]byte{}, map[string]int64{}, map[string]int64{}, map[string]alipayplus.Message{},
	}}
}

func (db *database) transaction(fn func(*tables) error) error {
	t := tables{
		maps.Clone(db.committed.Payments), maps.Clone(db.committed.Balances),
		maps.Clone(db.committed.Ledger), maps.Clone(db.committed.Outbox),
	}
	if err := fn(&t); err != nil {
		return err // rolled back
	}
	db.committed = t
	return nil
}

func (t *tables) load(id string) (payment.Record, error) {
	record := payment.Record{Terms: payment.Terms{PaymentRequestID: id}}
	if row, ok := t.Payments[id]; ok {
		return record, record.UnmarshalBinary(row)
	}
	return record, nil
}

func (t *tables) store(record payment.Record) error {
	row, err := record.MarshalBinary()
	t.Payments[record.PaymentRequestID] = row
	return err
}

// book moves money between the wallet and a customer, once per key.
func (t *tables) book(key, customer string, amount int64) {
	if _, done := t.Ledger[key]; !done {
		t.Ledger[key] = amount
		t.Balances[customer] += amount
	}
}

// host is a wallet backend, reduced to its payments.
type host struct {
	db  *database
	now func() time.Time
}

// happened is the one place where a payment changes. refused is what
// Record.On says against the event itself.
func (h *host) happened(id string, event payment.Event) (record payment.Record, refused error, err error) {
	err = h.db.transaction(func(t *tables) error {
		var err error
		if record, err = t.load(id); err != nil {
			return err
		}
		loaded := record.Version
		next, do, refusal := record.On(event)
		record, refused = next, refusal
		for len(do) > 0 { // what is done here may be reported at once
			effect := do[0]
			do = do[1:]
			var end payment.Event
			switch d := effect.(type) {
			case payment.Debit:
				if t.Balances[d.CustomerID] < d.Amount.Minor {
					end = payment.Refused{Attempt: d.Attempt, Code: alipayplus.CodeUserBalanceNotEnough, Retry: true}
					break
				}
				t.book(d.Key, d.CustomerID, -d.Amount.Minor)
				end = payment.Debited{Attempt: d.Attempt, At: h.now()}
			case payment.Void:
				end = payment.Refused{Attempt: d.Attempt} // debits are booked here, so that none is under way
			case payment.Credit:
				t.book(d.Key, d.CustomerID, d.Amount.Minor)
				end = payment.Credited{Key: d.Key}
			case payment.Notify:
				t.Outbox[d.Message.Operation+" "+d.Message.Key] = d.Message
			case payment.Withdraw:
				delete(t.Outbox, d.Operation+" "+d.Key)
			}
			if end == nil {
				continue
			}
			next, more, err := record.On(end)
			if err != nil {
				return err // cannot be: roll back, raise an alarm
			}
			record = next
			do = append(do, more...)
		}
		if record.Version == loaded {
			return nil
		}
		return t.store(record)
	})
	return record, refused, err
}

// inquiryPayment, cancelPayment and refund are for
// payment.InquiryPayment.Handle and so on. A refusal goes to the handler as it
// is.

func (h *host) inquiryPayment(_ context.Context, r *payment.InquiryPaymentRequest) (answer *payment.InquiryPaymentResponse, err error) {
	err = h.db.transaction(func(t *tables) error {
		record, err := t.load(r.PaymentRequestID)
		answer = record.InquiryAnswer()
		return err
	})
	return answer, err
}

func (h *host) cancelPayment(_ context.Context, r *payment.CancelPaymentRequest) (*payment.CancelPaymentResponse, error) {
	record, refused, err := h.happened(r.PaymentRequestID, payment.Cancelled{At: h.now()})
	if err != nil || refused != nil {
		return nil, firstOf(err, refused)
	}
	return record.CancelAnswer(), nil
}

func (h *host) refund(_ context.Context, r *payment.RefundRequest) (*payment.RefundResponse, error) {
	event := payment.Refunded{Request: *r, RefundID: "refund of " + r.RefundRequestID, At: h.now()}
	record, refused, err := h.happened(r.PaymentRequestID, event)
	if err != nil || refused != nil {
		return nil, firstOf(err, refused)
	}
	return record.RefundAnswer(r.RefundRequestID), nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// deliver sends what waits in the outbox, once each. A real one keeps the
// number of tries and the next time beside each message.
func (h *host) deliver(ctx context.Context, send func(context.Context, alipayplus.Message) error) {
	for row, m := range maps.Clone(h.db.committed.Outbox) {
		err := send(ctx, m) // alipayplus.Client.Deliver
		if _, again := alipayplus.Schedule(nil).Next(1, err); again {
			continue
		}
		if err != nil {
			fmt.Println("alarm, dead letter:", err)
		}
		_ = h.db.transaction(func(t *tables) error {
			delete(t.Outbox, row)
			return nil
		})
	}
}

// A whole host: a decoded order is confirmed, paid, notified, partly refunded
// and at last cancelled. Each step is one transaction.
func ExampleRecord_On() {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	h := &host{db: newDatabase(), now: func() time.Time { return now }}
	h.db.committed.Balances["customer"] = 10_000
	ctx := context.Background()
	const id = "2025030119074101000001"
	inquire := func() {
		answer, _ := h.inquiryPayment(ctx, &payment.InquiryPaymentRequest{PaymentRequestID: id})
		fmt.Println("  inquiry:", answer.Result.Code, answer.PaymentResult.Code, "balance:", h.db.committed.Balances["customer"])
	}

	// userInitiatedPay was answered S.
	terms := payment.Terms{
		PaymentRequestID: id,
		PaymentID:        "our-1",
		CustomerID:       "customer",
		CodeValueDigest:  alipayplus.Conceal("https://example.com/281012345").Digest(),
		Amounts: payment.Amounts{
			PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: 100},
			PayToAmount:   alipayplus.Amount{Currency: "KRW", Minor: 1000},
			PaymentQuote:  payment.Quote{QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"},
		},
	}
	record, _, _ := h.happened(id, payment.Opened{Terms: terms, At: now})
	fmt.Println("decoded:", record.State)
	inquire()

	record, _, _ = h.happened(id, payment.Confirmed{CustomerID: "customer", Amount: terms.Amounts.Debit(), At: now})
	fmt.Println("confirmed:", record.State)
	inquire()

	h.deliver(ctx, func(_ context.Context, m alipayplus.Message) error {
		fmt.Println("delivered:", m.Operation, m.Key)
		return nil
	})

	refund := &payment.RefundRequest{
		PaymentRequestID: id, PaymentID: "our-1", RefundRequestID: "r-1",
		RefundAmount:     alipayplus.Amount{Currency: "JPY", Minor: 30},
		RefundFromAmount: alipayplus.Amount{Currency: "KRW", Minor: 300},
	}
	refunded, _ := h.refund(ctx, refund)
	fmt.Println("refunded:", refunded.Result.Status, refunded.RefundID)
	refunded, _ = h.refund(ctx, refund)
	fmt.Println("the same again:", refunded.Result.Status, refunded.RefundID)
	inquire()

	refund.RefundRequestID, refund.RefundAmount.Minor = "r-2", 71
	_, err := h.refund(ctx, refund)
	fmt.Println("too much:", err)

	cancelled, _ := h.cancelPayment(ctx, &payment.CancelPaymentRequest{PaymentRequestID: id})
	fmt.Println("cancelled:", cancelled.Result.Status)
	inquire()
	// Output:
	// decoded: open
	//   inquiry: SUCCESS PAYMENT_IN_PROCESS balance: 10000
	// confirmed: paid
	//   inquiry: SUCCESS SUCCESS balance: 9000
	// delivered: notifyPayment 2025030119074101000001
	// refunded: S refund of r-1
	// the same again: S refund of r-1
	//   inquiry: SUCCESS SUCCESS balance: 9300
	// too much: payment: the refunds exceed the payment
	// cancelled: S
	//   inquiry: SUCCESS ORDER_IS_CLOSED balance: 10000
}
