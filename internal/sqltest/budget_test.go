package sqltest_test

import (
	"context"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// What each operation costs, on PostgreSQL, without BEGIN and COMMIT.
func TestBudget(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	ctx := t.Context()
	var total, transactions int
	costs := func(what string, want int, do func() error) {
		t.Helper()
		d.Watch.Reset(nil)
		must(t, do())
		list, n := d.Watch.Statements()
		if len(list) != want {
			t.Errorf("%s takes %d statements, want %d: %q", what, len(list), want, list)
		}
		total, transactions = total+len(list), transactions+n
	}

	// A payment: open, confirm with debit, outbox, finish.
	costs("Update of a new payment", 2, func() error { return store.Payments().Update(ctx, "P1", next) })
	costs("Update of a known payment, with a message", 3, func() error {
		return store.Payments().Update(ctx, "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
			r, _ = next(ctx, r)
			return r, store.Payments().Put(ctx, message("P1"))
		})
	})
	costs("Lease of a message", 1, func() error {
		list, err := store.Outbox().Lease(ctx, 10, time.Minute)
		if len(list) == 1 {
			delivery = list[0]
		}
		return err
	})
	costs("Finish of a delivery", 1, func() error { return store.Outbox().Finish(ctx, delivery, acknowledged) })
	t.Logf("a payment takes %d statements in %d transactions", total, transactions)
	if total > 12 || transactions > 4 {
		t.Errorf("a payment takes %d statements in %d transactions", total, transactions)
	}

	costs("Update that changes nothing", 1, func() error {
		return store.Payments().Update(ctx, "P1", func(_ context.Context, r payment.Record) (payment.Record, error) { return r, nil })
	})
	costs("Find", 1, func() error { _, err := store.Payments().Find(ctx, "P1"); return err })
	costs("Put", 1, func() error { return store.Outbox().Put(ctx, message("P2")) })
	costs("Withdraw", 1, func() error { return store.Outbox().Withdraw(ctx, "notifyPayment", "P2") })
	costs("Lease of payments", 1, func() error { _, err := store.Payments().Lease(ctx, 10, time.Minute); return err })
	costs("Begin", 1, func() error { _, _, err := store.Idempotency().Begin(ctx, claim("k", "o")); return err })
	costs("Begin of what runs", 2, func() error { _, _, err := store.Idempotency().Begin(ctx, claim("k", "o2")); return err })
	costs("Finish of a run", 1, func() error { return store.Idempotency().Finish(ctx, claim("k", "o"), []byte("{}")) })
}

// Statements about leases use the database's clock: no time of this process
// comes near them.
func TestDatabaseClock(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		must(t, store.Payments().Update(t.Context(), "P1", to(opened("P1", time.Unix(1, 0)))))
		d.Watch.Reset(nil)
		must(t, store.Outbox().Put(t.Context(), message("k")))
		list, err := store.Outbox().Lease(t.Context(), 10, time.Minute)
		must(t, err)
		must(t, store.Outbox().Finish(t.Context(), list[0], acknowledged))
		_, err = store.Payments().Lease(t.Context(), 10, time.Minute)
		must(t, err)
		_, _, err = store.Idempotency().Begin(t.Context(), claim("k", "o"))
		must(t, err)
		for _, call := range d.Watch.Calls() {
			for _, arg := range call.Args {
				switch v := arg.Value.(type) {
				case time.Time:
					t.Errorf("a time is a parameter of %q", call.Text)
				case int64:
					if v > 1e9 {
						t.Errorf("%d is a parameter of %q", v, call.Text)
					}
				}
			}
		}
	})
}

// A lease is never shorter than it was asked for.
func TestLeaseIsRoundedUp(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	for lease, want := range map[time.Duration]int64{1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 1100 * time.Microsecond: 2, -1: 0} {
		d.Watch.Reset(nil)
		_, err := store.Outbox().Lease(t.Context(), 10, lease)
		must(t, err)
		args := d.Watch.Calls()[0].Args
		if ms := args[len(args)-1].Value; ms != want {
			t.Errorf("%v become %v ms", lease, ms)
		}
	}
}

// Rows are found by index also if nearly all of them are due, as after an
// outage, or old, as before the first Purge.
func TestIndexesInBacklog(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		const rows = 20_000 // of which MariaDB takes a thousand by index
		fill(t, d, rows)
		d.Exec(t, `UPDATE alipayplus_outbox SET state = 0, ended_at = NULL`)
		d.Exec(t, `UPDATE alipayplus_payment SET next_at = updated_at`)
		analyze(t, d)
		d.Watch.Reset(nil)
		_, err := store.Outbox().Lease(t.Context(), 300, time.Minute)
		must(t, err)
		_, err = store.Outbox().Waiting(t.Context(), 300)
		must(t, err)
		_, err = store.Payments().Lease(t.Context(), 300, time.Minute)
		must(t, err)
		look(t, d)

		d.Exec(t, `UPDATE alipayplus_outbox SET state = 1, ended_at = put_at`)
		d.Exec(t, `UPDATE alipayplus_payment SET next_at = NULL`)
		age(t, d, "alipayplus_payment", "updated_at", 401)
		age(t, d, "alipayplus_outbox", "ended_at", 31)
		age(t, d, "alipayplus_idempotency", "began_at", 401)
		analyze(t, d)
		d.Watch.Reset(nil)
		_, err = store.Purge(t.Context(), 4*rows)
		must(t, err)
		if n := look(t, d); n < 4 {
			t.Errorf("Purge is %d statements", n)
		}
	})
}

// Whatever is asked for in a table that grows is found by index.
func TestIndexes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		fill(t, d, 3000)
		d.Watch.Reset(nil)
		ctx := t.Context()
		must(t, store.Payments().Update(ctx, "P", next))
		must(t, store.Payments().Update(ctx, "P", func(ctx context.Context, r payment.Record) (payment.Record, error) {
			r, _ = next(ctx, r)
			r.Refunds = []payment.RefundEntry{{RefundRequestID: "R"}}
			return r, nil
		}))
		_, err := store.Payments().Lease(ctx, 10, time.Minute)
		must(t, err)
		must(t, store.Outbox().Put(ctx, message("k")))
		list, err := store.Outbox().Lease(ctx, 10, time.Minute)
		must(t, err)
		must(t, store.Outbox().Finish(ctx, list[0], acknowledged))
		must(t, store.Outbox().Withdraw(ctx, "notifyPayment", "k"))
		_, err = store.Outbox().DeadLetters(ctx, 10)
		must(t, err)
		_, err = store.Outbox().Waiting(ctx, 10)
		must(t, err)
		must(t, store.Outbox().Requeue(ctx, "notifyPayment", "k"))
		for range 2 {
			_, _, err = store.Idempotency().Begin(ctx, claim("k", "o"))
			must(t, err)
		}
		must(t, store.Idempotency().Finish(ctx, claim("k", "o"), []byte("{}")))
		_, err = store.Purge(ctx, 100)
		must(t, err)
		_, err = store.Outbox().Backlog(ctx)
		must(t, err)
		if n := look(t, d); n < 15 {
			t.Errorf("%d statements were looked at", n)
		}
	})
}
