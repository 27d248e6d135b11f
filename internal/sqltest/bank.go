package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

// Currency is what the customers of a Bank have.
const Currency alipayplus.Currency = "KRW"

// Bank is a wallet's money as a host writes it: a sqlstore.Ledger on the tables
// account and entry, one balance for each customer, one entry for each key.
type Bank struct {
	db   *sql.DB
	text func(string) string
	one  bool // a debit is one statement
}

var _ sqlstore.Ledger = (*Bank)(nil)

// Bank makes the tables of a Bank if they are missing.
func (d *Database) Bank(t testing.TB) *Bank {
	t.Helper()
	key := d.Pick(`VARCHAR(264) COLLATE "C"`, `VARBINARY(264)`, `TEXT`) // the keys of a Debit are that long
	d.Exec(t, `CREATE TABLE IF NOT EXISTS account (customer `+key+` PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0))`)
	d.Exec(t, `CREATE TABLE IF NOT EXISTS entry (entry_key `+key+` PRIMARY KEY, customer `+key+` NOT NULL, minor BIGINT NOT NULL,
		landed_at BIGINT NOT NULL DEFAULT 0, ended `+key+` NOT NULL DEFAULT '')`)
	return d.OpenBank()
}

// OpenBank returns the Bank whose tables are there.
func (d *Database) OpenBank() *Bank {
	return &Bank{d.DB, d.Text, d.Dialect == sqlstore.PostgreSQL}
}

// Deposit makes a customer's account.
func (b *Bank) Deposit(ctx context.Context, customer string, minor int64) error {
	_, err := b.db.ExecContext(ctx, b.text(`INSERT INTO account (customer, balance) VALUES (?1, ?2)`), customer, minor)
	return err
}

// Balance returns what a customer has.
func (b *Bank) Balance(ctx context.Context, customer string) (minor int64, err error) {
	err = b.db.QueryRowContext(ctx, b.text(`SELECT balance FROM account WHERE customer = ?1`), customer).Scan(&minor)
	return minor, err
}

