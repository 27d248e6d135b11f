package sqltest_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

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
			amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: 300}
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
			if runs != c.runs || paid != (err == nil) || !paid && !(errors.As(err, &conflict) && strings.Contains(err.Error(), "was ignored")) || tx != nil && tx.Commit() == nil {
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

// began is called by the SQL function began() of SQLite, in a statement that
// runs.
var began atomic.Pointer[func()]

func init() {
	sqlite.MustRegisterScalarFunction("began", 0, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		(*began.Load())()
		return int64(0), nil
	})
}

// interrupt ends a statement of tx before its time, but not before it began.
func interrupt(t *testing.T, _ *sqltest.Database, tx *sql.Tx) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := func() { cancel() }
	began.Store(&stop)
	if _, err := tx.ExecContext(ctx, `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) INSERT INTO history SELECT n, began() FROM c`); err == nil {
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
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := other.Payments().Update(ctx, "P1", next); err != nil {
				t.Errorf("after %s: another process waits for it: %v", name, err)
			}
		}
	})
}
