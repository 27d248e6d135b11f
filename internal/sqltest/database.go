package sqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

// Database is an empty database for one test.
type Database struct {
	Dialect   sqlstore.Dialect
	DB        *sql.DB
	Watch     *Watch
	connector driver.Connector
}

// Each runs a test on an empty database of each kind. Without PostgreSQL its
// part is skipped; with CI=true that is a failure.
func Each(t *testing.T, run func(*testing.T, *Database)) {
	t.Helper()
	t.Run("PostgreSQL", func(t *testing.T) { run(t, PostgreSQL(t)) })
	t.Run("SQLite", func(t *testing.T) { run(t, SQLite(t)) })
}

var schemas atomic.Int64

// PostgreSQL is an empty schema of the private server.
func PostgreSQL(t testing.TB) *Database {
	t.Helper()
	err := start()
	switch {
	case errors.Is(err, errNoPostgreSQL) && os.Getenv("CI") != "true":
		t.Skip("skipped: " + err.Error())
	case err != nil:
		t.Fatal(err)
	}
	schema := fmt.Sprintf("test%d", schemas.Add(1))
	if _, err := server.admin.ExecContext(context.Background(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	config, err := configOf(schema)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, sqlstore.PostgreSQL, stdlib.GetConnector(*config))
}

// SQLite is a new file.
func SQLite(t testing.TB) *Database {
	t.Helper()
	connector, err := sqlite.NewConnector("file:" + filepath.Join(t.TempDir(), "wallet.db") +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	return open(t, sqlstore.SQLite, connector)
}

func open(t testing.TB, d sqlstore.Dialect, connector driver.Connector) *Database {
	watch := &Watch{ends: d == sqlstore.PostgreSQL}
	db := &Database{Dialect: d, Watch: watch, connector: connector, DB: sql.OpenDB(watched{connector, watch})}
	db.DB.SetMaxOpenConns(64)
	db.DB.SetMaxIdleConns(64)
	t.Cleanup(func() { _ = db.DB.Close() })
	return db
}

// Store makes the tables and opens a Store.
func (d *Database) Store(t testing.TB, opts ...sqlstore.Option) *sqlstore.Store {
	t.Helper()
	if err := sqlstore.Migrate(context.Background(), d.DB, d.Dialect); err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.Open(context.Background(), d.DB, d.Dialect, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// Second opens the same database as another process would.
func (d *Database) Second(t testing.TB) *Database {
	t.Helper()
	return open(t, d.Dialect, d.connector)
}

// Exec carries out a statement of the test. Its parameters are ?1, ?2 and so on.
func (d *Database) Exec(t testing.TB, text string, args ...any) {
	t.Helper()
	if _, err := d.DB.ExecContext(context.Background(), d.Text(text), args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// Int reads a number.
func (d *Database) Int(t testing.TB, text string, args ...any) (n int64) {
	t.Helper()
	if err := d.DB.QueryRowContext(context.Background(), d.Text(text), args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// Text is a statement for d of one with the parameters ?1, ?2 and so on.
func (d *Database) Text(text string) string {
	if d.Dialect == sqlstore.PostgreSQL {
		return strings.ReplaceAll(text, "?", "$")
	}
	return text
}