// Entries returns all bookings by key, smallest units, negative for a debit.
func (b *Bank) Entries(ctx context.Context) (map[string]int64, error) {
	rows, err := b.db.QueryContext(ctx, `SELECT entry_key, minor FROM entry`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	entries := make(map[string]int64)
	for rows.Next() {
		var key string
		var minor int64
		if err := rows.Scan(&key, &minor); err != nil {
			return nil, err
		}
		entries[key] = minor
	}
	return entries, rows.Err()
}

// Debit implements sqlstore.Ledger.
func (b *Bank) Debit(ctx context.Context, tx *sql.Tx, r payment.Record, d payment.Debit) error {
	if d.Amount.Currency != Currency {
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	}
	return b.book(ctx, tx, d.Key, r.CustomerID, -d.Amount.Minor)
}

// Credit implements sqlstore.Ledger.
func (b *Bank) Credit(ctx context.Context, tx *sql.Tx, r payment.Record, c payment.Credit) error {
	if err := known(c.Amount); err != nil {
		return err
	}
	return b.book(ctx, tx, c.Key, r.CustomerID, c.Amount.Minor)
}

// known is an error for a credit in a currency in which nothing was debited.
func known(a alipayplus.Amount) error {
	if a.Currency != Currency {
		return fmt.Errorf("a credit of %v to an account in %s", a, Currency)
	}
	return nil
}

func (b *Bank) book(ctx context.Context, tx *sql.Tx, key, customer string, minor int64) error {
	var done sql.Result
	var err error
	if b.one {
		done, err = tx.ExecContext(ctx, `WITH e AS (INSERT INTO entry (entry_key, customer, minor) VALUES ($1, $2, $3))
			UPDATE account SET balance = balance + $3 WHERE customer = $2 AND balance + $3 >= 0`, key, customer, minor)
	} else {
		_, err = tx.ExecContext(ctx, `INSERT INTO entry (entry_key, customer, minor) VALUES (?, ?, ?)`, key, customer, minor)
		if err == nil {
			done, err = tx.ExecContext(ctx, `UPDATE account SET balance = balance + ? WHERE customer = ? AND balance + ? >= 0`, minor, customer, minor)
		}
	}
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 || minor == 0 {
		return err
	}
	return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
}

// RemoteBank is the same money as a service of its own: a payment.RemoteLedger
// that answers each key once and for all.
type RemoteBank struct {
	*Bank
	store *sqlstore.Store // for its transactions
}

var _ payment.RemoteLedger = RemoteBank{}

// Remote serves the money of b with transactions of its own.
func (b *Bank) Remote(store *sqlstore.Store) RemoteBank { return RemoteBank{b, store} }

// The ends of an entry.
const (
	landed  = "landed"
	refused = "refused"
	voided  = "voided"
)

// once makes an entry, unless the key has one, and returns its end.
func (b RemoteBank) once(ctx context.Context, key, customer string, minor int64, want string) (end string, at time.Time, err error) {
	at = time.Now()
	err = b.store.InTx(ctx, func(ctx context.Context) error {
		tx, err := sqlstore.Tx(ctx)
		if err != nil {
			return err
		}
		var micros int64
		if _, err = tx.ExecContext(ctx, b.claim(), key, customer, at.UnixMicro()); err != nil {
			return err
		}
		// The entry is locked now, whether it was there or not.
		err = tx.QueryRowContext(ctx, b.text(`SELECT ended, landed_at FROM entry WHERE entry_key = ?1`), key).Scan(&end, &micros)
		if err != nil || end != "" {
			at = time.UnixMicro(micros)
			return err
		}
		end = want
		if want == landed {
			done, err := tx.ExecContext(ctx, b.text(`UPDATE account SET balance = balance + ?1 WHERE customer = ?2 AND balance >= ?3`), minor, customer, -minor)
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n != 1 && minor != 0 { // MySQL counts the rows that differ
				end = refused
			}
		}
		if end != landed {
			minor = 0
		}
		_, err = tx.ExecContext(ctx, b.text(`UPDATE entry SET ended = ?1, minor = ?2 WHERE entry_key = ?3`), end, minor, key)
		return err
	})
	return end, at, err
}

// claim inserts an entry that has no end yet, or locks the one that is there.
func (b RemoteBank) claim() string {
	text := `INSERT INTO entry (entry_key, customer, minor, landed_at) VALUES (?1, ?2, 0, ?3) `
	if b.store.Dialect() == sqlstore.MySQL {
		return b.text(text + `ON DUPLICATE KEY UPDATE minor = minor`)
	}
	return b.text(text + `ON CONFLICT (entry_key) DO UPDATE SET minor = entry.minor`)
}

// Debit implements payment.RemoteLedger.
func (b RemoteBank) Debit(ctx context.Context, r payment.Record, d payment.Debit) (time.Time, error) {
	want := landed
	if d.Amount.Currency != Currency {
		want = refused
	}
	end, at, err := b.once(ctx, d.Key, r.CustomerID, -d.Amount.Minor, want)
	switch {
	case err != nil:
		return time.Time{}, err
	case end == refused:
		return time.Time{}, payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	case end == voided:
		return time.Time{}, alipayplus.CodeOrderIsClosed
	}
	return at, nil
}

// Void implements payment.RemoteLedger.
func (b RemoteBank) Void(ctx context.Context, r payment.Record, v payment.Void) (time.Time, error) {
	end, at, err := b.once(ctx, v.Key, r.CustomerID, 0, voided)
	if err != nil || end != landed {
		return time.Time{}, err
	}
	return at, nil
}

// Credit implements payment.RemoteLedger.
func (b RemoteBank) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	if err := known(c.Amount); err != nil {
		return err
	}
	_, _, err := b.once(ctx, c.Key, r.CustomerID, c.Amount.Minor, landed)
	return err
}
