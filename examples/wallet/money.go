package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// currency is what the wallet's users have.
const currency alipayplus.Currency = "HKD"

// user is a test user.
type user struct {
	id      string // also what the app signs in with
	Name    string
	PIN     string
	LoginID string // for Easy Pay
	opening int64  // HKD cents
}

var users = []user{
	{id: "alice", Name: "Alice", PIN: "1234", LoginID: "852-90000001", opening: 20_000_00},
	{id: "bob", Name: "Bob", PIN: "4321", LoginID: "852-90000002", opening: 1_000_00},
}

func userOf(id string) (user, bool) {
	for _, u := range users {
		if u.id == id {
			return u, true
		}
	}
	return user{}, false
}

// bank is the wallet's money, in the transaction of the payment.
type bank struct{}

func (bank) Debit(ctx context.Context, tx *sql.Tx, r payment.Record, d payment.Debit) error {
	if d.Amount.Currency != currency {
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough) // of that money there is none
	}
	return book(ctx, tx, r, d.Key, -d.Amount.Minor)
}

func (bank) Credit(ctx context.Context, tx *sql.Tx, r payment.Record, c payment.Credit) error {
	if c.Amount.Currency != currency {
		return fmt.Errorf("a credit of %v to an account in %s", c.Amount, currency)
	}
	return book(ctx, tx, r, c.Key, c.Amount.Minor)
}

// book writes the entry and moves the balance. What it wrote is undone if it
// refuses.
func book(ctx context.Context, tx *sql.Tx, r payment.Record, key string, minor int64) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO wallet_entry (entry_key, customer_id, payment_request_id, minor_units, at_ms) VALUES ($1, $2, $3, $4, $5)`,
		key, r.CustomerID, r.PaymentRequestID, minor, time.Now().UnixMilli()); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `UPDATE wallet_account SET balance = balance + $2 WHERE customer_id = $1 AND balance + $2 >= 0`, r.CustomerID, minor)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
}

// balance is what a customer has.
func (d *database) balance(ctx context.Context, customer string) (alipayplus.Amount, error) {
	a := alipayplus.Amount{Currency: currency}
	err := d.QueryRowContext(ctx, `SELECT balance FROM wallet_account WHERE customer_id = $1`, customer).Scan(&a.Minor)
	return a, err
}
