package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"os"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

// bank is the wallet's money: tables account, and entry with a unique key.
type bank struct{}

func (bank) Debit(ctx context.Context, tx *sql.Tx, r payment.Record, d payment.Debit) error {
	return book(ctx, tx, d.Key, r.CustomerID, -d.Amount.Minor)
}

func (bank) Credit(ctx context.Context, tx *sql.Tx, r payment.Record, c payment.Credit) error {
	return book(ctx, tx, c.Key, r.CustomerID, c.Amount.Minor)
}

func book(ctx context.Context, tx *sql.Tx, key, customer string, minor int64) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO entry (key, customer, minor) VALUES ($1, $2, $3)`, key, customer, minor); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `UPDATE account SET balance = balance + $2 WHERE customer = $1 AND balance + $2 >= 0`, customer, minor)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return payment.Retryable(alipayplus.CodeUserBalanceNotEnough) // what was written is undone
}

// A wallet's database. The driver is imported elsewhere, for example as
// _ "github.com/jackc/pgx/v5/stdlib".
func Example() {
	ctx := context.Background()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.Open(ctx, db, sqlstore.PostgreSQL)
	if err != nil {
		log.Fatal(err)
	}

	// For the services:
	var (
		_ payment.Records             = store.Payments()
		_ payment.Ledger              = store.Ledger(bank{})
		_ alipayplus.Queue            = store.Outbox()
		_ alipayplus.IdempotencyStore = store.Idempotency()
	)

	// Once an hour, delete what is too old.
	for range time.Tick(time.Hour) {
		for {
			deleted, err := store.Purge(ctx, 1000)
			if err != nil {
				log.Print(err)
			}
			if deleted == 0 {
				break
			}
		}
	}
}

// Your own tables change together with the payment.
func ExampleStore_InTx() {
	var store *sqlstore.Store // of Open

	err := store.InTx(context.Background(), func(ctx context.Context) error {
		tx, err := sqlstore.Tx(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE campaign SET used = used + 1 WHERE id = $1`, "spring"); err != nil {
			return err
		}
		return store.Outbox().Put(ctx, alipayplus.Message{Operation: "notifyPayment", Key: "P1", Body: alipayplus.Conceal("{}")})
	})
	if err != nil {
		log.Print(err)
	}
}

// A transaction of your own, as sqlc and gorm use it.
func ExampleWithTx() {
	var (
		db    *sql.DB
		store *sqlstore.Store // of Open, with db
	)
	open := func(ctx context.Context) error {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		if err != nil {
			return err
		}
		defer func() {
			if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
				log.Print(err)
			}
		}()
		// Your own statements on tx, and the Store's with the context:
		if _, err := store.Payments().Find(sqlstore.WithTx(ctx, tx), "P1"); err != nil {
			return err
		}
		return tx.Commit()
	}
	_ = open
}
