package sqltest_test

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// The columns are what the host's own queries see.
func TestColumns(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		r := opened("P1", tomorrow)
		must(t, store.Payments().Update(t.Context(), "P1", to(r)))
		one := func(where string, args ...any) {
			t.Helper()
			if d.Int(t, `SELECT count(*) FROM alipayplus_payment WHERE `+where, args...) != 1 {
				t.Errorf("not so: %s", where)
			}
		}
		one(`payment_request_id = 'P1' AND payment_id = 'wallet P1' AND customer_id = 'C1' AND currency = 'KRW' AND minor_units = 100`)
		one(`state = 'open' AND paid_at IS NULL AND next_at IS NOT NULL AND version = 1`)
		r = paid("P1")
		r.Version = 2
		must(t, store.Payments().Update(t.Context(), "P1", to(r)))
		one(`state = 'paid' AND paid_at IS NOT NULL AND next_at IS NULL AND version = 2`)
		r.Version, r.Credits = 3, []payment.CreditEntry{{Key: "k", Amount: r.Amounts.PayToAmount}}
		must(t, store.Payments().Update(t.Context(), "P1", to(r)))
		one(`next_at IS NOT NULL`)

		other := opened("P2", tomorrow)
		other.PaymentID = "wallet P1"
		if err := store.Payments().Update(t.Context(), "P2", to(other)); err == nil {
			t.Error("two payments have one payment id of the wallet")
		}
		if d.Dialect == sqlstore.PostgreSQL {
			if d.Int(t, `SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema AND data_type LIKE 'json%'`) != 0 {
				t.Error("a column would change what it holds")
			}
		}
	})
}

// A record of a newer program is neither read nor rewritten nor taken.
func TestNewerRecord(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		must(t, store.Payments().Update(t.Context(), "P1", to(opened("P1", time.Unix(1, 0)))))
		d.Exec(t, `UPDATE alipayplus_payment SET format = format + 1, record = '{"new":"form"}'`)
		err := store.Payments().Update(t.Context(), "P1", func(context.Context, payment.Record) (payment.Record, error) {
			t.Error("change is called")
			return payment.Record{}, nil
		})
		if err == nil || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("Update: %v", err)
		}
		if _, err := store.Payments().Find(t.Context(), "P1"); err == nil || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("Find: %v", err)
		}
		if ids, err := store.Payments().Lease(t.Context(), 10, time.Minute); err != nil || len(ids) != 0 {
			t.Errorf("leased %q: %v", ids, err)
		}
		if d.Int(t, `SELECT count(*) FROM alipayplus_payment WHERE record = '{"new":"form"}'`) != 1 {
			t.Error("the record is rewritten")
		}
	})
}

// A payment may expire whenever a message can say, also where UTC needs five
// digits for the year, or has another year.
func TestFarTimes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		for i, text := range []string{"9999-12-31T23:59:59+18:00", "9999-12-31T23:59:59-18:00", "0000-01-01T00:00:00-18:00", "0000-01-01T00:00:00+18:00", "9999999999999"} {
			at, err := alipayplus.ParseTime(text)
			must(t, err)
			id := fmt.Sprint("P", i)
			r := opened(id, tomorrow)
			r.ExpiryTime, r.PaidTime = at, at
			d.Watch.Reset(nil)
			err = store.Payments().Update(t.Context(), id, to(r))
			for _, call := range d.Watch.Calls() {
				for _, arg := range call.Args { // lib/pq sends the offset, and PostgreSQL knows none of 16 hours
					if at, is := arg.Value.(time.Time); is && at.Location() != time.UTC {
						t.Errorf("%s is a parameter", at)
					}
				}
			}
			if err != nil {
				t.Errorf("%s: %v", text, err)
			} else if got := find(t, store.Payments(), id); !reflect.DeepEqual(got, r) {
				t.Errorf("%s is %s", text, got.ExpiryTime)
			}
		}
		ids, err := store.Payments().Lease(t.Context(), 10, time.Minute)
		if slices.Sort(ids); err != nil || !slices.Equal(ids, []string{"P2", "P3"}) {
			t.Errorf("leased %q: %v", ids, err)
		}
	})
}

