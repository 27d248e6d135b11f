package sqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

// Database is an empty database for one test.
type Database struct {
	Dialect sqlstore.Dialect
	Address string // for Connect
	DB      *sql.DB
	Watch   *Watch
}

// Kinds opens an empty database of each kind.
var Kinds = []struct {
	Name string
	Open func(testing.TB) *Database
}{
	{"PostgreSQL", PostgreSQL}, {"MariaDB", MariaDB}, {"SQLite", SQLite},
}

// Each runs a test on an empty database of each kind. Without a server its part
// is skipped; with CI=true that is a failure.
func Each(t *testing.T, run func(*testing.T, *Database)) {
	t.Helper()
	for _, kind := range Kinds {
		t.Run(kind.Name, func(t *testing.T) { run(t, kind.Open(t)) })
	}
}

var databases atomic.Int64

// PostgreSQL makes an empty schema of the private server.
func PostgreSQL(t testing.TB) *Database {
	t.Helper()
	return postgres.get(t).PostgreSQL(t)
}

// PostgreSQL makes an empty schema of s.
func (s *Server) PostgreSQL(t testing.TB) *Database {
	t.Helper()
	name := fmt.Sprintf("test%d", databases.Add(1))
	s.exec(t, "CREATE SCHEMA "+name)
	return open(t, sqlstore.PostgreSQL, postgresAddress(s)+" search_path="+name)
}

// MariaDB makes an empty database of the private server.
func MariaDB(t testing.TB) *Database {
	t.Helper()
	return mariadb.get(t).MariaDB(t)
}

// MariaDB makes an empty database of s.
func (s *Server) MariaDB(t testing.TB) *Database {
	t.Helper()
	name := fmt.Sprintf("test%d", databases.Add(1))
	s.exec(t, "CREATE DATABASE "+name)
	return open(t, sqlstore.MySQL, mariadbAddress(s, name))
}

func (s *Server) exec(t testing.TB, text string) {
	t.Helper()
	if _, err := s.admin.ExecContext(context.Background(), text); err != nil {
		t.Fatal(err)
	}
}

// SQLite makes a database in a new file.
func SQLite(t testing.TB) *Database {
	t.Helper()
	return open(t, sqlstore.SQLite, "file:"+filepath.Join(t.TempDir(), "wallet.db")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
}

func open(t testing.TB, d sqlstore.Dialect, address string) *Database {
	t.Helper()
	db, err := Connect(d, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.DB.Close() })
	return db
}

// Connect opens a database as a process does.
func Connect(d sqlstore.Dialect, address string) (*Database, error) {
	connector, err := connectorOf(d, address)
	if err != nil {
		return nil, err
	}
	watch := &Watch{ends: d != sqlstore.SQLite}
	db := &Database{Dialect: d, Address: address, Watch: watch, DB: sql.OpenDB(watched{connector, watch})}
	db.DB.SetMaxOpenConns(64)
	db.DB.SetMaxIdleConns(64)
	return db, nil
}

func connectorOf(d sqlstore.Dialect, address string) (driver.Connector, error) {
	switch d {
	case sqlstore.PostgreSQL:
		config, err := pgx.ParseConfig(address)
		if err != nil {
			return nil, err
		}
		return stdlib.GetConnector(*config), nil
	case sqlstore.MySQL:
		config, err := mysql.ParseDSN(address)
		if err != nil {
			return nil, err
		}
		return mysql.NewConnector(config)
	default:
		return sqlite.NewConnector(address)
	}
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
	return open(t, d.Dialect, d.Address)
}

// Durable makes an empty database that keeps what it committed, and its own
// server, which may be killed and started; SQLite has none.
func Durable(t testing.TB, kind string) (*Database, *Server) {
	t.Helper()
	own := func(s *shared) *Server {
		server, err := startServer(s.kind, true)
		needs(t, err)
		t.Cleanup(server.Close)
		return server
	}
	switch kind {
	case "PostgreSQL":
		s := own(&postgres)
		return s.PostgreSQL(t), s
	case "MariaDB":
		s := own(&mariadb)
		return s.MariaDB(t), s
	}
	return open(t, sqlstore.SQLite, "file:"+filepath.Join(t.TempDir(), "wallet.db")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"), nil
}

// With opens the same database with settings of its own for driver and session: on
// PostgreSQL they are added to the others, elsewhere they replace them.
func (d *Database) With(t testing.TB, settings string) *Database {
	t.Helper()
	if d.Dialect == sqlstore.PostgreSQL {
		return open(t, d.Dialect, d.Address+" "+settings)
	}
	address, _, _ := strings.Cut(d.Address, "?")
	return open(t, d.Dialect, address+"?"+settings)
}

// Exec carries out a statement of the test. Its parameters are ?1, ?2 and so
// on, each once and in this order.
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

// Settle waits until the server has noticed that connections broke: until then
// it holds their locks, and whoever skips locked rows finds nothing.
func (d *Database) Settle(t testing.TB) {
	t.Helper()
	if d.Dialect == sqlstore.SQLite {
		return // a connection that is closed is gone
	}
	transactions := d.Pick(
		`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'`,
		`SELECT count(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.db = database() AND p.id <> connection_id()`, ``)
	for deadline := time.Now().Add(time.Minute); d.Int(t, transactions) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the server does not end the transaction of a connection that broke")
		}
	}
}

// Text returns a statement for d of one with the parameters ?1, ?2 and so on,
// each once and in this order.
func (d *Database) Text(text string) string {
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		return strings.ReplaceAll(text, "?", "$")
	case sqlstore.MySQL:
		return numbered.Replace(text)
	default:
		return text
	}
}

var numbered = strings.NewReplacer("?1", "?", "?2", "?", "?3", "?", "?4", "?")

// Pick returns one of three texts, for what differs between databases.
func (d *Database) Pick(postgresql, mysql, sqlite string) string {
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		return postgresql
	case sqlstore.MySQL:
		return mysql
	default:
		return sqlite
	}
}
