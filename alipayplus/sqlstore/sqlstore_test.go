package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
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
