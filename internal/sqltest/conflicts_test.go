package sqltest_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// Each call meets a conflict once, or a lock time-out: the caller does not
// notice.
func TestEachCallMeetsConflict(t *testing.T) {
	each(t, func(t *testing.T, d *sqltest.Database, s *sqlstore.Store, sc scenario, n int, call sqltest.Call) {
		for i, conflict := range []error{sqltest.Conflict(d.Dialect), sqltest.LockTimeout(d.Dialect)} {
			if i > 0 {
				d, s = sc.prepare(t, opener(d.Dialect))
			}
			before := sc.effect(t, d, s)
			d.Watch.Reset(at(n, sqltest.Fault{Err: conflict}))
			err := sc.do(t.Context(), s)
			d.Watch.Reset(nil)
			if err != nil {
				t.Errorf("%v in %q reaches the caller: %v", conflict, call.Text, err)
			}
			if n := sc.effect(t, d, s); n != before+1 {
				t.Errorf("it took effect %d times", n-before)
			}
		}
	})
}

// Conflicts are known without the drivers.
func TestConflicts(t *testing.T) {
	custom := errors.New("ORA-00060")
	for _, c := range []struct {
		err   error
		again bool
	}{
		{sqltest.SQLState("40001"), true}, {sqltest.SQLState("40P01"), true}, {sqltest.SQLState("55P03"), true},
		{sqltest.SQLiteError(5), true}, {sqltest.SQLiteError(517), true}, {sqltest.SQLiteError(6), true}, {sqltest.SQLiteError(262), true},
		{custom, true},
		{sqltest.SQLState("23505"), false}, {sqltest.SQLState("40003"), false}, {sqltest.SQLState("08006"), false}, {sqltest.SQLState("57P01"), false},
		{&mysql.MySQLError{Number: 1213}, true}, {&mysql.MySQLError{Number: 1205}, true}, {&mysql.MySQLError{Number: 1062}, false}, {mysql.ErrInvalidConn, false},
		{sqltest.SQLiteError(1), false}, {sqltest.SQLiteError(19), false}, {errors.New("another one"), false},
	} {
		sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
			store := d.Store(t, sqlstore.RetryOn(func(err error) bool { return errors.Is(err, custom) }))
			runs := 0
			err := store.InTx(t.Context(), func(context.Context) error {
				if runs++; runs == 1 {
					return fmt.Errorf("in the ledger: %w", c.err)
				}
				return nil
			})
			if again := runs == 2 && err == nil; again != c.again {
				t.Errorf("%v: %d runs, %v", c.err, runs, err)
			}
		})
	}
}

// A conflict that does not go away reaches the caller.
func TestRetriesAreBounded(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		runs := 0
		err := store.InTx(t.Context(), func(context.Context) error {
			runs++
			return sqltest.Conflict(d.Dialect)
		})
		if err == nil || runs < 2 || runs > 20 {
			t.Errorf("%d runs: %v", runs, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		runs = 0
		if err := store.InTx(ctx, func(context.Context) error {
			runs++
			cancel()
			return sqltest.Conflict(d.Dialect)
		}); err == nil || runs != 1 {
			t.Errorf("%d runs after the end of the context: %v", runs, err)
		}
	})
}

// Only the outermost transaction runs again, and only if the rollback worked.
func TestWhoRetries(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		outer, inner := 0, 0
		must(t, store.InTx(t.Context(), func(ctx context.Context) error {
			outer++
			return store.InTx(ctx, func(context.Context) error {
				if inner++; inner == 1 {
					return sqltest.Conflict(d.Dialect)
				}
				return nil
			})
		}))
		if outer != 2 || inner != 2 {
			t.Errorf("the outer function ran %d times, the inner one %d times", outer, inner)
		}
		d.Watch.Reset(func(c sqltest.Call) sqltest.Fault {
			if c.Is("ROLLBACK") {
				return sqltest.Fault{Err: sqltest.ErrCut, Cut: true}
			}
			return sqltest.Fault{}
		})
		runs := 0
		if err := store.InTx(t.Context(), func(context.Context) error {
			runs++
			return sqltest.Conflict(d.Dialect)
		}); err == nil || runs != 1 {
			t.Errorf("without a rollback: %d runs, %v", runs, err)
		}
		d.Watch.Reset(nil)

		// A transaction of the host's own runs once.
		tx, err := d.DB.BeginTx(t.Context(), nil)
		must(t, err)
		runs = 0
		if err := store.InTx(sqlstore.WithTx(t.Context(), tx), func(context.Context) error {
			runs++
			return sqltest.Conflict(d.Dialect)
		}); err == nil || runs != 1 {
			t.Errorf("in a transaction of the host's own: %d runs, %v", runs, err)
		}
	})
}