// A row that was damaged is an error for whoever needs it, and for nobody else.
func TestUnreadable(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		for i, damage := range []string{`record = '{'`, `record = 'x'`, `version = 7`, `version = 0`, `version = -1`, `payment_request_id = 'other'`} {
			id := fmt.Sprintf("P%d", i)
			must(t, store.Payments().Update(t.Context(), id, next))
			d.Exec(t, `UPDATE alipayplus_payment SET `+damage+` WHERE payment_request_id = ?1`, id)
			if i == 5 {
				id = "other"
			}
			if _, err := store.Payments().Find(t.Context(), id); err == nil || !strings.Contains(err.Error(), id) {
				t.Errorf("%s: %v", damage, err)
			}
		}
		must(t, store.Outbox().Put(t.Context(), message("bad\x00key")))
		must(t, store.Outbox().Put(t.Context(), message("good")))
		d.Exec(t, `UPDATE alipayplus_outbox SET message = '{' WHERE message_key <> 'good'`)
		list, err := store.Outbox().Lease(t.Context(), 10, time.Minute)
		must(t, err)
		if len(list) != 2 || list[0].Err == nil || list[0].Message.Operation != "notifyPayment" || list[0].Message.Key != "bad\x00key" || list[1].Err != nil {
			t.Fatalf("leased %v", list)
		}
		must(t, store.Outbox().Finish(t.Context(), list[0], alipayplus.End{State: alipayplus.EndDead}))
		dead, err := store.Outbox().DeadLetters(t.Context(), 10)
		if err != nil || len(dead) != 1 || dead[0].Err == nil || dead[0].Message.Key != "bad\x00key" {
			t.Errorf("dead letters %v: %v", dead, err)
		}
	})
}

// What is wrong beside a message, which only SQLite can hold, does not keep it
// from being delivered, nor the others from being counted. Tries that cannot be
// read are 0: what is not acknowledged then is a dead letter, and Requeue
// counts anew.
func TestUnreadableBesideMessage(t *testing.T) {
	d := sqltest.SQLite(t)
	store := d.Store(t)
	damages := []string{`put_at = 'then'`, `put_at = 1.5`, `tries = 1.5`, `tries = 9e99`, `tries = 'x'`, `tries = x'00'`, `code = x'ff00'`, `put_at = x'00', tries = 0.5, code = 7`}
	for i, damage := range damages {
		key := fmt.Sprint(i)
		must(t, store.Outbox().Put(t.Context(), message(key)))
		d.Exec(t, `UPDATE alipayplus_outbox SET `+damage+` WHERE message_key = ?1`, key)
	}
	waiting, err := store.Outbox().Waiting(t.Context(), 100)
	must(t, err)
	leased, err := store.Outbox().Lease(t.Context(), 100, time.Minute)
	must(t, err)
	for i, damage := range damages {
		want := message(fmt.Sprint(i))
		for _, list := range [][]alipayplus.Delivery{waiting, leased} {
			if len(list) != len(damages) || list[i].Err != nil || !reflect.DeepEqual(list[i].Message, want) || list[i].Tries < 0 || list[i].Tries > 2 {
				t.Fatalf("%s: %v", damage, list)
			}
		}
	}
	d.Exec(t, `UPDATE alipayplus_outbox SET put_at = 1.5`)
	if b, err := store.Outbox().Backlog(t.Context()); err != nil || b.Waiting != len(damages) {
		t.Errorf("the backlog is %+v: %v", b, err)
	}
	for _, delivery := range leased {
		must(t, store.Outbox().Finish(t.Context(), delivery, alipayplus.End{State: alipayplus.EndDead}))
		must(t, store.Outbox().Requeue(t.Context(), delivery.Message.Operation, delivery.Message.Key))
	}
	leased, err = store.Outbox().Lease(t.Context(), 100, time.Minute)
	must(t, err)
	for _, delivery := range leased {
		if delivery.Err != nil || delivery.Tries != 1 {
			t.Errorf("after Requeue: %d tries, %v", delivery.Tries, delivery.Err)
		}
	}
}

