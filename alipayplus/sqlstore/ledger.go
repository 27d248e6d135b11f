package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Ledger is the wallet's money in the database of the Store: a payment.Ledger
// whose methods get the transaction. Lock the balance's row in the statement
// that changes it; the row of a payment that is not new is locked already, so
// that all transactions take their locks in one order. Return the error of
// every statement, also of one that matters little: it may have undone the
// transaction.
type Ledger interface {
	// Debit takes d.Amount from the customer, as payment.Ledger says.
	Debit(ctx context.Context, tx *sql.Tx, r payment.Record, d payment.Debit) error
	// Credit gives c.Amount back, as payment.Ledger says.
	Credit(ctx context.Context, tx *sql.Tx, r payment.Record, c payment.Credit) error
}

// Ledger makes a payment.Ledger of l, for payment.ServiceConfig.Ledger. It is
// nil if l is.
func (s *Store) Ledger(l Ledger) payment.Ledger {
	if l == nil {
		return nil
	}
	return ledger{s, l}
}

type ledger struct {
	s *Store
	l Ledger
}

// Debit implements payment.Ledger.
func (a ledger) Debit(ctx context.Context, r payment.Record, d payment.Debit) error {
	tx, err := a.s.tx(ctx)
	if err != nil {
		return err
	}
	err = a.l.Debit(ctx, tx, r, d)
	if _, refused := alipayplus.RefusalOf(err); refused {
		// It decides only if all that the ledger wrote before can be undone.
		if lost := a.s.transaction(ctx).whole(ctx); lost != nil {
			return lost
		}
	}
	return err
}

// Credit implements payment.Ledger.
func (a ledger) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	tx, err := a.s.tx(ctx)
	if err != nil {
		return err
	}
	return a.l.Credit(ctx, tx, r, c)
}

// tx is Tx, but not the transaction of another Store.
func (s *Store) tx(ctx context.Context) (*sql.Tx, error) {
	tx, err := Tx(ctx)
	switch {
	case err != nil:
		return nil, err
	case s == nil || s.transaction(ctx) == nil:
		return nil, errOtherStore
	}
	return tx, nil
}

var errOtherStore = errors.New("sqlstore: the context carries a transaction of another Store")
