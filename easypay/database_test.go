package easypay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// tables is the wallet's database. Every map is a table, its key UNIQUE.
type tables struct {
	Payments map[string][]byte             // paymentRequestId → payment.Record as JSON
	Balances map[string]int64              // customer → smallest units
	Ledger   map[string]int64              // key → what the customer got, negative for a debit, 0 for a void
	Outbox   map[string]alipayplus.Message // operation and key → not yet acknowledged
	Tokens   map[string][]byte             // ID → auth.Token as JSON
	Due      map[string]auth.Grant         // paymentRequestId → a token is still to be issued
}

func (t *tables) clone() *tables {
	return &tables{
		maps.Clone(t.Payments), maps.Clone(t.Balances), maps.Clone(t.Ledger),
		maps.Clone(t.Outbox), maps.Clone(t.Tokens), maps.Clone(t.Due),
	}
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

// perform moves money, once for each key, and says what to report.
func (t *tables) perform(e payment.Effect) payment.Event {
	book := func(key, customer string, amount int64) {
		if _, done := t.Ledger[key]; !done {
			t.Ledger[key] = amount
			t.Balances[customer] += amount
		}
	}
	switch e := e.(type) {
	case payment.Debit:
		amount, known := t.Ledger[e.Key]
		switch {
		case known && amount == 0:
			return payment.Refused{Attempt: e.Attempt}
		case !known && t.Balances[e.CustomerID] < e.Amount.Minor:
			return payment.Refused{Attempt: e.Attempt, Code: alipayplus.CodeUserBalanceNotEnough}
		}
		book(e.Key, e.CustomerID, -e.Amount.Minor)
		return payment.Debited{Attempt: e.Attempt, At: time.Now()}
	case payment.Void:
		if t.Ledger[e.Key] != 0 {
			return payment.Debited{Attempt: e.Attempt, At: time.Now()}
		}
		t.Ledger[e.Key] = 0
		return payment.Refused{Attempt: e.Attempt}
	case payment.Credit:
		book(e.Key, e.CustomerID, e.Amount.Minor)
		return payment.Credited{Key: e.Key}
	}
	return nil
}

// database runs one transaction at a time and commits it as a whole.
type database struct {
	mu        sync.Mutex
	committed *tables
	ids       atomic.Int64
}

// newID is a new id: never the same again, rolled back or not.
func (db *database) newID() string { return fmt.Sprintf("%04d", db.ids.Add(1)) }

func newDatabase() *database {
	return &database{committed: &tables{
		map[string][]byte{}, map[string]int64{}, map[string]int64{},
		map[string]alipayplus.Message{}, map[string][]byte{}, map[string]auth.Grant{},
	}}
}

// crash kills a process at its step number at, from 1: before the step takes
// effect, or after it and before the process learns of it. Steps are commits,
// calls of the handler's Store and exchanges with Alipay+.
type crash struct {
	at    int
	after bool

	mu    sync.Mutex
	steps int
	dead  bool
}

var errCrash = errors.New("crash")

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

type transactionKey struct{}

// transaction commits all of what fn does, or nothing. One within another is a
// part of it.
func (w *wallet) transaction(ctx context.Context, fn func(context.Context, *tables) error) error {
	if t, ok := ctx.Value(transactionKey{}).(*tables); ok {
		return fn(ctx, t)
	}
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	t := w.db.committed.clone()
	if err := fn(context.WithValue(ctx, transactionKey{}, t), t); err != nil {
		return err
	}
	return w.step(func() error { w.db.committed = t; return nil })
}

// view is what is committed.
func (w *wallet) view() *tables {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	return w.db.committed.clone()
}

func (w *wallet) record(id string) (payment.Record, error) { return w.view().load(id) }

// tokenTable is auth.Stores without codes, and an outbox. It takes part in the
// transaction that ctx carries.
type tokenTable struct {
	*wallet
	auth.Stores
}

func (s tokenTable) InTx(ctx context.Context, fn func(context.Context) error) error {
	return s.transaction(ctx, func(ctx context.Context, _ *tables) error { return fn(ctx) })
}

func (s tokenTable) Put(ctx context.Context, m alipayplus.Message) error {
	return s.transaction(ctx, func(_ context.Context, t *tables) error { t.Outbox[m.Operation+" "+m.Key] = m; return nil })
}

func (s tokenTable) Withdraw(ctx context.Context, operation, key string) error {
	return s.transaction(ctx, func(_ context.Context, t *tables) error { delete(t.Outbox, operation+" "+key); return nil })
}

func (t *tables) token(key string) (token auth.Token, err error) {
	for _, row := range t.Tokens {
		var token auth.Token
		if err := token.UnmarshalBinary(row); err != nil {
			return auth.Token{}, err
		}
		if slices.Contains(token.Keys(), key) {
			return token, nil
		}
	}
	return auth.Token{}, auth.ErrNotFound
}

func (t *tables) saveToken(token auth.Token) error {
	var before auth.Token
	if row, ok := t.Tokens[token.ID]; ok {
		if err := before.UnmarshalBinary(row); err != nil {
			return err
		}
	}
	if before.Version != token.Version-1 {
		return auth.ErrConflict
	}
	for _, key := range token.Keys() {
		if other, err := t.token(key); err == nil && other.ID != token.ID {
			return auth.ErrConflict
		}
	}
	row, err := token.MarshalBinary()
	t.Tokens[token.ID] = row
	return err
}

func (s tokenTable) FindToken(ctx context.Context, key string) (auth.Token, error) {
	if t, ok := ctx.Value(transactionKey{}).(*tables); ok {
		return t.token(key)
	}
	return s.view().token(key)
}

func (s tokenTable) SaveToken(ctx context.Context, token auth.Token) error {
	return s.transaction(ctx, func(_ context.Context, t *tables) error { return t.saveToken(token) })
}