// A conflict that a ledger or OnChange met is known through all that
// payment.Service says about it, and nobody notices it.
func TestServiceMeetsConflict(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store, bank := d.Store(t), d.Bank(t)
		for i, conflict := range []error{sqltest.Conflict(d.Dialect), sqltest.LockTimeout(d.Dialect), fmt.Errorf("the bank: %w", sqltest.Conflict(d.Dialect))} {
			meet := map[string]int{}
			once := func(what string) error {
				if meet[what]++; meet[what] == 1 {
					return conflict
				}
				return nil
			}
			service, err := payment.NewService(payment.ServiceConfig{
				Records:  store.Payments(),
				Ledger:   store.Ledger(conflicting{bank, once}),
				OnChange: func(context.Context, payment.Record, payment.Record) error { return once("OnChange") },
			})
			must(t, err)
			id := fmt.Sprint("P", i)
			must(t, bank.Deposit(t.Context(), id, 1000))
			amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: 300}
			_, err = service.Open(t.Context(), payment.Opened{Terms: payment.Terms{
				PaymentRequestID: id, CustomerID: id, CodeValueDigest: "digest", Amounts: payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
			}})
			if err != nil {
				t.Errorf("%v in OnChange reaches the caller: %v", conflict, err)
			}
			delete(meet, "OnChange")
			r, err := service.Confirm(t.Context(), payment.Confirmation{PaymentRequestID: id, CustomerID: id, Shown: amount})
			if err != nil || r.State != payment.StatePaid || meet["Debit"] != 3 {
				t.Errorf("%v reaches the caller: %s after %v: %v", conflict, r.State, meet, err)
			}
			if balance, err := bank.Balance(t.Context(), id); err != nil || balance != 700 {
				t.Errorf("the balance is %d: %v", balance, err)
			}
		}
	})
}

// conflicting is a ledger that may err after it debited.
type conflicting struct {
	sqlstore.Ledger
	err func(what string) error
}

func (l conflicting) Debit(ctx context.Context, tx *sql.Tx, r payment.Record, d payment.Debit) error {
	return cmp.Or(l.Ledger.Debit(ctx, tx, r, d), l.err("Debit"))
}

// Real deadlocks: two transactions that lock two rows in both orders.
func TestDeadlock(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		d := sqltest.PostgreSQL(t)
		d.Exec(t, `SET deadlock_timeout = '20ms'`)
		testDeadlock(t, d)
	})
	t.Run("MariaDB", func(t *testing.T) { testDeadlock(t, sqltest.MariaDB(t)) })
}

