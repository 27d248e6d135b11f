package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// payments implements payment.Records.
type payments struct{ s *Store }

// stored is a row of alipayplus_payment.
type stored struct {
	version, format int64
	record          string
}

func readStored(rows *sql.Rows) (row stored, err error) {
	err = rows.Scan(&row.version, &row.format, &row.record)
	return row, err
}

// decode returns the record of id that row holds.
func (row stored) decode(id string) (payment.Record, error) {
	if row.format > recordFormat {
		return payment.Record{}, fmt.Errorf("sqlstore: a newer version of this program wrote payment %q (format %d, this program knows %d)", id, row.format, recordFormat)
	}
	r, err := decodeRecord(row.record)
	switch {
	case err != nil:
		return payment.Record{}, fmt.Errorf("sqlstore: the record of payment %q cannot be read: %w", id, err)
	case r.PaymentRequestID != id || r.Version != row.version || r.Version < 1:
		return payment.Record{}, fmt.Errorf("sqlstore: the record of payment %q does not fit its row", id)
	}
	return r, nil
}

// Find implements payment.Records.
func (p payments) Find(ctx context.Context, paymentRequestID string) (payment.Record, error) {
	return p.find(ctx, p.s.sql().findPayment, paymentRequestID)
}

// find reads a payment with a statement; the zero record if it is not there.
func (p payments) find(ctx context.Context, statement, id string) (payment.Record, error) {
	rows, err := query(ctx, p.s, statement, readStored, column(id))
	if err != nil {
		return payment.Record{}, fmt.Errorf("sqlstore: payment %q cannot be read: %w", id, err)
	}
	if len(rows) == 0 {
		return payment.Record{Terms: payment.Terms{PaymentRequestID: id}}, nil
	}
	return rows[0].decode(id)
}

// Update implements payment.Records.
func (p payments) Update(ctx context.Context, paymentRequestID string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	if change == nil || paymentRequestID == "" {
		return errors.New("sqlstore: Update needs a paymentRequestId and a function")
	}
	return p.s.InTx(ctx, func(ctx context.Context) error {
		before, err := p.find(ctx, p.s.sql().lockPayment, paymentRequestID)
		if err != nil {
			return err
		}
		after, err := change(ctx, before)
		switch {
		case err != nil:
			return err
		case after.Version == before.Version:
			return nil
		case after.PaymentRequestID != paymentRequestID || after.Version < 1:
			return fmt.Errorf("sqlstore: the change of payment %q returned a record of another payment, or one without a version", paymentRequestID)
		}
		if err := p.addRefunds(ctx, before, after); err != nil {
			return err
		}
		return p.store(ctx, before.Version, after)
	})
}

// store writes r over the version before, or as a new row if that is 0.
func (p payments) store(ctx context.Context, before int64, r payment.Record) error {
	text, err := encodeRecord(r)
	if err != nil {
		return fmt.Errorf("sqlstore: payment %q cannot be encoded: %w", r.PaymentRequestID, err)
	}
	var paymentID any // NULL as long as there is none, else unique
	if r.PaymentID != "" {
		paymentID = column(r.PaymentID)
	}
	paid, _ := r.PaidTime.Time()
	pays := r.Amounts.Debit()
	row := []any{
		column(r.PaymentRequestID), paymentID, column(r.CustomerID), column(string(r.State)), column(string(pays.Currency)), pays.Minor,
		p.s.parts.time(paid), p.s.parts.time(r.NextTime()), r.Version, recordFormat, text,
	}
	var stored bool
	if before == 0 {
		stored, err = p.insert(ctx, r.PaymentRequestID, row)
	} else {
		var changed int64
		changed, err = p.s.exec(ctx, p.s.sql().updatePayment, append(row, before)...)
		stored = changed == 1
	}
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: payment %q cannot be stored: %w", r.PaymentRequestID, err)
	case !stored:
		return fmt.Errorf("sqlstore: payment %q was changed by an Update inside of its own Update", r.PaymentRequestID)
	}
	return nil
}

