package easypay_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// crash kills a process at its step number at, from 1: before the step takes
// effect, or after it and before the process learns of it. Steps are
// transactions, all that is written in one, calls of the handler's store and
// exchanges with Alipay+.
type crash struct {
	at    int
	after bool

	mu    sync.Mutex
	steps int
	dead  bool
}

var errCrash = errors.New("crash")

// never is a process that does not die.
func never() *crash { return new(crash) }

func (c *crash) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

func (c *crash) step(effect func() error) error {
	c.mu.Lock()
	c.steps++
	dies := c.steps == c.at
	dead := c.dead || dies
	c.dead = dead
	c.mu.Unlock()
	if dies && c.after {
		_ = effect()
	}
	if dead {
		return errCrash
	}
	return effect()
}

// look does a read, at which no process dies by itself.
func (c *crash) look(effect func() error) error {
	if c.isDead() {
		return errCrash
	}
	return effect()
}

// steppedRecords are Records whose writes are steps of the process.
type steppedRecords struct {
	*crash
	payment.Records
}

func (s steppedRecords) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	return s.step(func() error { return s.Records.Update(ctx, id, change) })
}

func (s steppedRecords) Put(ctx context.Context, m alipayplus.Message) error {
	return s.step(func() error { return s.Records.Put(ctx, m) })
}

func (s steppedRecords) Withdraw(ctx context.Context, operation, key string) error {
	return s.step(func() error { return s.Records.Withdraw(ctx, operation, key) })
}

func (s steppedRecords) Find(ctx context.Context, id string) (r payment.Record, err error) {
	err = s.look(func() error { r, err = s.Records.Find(ctx, id); return err })
	return r, err
}

func (s steppedRecords) Lease(ctx context.Context, n int, d time.Duration) (ids []string, err error) {
	err = s.look(func() error { ids, err = s.Records.Lease(ctx, n, d); return err })
	return ids, err
}

// steppedLedger is a Ledger whose bookings are steps of the process.
type steppedLedger struct {
	*crash
	payment.Ledger
}

func (s steppedLedger) Debit(ctx context.Context, r payment.Record, d payment.Debit) error {
	return s.step(func() error { return s.Ledger.Debit(ctx, r, d) })
}

func (s steppedLedger) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	return s.step(func() error { return s.Ledger.Credit(ctx, r, c) })
}

// steppedQueue is the Queue of the process.
type steppedQueue struct {
	*alipayplus.Memory
	crash *crash
}

func (s steppedQueue) Lease(ctx context.Context, n int, d time.Duration) (due []alipayplus.Delivery, err error) {
	err = s.crash.look(func() error { due, err = s.Memory.Lease(ctx, n, d); return err })
	return due, err
}

func (s steppedQueue) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	return s.crash.step(func() error { return s.Memory.Finish(ctx, d, end) })
}

// steppedStore is an IdempotencyStore whose calls are steps of the process.
type steppedStore struct {
	*crash
	store alipayplus.IdempotencyStore
}

func (s steppedStore) Begin(ctx context.Context, c alipayplus.Claim) (state alipayplus.ClaimState, answer []byte, err error) {
	err = s.step(func() error { state, answer, err = s.store.Begin(ctx, c); return err })
	return state, answer, err
}

func (s steppedStore) Finish(ctx context.Context, c alipayplus.Claim, answer []byte) error {
	return s.step(func() error { return s.store.Finish(ctx, c, answer) })
}
