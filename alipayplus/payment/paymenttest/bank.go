package paymenttest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Entry is a booking of a [Bank] or a [RemoteBank].
type Entry struct {
	Customer string
	Minor    int64 // what the customer got, negative for a debit; 0 for a void and for what a RemoteBank refused
}

// Bank is a wallet's money in an [alipayplus.Memory]: a payment.Ledger for
// tests and examples, with accounts in one currency. A debit in another one, or
// one that the balance does not cover, is refused with USER_BALANCE_NOT_ENOUGH,
// and the user may try again.
type Bank struct {
	db       *alipayplus.Memory
	currency alipayplus.Currency
	mu       sync.Mutex
	balances map[string]int64 // by customer, smallest units
	entries  map[string]Entry // by key
}

var _ payment.Ledger = (*Bank)(nil)

// NewBank makes a Bank in db, the Memory of the payments. Its accounts are in
// currency, an ISO 4217 code.
func NewBank(db *alipayplus.Memory, currency alipayplus.Currency) *Bank {
	return &Bank{db: db, currency: currency, balances: map[string]int64{}, entries: map[string]Entry{}}
}

// Deposit gives a customer money, in smallest units.
func (b *Bank) Deposit(customer string, minor int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.balances[customer] += minor
}

// Balance returns what a customer has.
func (b *Bank) Balance(customer string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.balances[customer]
}

// Entries returns all bookings by key.
func (b *Bank) Entries() map[string]Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.entries)
}

// Debit implements payment.Ledger.
func (b *Bank) Debit(ctx context.Context, r payment.Record, d payment.Debit) error {
	if d.Amount.Currency != b.currency {
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	}
	return b.book(ctx, d.Key, Entry{r.CustomerID, -d.Amount.Minor})
}

// Credit implements payment.Ledger.
func (b *Bank) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	if err := foreign(c, b.currency); err != nil {
		return err
	}
	return b.book(ctx, c.Key, Entry{r.CustomerID, c.Amount.Minor})
}

// foreign is an error for a credit in a currency in which nothing was debited.
func foreign(c payment.Credit, currency alipayplus.Currency) error {
	if c.Amount.Currency != currency {
		return fmt.Errorf("paymenttest: a credit of %v to an account in %s", c.Amount, currency)
	}
	return nil
}

func (b *Bank) book(ctx context.Context, key string, e Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, done := b.entries[key]; done {
		return nil
	}
	if e.Minor < 0 && b.balances[e.Customer]+e.Minor < 0 {
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	}
	b.entries[key] = e
	b.balances[e.Customer] += e.Minor
	b.db.OnRollback(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.entries, key)
		b.balances[e.Customer] -= e.Minor
	})
	return nil
}

// RemoteBank is a wallet's money in a service of its own, in memory: a
// payment.RemoteLedger for tests and examples, with accounts in one currency. A
// debit in another one, or one that the balance does not cover, is refused with
// USER_BALANCE_NOT_ENOUGH, and the user may try again with another key. Refusals
// and voids are remembered: the same key ends the same way.
type RemoteBank struct {
	// Fault, if set, is asked before and after each call what goes wrong. It
	// gets the key. An error before means that the call did not arrive, one
	// after it that its answer was lost.
	Fault func(ctx context.Context, key string, after bool) error

	currency alipayplus.Currency
	mu       sync.Mutex
	balances map[string]int64
	entries  map[string]Entry
	landed   map[string]time.Time // debits, by key
	refused  map[string]bool      // debits, by key
}

var _ payment.RemoteLedger = (*RemoteBank)(nil)

// NewRemoteBank makes a RemoteBank. Its accounts are in currency, an ISO 4217
// code.
func NewRemoteBank(currency alipayplus.Currency) *RemoteBank {
	return &RemoteBank{currency: currency, balances: map[string]int64{}, entries: map[string]Entry{}, landed: map[string]time.Time{}, refused: map[string]bool{}}
}

// Deposit gives a customer money, in smallest units.
func (b *RemoteBank) Deposit(customer string, minor int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.balances[customer] += minor
}

// Balance returns what a customer has.
func (b *RemoteBank) Balance(customer string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.balances[customer]
}

// Entries returns all bookings by key, voids and refusals among them.
func (b *RemoteBank) Entries() map[string]Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.entries)
}

// Debit implements payment.RemoteLedger.
func (b *RemoteBank) Debit(ctx context.Context, r payment.Record, d payment.Debit) (at time.Time, err error) {
	err = b.call(ctx, d.Key, func() error {
		if _, known := b.entries[d.Key]; known {
			at = b.landed[d.Key]
			switch {
			case b.refused[d.Key]:
				return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
			case at.IsZero():
				return alipayplus.CodeOrderIsClosed // voided before it arrived
			}
			return nil
		}
		if d.Amount.Currency != b.currency || b.balances[r.CustomerID] < d.Amount.Minor {
			b.refused[d.Key] = true
			b.book(d.Key, Entry{r.CustomerID, 0})
			return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
		}
		at = time.Now()
		b.landed[d.Key] = at
		b.book(d.Key, Entry{r.CustomerID, -d.Amount.Minor})
		return nil
	})
	return at, err
}

// Void implements payment.RemoteLedger.
func (b *RemoteBank) Void(ctx context.Context, r payment.Record, v payment.Void) (landed time.Time, err error) {
	err = b.call(ctx, v.Key, func() error {
		if _, known := b.entries[v.Key]; !known {
			b.book(v.Key, Entry{r.CustomerID, 0})
		}
		landed = b.landed[v.Key]
		return nil
	})
	return landed, err
}

// Credit implements payment.RemoteLedger.
func (b *RemoteBank) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	if err := foreign(c, b.currency); err != nil {
		return err
	}
	return b.call(ctx, c.Key, func() error {
		if _, done := b.entries[c.Key]; !done {
			b.book(c.Key, Entry{r.CustomerID, c.Amount.Minor})
		}
		return nil
	})
}

func (b *RemoteBank) book(key string, e Entry) {
	b.entries[key] = e
	b.balances[e.Customer] += e.Minor
}

func (b *RemoteBank) call(ctx context.Context, key string, do func() error) error {
	if b.Fault != nil {
		if err := b.Fault(ctx, key, false); err != nil {
			return err
		}
	}
	b.mu.Lock()
	err := do()
	b.mu.Unlock()
	if b.Fault != nil {
		if lost := b.Fault(ctx, key, true); lost != nil {
			return lost
		}
	}
	return err
}