// insert writes the first row of a payment. It was not there when the transaction
// looked for it, so that nothing could be locked. If another transaction inserted
// it in the meantime, this one has to run again. inserted is false if this
// transaction itself did.
func (p payments) insert(ctx context.Context, id string, row []any) (inserted bool, err error) {
	t := p.s.transaction(ctx)
	if p.s.parts.returning {
		var rows int64
		rows, err = p.s.exec(ctx, p.s.sql().insertPayment, row...)
		inserted = rows == 1
	} else {
		inserted, err = p.s.insert(ctx, p.s.sql().insertPayment, row...)
	}
	switch {
	case err != nil:
		return false, err
	case inserted:
		t.inserted = append(t.inserted, id)
		return true, nil
	case slices.Contains(t.inserted, id):
		return false, nil
	}
	// Its paymentId may be the one that is taken.
	if r, err := p.Find(ctx, id); err != nil || r.Version == 0 {
		return false, cmp.Or(err, errPaymentID)
	}
	return false, raced{}
}

var errPaymentID = errors.New("another payment has its paymentId")

// addRefunds takes the ids of new refunds.
func (p payments) addRefunds(ctx context.Context, before, after payment.Record) error {
	known := make(map[string]bool, len(before.Refunds))
	for _, e := range before.Refunds {
		known[e.RefundRequestID] = true
	}
	for _, e := range after.Refunds {
		if known[e.RefundRequestID] {
			continue
		}
		added, err := p.s.exec(ctx, p.s.sql().insertRefund, column(e.RefundRequestID), column(after.PaymentRequestID))
		if err == nil && !p.s.parts.returning {
			added, err = p.s.count(ctx, p.s.sql().ownRefund, column(e.RefundRequestID), column(after.PaymentRequestID))
		}
		switch {
		case err != nil:
			return fmt.Errorf("sqlstore: a refund of payment %q cannot be stored: %w", after.PaymentRequestID, err)
		case added == 0:
			return payment.ErrInconsistent // another payment has it
		}
	}
	return nil
}

// Lease implements payment.Records.
func (p payments) Lease(ctx context.Context, n int, d time.Duration) (ids []string, err error) {
	if n <= 0 {
		return nil, nil
	}
	if p.s != nil && !p.s.parts.oneStatement {
		err = p.s.InTx(ctx, func(ctx context.Context) error {
			ids, err = p.leaseEach(ctx, n, d)
			return err
		})
	} else {
		ids, err = p.leaseAll(ctx, n, d)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlstore: no payments can be leased: %w", err)
	}
	return ids, nil
}

// leaseAll leases with one statement.
func (p payments) leaseAll(ctx context.Context, n int, d time.Duration) (ids []string, err error) {
	type due struct {
		id string
		at loose[instant]
	}
	list, err := query(ctx, p.s, p.s.sql().leasePayments, func(rows *sql.Rows) (l due, err error) {
		err = rows.Scan(&l.id, &l.at)
		return l, err
	}, n, milliseconds(d), recordFormat)
	slices.SortFunc(list, func(a, b due) int {
		return cmp.Or(a.at.value.Compare(b.at.value.Time), cmp.Compare(a.id, b.id))
	})
	for _, l := range list {
		ids = append(ids, original(l.id))
	}
	return ids, err
}

// leaseEach leases one payment after the other; who changes the row has it.
func (p payments) leaseEach(ctx context.Context, n int, d time.Duration) (ids []string, err error) {
	list, err := query(ctx, p.s, p.s.sql().duePayments, func(rows *sql.Rows) (id string, err error) {
		err = rows.Scan(&id)
		return id, err
	}, n, recordFormat)
	if err != nil {
		return nil, err
	}
	for _, id := range list {
		mine, err := p.s.exec(ctx, p.s.sql().leasePayment, id, milliseconds(d))
		if err != nil {
			return nil, err
		}
		if mine > 0 {
			ids = append(ids, original(id))
		}
	}
	return ids, nil
}

// Joined implements payment.Records.
func (p payments) Joined(ctx context.Context) bool { return p.s != nil && p.s.transaction(ctx) != nil }

// Put implements alipayplus.Outbox.
func (p payments) Put(ctx context.Context, m alipayplus.Message) error {
	return p.s.Outbox().Put(ctx, m)
}

// Withdraw implements alipayplus.Outbox.
func (p payments) Withdraw(ctx context.Context, operation, key string) error {
	return p.s.Outbox().Withdraw(ctx, operation, key)
}
