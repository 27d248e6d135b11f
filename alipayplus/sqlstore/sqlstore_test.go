package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// The behaviour on real databases is tested in module internal/sqltest.

func TestSchema(t *testing.T) {
	for _, d := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.SQLite} {
		for _, table := range []string{"schema", "payment", "refund", "outbox", "idempotency"} {
			if !strings.Contains(sqlstore.Schema(d), "CREATE TABLE alipayplus_"+table+" (") {
				t.Errorf("%v has no table alipayplus_%s", d, table)
			}
		}
	}
	if sqlstore.Schema(0) != "" || sqlstore.Dialect(0).String() != "Dialect(0)" || sqlstore.SQLite.String() != "SQLite" {
		t.Error("the zero Dialect is a database")
	}
}

func TestWrongUse(t *testing.T) {
	ctx := context.Background()
	for _, d := range []sqlstore.Dialect{0, sqlstore.PostgreSQL, sqlstore.SQLite, 99} {
		if _, err := sqlstore.Open(ctx, nil, d); err == nil {
			t.Errorf("Open(nil, %v) is no error", d)
		}
		if sqlstore.Migrate(ctx, nil, d) == nil {
			t.Errorf("Migrate(nil, %v) is no error", d)
		}
	}
	for text, ctx := range map[string]context.Context{
		"carries no transaction": ctx,
		"that is nil":            sqlstore.WithTx(ctx, nil),
	} {
		if _, err := sqlstore.Tx(ctx); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("Tx: %v, want %q", err, text)
		}
		if _, err := sqlstore.Conn(ctx); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("Conn: %v, want %q", err, text)
		}
	}
	if _, err := sqlstore.Conn(sqlstore.WithTx(ctx, new(sql.Tx))); err == nil || !strings.Contains(err.Error(), "whoever began it") {
		t.Errorf("Conn: %v", err)
	}
}

// Open refuses the versions that its page refuses, and no other.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		d       sqlstore.Dialect
		query   string
		version driver.Value
		good    bool
	}{
		{sqlstore.PostgreSQL, "server_version_num", int64(120022), false},
		{sqlstore.PostgreSQL, "server_version_num", int64(130000), true},
		{sqlstore.SQLite, "sqlite_version()", "2.99.0", false},
		{sqlstore.SQLite, "sqlite_version()", "3.34.1", false},
		{sqlstore.SQLite, "sqlite_version()", "3.35.0", true},
		{sqlstore.SQLite, "sqlite_version()", "4.0.0", true},
		{sqlstore.MySQL, "@@sql_mode", "5.7.44", false},
		{sqlstore.MySQL, "@@sql_mode", "8.0.11", true},
		{sqlstore.MySQL, "@@sql_mode", "9.1.0", true},
		{sqlstore.MySQL, "@@sql_mode", "5.5.5-10.5.29-MariaDB", false},
		{sqlstore.MySQL, "@@sql_mode", "10.5.29-MariaDB", false},
		{sqlstore.MySQL, "@@sql_mode", "5.5.5-10.6.0-MariaDB", true},
		{sqlstore.MySQL, "@@sql_mode", "11.0.2-MariaDB-log", true},
		{sqlstore.MySQL, "@@sql_mode", "9.6.1-MariaDB", false},
		{sqlstore.MySQL, "@@sql_mode", "5.7.25-TiDB-v7.5.0", true},
		{sqlstore.MySQL, "@@sql_mode", "5.7.25-OceanBase-v4.2.1", true},
		{sqlstore.MySQL, "@@sql_mode", "new", false},
	} {
		db := testkit.Rows(func(query string) [][]driver.Value {
			switch {
			case !strings.Contains(query, c.query):
				return nil
			case c.d == sqlstore.PostgreSQL:
				return [][]driver.Value{{c.version, "UTF8", "UTF8", "off"}}
			case c.d == sqlstore.MySQL:
				return [][]driver.Value{{c.version, "STRICT_TRANS_TABLES", "utf8mb4", "0"}}
			}
			return [][]driver.Value{{c.version}}
		}).Over()
		store, err := sqlstore.Open(context.Background(), db, c.d)
		if c.good != (err == nil) || err != nil && !strings.Contains(err.Error(), "too old") {
			t.Errorf("%v %v: %v", c.d, c.version, err)
		}
		if name := map[bool]string{true: "sqlstore.Store{" + c.d.String() + "}", false: "<nil>"}[c.good]; store.String() != name {
			t.Errorf("the Store of %v is %v", c.d, store)
		}
		_ = db.Close()
	}
}

type serializationFailure struct{}

func (serializationFailure) Error() string    { return "another transaction was in the way" }
func (serializationFailure) SQLState() string { return "40001" }

// A transaction that always meets another one runs twelve times, the second time
// at once.
func TestTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, sqlstore.PostgreSQL, func(string) [][]driver.Value { return nil })
		runs, began := 0, time.Now()
		err := store.InTx(t.Context(), func(context.Context) error {
			if runs++; runs == 2 && time.Since(began) >= 2*time.Millisecond {
				t.Errorf("the second run comes after %v", time.Since(began))
			}
			return serializationFailure{}
		})
		if runs != 12 || !errors.As(err, new(serializationFailure)) {
			t.Errorf("%d runs: %v", runs, err)
		}
	})
}

// A number that cannot be read is no first run of an operation.
func TestRunsCannotBeRead(t *testing.T) {
	store := open(t, sqlstore.PostgreSQL, func(string) [][]driver.Value { return [][]driver.Value{{"many"}} })
	claim := alipayplus.Claim{Operation: "pay", Key: "k", Owner: "o", Lease: time.Minute}
	if state, _, err := store.Idempotency().Begin(t.Context(), claim); state != alipayplus.ClaimUndecided || err == nil {
		t.Errorf("%v, %v", state, err)
	}
}
