package main

import (
	"context"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// The bank keeps the contract of a ledger.
func TestLedger(t *testing.T) {
	for name, database := range map[string]func(testing.TB) *sqltest.Database{"SQLite": sqltest.SQLite, "PostgreSQL": sqltest.PostgreSQL} {
		t.Run(name, func(t *testing.T) {
			paymenttest.TestLedger(t, func(t *testing.T) (payment.Records, payment.Ledger, paymenttest.Account) {
				db := database(t)
				if err := makeTables(t.Context(), db.DB, db.Dialect); err != nil {
					t.Fatal(err)
				}
				store := db.Store(t)
				db.Exec(t, `INSERT INTO account (customer, currency, balance) VALUES ('customer-1', 'HKD', 5000)`)
				return store.Payments(), store.Ledger(bank{}), paymenttest.Account{
					Customer: alice, Currency: "HKD",
					Balance: func(context.Context) (int64, error) {
						return db.Int(t, `SELECT balance FROM account WHERE customer = 'customer-1' AND currency = 'HKD'`), nil
					},
				}
			})
		})
	}
}
