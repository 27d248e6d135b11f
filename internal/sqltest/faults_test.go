package sqltest_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// scenario is an operation that changes the database, with a way to count how
// often it took effect.
type scenario struct {
	name   string
	setUp  func(t *testing.T, s *sqlstore.Store)
	do     func(ctx context.Context, s *sqlstore.Store) error
	effect func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64
}

// prepare opens a fresh database for sc.
func (sc scenario) prepare(t *testing.T, open func(testing.TB) *sqltest.Database) (*sqltest.Database, *sqlstore.Store) {
	t.Helper()
	d := open(t)
	store := d.Store(t)
	if sc.setUp != nil {
		sc.setUp(t, store)
	}
	d.Watch.Reset(nil)
	return d, store
}

var delivery alipayplus.Delivery

var scenarios = []scenario{
	{
		name: "Update of a new payment, with a message",
		do: func(ctx context.Context, s *sqlstore.Store) error {
			return s.Payments().Update(ctx, "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
				r, _ = next(ctx, r)
				r.Refunds = []payment.RefundEntry{{RefundRequestID: "R1"}}
				return r, s.Payments().Put(ctx, message("P1"))
			})
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			n := find(t, s.Payments(), "P1").Version
			if m := int64(len(pending(t, s.Outbox()))); m != min(n, 1) {
				t.Errorf("version %d with %d messages", n, m)
			}
			if rows := d.Int(t, `SELECT count(*) FROM alipayplus_refund`); rows != min(n, 1) {
				t.Errorf("version %d with %d refunds", n, rows)
			}
			return n
		},
	},
	{
		name:  "Update of a known payment",
		setUp: func(t *testing.T, s *sqlstore.Store) { must(t, s.Payments().Update(t.Context(), "P1", next)) },
		do:    func(ctx context.Context, s *sqlstore.Store) error { return s.Payments().Update(ctx, "P1", next) },
		effect: func(t *testing.T, _ *sqltest.Database, s *sqlstore.Store) int64 {
			return int64(find(t, s.Payments(), "P1").Resent)
		},
	},
	{
		name: "Put",
		do:   func(ctx context.Context, s *sqlstore.Store) error { return s.Outbox().Put(ctx, message("k")) },
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT count(*) FROM alipayplus_outbox`)
		},
	},
	{
		name: "Put after somebody else worked in the transaction",
		do: func(ctx context.Context, s *sqlstore.Store) error {
			return s.InTx(ctx, func(ctx context.Context) error {
				if _, err := sqlstore.Tx(ctx); err != nil {
					return err
				}
				return s.Outbox().Put(ctx, message("k"))
			})
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT count(*) FROM alipayplus_outbox`)
		},
	},
	{
		name:  "Lease of a message",
		setUp: func(t *testing.T, s *sqlstore.Store) { must(t, s.Outbox().Put(t.Context(), message("k"))) },
		do: func(ctx context.Context, s *sqlstore.Store) error {
			_, err := s.Outbox().Lease(ctx, 10, 0)
			return err
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT tries FROM alipayplus_outbox`)
		},
	},
	{
		name: "Finish of a delivery",
		setUp: func(t *testing.T, s *sqlstore.Store) {
			must(t, s.Outbox().Put(t.Context(), message("k")))
			list, err := s.Outbox().Lease(t.Context(), 10, time.Minute)
			must(t, err)
			delivery = list[0]
		},
		do: func(ctx context.Context, s *sqlstore.Store) error {
			return s.Outbox().Finish(ctx, delivery, acknowledged)
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT count(*) FROM alipayplus_outbox WHERE state = 1`)
		},
	},
	{
		name: "Lease of a payment",
		setUp: func(t *testing.T, s *sqlstore.Store) {
			must(t, s.Payments().Update(t.Context(), "P1", to(opened("P1", time.Unix(1, 0)))))
		},
		do: func(ctx context.Context, s *sqlstore.Store) error {
			_, err := s.Payments().Lease(ctx, 10, time.Hour)
			return err
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT count(*) FROM alipayplus_payment WHERE next_at > `+d.Pick(`to_timestamp(1)`, `'1970-01-01 00:00:01'`, `1000`))
		},
	},
	{
		name: "Begin",
		do: func(ctx context.Context, s *sqlstore.Store) error {
			_, _, err := s.Idempotency().Begin(ctx, claim("k", "o"))
			return err
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT coalesce(sum(runs), 0) FROM alipayplus_idempotency`)
		},
	},
	{
		name: "Finish of a run",
		setUp: func(t *testing.T, s *sqlstore.Store) {
			_, _, err := s.Idempotency().Begin(t.Context(), claim("k", "o"))
			must(t, err)
		},
		do: func(ctx context.Context, s *sqlstore.Store) error {
			err := s.Idempotency().Finish(ctx, claim("k", "o"), []byte("{}"))
			if errors.Is(err, alipayplus.ErrSuperseded) { // it is answered already
				return nil
			}
			return err
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT count(*) FROM alipayplus_idempotency WHERE answered`)
		},
	},
}

// each runs test for every call of every scenario, on a fresh database; n is
// the number of the call.
func each(t *testing.T, test func(t *testing.T, d *sqltest.Database, s *sqlstore.Store, sc scenario, n int, call sqltest.Call)) {
	for _, kind := range sqltest.Kinds {
		for _, sc := range scenarios {
			prepare := func(t *testing.T) (*sqltest.Database, *sqlstore.Store) { return sc.prepare(t, kind.Open) }
			d, store := prepare(t)
			must(t, sc.do(t.Context(), store))
			for n, call := range d.Watch.Calls() {
				t.Run(fmt.Sprintf("%v/%s/%d", d.Dialect, sc.name, n), func(t *testing.T) {
					d, store := prepare(t)
					test(t, d, store, sc, n, call)
				})
			}
		}
	}
}

// opener opens another database of the same kind.
func opener(d sqlstore.Dialect) func(testing.TB) *sqltest.Database {
	switch d {
	case sqlstore.PostgreSQL:
		return sqltest.PostgreSQL
	case sqlstore.MySQL:
		return sqltest.MariaDB
	}
	return sqltest.SQLite
}

// at returns a fault of call n alone.
func at(n int, fault sqltest.Fault) func(sqltest.Call) sqltest.Fault {
	return func(sqltest.Call) sqltest.Fault {
		n--
		if n == -1 {
			return fault
		}
		return sqltest.Fault{}
	}
}

// Each call fails once: with an error, or because the connection breaks. The
// caller is told, nothing is half done, and the next time all is well.
func TestEachCallFails(t *testing.T) {
	each(t, func(t *testing.T, d *sqltest.Database, s *sqlstore.Store, sc scenario, n int, call sqltest.Call) {
		for _, cut := range []bool{false, true} {
			before := sc.effect(t, d, s)
			d.Watch.Reset(at(n, sqltest.Fault{Err: errors.New("the statement failed"), Cut: cut}))
			err := sc.do(t.Context(), s)
			d.Watch.Reset(nil)
			if err == nil {
				t.Errorf("%q fails, and nobody is told", call.Text)
			}
			if n := sc.effect(t, d, s); n != before {
				t.Errorf("%q failed, and it took effect %d times", call.Text, n-before)
			}
		}
		before := sc.effect(t, d, s)
		must(t, sc.do(t.Context(), s))
		if n := sc.effect(t, d, s); n != before+1 {
			t.Errorf("it took effect %d times", n-before)
		}
	})
}

// Each call is carried out, and then the connection breaks: the caller is told;
// what was committed is there once.
func TestEachAnswerIsLost(t *testing.T) {
	each(t, func(t *testing.T, d *sqltest.Database, s *sqlstore.Store, sc scenario, n int, call sqltest.Call) {
		before := sc.effect(t, d, s)
		d.Watch.Reset(at(n, sqltest.Fault{Err: sqltest.ErrCut, After: true, Cut: true}))
		err := sc.do(t.Context(), s)
		calls := d.Watch.Calls()
		d.Watch.Reset(nil)
		if !errors.Is(err, sqltest.ErrCut) {
			t.Errorf("the answer to %q is lost: %v", call.Text, err)
		}
		want := int64(0)
		if call.Is("COMMIT") || !calls[0].Is("BEGIN") {
			want = 1 // it was carried out
		}
		if n := sc.effect(t, d, s); n != before+want {
			t.Errorf("it took effect %d times, want %d", n-before, want)
		}
	})
}

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
			amount := alipayplus.Amount{Currency: "KRW", Minor: 300}
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

// After a deadlock MySQL has undone the whole transaction, and so has SQLite
// after a statement that was interrupted, or found the disk full; what follows
// would be committed statement by statement. A ledger or an OnChange that
// ignores the error (of a purchase history, say) makes no payment of it without
// its debit and its message.
func TestIgnoredRollback(t *testing.T) {
	for _, c := range []struct {
		open    func(testing.TB) *sqltest.Database
		who, in string
		meets   func(*testing.T, *sqltest.Database, *sql.Tx)
		runs    int
	}{
		{sqltest.MariaDB, "Debit", "a transaction of the Store", deadlock, 2},
		{sqltest.MariaDB, "OnChange", "a transaction of the Store", deadlock, 2},
		{sqltest.MariaDB, "Debit", "one of the host's own", deadlock, 1},
		{sqltest.MariaDB, "OnChange", "one of the host's own", deadlock, 1},
		{sqltest.SQLite, "Debit", "a transaction of the Store", interrupt, 1}, // nothing proves its rollback
		{sqltest.SQLite, "OnChange", "a transaction of the Store", interrupt, 1},
		{sqltest.SQLite, "Debit", "one of the host's own", interrupt, 1},
		{sqltest.SQLite, "OnChange", "one of the host's own", interrupt, 1},
	} {
		d := c.open(t)
		t.Run(fmt.Sprintf("%v/%s in %s", d.Dialect, c.who, c.in), func(t *testing.T) {
			store, bank := d.Store(t), d.Bank(t)
			runs := 0
			ignores := func(ctx context.Context, who string) {
				if who != c.who {
					return
				}
				if runs++; runs == 1 {
					tx, err := sqlstore.Tx(ctx)
					must(t, err)
					c.meets(t, d, tx)
				}
			}
			service, err := payment.NewService(payment.ServiceConfig{
				Records: store.Payments(), Ledger: store.Ledger(ignoring{bank, ignores}),
				OnChange: func(ctx context.Context, _, after payment.Record) error {
					if after.State == payment.StatePaid {
						ignores(ctx, "OnChange")
					}
					return nil
				},
			})
			must(t, err)
			must(t, bank.Deposit(t.Context(), "C1", 1000))
			d.Exec(t, `CREATE TABLE history (n BIGINT PRIMARY KEY, m BIGINT)`)
			amount := alipayplus.Amount{Currency: "KRW", Minor: 300}
			_, err = service.Open(t.Context(), payment.Opened{Terms: payment.Terms{
				PaymentRequestID: "P1", CustomerID: "C1", CodeValueDigest: "digest", Amounts: payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
			}})
			must(t, err)
			ctx := t.Context()
			var tx *sql.Tx
			if c.in == "one of the host's own" {
				tx, err = d.DB.BeginTx(ctx, &sql.TxOptions{Isolation: isolation(d)})
				must(t, err)
				ctx = sqlstore.WithTx(ctx, tx)
			}
			_, err = service.Confirm(ctx, payment.Confirmation{PaymentRequestID: "P1", CustomerID: "C1", Shown: amount})
			paid := c.runs == 2
			var conflict interface{ SQLState() string }
			if runs != c.runs || paid != (err == nil) || !paid && !errors.As(err, &conflict) || tx != nil && tx.Commit() == nil {
				t.Errorf("%d runs, want %d: %v", runs, c.runs, err)
			}
			r := find(t, store.Payments(), "P1")
			balance, err := bank.Balance(t.Context(), "C1")
			must(t, err)
			messages := len(pending(t, store.Outbox()))
			if paid != (r.State == payment.StatePaid) || paid != (balance == 700) || paid != (messages == 1) {
				t.Errorf("the payment is %s with a balance of %d and %d messages", r.State, balance, messages)
			}
		})
	}
}

// A refusal decides only if what the ledger wrote before it can be undone.
func TestRefusalAfterIgnoredDeadlock(t *testing.T) {
	d := sqltest.MariaDB(t)
	store, bank := d.Store(t), d.Bank(t)
	d.Exec(t, `CREATE TABLE history (n BIGINT PRIMARY KEY, m BIGINT)`)
	must(t, bank.Deposit(t.Context(), "C1", 1000))
	runs := 0
	ledger := store.Ledger(conflicting{bank, func(string) error {
		if runs++; runs > 1 {
			return nil
		}
		return alipayplus.CodeRiskReject
	}})
	err := store.Payments().Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		if runs == 0 {
			tx, err := sqlstore.Tx(ctx)
			must(t, err)
			deadlock(t, d, tx)
		}
		r, _ = next(ctx, r)
		return r, ledger.Debit(ctx, r, payment.Debit{Key: "debit/P1", CustomerID: "C1", Amount: r.Amounts.Debit()})
	})
	// The bank's entry is there already, so that it errs in the second run.
	balance, read := bank.Balance(t.Context(), "C1")
	must(t, read)
	if _, refused := alipayplus.RefusalOf(err); err == nil || refused || balance != 900 {
		t.Errorf("the debit is refused, and the balance is %d: %v", balance, err)
	}
}

func isolation(d *sqltest.Database) sql.IsolationLevel {
	if d.Dialect == sqlstore.SQLite {
		return sql.LevelDefault
	}
	return sql.LevelReadCommitted
}

// interrupt ends a statement of tx before its time.
func interrupt(t *testing.T, _ *sqltest.Database, tx *sql.Tx) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := tx.ExecContext(ctx, `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) INSERT INTO history SELECT n, n FROM c`); err == nil {
		t.Error("control: an endless statement ended")
	}
}

// deadlock makes tx the victim of a deadlock.
func deadlock(t *testing.T, d *sqltest.Database, tx *sql.Tx) {
	other := d.Second(t)
	for n := range 300 {
		other.Exec(t, `INSERT INTO history (n, m) VALUES (?1, 0)`, n)
	}
	_, err := tx.Exec(`UPDATE history SET m = 1 WHERE n = 1`)
	must(t, err)
	heavy, err := other.DB.BeginTx(t.Context(), nil) // too heavy to be the victim
	must(t, err)
	_, err = heavy.Exec(`UPDATE history SET m = 2 WHERE n > 1`)
	must(t, err)
	ended := make(chan error)
	go func() {
		_, err := heavy.Exec(`UPDATE history SET m = 2 WHERE n = 1`)
		ended <- errors.Join(err, heavy.Commit())
	}()
	// Whichever of the two asks last meets the deadlock.
	if _, err = tx.Exec(`UPDATE history SET m = 1 WHERE n = 2`); mysqlNumber(err) != 1213 {
		t.Errorf("control: no deadlock: %v", err)
	}
	must(t, <-ended)
}

func mysqlNumber(err error) uint16 {
	if e := (*mysql.MySQLError)(nil); errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// ignoring is a ledger with statements whose errors it ignores.
type ignoring struct {
	sqlstore.Ledger
	ignores func(ctx context.Context, who string)
}

func (l ignoring) Debit(ctx context.Context, tx *sql.Tx, r payment.Record, d payment.Debit) error {
	err := l.Ledger.Debit(ctx, tx, r, d)
	l.ignores(ctx, "Debit")
	return err
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

// A ROLLBACK that fails does not leave its locks behind in the pool: neither
// after an error, nor after a panic, nor after a COMMIT that met a conflict.
func TestRollbackFails(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store, other := d.Store(t), d.Second(t).Store(t)
		must(t, store.Payments().Update(t.Context(), "P1", next))
		for name, end := range map[string]func() (payment.Record, error){
			"an error":                     func() (payment.Record, error) { return payment.Record{}, errRefused },
			"a panic":                      func() (payment.Record, error) { panic(errRefused) },
			"a COMMIT that met a conflict": nil,
		} {
			commits := 0
			d.Watch.Reset(func(c sqltest.Call) sqltest.Fault {
				switch {
				case c.Is("ROLLBACK"):
					return sqltest.Fault{Err: errors.New("the statement failed")}
				case c.Is("COMMIT") && end == nil:
					if commits++; commits == 1 {
						return sqltest.Fault{Err: sqltest.Conflict(d.Dialect)}
					}
				}
				return sqltest.Fault{}
			})
			func() {
				defer func() {
					v := recover()
					if err, _ := v.(error); v != nil && !errors.Is(err, errRefused) {
						panic(v)
					}
				}()
				err := store.Payments().Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
					if end == nil {
						return next(ctx, r)
					}
					return end()
				})
				if end != nil && !errors.Is(err, errRefused) {
					t.Errorf("%s: %v", name, err)
				}
			}()
			d.Watch.Reset(nil)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := other.Payments().Update(ctx, "P1", next); err != nil {
				t.Errorf("after %s: another process waits for it: %v", name, err)
			}
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
