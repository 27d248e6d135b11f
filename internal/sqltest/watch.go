package sqltest

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

// Call is something that a program asks of the database: a statement, BEGIN,
// COMMIT or ROLLBACK.
type Call struct {
	Text string
	Args []driver.NamedValue
}

// Is reports whether it begins with word, whatever the case and blanks before.
func (c Call) Is(word string) bool {
	return strings.HasPrefix(strings.ToUpper(strings.TrimSpace(c.Text)), word)
}

// Fault is what happens instead of a call, or after it.
type Fault struct {
	Err   error // what the program sees; nil: no fault
	After bool  // the database carries the call out before
	Cut   bool  // the connection is lost
}

// Watch sees the calls of a Database.
type Watch struct {
	mu    sync.Mutex
	calls []Call
	fault func(Call) Fault
	bytes int  // of results
	ends  bool // a COMMIT that fails ends the transaction, as on PostgreSQL
}

// Reset forgets the calls and has fault decide about the next ones; nil: there
// are no faults.
func (w *Watch) Reset(fault func(Call) Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.fault, w.bytes = nil, fault, 0
}

// Calls returns those since Reset.
func (w *Watch) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Call(nil), w.calls...)
}

// Bytes returns the number of bytes of the parameters and of the results since
// Reset; a number or a time has eight.
func (w *Watch) Bytes() (parameters, results int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		for _, arg := range c.Args {
			parameters += size(arg.Value)
		}
	}
	return parameters, w.bytes
}

func size(v driver.Value) int {
	switch v := v.(type) {
	case nil:
		return 0
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 8
}

// rows counts what a program reads.
type rows struct {
	driver.Rows
	watch *Watch
}

func (r rows) Next(row []driver.Value) error {
	err := r.Rows.Next(row)
	if err == nil {
		r.watch.mu.Lock()
		defer r.watch.mu.Unlock()
		for _, v := range row {
			r.watch.bytes += size(v)
		}
	}
	return err
}

// Statements returns the calls without BEGIN, COMMIT and ROLLBACK, and the
// number of transactions: those begun, and each statement outside of one.
func (w *Watch) Statements() (statements []string, transactions int) {
	inside := false // of a program that does one thing after the other
	for _, c := range w.Calls() {
		switch c.Text {
		case "BEGIN":
			inside = true
			transactions++
		case "COMMIT", "ROLLBACK":
			inside = false
		default:
			statements = append(statements, c.Text)
			if !inside {
				transactions++
			}
		}
	}
	return statements, transactions
}

// call carries a call out with do, unless there is a fault. lose drops the
// answer.
func (w *Watch) call(c *conn, text string, args []driver.NamedValue, do func() error, lose func()) error {
	call := Call{text, args}
	w.mu.Lock()
	w.calls = append(w.calls, call)
	fault := Fault{}
	if w.fault != nil {
		fault = w.fault(call)
	}
	w.mu.Unlock()
	if fault.Err == nil {
		return do()
	}
	if fault.After {
		if err := do(); err != nil {
			return err
		}
		lose()
	}
	if fault.Cut {
		c.cut()
	}
	return fault.Err
}

// Conflict returns an error as the driver of d makes it if another transaction
// was in the way.
func Conflict(d sqlstore.Dialect) error {
	switch d {
	case sqlstore.SQLite:
		return SQLiteError(5)
	case sqlstore.MySQL:
		return &mysql.MySQLError{Number: 1213, SQLState: [5]byte([]byte("40001"))}
	default:
		return SQLState("40001")
	}
}

// LockTimeout returns an error as the driver of d makes it if a lock was not
// given in time.
func LockTimeout(d sqlstore.Dialect) error {
	switch d {
	case sqlstore.SQLite:
		return SQLiteError(6)
	case sqlstore.MySQL:
		return &mysql.MySQLError{Number: 1205}
	default:
		return SQLState("55P03")
	}
}

// SQLState is an error of a driver for PostgreSQL.
type SQLState string

func (e SQLState) Error() string    { return "SQLSTATE " + string(e) }
func (e SQLState) SQLState() string { return string(e) }

// SQLiteError is an error of a driver for SQLite.
type SQLiteError int

func (e SQLiteError) Error() string { return "an error of SQLite" }
func (e SQLiteError) Code() int     { return int(e) }

// ErrCut is the error of a connection that breaks.
var ErrCut = errors.New("sqltest: the connection broke")

// watched is a driver.Connector whose connections tell a Watch.
type watched struct {
	driver.Connector
	watch *Watch
}

// drivers' connections can do all this.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
}

func (w watched) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := w.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{driverConn: c.(driverConn), watch: w.watch}, nil
}

type conn struct {
	driverConn
	watch *Watch
	lost  bool
}

// cut loses the connection, and with it a transaction that is open.
func (c *conn) cut() {
	c.lost = true
	_ = c.driverConn.Close()
}

func (c *conn) Close() error {
	if c.lost {
		return nil
	}
	return c.driverConn.Close()
}

func (c *conn) IsValid() bool {
	v, ok := c.driverConn.(driver.Validator)
	return !c.lost && (!ok || v.IsValid())
}

func (c *conn) ResetSession(ctx context.Context) error {
	if c.lost {
		return driver.ErrBadConn
	}
	return c.driverConn.ResetSession(ctx)
}

// CheckNamedValue does as the driver does.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.driverConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (result driver.Result, err error) {
	err = c.do(text, args, func() error {
		result, err = c.driverConn.ExecContext(ctx, text, args)
		return err
	}, func() { result = nil })
	return result, err
}

func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (list driver.Rows, err error) {
	err = c.do(text, args, func() error {
		list, err = c.driverConn.QueryContext(ctx, text, args)
		if err == nil {
			list = rows{list, c.watch}
		}
		return err
	}, func() {
		row := make([]driver.Value, len(list.Columns()))
		for list.Next(row) == nil {
		}
		_ = list.Close()
		list = nil
	})
	return list, err
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (t driver.Tx, err error) {
	err = c.do("BEGIN", nil, func() error {
		t, err = c.driverConn.BeginTx(ctx, opts)
		return err
	}, func() {})
	if err != nil {
		return nil, err
	}
	return tx{t, c}, nil
}

func (c *conn) do(text string, args []driver.NamedValue, do func() error, lose func()) error {
	if c.lost {
		return driver.ErrBadConn
	}
	return c.watch.call(c, text, args, do, lose)
}

type tx struct {
	driver.Tx
	c *conn
}

func (t tx) Commit() error {
	tried := false
	err := t.c.do("COMMIT", nil, func() error { tried = true; return t.Tx.Commit() }, func() {})
	if err != nil && !tried && !t.c.lost && t.c.watch.ends {
		_ = t.Tx.Rollback()
	}
	return err
}

func (t tx) Rollback() error { return t.c.do("ROLLBACK", nil, t.Tx.Rollback, func() {}) }

// Unwrap returns the driver's own connection, for sql.Conn.Raw.
func (c *conn) Unwrap() any { return c.driverConn }