func TestSchema(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		refused := func(part string) {
			t.Helper()
			if _, err := sqlstore.Open(t.Context(), d.DB, d.Dialect); err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("Open: %v, want %q", err, part)
			}
		}
		refused("sqlstore.Schema")
		var wait sync.WaitGroup
		for range 8 { // processes that start at the same time
			wait.Go(func() {
				if err := sqlstore.Migrate(t.Context(), d.DB, d.Dialect); err != nil {
					t.Errorf("Migrate: %v", err)
				}
			})
		}
		wait.Wait()
		_, err := sqlstore.Open(t.Context(), d.DB, d.Dialect, nil, sqlstore.RetryOn(nil))
		must(t, err)
		for _, table := range []string{"payment", "refund", "outbox", "idempotency"} {
			d.Exec(t, "ALTER TABLE alipayplus_"+table+" RENAME TO gone")
			refused("alipayplus_" + table)
			d.Exec(t, "ALTER TABLE gone RENAME TO alipayplus_"+table)
		}
		d.Exec(t, `UPDATE alipayplus_schema SET version = 0`)
		refused("too old")
		if err := sqlstore.Migrate(t.Context(), d.DB, d.Dialect); err == nil {
			t.Error("Migrate takes an old schema for its own")
		}
		d.Exec(t, `UPDATE alipayplus_schema SET version = 2`)
		refused("too new")
		d.Exec(t, `INSERT INTO alipayplus_schema (version) VALUES (1)`)
		refused("must have one")
		d.Exec(t, `DELETE FROM alipayplus_schema`)
		refused("not all of them")
		if _, err := sqlstore.Open(t.Context(), nil, d.Dialect); err == nil {
			t.Error("Open without a database")
		}
		if _, err := sqlstore.Open(t.Context(), d.DB, 0); err == nil || sqlstore.Migrate(t.Context(), d.DB, 9) == nil || sqlstore.Schema(9) != "" {
			t.Error("an unknown dialect is accepted")
		}
		for _, other := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.SQLite, sqlstore.MySQL} {
			if other != d.Dialect && sqlstore.Migrate(t.Context(), d.DB, other) == nil {
				t.Errorf("the dialect of another database is accepted: %v", other)
			}
		}
	})
}

// Open refuses settings with which money or messages would be lost, or
// transactions fail instead of waiting.
func TestSettings(t *testing.T) {
	refused := 0
	for _, c := range []struct {
		open           func(testing.TB) *sqltest.Database
		settings, part string
	}{
		{sqltest.PostgreSQL, "client_encoding=LATIN1", "LATIN1"},
		{sqltest.PostgreSQL, "default_transaction_read_only=on", "read-only"}, // as on a standby
		{sqltest.MariaDB, "sql_mode=%27NO_ENGINE_SUBSTITUTION%27", "not strict"},
		{sqltest.MariaDB, "charset=utf8mb3", "utf8mb4"},
		{sqltest.MariaDB, "autocommit=0", "autocommit"},
		{sqltest.MariaDB, "unique_checks=0", "unique_checks"},
		{sqltest.MariaDB, "tx_isolation=%27READ-UNCOMMITTED%27", "READ-UNCOMMITTED"},
		{sqltest.SQLite, "", "busy_timeout"},
		{sqltest.SQLite, "_pragma=busy_timeout(5000)&_pragma=journal_mode(OFF)", "journal_mode"},
	} {
		d := c.open(t)
		d.Store(t)
		if d.Dialect == sqlstore.SQLite {
			d.Exec(t, `PRAGMA journal_mode = DELETE`) // from WAL it changes only if nobody else is there
		}
		must(t, d.DB.Close())
		if _, err := sqlstore.Open(t.Context(), d.With(t, c.settings).DB, d.Dialect); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%v, %s: %v", d.Dialect, c.settings, err)
		}
		refused++
	}
	d := sqltest.MariaDB(t)
	d.Store(t)
	for _, c := range []struct{ set, part, reset string }{
		{`SET GLOBAL read_only = 1`, "read-only", `SET GLOBAL read_only = 0`}, // as on a replica
		{`ALTER TABLE alipayplus_outbox ENGINE = MyISAM`, "alipayplus_outbox", `ALTER TABLE alipayplus_outbox ENGINE = InnoDB`},
	} {
		d.Exec(t, c.set)
		_, err := sqlstore.Open(t.Context(), d.DB, d.Dialect)
		d.Exec(t, c.reset)
		if err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %v", c.set, err)
		}
		refused++
	}
	t.Logf("%d settings, each refused", refused)
}

