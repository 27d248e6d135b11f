package main

import (
	"context"
	"database/sql"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// bank is the money: tables account, a row for each customer and currency, and
// entry, whose primary key is the booking's. What a method wrote is undone if it
// returns an error.
type bank struct{}

func (bank) Debit(ctx context.Context, tx *sql.Tx, p payment.Record, d payment.Debit) error {
	done, err := tx.ExecContext(ctx, `UPDATE account SET balance = balance - $3
		WHERE customer = $1 AND currency = $2 AND balance >= $3`, p.CustomerID, d.Amount.Currency, d.Amount.Minor)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	}
	return enter(ctx, tx, d.Key, p, -d.Amount.Minor)
}

// Credit never refuses: it opens an account again if the customer closed it.
func (bank) Credit(ctx context.Context, tx *sql.Tx, p payment.Record, c payment.Credit) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO account (customer, currency, balance) VALUES ($1, $2, $3)
		ON CONFLICT (customer, currency) DO UPDATE SET balance = account.balance + excluded.balance`,
		p.CustomerID, c.Amount.Currency, c.Amount.Minor); err != nil {
		return err
	}
	return enter(ctx, tx, c.Key, p, c.Amount.Minor)
}

func enter(ctx context.Context, tx *sql.Tx, key string, p payment.Record, minor int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO entry (key, payment_id, customer, minor) VALUES ($1, $2, $3, $4)`,
		key, p.PaymentID, p.CustomerID, minor)
	return err
}
