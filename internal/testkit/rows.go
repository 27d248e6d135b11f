package testkit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Rows is a database that answers each query with the rows that it is given,
// and that says of every other statement that it changed one row. To
// sqlstore.Open it is PostgreSQL, MySQL and SQLite.
type Rows func(query string) [][]driver.Value

// DB returns the database for package database/sql. What sqlstore.Open asks is
// answered so that it is content.
func (r Rows) DB() *sql.DB {
	return sql.OpenDB(connector{func(query string) [][]driver.Value {
		if row := content(query); row != nil {
			return [][]driver.Value{row}
		}
		return r(query)
	}})
}

// Over returns a database like DB, but r is asked first, also what Open asks.
func (r Rows) Over() *sql.DB {
	return sql.OpenDB(connector{func(query string) [][]driver.Value {
		if rows := r(query); rows != nil {
			return rows
		}
		return [][]driver.Value{content(query)}
	}})
}

func content(query string) []driver.Value {
	for _, k := range known {
		if strings.Contains(query, k.query) {
			return k.row
		}
	}
	return nil
}

// known are the answers to what sqlstore.Open asks.
var known = []struct {
	query string
	row   []driver.Value
}{
	{"sqlite_version()", []driver.Value{"3.45.0"}},
	{"PRAGMA busy_timeout", []driver.Value{int64(5000)}},
	{"PRAGMA journal_mode", []driver.Value{"wal"}},
	{"server_version_num", []driver.Value{int64(150000), "UTF8", "UTF8", "off"}},
	{"@@sql_mode", []driver.Value{"8.0.30", "STRICT_TRANS_TABLES", "utf8mb4", "0"}},
	{"SHOW VARIABLES", []driver.Value{"autocommit", "ON"}},
	{"t.engine IN", []driver.Value{""}},
	{"count(*) FROM (SELECT to_regclass", []driver.Value{int64(1)}},
	{"FROM sqlite_master", []driver.Value{int64(1)}},
	{"FROM information_schema.tables", []driver.Value{int64(1)}},
	{"FROM alipayplus_schema", []driver.Value{int64(1), int64(1)}},
	{"WHERE 1 = 0", []driver.Value{int64(0)}},
}

type connector struct{ rows Rows }

func (c connector) Connect(context.Context) (driver.Conn, error) { return conn(c), nil }
func (c connector) Driver() driver.Driver                        { return c }
func (c connector) Open(string) (driver.Conn, error)             { return conn(c), nil }

type conn struct{ rows Rows }

func (conn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("testkit: not prepared") }
func (conn) Close() error                        { return nil }
func (conn) Begin() (driver.Tx, error)           { return conn{}, nil }
func (conn) Commit() error                       { return nil }
func (conn) Rollback() error                     { return nil }

func (conn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return conn{}, nil }

func (conn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}

func (c conn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	rows := c.rows(query)
	width := 0
	if len(rows) > 0 {
		width = len(rows[0])
	}
	return &answer{rows, width}, nil
}

type answer struct {
	rows  [][]driver.Value
	width int
}

func (a *answer) Columns() []string {
	names := make([]string, a.width)
	for i := range names {
		names[i] = "column" + strconv.Itoa(i)
	}
	return names
}

func (*answer) Close() error { return nil }

func (a *answer) Next(row []driver.Value) error {
	if len(a.rows) == 0 {
		return io.EOF
	}
	copy(row, a.rows[0])
	a.rows = a.rows[1:]
	return nil
}