// age moves all times of the rows by days into the past.
func age(t *testing.T, d *sqltest.Database, table, column string, days int) {
	t.Helper()
	earlier := d.Pick(`?1 * interval '1 day'`, `INTERVAL ?1 DAY`, `?1 * 86400000`)
	d.Exec(t, `UPDATE `+table+` SET `+column+` = `+column+` - `+earlier, days)
}

func TestRetention(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store, ctx := d.Store(t), t.Context()
		purge := func(n, want int) {
			t.Helper()
			if got, err := store.Purge(ctx, n); err != nil || got != want {
				t.Fatalf("Purge deletes %d rows, want %d: %v", got, want, err)
			}
		}
		left := func(table string, want int64) {
			t.Helper()
			if n := d.Int(t, `SELECT count(*) FROM `+table); n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}

		// Messages: 0 and 1 end, 2 waits, 3 is a dead letter.
		for i := range 4 {
			must(t, store.Outbox().Put(ctx, message(fmt.Sprint(i))))
		}
		must(t, store.Outbox().Withdraw(ctx, "notifyPayment", "1"))
		list, err := store.Outbox().Lease(ctx, 10, 0)
		must(t, err)
		must(t, store.Outbox().Finish(ctx, list[0], acknowledged))
		must(t, store.Outbox().Finish(ctx, list[2], alipayplus.End{State: alipayplus.EndDead}))
		if n := d.Int(t, `SELECT count(*) FROM alipayplus_outbox WHERE message IS NULL`); n != 2 {
			t.Errorf("%d bodies are forgotten at once, want 2", n)
		}
		age(t, d, "alipayplus_outbox", "ended_at", 29)
		purge(100, 0)
		age(t, d, "alipayplus_outbox", "put_at", 500)
		age(t, d, "alipayplus_outbox", "ended_at", 2)
		purge(1, 1)
		purge(100, 1)
		left("alipayplus_outbox", 2)

		// Payments: one open, one with a credit that is not done, five final, one
		// of them with refunds, one young.
		must(t, store.Payments().Update(ctx, "open", to(opened("open", tomorrow))))
		credit := paid("credit")
		credit.Credits = []payment.CreditEntry{{Key: "k", Amount: credit.Amounts.PayToAmount}}
		must(t, store.Payments().Update(ctx, "credit", to(credit)))
		for i := range 4 {
			id := fmt.Sprintf("P%d", i)
			r := paid(id)
			if i == 0 {
				for n := range 5 {
					r.Refunds = append(r.Refunds, payment.RefundEntry{RefundRequestID: fmt.Sprintf("R%d", n)})
				}
			}
			must(t, store.Payments().Update(ctx, id, to(r)))
		}
		age(t, d, "alipayplus_payment", "updated_at", 399)
		purge(100, 0)
		age(t, d, "alipayplus_payment", "updated_at", 2)
		must(t, store.Payments().Update(ctx, "young", to(paid("young"))))
		purge(3, 3) // three refunds of P0, which is still there
		if find(t, store.Payments(), "P0").Version != 1 {
			t.Error("a payment is gone before its refunds")
		}
		purge(3, 3)
		purge(3, 3)
		purge(3, 0)
		left("alipayplus_refund", 0)
		left("alipayplus_payment", 3)
		find(t, store.Payments(), "young")

		// Answers.
		for i := range 3 {
			_, _, err := store.Idempotency().Begin(ctx, claim(fmt.Sprint(i), "o"))
			must(t, err)
		}
		must(t, store.Idempotency().Finish(ctx, claim("0", "o"), []byte("{}")))
		age(t, d, "alipayplus_idempotency", "began_at", 399)
		purge(100, 0)
		age(t, d, "alipayplus_idempotency", "began_at", 2)
		purge(2, 2)
		purge(0, 0)
		purge(2, 1)
		left("alipayplus_idempotency", 0)
	})
}

