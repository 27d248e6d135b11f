package sqltest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

var errRefused = errors.New("refused")

// A transaction is READ COMMITTED, whatever the database's default.
func TestReadCommitted(t *testing.T) {
	for _, c := range []struct {
		open func(testing.TB) *sqltest.Database
		set  string
	}{
		{sqltest.PostgreSQL, "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ"},
		{sqltest.MariaDB, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"},
	} {
		d := c.open(t)
		d.Exec(t, `CREATE TABLE n (n BIGINT)`)
		d.Exec(t, `INSERT INTO n VALUES (1)`)
		other := d.Second(t)
		d.Exec(t, c.set)
		d.DB.SetMaxOpenConns(1) // the session that was just set
		must(t, d.Store(t).InTx(t.Context(), func(ctx context.Context) error {
			tx, err := sqlstore.Tx(ctx)
			must(t, err)
			for want := range 2 {
				var n int
				must(t, tx.QueryRowContext(ctx, `SELECT n FROM n`).Scan(&n))
				if n != want+1 {
					t.Errorf("%v: the transaction reads what was committed before it began", d.Dialect)
				}
				other.Exec(t, `UPDATE n SET n = n + 1`)
			}
			return nil
		}))
	}
}

// A transaction on SQLite begins with a write.
func TestBeginsWithWrite(t *testing.T) {
	d := sqltest.SQLite(t)
	store := d.Store(t)
	d.Watch.Reset(nil)
	must(t, store.InTx(t.Context(), func(context.Context) error { return nil }))
	if calls := d.Watch.Calls(); len(calls) != 3 || !calls[1].Is("UPDATE") {
		t.Errorf("a transaction is %v", calls)
	}
}

// Many payments of one balance: no error but refusals, and nothing is paid
// that is not there.
func TestOneBalance(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		bank := d.Bank(t)
		must(t, bank.Deposit(t.Context(), "C1", 1000)) // ten payments
		ledger := store.Ledger(bank)
		var wait sync.WaitGroup
		var refused sync.Map
		for i := range 64 {
			wait.Go(func() {
				id := fmt.Sprintf("P%d", i)
				err := store.Payments().Update(t.Context(), id, func(ctx context.Context, _ payment.Record) (payment.Record, error) {
					r := paid(id)
					return r, ledger.Debit(ctx, r, payment.Debit{Key: "debit/" + id, CustomerID: "C1", Amount: r.Amounts.Debit()})
				})
				switch {
				case errors.Is(err, alipayplus.CodeUserBalanceNotEnough):
					refused.Store(id, true)
				case err != nil:
					t.Errorf("%s: %v", id, err)
				}
			})
		}
		wait.Wait()
		payments, entries := d.Int(t, `SELECT count(*) FROM alipayplus_payment`), d.Int(t, `SELECT count(*) FROM entry`)
		if balance := d.Int(t, `SELECT balance FROM account`); balance != 0 || payments != 10 || entries != 10 {
			t.Errorf("a balance of 1000 paid %d payments of 100 with %d entries and is %d", payments, entries, balance)
		}
	})
}

// Somebody may refer to a payment while an Update holds it.
func TestForeignKeysDoNotWait(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	must(t, store.Payments().Update(t.Context(), "P1", next))
	d.Exec(t, `CREATE TABLE note (payment text REFERENCES alipayplus_payment)`)
	must(t, store.Payments().Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		d.Exec(t, `SET lock_timeout = 60000`)
		d.Exec(t, `INSERT INTO note (payment) VALUES ('P1')`)
		return next(ctx, r)
	}))
}

