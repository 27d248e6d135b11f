package mpm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// What the wallet of the simulation gives to the SDK: the database, the ledger
// and the rest, each with its bad luck. A process may die at every call.

// mistake is what a wallet of a control does wrong: the simulation must catch
// it.
type mistake int

const (
	noMistake                mistake = iota
	notifiesBeforePersisting         // sends the result before the transaction commits
	newBodyOnRetry                   // makes a new notification for every try
	debitKeyPerTry                   // the debit is not idempotent by its own key
	unknownIsFailed                  // takes a debit whose end is not known for refused
	queuesAfterCommit                // puts the notification into the outbox after the commit
)

// simRecords are the payments and the outbox.
type simRecords struct {
	*payment.MemoryRecords
	w *world
	p *process
}

// lateKey carries the messages of a transaction that are put after it.
type lateKey struct{}

func (r *simRecords) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	r.w.visit(r.p, "before a transaction", true)
	luck := r.w.chance(100)
	if luck == 0 {
		return errDatabase
	}
	var late []alipayplus.Message
	ctx = context.WithValue(ctx, lateKey{}, &late)
	err := r.MemoryRecords.Update(ctx, id, func(ctx context.Context, before payment.Record) (payment.Record, error) {
		after, err := change(ctx, before)
		r.w.visit(r.p, "in a transaction", false)
		return after, err
	})
	r.w.visit(r.p, "committed", true)
	for _, m := range late {
		_ = r.w.memory.Put(ctx, m)
	}
	if luck == 1 && err == nil { // the answer to the commit is lost
		return errDatabase
	}
	return err
}

func (r *simRecords) Put(ctx context.Context, m alipayplus.Message) error {
	switch r.w.mistake {
	case notifiesBeforePersisting:
		_ = r.p.client.Deliver(ctx, m, alipayplus.WithRetry(alipayplus.NoRetry))
	case queuesAfterCommit:
		late := ctx.Value(lateKey{}).(*[]alipayplus.Message)
		*late = append(*late, m)
		return nil
	default:
	}
	return r.MemoryRecords.Put(ctx, m)
}

func (r *simRecords) Find(ctx context.Context, id string) (payment.Record, error) {
	r.w.visit(r.p, "before a look", true)
	if r.w.chance(100) == 0 {
		return payment.Record{}, errDatabase
	}
	return r.MemoryRecords.Find(ctx, id)
}

// Lease gives one payment at a time, so that one at a time is looked at.
func (r *simRecords) Lease(ctx context.Context, _ int, d time.Duration) ([]string, error) {
	r.p.goOn()
	ids, err := r.MemoryRecords.Lease(ctx, 1, d)
	if len(ids) > 0 {
		r.w.visit(r.p, "leased", true)
	}
	return ids, err
}

// simQueue is the outbox for the relays.
type simQueue struct {
	*alipayplus.Memory
	w *world
	p *process
}

func (q simQueue) Lease(ctx context.Context, n int, d time.Duration) ([]alipayplus.Delivery, error) {
	q.p.goOn()
	due, err := q.Memory.Lease(ctx, n, d)
	if len(due) > 0 {
		q.w.visit(q.p, "leased", true)
	}
	if q.w.mistake == newBodyOnRetry {
		for i := range due {
			due[i].Message = rebuilt(due[i].Message, due[i].Tries)
		}
	}
	return due, err
}

func (q simQueue) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	q.w.visit(q.p, "delivered", true)
	if q.w.chance(50) == 0 {
		return errDatabase
	}
	return q.Memory.Finish(ctx, d, end)
}

// rebuilt returns m made anew instead of stored.
func rebuilt(m alipayplus.Message, tries int) alipayplus.Message {
	var r payment.NotifyPaymentRequest
	if json.Unmarshal([]byte(m.Body.Reveal()), &r) != nil || r.PaymentID == "" {
		return m
	}
	r.PaymentID = fmt.Sprintf("%s-%d", r.PaymentID, tries)
	again, err := payment.NotifyPayment.Prepare(&r)
	if err != nil {
		return m
	}
	again.URL = m.URL
	return again
}

// simStore keeps the answers to Alipay+.
type simStore struct {
	alipayplus.IdempotencyStore
	w *world
	p *process
}

func (s simStore) Finish(ctx context.Context, c alipayplus.Claim, answer []byte) error {
	s.w.visit(s.p, "before an answer is kept", true)
	return s.IdempotencyStore.Finish(ctx, c, answer)
}

var errNoCheck = errors.New("risk control does not answer")

// check does the wallet's risk control.
func (w *world) check(_ context.Context, c payment.Check) error {
	luck := w.chance(100)
	switch {
	case luck < 2:
		return errNoCheck
	case luck < 4:
		if c.Stage == payment.StageOpen {
			b := w.alipay.find(c.Terms.PaymentRequestID)
			w.mu.Lock()
			b.risky = true
			w.mu.Unlock()
		}
		return alipayplus.CodeRiskReject
	case luck < 8 && c.Stage == payment.StageDebit:
		return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
	}
	return nil
}

// simBank is a ledger that is another service: it answers late, its answers get
// lost, and what was sent may arrive when nobody waits for it any more.
type simBank struct {
	bank *paymenttest.RemoteBank
	w    *world
	p    *process
}

var errNoBank = errors.New("the bank does not answer")

// send makes a call of the bank; it may arrive and not be answered.
func (b simBank) send(call func() (time.Time, error)) (at time.Time, err error) {
	b.w.visit(b.p, "before the bank", true)
	b.travel()
	err = errNoBank
	switch luck := b.w.chance(100); {
	case luck < 6: // the request is lost
	case luck < 12: // it arrives after the wallet gave up
		b.w.later(func() { _, _ = call() })
	case luck < 18: // the answer is lost
		_, _ = call()
	default:
		at, err = call()
	}
	b.travel()
	b.w.visit(b.p, "after the bank", true)
	return at, err
}

// travel takes the time of the way to the bank or back, sometimes a long one.
func (b simBank) travel() {
	b.w.pause(time.Millisecond, 300*time.Millisecond)
	if b.w.chance(6) == 0 {
		b.w.pause(0, time.Minute)
	}
}

func (b simBank) Debit(ctx context.Context, r payment.Record, d payment.Debit) (at time.Time, err error) {
	if b.w.mistake == debitKeyPerTry {
		d.Key = strings.Replace(d.Key, "debit/", fmt.Sprintf("debit/again%d-", b.w.ids.Add(1)), 1)
	}
	at, err = b.send(func() (time.Time, error) { return b.bank.Debit(context.WithoutCancel(ctx), r, d) })
	if b.w.mistake == unknownIsFailed && errors.Is(err, errNoBank) {
		return at, alipayplus.CodeProcessFail
	}
	return at, err
}

func (b simBank) Void(ctx context.Context, r payment.Record, v payment.Void) (landed time.Time, err error) {
	return b.send(func() (time.Time, error) { return b.bank.Void(context.WithoutCancel(ctx), r, v) })
}

func (b simBank) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	_, err := b.send(func() (time.Time, error) { return time.Time{}, b.bank.Credit(context.WithoutCancel(ctx), r, c) })
	return err
}
