package main

import (
	"context"
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// books compare what the wallet booked, what its payments say, and what Alipay+
// was told.
type books struct {
	Debits, Credits alipayplus.Amount
	Told            int // results that Alipay+ has
	Newest          int // how many payments were compared, if there are more; 0: all
	Waiting         int // results that are on their way, or money whose end is not known
	Dead            int // results that wait for an operator
	Differences     []string
}

// looked is how many payments, the newest, are compared.
const looked = 300

func (w *wallet) books(ctx context.Context, a *alipay) (b books, err error) {
	b.Debits.Currency, b.Credits.Currency = currency, currency
	err = w.db.QueryRowContext(ctx, `SELECT coalesce(sum(CASE WHEN minor_units < 0 THEN -minor_units ELSE 0 END), 0),
		coalesce(sum(CASE WHEN minor_units > 0 THEN minor_units ELSE 0 END), 0) FROM wallet_entry`).Scan(&b.Debits.Minor, &b.Credits.Minor)
	if err != nil {
		return b, err
	}
	wrong, err := rows(ctx, w.db, scanText, `SELECT customer_id FROM wallet_account a WHERE balance <> opening +
		coalesce((SELECT sum(minor_units) FROM wallet_entry e WHERE e.customer_id = a.customer_id), 0)`)
	if err != nil {
		return b, err
	}
	for _, customer := range wrong {
		b.differ("the balance of %s is not the sum of its entries", customer)
	}
	// Reports of tokens; those of payments are counted with them.
	waiting, err := w.outbox.Waiting(ctx, 100)
	if err != nil {
		return b, err
	}
	for _, d := range waiting {
		if d.Message.Operation != payment.NotifyPayment.Name() {
			b.Waiting++
		}
	}
	dead, err := w.outbox.DeadLetters(ctx, 100)
	if err != nil {
		return b, err
	}
	b.Dead = len(dead)
	isDead := make(map[string]bool)
	for _, d := range dead {
		isDead[d.Message.Key] = true
	}
	all, err := w.list(ctx, "", looked)
	if err != nil {
		return b, err
	}
	if len(all) == looked {
		b.Newest = looked
	}
	for _, r := range all {
		if err := w.compare(ctx, a, r, isDead[r.PaymentRequestID], &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (b *books) differ(format string, args ...any) {
	b.Differences = append(b.Differences, fmt.Sprintf(format, args...))
}

// compare adds one payment.
func (w *wallet) compare(ctx context.Context, a *alipay, r payment.Record, dead bool, b *books) error {
	var booked, due int64
	if err := w.db.QueryRowContext(ctx, `SELECT coalesce(sum(minor_units), 0) FROM wallet_entry WHERE payment_request_id = $1`, r.PaymentRequestID).Scan(&booked); err != nil {
		return err
	}
	for _, attempt := range r.Attempts {
		if attempt == payment.AttemptLanded {
			due -= r.Amounts.Debit().Minor
		}
	}
	for _, c := range r.Credits {
		if c.Done {
			due += c.Amount.Minor
		}
	}
	if booked != due {
		b.differ("payment %s: %d booked, %d due", r.PaymentRequestID, booked, due)
	}
	if (r.State == payment.StateFailed || r.State == payment.StateClosed && !r.Cancelling) && booked != 0 {
		b.differ("payment %s is %s, and the user paid", r.PaymentRequestID, r.State)
	}
	if r.State == payment.StatePaying || r.Cancelling {
		b.Waiting++
	}
	o, found, err := a.order(ctx, r.PaymentRequestID)
	if err != nil {
		return err
	}
	if _, due := r.Notification(); due && found {
		want := r.InquiryAnswer().PaymentResult
		switch {
		case o.Result.Status == want.Status:
			b.Told++
		case o.Result.Status != "":
			b.differ("payment %s: Alipay+ was told %s, and it is %s", r.PaymentRequestID, o.Result.Status, want.Status)
		case !dead:
			b.Waiting++
		}
	}
	return nil
}

// list returns the newest payments, of one customer or of all. One that was paid
// keeps its place: nobody shall refund another one by a second click.
func (w *wallet) list(ctx context.Context, customer string, n int) ([]payment.Record, error) {
	ids, err := rows(ctx, w.db, scanText, `SELECT payment_request_id FROM alipayplus_payment WHERE $1 = '' OR customer_id = $1
		ORDER BY coalesce(paid_at, updated_at) DESC, updated_at DESC LIMIT $2`, customer, n)
	if err != nil {
		return nil, err
	}
	var all []payment.Record
	for _, id := range ids {
		r, err := w.payments.Find(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}