// A lease passes over what is locked.
func TestLeaseDoesNotWait(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	for _, id := range []string{"P1", "P2"} {
		must(t, store.Payments().Update(t.Context(), id, to(opened(id, time.Unix(1, 0)))))
		must(t, store.Outbox().Put(t.Context(), message(id)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must(t, store.InTx(ctx, func(inside context.Context) error {
		tx, err := sqlstore.Tx(inside)
		must(t, err)
		_, err = tx.ExecContext(inside, `SELECT 1 FROM alipayplus_payment WHERE payment_request_id = 'P1' FOR UPDATE`)
		must(t, err)
		_, err = tx.ExecContext(inside, `SELECT 1 FROM alipayplus_outbox WHERE message_key = 'P1' FOR UPDATE`)
		must(t, err)
		if ids, err := store.Payments().Lease(ctx, 2, time.Minute); err != nil || len(ids) != 1 || ids[0] != "P2" {
			t.Errorf("leased %q: %v", ids, err)
		}
		if list, err := store.Outbox().Lease(ctx, 2, time.Minute); err != nil || len(list) != 1 || list[0].Message.Key != "P2" {
			t.Errorf("leased %v: %v", list, err)
		}
		return nil
	}))
}

// An Update that changes nothing leaves no row.
func TestUnchangedIsNotStored(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		same := func(_ context.Context, r payment.Record) (payment.Record, error) { return r, nil }
		must(t, store.Payments().Update(t.Context(), "P1", same))
		must(t, store.Payments().Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
			return r, store.Payments().Update(ctx, "P1", same)
		}))
		if n := d.Int(t, `SELECT count(*) FROM alipayplus_payment`); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

// Two transactions write the first record of one payment: the one that is later
// begins again and sees what the other one wrote, and what it did before is
// undone. (On SQLite one waits for the other.)
func TestFirstRecordTwice(t *testing.T) {
	for _, kind := range []func(testing.TB) *sqltest.Database{sqltest.PostgreSQL, sqltest.MariaDB} {
		d := kind(t)
		t.Run(d.Dialect.String(), func(t *testing.T) {
			store := d.Store(t)
			var seen []int64
			both := func(ctx context.Context, r payment.Record) (payment.Record, error) {
				seen = append(seen, r.Version)
				must(t, store.Outbox().Put(ctx, message(fmt.Sprint("run ", len(seen)))))
				if len(seen) == 1 {
					must(t, store.Payments().Update(t.Context(), "P1", next))
				}
				return next(ctx, r)
			}
			must(t, store.Payments().Update(t.Context(), "P1", both))
			if r := find(t, store.Payments(), "P1"); r.Version != 2 || !slices.Equal(seen, []int64{0, 1}) {
				t.Errorf("version %d; the versions before it were %d", r.Version, seen)
			}
			if list := pending(t, store.Outbox()); len(list) != 1 || list[0].Key != "run 2" {
				t.Errorf("messages: %v", list)
			}

			// In a transaction of the host's own, the host has to run it again.
			tx, err := d.DB.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
			must(t, err)
			err = store.Payments().Update(sqlstore.WithTx(t.Context(), tx), "P2", func(ctx context.Context, r payment.Record) (payment.Record, error) {
				must(t, store.Payments().Update(t.Context(), "P2", next))
				return next(ctx, r)
			})
			var conflict interface{ SQLState() string }
			if !errors.As(err, &conflict) || conflict.SQLState() != "40001" || tx.Commit() == nil {
				t.Errorf("Update in a transaction of the host's: %v", err)
			}
		})
	}
}

// A paymentId belongs to one payment.
func TestPaymentIDTwice(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		records := d.Store(t).Payments()
		named := func(ctx context.Context, r payment.Record) (payment.Record, error) {
			r, err := next(ctx, r)
			r.PaymentID = "W1"
			return r, err
		}
		must(t, records.Update(t.Context(), "P1", named))
		if err := records.Update(t.Context(), "P2", named); err == nil || !strings.Contains(err.Error(), "another payment has its paymentId") {
			t.Errorf("two payments have one paymentId: %v", err)
		}
		must(t, records.Update(t.Context(), "P3", next))
		if err := records.Update(t.Context(), "P3", named); err == nil || find(t, records, "P3").PaymentID == "W1" {
			t.Errorf("two payments have one paymentId: %v", err)
		}
	})
}

// A statement of the host's that failed cannot be ignored: PostgreSQL undoes
// the transaction, and the caller is told.
func TestIgnoredError(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	err := store.InTx(t.Context(), func(ctx context.Context) error {
		must(t, store.Outbox().Put(ctx, message("k")))
		tx, err := sqlstore.Tx(ctx)
		must(t, err)
		_, _ = tx.ExecContext(ctx, `SELECT 1/0`)
		return nil
	})
	if err == nil || len(pending(t, store.Outbox())) != 0 {
		t.Errorf("InTx: %v", err)
	}
}

