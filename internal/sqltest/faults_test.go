package sqltest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

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
		name: "Finish of a delivery that failed",
		setUp: func(t *testing.T, s *sqlstore.Store) {
			must(t, s.Outbox().Put(t.Context(), message("k")))
			list, err := s.Outbox().Lease(t.Context(), 10, time.Minute)
			must(t, err)
			delivery = list[0]
		},
		do: func(ctx context.Context, s *sqlstore.Store) error {
			return s.Outbox().Finish(ctx, delivery, alipayplus.End{State: alipayplus.EndAgain, After: time.Hour})
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT count(*) FROM alipayplus_outbox WHERE state = 0 AND lease = ''`)
		},
	},
	{
		name:  "Withdraw",
		setUp: func(t *testing.T, s *sqlstore.Store) { must(t, s.Outbox().Put(t.Context(), message("k"))) },
		do: func(ctx context.Context, s *sqlstore.Store) error {
			return s.Outbox().Withdraw(ctx, "notifyPayment", "k")
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT count(*) FROM alipayplus_outbox WHERE state = 2`)
		},
	},
	{
		name: "Requeue of a dead letter",
		setUp: func(t *testing.T, s *sqlstore.Store) {
			must(t, s.Outbox().Put(t.Context(), message("k")))
			list, err := s.Outbox().Lease(t.Context(), 10, time.Minute)
			must(t, err)
			must(t, s.Outbox().Finish(t.Context(), list[0], alipayplus.End{State: alipayplus.EndDead}))
		},
		do: func(ctx context.Context, s *sqlstore.Store) error {
			return s.Outbox().Requeue(ctx, "notifyPayment", "k")
		},
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			return d.Int(t, `SELECT count(*) FROM alipayplus_outbox WHERE state = 0`)
		},
	},
	{
		name: "Purge of a payment with a refund",
		setUp: func(t *testing.T, s *sqlstore.Store) {
			r := paid("P1")
			r.Refunds = []payment.RefundEntry{{RefundRequestID: "R1"}}
			must(t, s.Payments().Update(t.Context(), "P1", to(r)))
			old := `'2000-01-01'`
			if s.Dialect() == sqlstore.SQLite {
				old = `0`
			}
			must(t, s.InTx(t.Context(), func(ctx context.Context) error {
				tx, err := sqlstore.Tx(ctx)
				if err == nil {
					_, err = tx.ExecContext(ctx, `UPDATE alipayplus_payment SET updated_at = `+old)
				}
				return err
			}))
		},
		do: func(ctx context.Context, s *sqlstore.Store) error { _, err := s.Purge(ctx, 10); return err },
		effect: func(t *testing.T, d *sqltest.Database, s *sqlstore.Store) int64 {
			left := d.Int(t, `SELECT count(*) FROM alipayplus_payment`)
			if refunds := d.Int(t, `SELECT count(*) FROM alipayplus_refund`); refunds != left {
				t.Errorf("%d payments are left with %d refunds", left, refunds)
			}
			return 1 - left
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
		d.Settle(t)
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
