package sqltest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// A change that Update cannot take is an error, and nothing of it is stored.
func TestUpdateRefuses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		returns := func(id string, version int64) func(context.Context, payment.Record) (payment.Record, error) {
			return func(ctx context.Context, r payment.Record) (payment.Record, error) {
				r = opened(id, tomorrow)
				r.Version = version
				return r, store.Outbox().Put(ctx, message("k"))
			}
		}
		for what, err := range map[string]error{
			"no function":                store.Payments().Update(t.Context(), "P1", nil),
			"no id":                      store.Payments().Update(t.Context(), "", next),
			"a record of another":        store.Payments().Update(t.Context(), "P1", returns("P2", 1)),
			"a version that is negative": store.Payments().Update(t.Context(), "P1", returns("P1", -1)),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), "sqlstore: ") {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := d.Int(t, `SELECT (SELECT count(*) FROM alipayplus_payment) + (SELECT count(*) FROM alipayplus_outbox)`); n != 0 {
			t.Errorf("%d rows are stored", n)
		}
	})
}

// PostgreSQL tells when a transaction is undone: it needs no savepoints.
func TestNoSavepoints(t *testing.T) {
	d := sqltest.PostgreSQL(t)
	store := d.Store(t)
	d.Watch.Reset(nil)
	must(t, store.InTx(t.Context(), func(ctx context.Context) error {
		must(t, store.Outbox().Put(ctx, message("k")))
		_, err := sqlstore.Tx(ctx)
		return err
	}))
	for _, call := range d.Watch.Calls() {
		if strings.Contains(call.Text, "SAVEPOINT") {
			t.Errorf("%q", call.Text)
		}
	}
}

// Where a DELETE cannot choose its rows, Purge lists at most a thousand.
func TestPurgeListsAThousand(t *testing.T) {
	d := sqltest.MariaDB(t)
	store := d.Store(t)
	d.Watch.Reset(nil)
	_, err := store.Purge(t.Context(), 5000)
	must(t, err)
	listed := false
	for _, call := range d.Watch.Calls() {
		if strings.HasPrefix(call.Text, "SELECT payment_request_id") {
			listed = true
			if n := call.Args[len(call.Args)-1].Value; n != int64(1000) {
				t.Errorf("%v payments are listed", n)
			}
		}
	}
	if !listed {
		t.Error("nothing is listed")
	}
}

// What cannot be encoded is an error, and nothing of it is stored.
func TestUnencodable(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		m := message("k")
		m.Body = alipayplus.Conceal("{\"a\":\"\xff\"}")
		if err := store.Outbox().Put(t.Context(), m); err == nil {
			t.Error("a message that cannot be encoded is put")
		}
		r := opened("P1", tomorrow)
		r.State = "\xff"
		if err := store.Payments().Update(t.Context(), "P1", to(r)); err == nil {
			t.Error("a record that cannot be encoded is stored")
		}
		if n := d.Int(t, `SELECT (SELECT count(*) FROM alipayplus_payment) + (SELECT count(*) FROM alipayplus_outbox)`); n != 0 {
			t.Errorf("%d rows are stored", n)
		}
	})
}

// Open and Migrate say so when a statement of theirs fails, whichever it is.
func TestOpenFails(t *testing.T) {
	failed := errors.New("the statement failed")
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		for what, do := range map[string]func() error{
			"Migrate": func() error { return sqlstore.Migrate(t.Context(), d.DB, d.Dialect) },
			"Open":    func() error { _, err := sqlstore.Open(t.Context(), d.DB, d.Dialect); return err },
		} {
			must(t, sqlstore.Migrate(t.Context(), d.DB, d.Dialect))
			d.Watch.Reset(nil)
			must(t, do())
			calls := d.Watch.Calls()
			for n, call := range calls {
				d.Watch.Reset(at(n, sqltest.Fault{Err: failed}))
				if err := do(); !errors.Is(err, failed) {
					t.Errorf("%s: %q fails: %v", what, call.Text, err)
				}
			}
			d.Watch.Reset(nil)
			if len(calls) == 0 {
				t.Errorf("%s asks nothing", what)
			}
		}
	})
}

// A claim whose row cannot be read is undecided: the operation does not run.
func TestClaimCannotBeRead(t *testing.T) {
	failed := errors.New("the statement failed")
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		store := d.Store(t)
		begin := func(key string) (alipayplus.ClaimState, error) {
			state, _, err := store.Idempotency().Begin(t.Context(), claim(key, "another"))
			return state, err
		}
		_, _, err := store.Idempotency().Begin(t.Context(), claim("k", "o"))
		must(t, err)
		d.Watch.Reset(nil)
		if state, err := begin("k"); state != alipayplus.ClaimRunning || err != nil {
			t.Fatalf("%v, %v", state, err)
		}
		for n, call := range d.Watch.Calls() {
			d.Watch.Reset(at(n, sqltest.Fault{Err: failed}))
			if state, err := begin("k"); state != alipayplus.ClaimUndecided || !errors.Is(err, failed) {
				t.Errorf("%q fails: %v, %v", call.Text, state, err)
			}
		}
		// Purge deletes the row between the statements.
		other := d.Second(t)
		d.Watch.Reset(func(c sqltest.Call) sqltest.Fault {
			if strings.HasPrefix(c.Text, "SELECT") {
				other.Exec(t, `DELETE FROM alipayplus_idempotency`)
			}
			return sqltest.Fault{}
		})
		if state, err := begin("k"); state != alipayplus.ClaimUndecided || err == nil {
			t.Errorf("a row that was deleted: %v, %v", state, err)
		}
		d.Watch.Reset(nil)
		for i, damage := range []string{`fingerprint = ''`, `answered = ` + d.Pick(`true`, `1`, `1`) + `, answer = NULL`} {
			key := fmt.Sprint("damaged", i)
			_, _, err := store.Idempotency().Begin(t.Context(), claim(key, "o"))
			must(t, err)
			d.Exec(t, `UPDATE alipayplus_idempotency SET `+damage+` WHERE idempotency_key = ?1`, key)
			if state, err := begin(key); state != alipayplus.ClaimUndecided || err == nil {
				t.Errorf("%s: %v, %v", damage, state, err)
			}
		}
	})
}

// The connection of Migrate breaks at each of its statements. It says so, or the
// tables are there; the next Migrate makes what is missing.
func TestMigrateFails(t *testing.T) {
	for _, kind := range sqltest.Kinds {
		for n := 0; ; n++ {
			d := kind.Open(t)
			d.Watch.Reset(at(n, sqltest.Fault{Err: sqltest.ErrCut, Cut: true}))
			err := sqlstore.Migrate(t.Context(), d.DB, d.Dialect)
			calls := d.Watch.Calls()
			d.Watch.Reset(nil)
			if len(calls) <= n {
				must(t, err)
				break
			}
			if err == nil {
				_, err = sqlstore.Open(t.Context(), d.DB, d.Dialect)
				must(t, err)
			} else if !errors.Is(err, sqltest.ErrCut) {
				t.Errorf("%v: %q fails: %v", d.Dialect, calls[n].Text, err)
			}
			d.Store(t)
		}
	}
}