func testDeadlock(t *testing.T, d *sqltest.Database) {
	store := d.Store(t)
	for _, id := range []string{"A", "B"} {
		must(t, store.Payments().Update(t.Context(), id, next))
	}
	errs := make(chan error)
	both := func(first, second string, met *sync.WaitGroup) {
		meet := sync.OnceFunc(func() { met.Done(); met.Wait() }) // in the first try each waits until both hold a lock
		errs <- store.Payments().Update(t.Context(), first, func(ctx context.Context, r payment.Record) (payment.Record, error) {
			meet()
			if err := store.Payments().Update(ctx, second, next); err != nil {
				return r, err
			}
			return next(ctx, r)
		})
	}
	const rounds = 2
	for range rounds {
		var met sync.WaitGroup
		met.Add(2)
		go both("A", "B", &met)
		go both("B", "A", &met)
		for range 2 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
	for _, id := range []string{"A", "B"} {
		if r := find(t, store.Payments(), id); r.Resent != 2*rounds {
			t.Errorf("%s has %d of %d updates", id, r.Resent, 2*rounds)
		}
	}
}

// The same through payment.Service, with an OnChange that meets real deadlocks:
// it changes two of a few rows in any order. No conflict reaches the host, and
// nothing is counted twice.
func TestDeadlocksInOnChange(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		if d.Dialect == sqlstore.PostgreSQL {
			var err error
			d, err = sqltest.Connect(d.Dialect, d.Address+` options='-c deadlock_timeout=20ms'`)
			must(t, err)
			t.Cleanup(func() { _ = d.DB.Close() })
		}
		store, bank := d.Store(t), d.Bank(t)
		d.Exec(t, `CREATE TABLE counter (n BIGINT PRIMARY KEY, m BIGINT)`)
		for n := range 8 { // with four, one payment in a thousand takes 8 of its 12 tries
			d.Exec(t, `INSERT INTO counter (n, m) VALUES (?1, 0)`, n)
		}
		count := func(ctx context.Context, _, after payment.Record) error {
			if after.State != payment.StatePaid {
				return nil
			}
			tx, err := sqlstore.Tx(ctx)
			if err != nil {
				return err
			}
			for range 2 {
				if _, err := tx.ExecContext(ctx, d.Text(`UPDATE counter SET m = m + 1 WHERE n = ?1`), rand.N(8)); err != nil {
					return fmt.Errorf("the counter: %w", err)
				}
			}
			return nil
		}
		service, err := payment.NewService(payment.ServiceConfig{Records: store.Payments(), Ledger: store.Ledger(bank), OnChange: count})
		must(t, err)
		const writers, each = 16, 5
		for i := range writers {
			must(t, bank.Deposit(t.Context(), fmt.Sprint("C", i), 300*each))
		}
		amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: 300}
		var wait sync.WaitGroup
		for i := range writers {
			wait.Go(func() {
				for n := range each {
					id := fmt.Sprintf("P%d.%d", i, n)
					_, err := service.Open(t.Context(), payment.Opened{Terms: payment.Terms{
						PaymentRequestID: id, CustomerID: fmt.Sprint("C", i), CodeValueDigest: "digest", Amounts: payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
					}})
					if err == nil {
						_, err = service.Confirm(t.Context(), payment.Confirmation{PaymentRequestID: id, CustomerID: fmt.Sprint("C", i), Shown: amount})
					}
					if err != nil {
						t.Errorf("%s: %v", id, err)
					}
				}
			})
		}
		wait.Wait()
		balance := d.Int(t, `SELECT sum(balance) FROM account`)
		if n := d.Int(t, `SELECT sum(m) FROM counter`); balance != 0 || n != 2*writers*each || len(pending(t, store.Outbox())) != writers*each {
			t.Errorf("the balance is %d, %d are counted, want %d", balance, n, 2*writers*each)
		}
	})
}

// A lock time-out of MySQL undoes one statement of a transaction; the Store
// undoes the rest and runs all of it again.
func TestLockTimeout(t *testing.T) {
	d := sqltest.MariaDB(t)
	store := d.Store(t)
	must(t, store.Payments().Update(t.Context(), "P1", next))
	other, err := d.Second(t).DB.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = other.ExecContext(t.Context(), `SELECT 1 FROM alipayplus_payment FOR UPDATE`)
	must(t, err)
	runs := 0
	must(t, store.InTx(t.Context(), func(ctx context.Context) error {
		if runs++; runs == 2 {
			must(t, other.Rollback())
		}
		tx, err := sqlstore.Tx(ctx)
		must(t, err)
		_, err = tx.ExecContext(ctx, `SET SESSION innodb_lock_wait_timeout = 1`)
		must(t, err)
		must(t, store.Outbox().Put(ctx, message(fmt.Sprint("run ", runs))))
		return store.Payments().Update(ctx, "P1", next)
	}))
	if list := pending(t, store.Outbox()); runs != 2 || len(list) != 1 || list[0].Key != "run 2" {
		t.Errorf("%d runs, put %v", runs, list)
	}
}
