package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

// The wallet's money keeps what payment.Ledger asks for.
func TestBank(t *testing.T) {
	paymenttest.TestLedger(t, func(t *testing.T) (payment.Records, payment.Ledger, paymenttest.Account) {
		d, err := openDatabase(t.Context(), filepath.Join(t.TempDir(), "wallet.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.close() })
		store, err := sqlstore.Open(t.Context(), d.DB, d.dialect)
		if err != nil {
			t.Fatal(err)
		}
		return store.Payments(), store.Ledger(bank{}), paymenttest.Account{
			Customer: "alice", Currency: currency,
			Balance: func(ctx context.Context) (int64, error) {
				a, err := d.balance(ctx, "alice")
				return a.Minor, err
			},
		}
	})
}
