package payment_test

import (
	"context"
	"net/http"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

type steppedRecords struct {
	payment.Records
	p *process
}

func (r steppedRecords) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	return r.p.step("the transaction", func() error {
		return r.Records.Update(ctx, id, func(ctx context.Context, before payment.Record) (payment.Record, error) {
			if err := r.p.step("load", nil); err != nil {
				return before, err
			}
			after, err := change(ctx, before)
			if err == nil {
				err = r.p.step("store", nil)
			}
			return after, err
		})
	})
}

func (r steppedRecords) Find(ctx context.Context, id string) (record payment.Record, err error) {
	err = r.p.step("Find", func() error {
		record, err = r.Records.Find(ctx, id)
		return err
	})
	return record, err
}

func (r steppedRecords) Put(ctx context.Context, m alipayplus.Message) error {
	return r.p.step("Put", func() error { return r.Records.Put(ctx, m) })
}

func (r steppedRecords) Withdraw(ctx context.Context, operation, key string) error {
	return r.p.step("Withdraw", func() error { return r.Records.Withdraw(ctx, operation, key) })
}

// A look that finds nothing is no step: there are too many of them.
func (r steppedRecords) Lease(ctx context.Context, n int, d time.Duration) (ids []string, err error) {
	if r.p.isDead() {
		return nil, errCrash
	}
	if ids, err = r.Records.Lease(ctx, n, d); err == nil && len(ids) > 0 {
		if err = r.p.step("Lease", nil); err != nil {
			return nil, err
		}
	}
	return ids, err
}

type steppedQueue struct {
	*alipayplus.Memory
	p *process
}

func (q steppedQueue) Lease(ctx context.Context, n int, d time.Duration) (due []alipayplus.Delivery, err error) {
	if q.p.isDead() {
		return nil, errCrash
	}
	if due, err = q.Memory.Lease(ctx, n, d); err == nil && len(due) > 0 {
		if err = q.p.step("Lease of messages", nil); err != nil {
			return nil, err
		}
	}
	return due, err
}

func (q steppedQueue) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	return q.p.step("Finish", func() error { return q.Memory.Finish(ctx, d, end) })
}

type steppedRemote struct {
	ledger payment.RemoteLedger
	p      *process
}

func (l steppedRemote) Debit(ctx context.Context, r payment.Record, d payment.Debit) (at time.Time, err error) {
	err = l.p.step("Debit", func() error {
		at, err = l.ledger.Debit(ctx, r, d)
		return err
	})
	return at, err
}

func (l steppedRemote) Void(ctx context.Context, r payment.Record, v payment.Void) (landed time.Time, err error) {
	err = l.p.step("Void", func() error {
		landed, err = l.ledger.Void(ctx, r, v)
		return err
	})
	return landed, err
}

func (l steppedRemote) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	return l.p.step("Credit", func() error { return l.ledger.Credit(ctx, r, c) })
}

type steppedTransport struct {
	http.RoundTripper
	p *process
}

func (t steppedTransport) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	err = t.p.step("sending", func() error {
		answer, err = t.RoundTripper.RoundTrip(r)
		return err
	})
	if err != nil && answer != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}