// An Update of a payment inside of its own Update must not lose a change.
func TestUpdateInsideItself(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		for range 2 { // new and known
			before := find(t, store.Payments(), "P1")
			err := store.Payments().Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
				must(t, store.Payments().Update(ctx, "P1", next))
				return next(ctx, r)
			})
			if err == nil || !strings.Contains(err.Error(), "inside of its own Update") {
				t.Errorf("Update: %v", err)
			}
			if r := find(t, store.Payments(), "P1"); r.Version != before.Version {
				t.Errorf("version %d", r.Version)
			}
			must(t, store.Payments().Update(t.Context(), "P1", next))
		}
	})
}

func TestTx(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store, other := d.Store(t), d.Second(t).Store(t)
		ledger := other.Ledger(d.Bank(t))
		if _, err := sqlstore.Tx(t.Context()); err == nil || !strings.Contains(err.Error(), "carries no transaction") {
			t.Errorf("Tx without a transaction: %v", err)
		}
		if err := ledger.Debit(t.Context(), payment.Record{}, payment.Debit{}); err == nil || !strings.Contains(err.Error(), "carries no transaction") {
			t.Errorf("Debit without a transaction: %v", err)
		}
		var ended context.Context
		must(t, store.InTx(t.Context(), func(ctx context.Context) error {
			ended = ctx
			_, err := sqlstore.Tx(ctx)
			must(t, err)
			if other.Payments().Joined(ctx) {
				t.Error("another Store joins")
			}
			if err := ledger.Credit(ctx, payment.Record{}, payment.Credit{}); err == nil || !strings.Contains(err.Error(), "another Store") {
				t.Errorf("Credit in the transaction of another Store: %v", err)
			}
			return nil
		}))
		if _, err := sqlstore.Tx(ended); err == nil {
			t.Error("Tx after the end of the transaction")
		}
		if _, err := sqlstore.Conn(ended); err == nil {
			t.Error("Conn after the end of the transaction")
		}
		if ledger := store.Ledger(nil); ledger != nil {
			t.Error("Ledger(nil) is not nil")
		}
	})
}

// What Raw does with the driver's connection is part of the transaction.
func TestConn(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	d.Exec(t, `CREATE TABLE host (n integer)`)
	insert := func(ctx context.Context) error {
		c, err := sqlstore.Conn(ctx)
		must(t, err)
		return c.Raw(func(c any) error {
			pgx := c.(interface{ Unwrap() any }).Unwrap().(*stdlib.Conn).Conn()
			_, err := pgx.Exec(ctx, `INSERT INTO host (n) VALUES (1)`)
			return err
		})
	}
	if err := store.InTx(t.Context(), func(ctx context.Context) error {
		must(t, insert(ctx))
		return errRefused
	}); !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	if n := d.Int(t, `SELECT count(*) FROM host`); n != 0 {
		t.Errorf("%d rows after a rollback", n)
	}
	must(t, store.InTx(t.Context(), insert))
	if n := d.Int(t, `SELECT count(*) FROM host`); n != 1 {
		t.Errorf("%d rows after the commit", n)
	}
}

// A joined function that fails leaves the transaction nothing but its rollback.
func TestJoinedFails(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		runs := 0
		err := store.InTx(t.Context(), func(ctx context.Context) error {
			runs++
			must(t, store.Outbox().Put(ctx, message("k")))
			_ = store.InTx(ctx, func(context.Context) error { return errRefused })
			if _, err := sqlstore.Tx(ctx); !errors.Is(err, errRefused) {
				t.Errorf("Tx: %v", err)
			}
			if err := store.Outbox().Put(ctx, message("k2")); !errors.Is(err, errRefused) {
				t.Errorf("Put: %v", err)
			}
			return nil
		})
		if !errors.Is(err, errRefused) || runs != 1 {
			t.Errorf("InTx: %v after %d runs", err, runs)
		}
		if list := pending(t, store.Outbox()); len(list) != 0 {
			t.Errorf("put: %v", list)
		}
	})
}