// Purge beside writers: nobody gets an error, and only old payments are
// deleted.
func TestPurgeBesideWriters(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		const payments = 60
		for i := range payments {
			id := fmt.Sprintf("P%d", i)
			must(t, store.Payments().Update(t.Context(), id, to(paid(id))))
		}
		age(t, d, "alipayplus_payment", "updated_at", 401)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for deleted := 1; deleted > 0; {
					var err error
					if deleted, err = store.Purge(t.Context(), 7); err != nil {
						t.Errorf("Purge: %v", err)
						return
					}
				}
			})
		}
		for i := range payments {
			wait.Go(func() {
				if err := store.Payments().Update(t.Context(), fmt.Sprintf("P%d", i), next); err != nil {
					t.Errorf("Update: %v", err)
				}
			})
		}
		wait.Wait()
		for i := range payments {
			if r := find(t, store.Payments(), fmt.Sprintf("P%d", i)); r.Version == 0 {
				t.Errorf("payment %d was just changed and is deleted", i)
			}
		}
	})
}

// Any byte may be in a key.
func TestKeysOfAnyByte(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		for _, key := range []string{"\xff", "\xfe", `\xff`, `\\xff`, "\x00", "", "a\x00", "a\x00b", "\ufffd", "\ufffd\x00", "\xef\x00", `\x5cxff`} {
			state, _, err := store.Idempotency().Begin(t.Context(), claim(key, "o"))
			if err != nil || state != alipayplus.ClaimFirst {
				t.Errorf("key %q is mistaken for another one: %v", key, err)
			}
		}
	})
}

// A nil Store is an error, not a panic.
func TestNilStore(t *testing.T) {
	var store *sqlstore.Store
	ctx := t.Context()
	_, found := store.Payments().Find(ctx, "P1")
	_, leased := store.Payments().Lease(ctx, 1, time.Second)
	_, purged := store.Purge(ctx, 1)
	_, _, began := store.Idempotency().Begin(ctx, claim("k", "o"))
	_, messages := (*sqlstore.Outbox)(nil).Lease(ctx, 1, time.Second)
	for i, err := range []error{
		found, leased, purged, began, messages, store.InTx(ctx, nil), store.Payments().Update(ctx, "P1", next),
		store.Outbox().Put(ctx, message("k")), store.Idempotency().Finish(ctx, claim("k", "o"), nil),
		store.Ledger(&sqltest.Bank{}).Debit(ctx, payment.Record{}, payment.Debit{}),
	} {
		if err == nil {
			t.Errorf("%d is no error", i)
		}
	}
	if store.Payments().Joined(ctx) || store.String() != "<nil>" || store.Outbox().Ready() != nil {
		t.Error("a nil Store has something")
	}
	if _, err := sqlstore.Open(ctx, (*sql.DB)(nil), sqlstore.SQLite); err == nil {
		t.Error("a nil database is accepted")
	}
}

// A lease begins with its statement, not with the transaction, which may have
// waited before.
func TestLeaseBeginsWithStatement(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	must(t, store.Outbox().Put(t.Context(), message("k")))
	must(t, store.InTx(t.Context(), func(ctx context.Context) error {
		tx, err := sqlstore.Tx(ctx)
		must(t, err)
		_, err = tx.ExecContext(ctx, `SELECT pg_sleep(0.3)`)
		must(t, err)
		_, err = store.Outbox().Lease(ctx, 10, 250*time.Millisecond)
		return err
	}))
	if list := pending(t, store.Outbox()); len(list) != 0 {
		t.Error("the lease ended before it began")
	}
}

// A payment is never deleted without its refunds, even if its row is locked
// while the refunds are looked for, and not any more afterwards.
func TestPurgeKeepsRefundsTogether(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	r := paid("P1")
	r.Refunds = []payment.RefundEntry{{RefundRequestID: "R1"}}
	must(t, store.Payments().Update(t.Context(), "P1", to(r)))
	age(t, d, "alipayplus_payment", "updated_at", 401)
	tx, err := d.Second(t).DB.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tx.ExecContext(t.Context(), `SELECT 1 FROM alipayplus_payment FOR UPDATE`)
	must(t, err)
	d.Watch.Reset(func(c sqltest.Call) sqltest.Fault {
		if c.Is("DELETE FROM ALIPAYPLUS_PAYMENT") {
			_ = tx.Rollback()
		}
		return sqltest.Fault{}
	})
	for _, want := range []int{0, 2} {
		if deleted, err := store.Purge(t.Context(), 10); err != nil || deleted != want {
			t.Errorf("%d rows deleted, want %d: %v", deleted, want, err)
		}
	}
}