// A transaction of the host's own is joined, and cannot be committed after
// something in it failed.
func TestWithTx(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		update := func(change func(context.Context, payment.Record) (payment.Record, error)) (*sql.Tx, error) {
			tx, err := d.DB.BeginTx(t.Context(), nil)
			must(t, err)
			ctx := sqlstore.WithTx(t.Context(), tx)
			if !store.Payments().Joined(ctx) {
				t.Error("it is not joined")
			}
			if _, err := sqlstore.Conn(ctx); err == nil {
				t.Error("it has a connection")
			}
			must(t, store.Outbox().Put(ctx, message("k")))
			return tx, store.Payments().Update(ctx, "P1", change)
		}
		tx, err := update(next)
		must(t, err)
		must(t, tx.Rollback())
		if r := find(t, store.Payments(), "P1"); r.Version != 0 {
			t.Error("the rollback left a record")
		}
		tx, err = update(func(ctx context.Context, r payment.Record) (payment.Record, error) { return r, errRefused })
		if !errors.Is(err, errRefused) || tx.Commit() == nil {
			t.Errorf("Update: %v; and the transaction could be committed", err)
		}
		if list := pending(t, store.Outbox()); len(list) != 0 {
			t.Errorf("put: %v", list)
		}
		tx, err = update(next)
		must(t, err)
		must(t, tx.Commit())
		if r := find(t, store.Payments(), "P1"); r.Version != 1 || len(pending(t, store.Outbox())) != 1 {
			t.Error("the commit did not store it")
		}
		ctx := sqlstore.WithTx(t.Context(), nil)
		if err := store.Payments().Update(ctx, "P2", next); err == nil || !strings.Contains(err.Error(), "nil") {
			t.Errorf("with a transaction that is nil: %v", err)
		}
	})
}

// WithTx for a transaction that the context carries already, the host's own or
// one of the Store, changes nothing: an Update inside of its own Update is told
// so, and is no conflict that the host would run again for ever.
func TestWithTxTwice(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		nested := func(ctx context.Context, id string) error {
			return store.Payments().Update(ctx, id, func(ctx context.Context, r payment.Record) (payment.Record, error) {
				tx, err := sqlstore.Tx(ctx)
				must(t, err)
				must(t, store.Payments().Update(sqlstore.WithTx(ctx, tx), id, next))
				return next(ctx, r)
			})
		}
		want := func(err error) {
			t.Helper()
			var conflict interface{ SQLState() string }
			if err == nil || errors.As(err, &conflict) || !strings.Contains(err.Error(), "inside of its own Update") {
				t.Errorf("Update: %v", err)
			}
		}
		tx, err := d.DB.BeginTx(t.Context(), nil)
		must(t, err)
		want(nested(sqlstore.WithTx(t.Context(), tx), "P1"))
		want(nested(t.Context(), "P2"))

		// Every Store works in it, also in a transaction that another one
		// began.
		second := d.Store(t)
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := store.InTx(short, func(ctx context.Context) error {
			tx, err := sqlstore.Tx(ctx)
			must(t, err)
			if second.Payments().Joined(ctx) || !second.Payments().Joined(sqlstore.WithTx(ctx, tx)) {
				t.Error("another Store joins without WithTx, or not with it")
			}
			must(t, second.Outbox().Put(sqlstore.WithTx(ctx, tx), message("undone")))
			return errRefused
		}); !errors.Is(err, errRefused) {
			t.Errorf("InTx: %v", err)
		}
		if list := pending(t, store.Outbox()); len(list) != 0 {
			t.Errorf("put: %v", list)
		}

		// What fails in the inner one has failed in the outer one.
		err = store.InTx(t.Context(), func(ctx context.Context) error {
			tx, err := sqlstore.Tx(ctx)
			must(t, err)
			_ = store.InTx(sqlstore.WithTx(ctx, tx), func(context.Context) error { return errRefused })
			return nil
		})
		if !errors.Is(err, errRefused) {
			t.Errorf("InTx: %v", err)
		}
	})
}

// Ready gets a value after the commit, not before, and not after a rollback.
func TestReady(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		ready := func() bool {
			select {
			case <-store.Outbox().Ready():
				return true
			default:
				return false
			}
		}
		_ = store.InTx(t.Context(), func(ctx context.Context) error {
			must(t, store.Outbox().Put(ctx, message("undone")))
			return errRefused
		})
		if ready() {
			t.Error("ready after a rollback")
		}
		must(t, store.InTx(t.Context(), func(ctx context.Context) error {
			must(t, store.Outbox().Put(ctx, message("1")))
			if ready() {
				t.Error("ready before the commit")
			}
			return nil
		}))
		if !ready() || ready() {
			t.Error("not ready after the commit, or twice")
		}
		must(t, store.Outbox().Put(t.Context(), message("1")))
		if ready() {
			t.Error("ready although nothing was put")
		}
		must(t, store.Outbox().Put(t.Context(), message("2")))
		if !ready() {
			t.Error("not ready after a Put without a transaction")
		}
	})
}
